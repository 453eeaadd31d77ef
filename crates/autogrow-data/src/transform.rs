//! From stored bytes to what a network sees: padded, shifted, mirrored, normalised.
//!
//! "Pad by 4, then crop a random window of the original size" is the same as shifting by -4 to 4
//! pixels in each direction with black behind, so one number, the shift, describes it.

use crate::random::Draws;
use autogrow_core::data::Preprocessing;

/// Mean and standard deviation of a channel, of pixels scaled to the range 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    /// Subtracted from a pixel.
    pub mean: f32,
    /// Divides a pixel afterwards.
    pub std: f32,
}

impl Statistics {
    /// The statistics of each channel, from a list of means and one of standard deviations.
    pub fn channels<const C: usize>(mean: [f32; C], std: [f32; C]) -> [Self; C] {
        std::array::from_fn(|channel| Self { mean: mean[channel], std: std[channel] })
    }
}

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
    /// Of each channel.
    statistics: Vec<Statistics>,
    /// Normalised value of each byte, for each channel.
    tables: Vec<[f32; 256]>,
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
        let Preprocessing { size: stored, mean, std } = preprocessing;
        let channels = mean.iter().zip(std).map(|(&mean, &std)| Statistics { mean, std });
        Self::of(&channels.collect::<Vec<_>>(), *stored, 255).pad_to(size)
    }

    fn of(statistics: &[Statistics], [height, width]: [usize; 2], white: u8) -> Self {
        let table = |of: Statistics| {
            std::array::from_fn(|byte| (byte as f32 / f32::from(white) - of.mean) / of.std)
        };
        Self {
            stored: [statistics.len(), height, width],
            size: [height, width],
            shift: [0, 0],
            flip: false,
            statistics: statistics.to_vec(),
            tables: statistics.iter().copied().map(table).collect(),
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

    /// How pictures from elsewhere are made like images of the set.
    pub fn preprocessing(&self) -> Preprocessing {
        let of = |number: fn(&Statistics) -> f32| self.statistics.iter().map(number).collect();
        let [_, height, width] = self.stored;
        Preprocessing { size: [height, width], mean: of(|s| s.mean), std: of(|s| s.std) }
    }

    /// `[channels, height, width]` of an image as stored.
    pub fn stored(&self) -> [usize; 3] {
        self.stored
    }

    /// `[channels, height, width]` of an image as the network sees it.
    pub fn image(&self) -> [usize; 3] {
        [self.stored[0], self.size[0], self.size[1]]
    }

    /// Appends one image, normalised, to `out`; `pixels` are its bytes as stored. Augmented
    /// according to `draws`, where there are any.
    pub fn append(&self, pixels: &[u8], draws: Option<&mut Draws>, out: &mut Vec<f32>) {
        let [_, height, width] = self.stored;
        let [out_height, out_width] = self.size;
        let ([down, right], flip) = match draws {
            Some(draws) => self.draw(draws),
            None => ([0, 0], false),
        };
        let rows = Overlap::new(height, out_height, down);
        let columns = Overlap::new(width, out_width, right);
        let (left, right) =
            if flip { (columns.after, columns.before) } else { (columns.before, columns.after) };
        for (plane, table) in pixels.chunks_exact(height * width).zip(&self.tables) {
            let black = table[0];
            let look_up = |&byte: &u8| table[usize::from(byte)];
            out.extend(std::iter::repeat_n(black, rows.before * out_width));
            for row in plane.chunks_exact(width).skip(rows.skip).take(rows.take) {
                let row = &row[columns.skip..columns.skip + columns.take];
                out.extend(std::iter::repeat_n(black, left));
                if flip {
                    out.extend(row.iter().rev().map(look_up));
                } else {
                    out.extend(row.iter().map(look_up));
                }
                out.extend(std::iter::repeat_n(black, right));
            }
            out.extend(std::iter::repeat_n(black, rows.after * out_width));
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
            let mut augmented = Vec::new();
            transform.append(&pixels, Some(&mut draws()), &mut augmented);
            prop_assert_eq!(augmented, reference(&transform, &pixels, shifts, mirrored));

            let mut plain = Vec::new();
            transform.append(&pixels, None, &mut plain);
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

    #[test]
    fn an_image_shifted_out_of_sight_is_black() {
        let transform = Transform::new([1, 1], 1, [PLAIN]).shift([9, 9]);
        let mut out = Vec::new();
        for index in 0..50 {
            let mut draws = Draws::new(0, Purpose::Augmentation, index);
            transform.append(&[1], Some(&mut draws), &mut out);
        }
        assert_eq!(out.len(), 50);
        assert!(out.contains(&0.0));
    }

    #[test]
    fn pictures_are_prepared_as_images_of_the_set_are() {
        let statistics = Statistics::channels([0.4914, 0.4822], [0.2023, 0.1994]);
        let set = Transform::new([2, 3], 255, statistics).shift([1, 1]).flip().pad_to([4, 5]);
        let elsewhere = Transform::prepare(&set.preprocessing(), [4, 5]);
        let mut out = (Vec::new(), Vec::new());
        let pixels: Vec<u8> = (0..12).map(|index| index * 20).collect();
        set.append(&pixels, None, &mut out.0);
        elsewhere.append(&pixels, None, &mut out.1);
        assert_eq!((out.0, set.image()), (out.1, elsewhere.image()));
    }

    #[test]
    fn pixels_are_normalised_in_single_precision() {
        let transform = Transform::new([1, 2], 255, [Statistics { mean: 0.4914, std: 0.2023 }]);
        let mut out = Vec::new();
        transform.append(&[0, 200], None, &mut out);
        assert_eq!(out, [(0.0 - 0.4914_f32) / 0.2023, (200.0 / 255.0 - 0.4914_f32) / 0.2023]);
    }
}
