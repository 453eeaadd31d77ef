//! From stored bytes to what a network sees: padded, shifted, mirrored, normalised.
//!
//! "Pad by 4, then crop a random window of the original size" is the same as shifting by -4 to 4
//! pixels in each direction with black behind, so one number, the shift, describes it.

use crate::augment::augment;
use crate::planes::Planes;
use crate::random::Draws;
use autogrow_core::config::{Augment, DataConfig};
use autogrow_core::data::{Normalisation, Preprocessing, Statistics};

/// How the images of a set are prepared.
#[derive(Clone, Debug)]
pub struct Transform {
    /// `[channels, height, width]` as stored.
    stored: [usize; 3],
    /// Height and width as the network sees them.
    size: [usize; 2],
    /// Largest random shift in pixels, vertically and horizontally.
    shift: [usize; 2],
    /// Whether images are mirrored at random.
    flip: bool,
    /// What else is done to training images.
    augment: Augment,
    /// Of each channel.
    statistics: Vec<Statistics>,
    /// The byte that is white.
    white: u8,
    /// Normalised value of each byte, for each channel.
    tables: Vec<[f32; 256]>,
    /// The same where 255 is white.
    tables_to_255: Vec<[f32; 256]>,
}

impl Transform {
    /// Normalises images stored as `[channels, height, width]` bytes from 0 to `white`: a pixel is
    /// `(byte / white - mean) / std` of its channel.
    pub fn new<const C: usize>(
        [height, width]: [usize; 2],
        white: u8,
        statistics: [Statistics; C],
    ) -> Self {
        Self::of(&statistics, [height, width], white)
    }

    /// That of images from elsewhere, stored as `[channels, height, width]` bytes from 0 to 255,
    /// in the size that `preprocessing` names, for a network that sees `[height, width]`.
    pub fn prepare(preprocessing: &Preprocessing, size: [usize; 2]) -> Self {
        let Preprocessing { size: stored, mean, std, .. } = preprocessing;
        let channels = mean.iter().zip(std).map(|(&mean, &std)| Statistics { mean, std });
        Self::of(&channels.collect::<Vec<_>>(), *stored, 255).pad_to(size)
    }

    fn of(statistics: &[Statistics], [height, width]: [usize; 2], white: u8) -> Self {
        Self {
            stored: [statistics.len(), height, width],
            size: [height, width],
            shift: [0, 0],
            flip: false,
            augment: Augment::Standard,
            statistics: statistics.to_vec(),
            white,
            tables: statistics.iter().map(|&of| table(of, white)).collect(),
            tables_to_255: statistics.iter().map(|&of| table(of, 255)).collect(),
        }
    }

    /// Centres the image in a black one of this height and width.
    pub fn pad_to(self, size: [usize; 2]) -> Self {
        Self { size, ..self }
    }

    /// Shifts training images by up to so many pixels, up or down and left or right.
    pub fn shift(self, pixels: [usize; 2]) -> Self {
        Self { shift: pixels, ..self }
    }

    /// Mirrors every other training image left to right.
    pub fn flip(self) -> Self {
        Self { flip: true, ..self }
    }

    /// Augments as `data.augment` asks, and as `data.flip` and `data.shift` do where they are set.
    pub fn configured(self, config: &DataConfig) -> Self {
        let shift = config.shift.map_or(self.shift, |pixels| [pixels; 2]);
        let flip = config.flip.unwrap_or(self.flip);
        Self { shift, flip, augment: config.augment, ..self }
    }

    /// How pictures from elsewhere are made like images of the set.
    pub fn preprocessing(&self) -> Preprocessing {
        let [_, height, width] = self.stored;
        Preprocessing::of(&self.statistics, [height, width])
    }

    /// `[channels, height, width]` of an image as stored.
    pub fn stored(&self) -> [usize; 3] {
        self.stored
    }

    /// `[channels, height, width]` of an image as the network sees it.
    pub fn image(&self) -> [usize; 3] {
        [self.stored[0], self.size[0], self.size[1]]
    }

    /// Fills `out` with one image, normalised; `pixels` are its bytes as stored. Augmented
    /// according to `draws`, where there are any.
    pub fn fill(&self, pixels: &[u8], draws: Option<&mut Draws>, out: &mut [f32]) {
        let value = |channel: usize| {
            let table = &self.tables[channel];
            move |byte: u8| table[usize::from(byte)]
        };
        self.fill_with(pixels, value, |byte| self.to_255(byte), draws, out);
    }

    /// Fills `out` with the bytes of one image, augmented in the same way, before it is normalised.
    pub fn fill_bytes(&self, pixels: &[u8], draws: Option<&mut Draws>, out: &mut [u8]) {
        let Some(draws) = draws else {
            return self.place(pixels, |_| |byte| byte, ([0, 0], false), out);
        };
        let placed = self.draw(draws);
        match self.has_operations() {
            true => self.place(pixels, |_| |byte| self.to_255(byte), placed, out),
            false => self.place(pixels, |_| |byte| byte, placed, out),
        }
        self.operate_on_bytes(draws, out);
    }

    /// The same of an image that may have more bits: then says no, and does nothing.
    pub(crate) fn fill_plane_bytes(
        &self,
        planes: &Planes,
        draws: Option<&mut Draws>,
        out: &mut [u8],
    ) -> bool {
        let Planes::Bytes(bytes) = planes else { return false };
        self.fill_bytes(bytes, draws, out);
        true
    }

    /// Changes training images beyond shifting and mirroring, where that is asked for; 255 is white.
    pub(crate) fn operate_on_bytes(&self, draws: &mut Draws, bytes: &mut [u8]) {
        if self.has_operations() {
            augment(self.augment, draws, self.image(), bytes);
        }
    }

    /// How those bytes are normalised, of augmented images or of others.
    pub fn normalisation(&self, is_augmented: bool) -> Normalisation {
        let white = if is_augmented && self.has_operations() { 255 } else { self.white };
        Normalisation { white, statistics: self.statistics.clone() }
    }

    /// The byte that stands for another one where 255 is white.
    fn to_255(&self, byte: u8) -> u8 {
        let white = u32::from(self.white.max(1));
        ((u32::from(byte) * 255 + white / 2) / white).min(255) as u8
    }

    /// The same as [`Transform::fill`] of an image in as many bits as its picture has.
    pub(crate) fn fill_planes(&self, planes: &Planes, draws: Option<&mut Draws>, out: &mut [f32]) {
        match planes {
            Planes::Bytes(bytes) => self.fill(bytes, draws, out),
            Planes::Words(words) => {
                let value = |channel: usize| {
                    let of = self.statistics[channel];
                    move |word: u16| normalised(word, of)
                };
                self.fill_with(words, value, to_byte, draws, out);
            }
        }
    }

    /// `value` gives for each channel how a value in it is normalised, `to_255` the byte that stands
    /// for a value where 255 is white.
    fn fill_with<T: Copy + Default, F: Fn(T) -> f32>(
        &self,
        pixels: &[T],
        value: impl Fn(usize) -> F,
        to_255: impl Fn(T) -> u8,
        draws: Option<&mut Draws>,
        out: &mut [f32],
    ) {
        match draws {
            None => self.place(pixels, value, ([0, 0], false), out),
            Some(draws) => {
                let placed = self.draw(draws);
                if self.has_operations() {
                    let mut bytes = vec![0; out.len()];
                    self.place(pixels, |_| &to_255, placed, &mut bytes);
                    self.operate(bytes, draws, out);
                } else {
                    self.place(pixels, value, placed, out);
                }
            }
        }
    }

    /// Whether training images are changed beyond being shifted and mirrored.
    pub(crate) fn has_operations(&self) -> bool {
        matches!(self.augment, Augment::Trivial | Augment::Rand)
    }

    /// Makes those changes to bytes in the size that the network sees, 255 white, and normalises them.
    pub(crate) fn operate(&self, mut bytes: Vec<u8>, draws: &mut Draws, out: &mut [f32]) {
        let [_, height, width] = self.image();
        self.operate_on_bytes(draws, &mut bytes);
        let planes = bytes.chunks_exact(height * width).zip(&self.tables_to_255);
        for ((plane, table), out) in planes.zip(out.chunks_exact_mut(height * width)) {
            let look_up = |(out, &byte): (&mut f32, &u8)| *out = table[usize::from(byte)];
            out.iter_mut().zip(plane).for_each(look_up);
        }
    }

    /// Puts an image where it is seen, shifted and mirrored.
    fn place<T: Copy + Default, V: Copy, F: Fn(T) -> V>(
        &self,
        pixels: &[T],
        value: impl Fn(usize) -> F,
        ([down, right], flip): ([isize; 2], bool),
        out: &mut [V],
    ) {
        let [_, height, width] = self.stored;
        let [out_height, out_width] = self.size;
        let rows = Overlap::new(height, out_height, down);
        let columns = Overlap::new(width, out_width, right);
        let left = if flip { columns.after } else { columns.before };
        let planes = pixels.chunks_exact(height * width).take(self.stored[0]).enumerate();
        for ((channel, plane), out) in planes.zip(out.chunks_exact_mut(out_height * out_width)) {
            let value = value(channel);
            let (black, out) = (value(T::default()), &mut out[..]);
            let (before, out) = out.split_at_mut(rows.before * out_width);
            let (visible, after) = out.split_at_mut(rows.take * out_width);
            before.fill(black);
            after.fill(black);
            let stored = plane.chunks_exact(width).skip(rows.skip);
            for (row, out) in stored.zip(visible.chunks_exact_mut(out_width)) {
                let row = &row[columns.skip..columns.skip + columns.take];
                let (before, out) = out.split_at_mut(left);
                let (visible, after) = out.split_at_mut(columns.take);
                before.fill(black);
                after.fill(black);
                let look_up = |(out, &pixel): (&mut V, &T)| *out = value(pixel);
                if flip {
                    visible.iter_mut().zip(row.iter().rev()).for_each(look_up);
                } else {
                    visible.iter_mut().zip(row).for_each(look_up);
                }
            }
        }
    }

    /// How far down and to the right one image goes, and whether it is mirrored after that.
    fn draw(&self, draws: &mut Draws) -> ([isize; 2], bool) {
        let shifts = self.shift.map(|reach| match reach {
            0 => 0,
            _ => draws.below(2 * reach + 1) as isize - reach as isize,
        });
        (shifts, self.flip && draws.coin())
    }
}

/// A value of 16 bits in 8.
pub(crate) fn to_byte(word: u16) -> u8 {
    ((u32::from(word) + 128) / 257) as u8
}

/// The normalised value of a value of 16 bits.
pub(crate) fn normalised(word: u16, of: Statistics) -> f32 {
    (f32::from(word) / 65_535.0 - of.mean) / of.std
}

/// The normalised value of each byte from 0 to `white`.
pub(crate) fn table(of: Statistics, white: u8) -> [f32; 256] {
    std::array::from_fn(|byte| (byte as f32 / f32::from(white) - of.mean) / of.std)
}

/// Where a line of pixels lands in a longer or shorter one.
struct Overlap {
    /// Black pixels in front.
    before: usize,
    /// Pixels that fall off the front.
    skip: usize,
    /// Pixels that are visible.
    take: usize,
    /// Black pixels behind.
    after: usize,
}

impl Overlap {
    /// A line of `from` pixels, centred in one of `to` and then moved on by `shift`.
    fn new(from: usize, to: usize, shift: isize) -> Self {
        let start = (to as isize - from as isize).div_euclid(2) + shift;
        let before = start.max(0).unsigned_abs().min(to);
        let skip = start.min(0).unsigned_abs().min(from);
        let take = (from - skip).min(to - before);
        Self { before, skip, take, after: to - before - take }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;
    use proptest::prelude::*;

    const PLAIN: Statistics = Statistics { mean: 0.0, std: 1.0 };

    /// Pad with black, cut a window out, mirror it, normalise: each step on its own.
    fn reference(
        transform: &Transform,
        pixels: &[u8],
        [down, right]: [isize; 2],
        flip: bool,
    ) -> Vec<f32> {
        let [channels, height, width] = transform.stored();
        let [_, out_height, out_width] = transform.image();
        let margin = 40;
        let (tall, wide) = (height + 2 * margin, width + 2 * margin);
        let mut result = Vec::new();
        for channel in 0..channels {
            let mut canvas = vec![0; tall * wide];
            for y in 0..height {
                for x in 0..width {
                    canvas[(y + margin) * wide + x + margin] =
                        pixels[(channel * height + y) * width + x];
                }
            }
            let centre = |from: usize, to: usize| (to as isize - from as isize).div_euclid(2);
            let top = margin as isize - centre(height, out_height) - down;
            let left = margin as isize - centre(width, out_width) - right;
            for y in 0..out_height {
                for x in 0..out_width {
                    let x = if flip { out_width - 1 - x } else { x };
                    let at = (top as usize + y) * wide + left as usize + x;
                    result.push(transform.tables[channel][usize::from(canvas[at])]);
                }
            }
        }
        result
    }

    proptest! {
        #[test]
        fn shifts_and_flips_are_those_of_the_reference(
            (height, width) in (1_usize..9, 1_usize..9),
            (pad_height, pad_width) in (0_usize..6, 0_usize..6),
            shift in [0_usize..5, 0_usize..5],
            flip: bool,
            seed: u64,
        ) {
            let mut pixels = vec![0; 2 * height * width];
            Draws::new(seed, Purpose::Order, 0).fill(&mut pixels);
            let statistics =
                [Statistics { mean: 0.4, std: 0.2 }, Statistics { mean: 0.5, std: 0.3 }];
            let mut transform = Transform::new([height, width], 255, statistics)
                .pad_to([height + pad_height, width + pad_width])
                .shift(shift);
            if flip {
                transform = transform.flip();
            }
            let draws = || Draws::new(seed, Purpose::Augmentation, 3);
            let (shifts, mirrored) = transform.draw(&mut draws());
            let mut augmented = vec![f32::NAN; transform.image().iter().product()];
            let mut plain = augmented.clone();
            transform.fill(&pixels, Some(&mut draws()), &mut augmented);
            prop_assert_eq!(augmented, reference(&transform, &pixels, shifts, mirrored));

            transform.fill(&pixels, None, &mut plain);
            prop_assert_eq!(plain, reference(&transform, &pixels, [0, 0], false));
        }
    }

    #[test]
    fn every_shift_and_both_directions_occur() {
        let transform = Transform::new([8, 8], 255, [PLAIN]).shift([1, 1]).flip();
        let mut seen = std::collections::BTreeMap::new();
        for index in 0..3_600 {
            let drawn = transform.draw(&mut Draws::new(5, Purpose::Augmentation, index));
            *seen.entry(drawn).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 18);
        assert!(seen.values().all(|count| (140..260).contains(count)), "{seen:?}");
    }

    /// 14 of 16 is as bright as 223 of 255, so the same operations come to the same picture.
    #[test]
    fn operations_see_bytes_up_to_255_behind_shift_and_flip() {
        for kind in [Augment::Trivial, Augment::Rand] {
            let of = |white| Transform::new([6, 5], white, [PLAIN]).pad_to([8, 8]).shift([1, 2]);
            let config = DataConfig { augment: kind, ..DataConfig::default() };
            let stored: Vec<u8> = (0..30).map(|at| at * 7 % 17).collect();
            let bright: Vec<u8> =
                stored.iter().map(|&byte| ((u32::from(byte) * 255 + 8) / 16) as u8).collect();
            for index in 0..60 {
                let fill = |white, pixels: &[u8]| {
                    let mut out = [f32::NAN; 64];
                    let mut draws = Draws::new(2, Purpose::Augmentation, index);
                    of(white).flip().configured(&config).fill(pixels, Some(&mut draws), &mut out);
                    out
                };
                assert_eq!(fill(16, &stored), fill(255, &bright));
            }
        }
    }

    #[test]
    fn an_image_shifted_out_of_sight_is_black() {
        let transform = Transform::new([1, 1], 1, [PLAIN]).shift([9, 9]);
        let mut out = [1.0; 50];
        for (index, out) in out.chunks_mut(1).enumerate() {
            let mut draws = Draws::new(0, Purpose::Augmentation, index);
            transform.fill(&[1], Some(&mut draws), out);
        }
        assert!(out.contains(&0.0));
    }

    #[test]
    fn pictures_are_prepared_as_images_of_the_set_are() {
        let statistics = Statistics::channels([0.4914, 0.4822], [0.2023, 0.1994]);
        let set = Transform::new([2, 3], 255, statistics).shift([1, 1]).flip().pad_to([4, 5]);
        let elsewhere = Transform::prepare(&set.preprocessing(), [4, 5]);
        let mut out = (Vec::new(), Vec::new());
        let pixels: Vec<u8> = (0..12).map(|index| index * 20).collect();
        set.fill(&pixels, None, &mut out.0);
        elsewhere.fill(&pixels, None, &mut out.1);
        assert_eq!((out.0, set.image()), (out.1, elsewhere.image()));
    }

    #[test]
    fn pixels_are_normalised_in_single_precision() {
        let transform = Transform::new([1, 2], 255, [Statistics { mean: 0.4914, std: 0.2023 }]);
        let mut out = [0.0; 2];
        transform.fill(&[0, 200], None, &mut out);
        assert_eq!(out, [(0.0 - 0.4914_f32) / 0.2023, (200.0 / 255.0 - 0.4914_f32) / 0.2023]);
    }
}
