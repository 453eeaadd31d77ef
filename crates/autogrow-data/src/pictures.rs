//! Pictures that are decoded when a batch asks for them, on the thread that makes the image.
//!
//! For networks of 224x224 pixels a training image is a random part of the picture, mirrored half
//! of the time, and an evaluated one the middle of the picture scaled to an eighth more than that,
//! as is usual for ImageNet. For small images the middle is scaled to the size wanted, and shifted
//! and mirrored for training, as is usual for CIFAR; those that fit into memory are kept there.

use crate::archives::Store;
use crate::bad::Bad;
use crate::error::of_file;
use crate::images::{Source, SourceTargets};
use crate::listing::Listing;
use crate::planes::Planes;
use crate::random::Draws;
use crate::transform::{Transform, normalised, table, to_byte};
use crate::waiting::Waiting;
use autogrow_core::Result;
use autogrow_core::config::DataConfig;
use autogrow_core::data::{Normalisation, Preprocessing, Statistics};
use autogrow_formats::geometry::{Crop, Scaler, fill_planes};
use autogrow_formats::picture::{Samples, decode};
use rayon::prelude::*;
use std::cell::RefCell;
use std::sync::Arc;

/// Images from this size on are parts of their pictures.
const LARGE: usize = 160;
/// Smaller ones are shifted by at most this part of their size, as those of CIFAR are.
const SHIFT: usize = 8;
/// Decoded images of no more values are kept.
const KEPT: usize = 256 << 20;
/// Pictures that statistics are measured on at most. The mean of so many differs from that of all
/// by some hundredths of a standard deviation.
const MEASURED: usize = 1_000;
/// Of no more pictures than these, all that cannot be read are looked for once one is found.
const SEARCHED: usize = 10_000;

thread_local! {
    /// Memory for scaling, used again by the next image of the thread.
    static SCALER: RefCell<Scaler> = RefCell::default();
}

/// Listed pictures as images of one size.
#[derive(Debug)]
pub(crate) struct Pictures {
    listing: Listing,
    store: Store,
    /// Height and width of an image.
    size: usize,
    statistics: [Statistics; 3],
    /// Normalised value of each byte, for each channel.
    tables: [[f32; 256]; 3],
    /// How small images are augmented and normalised, and what else is done to large ones.
    small: Transform,
    /// Whether large images are mirrored.
    flip: bool,
}

impl Pictures {
    /// Pictures as images of `size` pixels in each direction, normalised with `statistics`.
    pub(crate) fn new(
        (listing, store): (Listing, Store),
        size: usize,
        statistics: [Statistics; 3],
        config: &DataConfig,
    ) -> Self {
        let tables = statistics.map(|of| table(of, 255));
        let small = Transform::new([size, size], 255, statistics).shift([size / SHIFT; 2]).flip();
        let small = small.configured(config);
        let flip = config.flip.unwrap_or(true);
        Self { listing, store, size, statistics, tables, small, flip }
    }

    /// The mean and the standard deviation of each channel, measured on the pictures that can be
    /// read, on some of many; and whether some cannot be.
    pub(crate) fn measure(&self) -> ([Statistics; 3], bool) {
        let count = self.listing.len();
        let measured = count.min(MEASURED);
        let waiting = Waiting::for_pass("measuring colours", measured);
        let each: Vec<Result<Sums>> = (0..measured)
            .into_par_iter()
            .map(|part| {
                let sums =
                    self.square(part * count / measured, None, |square, _, _| Sums::of(square));
                waiting.add(1);
                sums
            })
            .collect();
        let mut all = Sums::default();
        each.iter().flatten().for_each(|of_one| all.add(of_one));
        let (statistics, is_plain) = all.statistics();
        if is_plain && all.pixels > 0 {
            tracing::warn!("all pixels of the training pictures have the same colour");
        }
        (statistics, each.iter().any(Result::is_err))
    }

    /// Whether all images are decoded at once and kept.
    pub(crate) fn are_kept(&self) -> bool {
        let values = 3 * self.size * self.size;
        self.size < LARGE && self.listing.len().saturating_mul(values) <= KEPT
    }

    /// What pixels are normalised with.
    pub(crate) fn statistics(&self) -> [Statistics; 3] {
        self.statistics
    }

    /// What is listed.
    pub(crate) fn into_part(self) -> (Listing, Store) {
        (self.listing, self.store)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.listing.len()
    }

    /// As a source, and the marks of its pictures, where the listing has some. Of images that are kept, those that cannot be read are left out and told in `bad`;
    /// of others, they show when they are asked for.
    ///
    /// # Errors
    /// Where the names of files are too long to be listed again.
    pub(crate) fn source(self, bad: &mut Bad) -> Result<(Arc<dyn Source>, Vec<u64>)> {
        if !self.are_kept() {
            let marks = self.listing.marks().to_vec();
            return Ok((Arc::new(self), marks));
        }
        let waiting = Waiting::for_pass("decoding pictures", self.listing.len());
        let made: Vec<Result<Planes>> = (0..self.listing.len())
            .into_par_iter()
            .map(|index| {
                let planes = self.square(index, None, |square, _, _| Planes::of(square, 3));
                waiting.add(1);
                planes
            })
            .collect();
        let is_bad: Vec<bool> = made.iter().map(Result::is_err).collect();
        let mut images = Vec::with_capacity(made.len());
        for made in made {
            match made {
                Ok(planes) => images.push(planes),
                Err(error) => bad.push(error),
            }
        }
        let pictures = match is_bad.contains(&true) {
            false => self,
            true => {
                let root = self.store.path(&self.listing, 0);
                let [listing, _] = self.listing.divide(&root, &is_bad)?;
                Self { listing, ..self }
            }
        };
        let marks = pictures.listing.marks().to_vec();
        Ok((Arc::new(Kept { images, pictures }), marks))
    }

    /// Adds what cannot be read, of all pictures or, where there are very many, of some.
    pub(crate) fn search(&self, bad: &mut Bad) {
        let count = self.listing.len();
        let looked_at = count.min(SEARCHED);
        let waiting = Waiting::for_pass("looking for bad pictures", looked_at);
        let failed: Vec<_> = (0..looked_at)
            .into_par_iter()
            .filter_map(|part| {
                let read = self.square(part * count / looked_at, None, |_, _, _| ());
                waiting.add(1);
                read.err()
            })
            .collect();
        failed.into_iter().for_each(|error| bad.push(error));
    }

    /// What a picture's shorter side is scaled to before the middle is cut out.
    fn shorter_side(&self) -> usize {
        if self.size < LARGE { self.size } else { self.size + self.size / 7 }
    }

    /// Hands the pixels of an image, red, green and blue one after the other, to `take`,
    /// whether to mirror them, and what else is to be drawn.
    fn square<T>(
        &self,
        index: usize,
        draws: Option<&mut Draws>,
        take: impl FnOnce(Samples<'_>, bool, Option<&mut Draws>) -> T,
    ) -> Result<T> {
        let (path, content) = self.store.read(&self.listing, index)?;
        let picture = decode(&path, &content).map_err(of_file)?;
        let size = self.size as u32;
        SCALER.with_borrow_mut(|scaler| {
            let scaled = match draws {
                Some(draws) => {
                    let lengths = [picture.width, picture.height];
                    let crop = Crop::random(lengths, || draws.uniform());
                    let square = scaler.crop(&path, &picture, crop, size);
                    square.map(|square| {
                        let flip = draws.coin() && self.flip;
                        take(square, flip, Some(draws))
                    })
                }
                None => {
                    let side = self.shorter_side() as u32;
                    let square = scaler.centre(&path, &picture, side, [size; 2]);
                    square.map(|square| take(square, false, None))
                }
            };
            scaled.map_err(of_file)
        })
    }
}

/// Sums over pixels, in whole numbers: they do not depend on the order.
#[derive(Default)]
struct Sums {
    pixels: u64,
    /// Of the bytes of each channel, and of their squares; of pictures of 16 bits, of words.
    values: [[u64; 2]; 3],
    are_words: bool,
}

impl Sums {
    /// Of pixels of red, green and blue.
    fn of(square: Samples<'_>) -> Self {
        match square {
            Samples::Bytes(bytes) => Self::of_values(bytes, false),
            Samples::Words(words) => Self::of_values(words, true),
        }
    }

    fn of_values<T: Copy + Into<u64>>(values: &[T], are_words: bool) -> Self {
        let mut sums = Self { pixels: values.len() as u64 / 3, are_words, ..Self::default() };
        for pixel in values.as_chunks::<3>().0 {
            for ([sum, squares], &value) in sums.values.iter_mut().zip(pixel) {
                let value: u64 = value.into();
                *sum += value;
                *squares += value * value;
            }
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        // A byte is 257 times as much in words; sums of bytes alone stay as they are.
        let are_words = self.are_words || other.are_words;
        let factors =
            |of: &Self| if are_words && !of.are_words { [257, 257 * 257] } else { [1, 1] };
        let (own, others) = (factors(self), factors(other));
        self.pixels += other.pixels;
        for (sums, other) in self.values.iter_mut().zip(&other.values) {
            for at in 0..2 {
                sums[at] = sums[at] * own[at] + other[at] * others[at];
            }
        }
        self.are_words = are_words;
    }

    /// Of each channel, and whether all pixels are alike.
    fn statistics(&self) -> ([Statistics; 3], bool) {
        let most = if self.are_words { 65_535.0 } else { 255.0 };
        let mut is_plain = true;
        let statistics = self.values.map(|sums| {
            let [mean, square] = sums.map(|sum| sum as f64 / self.pixels.max(1) as f64);
            let deviation = (square - mean * mean).max(0.0).sqrt();
            is_plain &= deviation < 1e-6 * most;
            // Where all pixels are alike, nothing is to be made larger.
            let deviation = if deviation < 1.0 { most } else { deviation };
            Statistics { mean: (mean / most) as f32, std: (deviation / most) as f32 }
        });
        (statistics, is_plain)
    }
}

/// Pictures whose images are in memory, one for each listed picture.
struct Kept {
    images: Vec<Planes>,
    pictures: Pictures,
}

impl Source for Kept {
    fn image(&self) -> [usize; 3] {
        self.pictures.image()
    }

    fn targets(&self) -> SourceTargets<'_> {
        self.pictures.targets()
    }

    fn preprocessing(&self) -> Option<Preprocessing> {
        Some(self.pictures.small.preprocessing())
    }

    fn stored_size(&self, index: usize) -> Result<[usize; 2]> {
        self.pictures.stored_size(index)
    }

    fn name(&self, index: usize) -> Option<String> {
        self.pictures.name(index)
    }

    fn fill(&self, index: usize, draws: Option<&mut Draws>, out: &mut [f32]) -> Result<()> {
        self.pictures.small.fill_planes(&self.images[index], draws, out);
        Ok(())
    }

    fn normalisation(&self, is_augmented: bool) -> Option<Normalisation> {
        Some(self.pictures.small.normalisation(is_augmented))
    }

    fn fill_bytes(&self, index: usize, draws: Option<&mut Draws>, out: &mut [u8]) -> Result<bool> {
        Ok(self.pictures.small.fill_plane_bytes(&self.images[index], draws, out))
    }
}

impl Source for Pictures {
    fn image(&self) -> [usize; 3] {
        [3, self.size, self.size]
    }

    fn targets(&self) -> SourceTargets<'_> {
        SourceTargets::Classes(self.listing.labels())
    }

    fn preprocessing(&self) -> Option<Preprocessing> {
        let all = Preprocessing::of(&self.statistics, [self.size; 2]);
        Some(Preprocessing { shorter_side: Some(self.shorter_side()), ..all })
    }

    fn stored_size(&self, index: usize) -> Result<[usize; 2]> {
        let [width, height] = self.store.size(&self.listing, index)?;
        Ok([height as usize, width as usize])
    }

    fn name(&self, index: usize) -> Option<String> {
        Some(self.store.path(&self.listing, index).display().to_string())
    }

    fn fill(&self, index: usize, draws: Option<&mut Draws>, out: &mut [f32]) -> Result<()> {
        if self.size < LARGE {
            let planes = self.square(index, None, |square, _, _| Planes::of(square, 3))?;
            self.small.fill_planes(&planes, draws, out);
            return Ok(());
        }
        self.square(index, draws, |square, flip, draws| match (square, draws) {
            (square, Some(draws)) if self.small.has_operations() => {
                let mut bytes = vec![0; out.len()];
                match square {
                    Samples::Bytes(pixels) => {
                        fill_planes(pixels, self.size, flip, |_, byte| byte, &mut bytes);
                    }
                    Samples::Words(pixels) => {
                        fill_planes(pixels, self.size, flip, |_, word| to_byte(word), &mut bytes);
                    }
                }
                self.small.operate(bytes, draws, out);
            }
            (Samples::Bytes(bytes), _) => {
                let value = |channel: usize, byte: u8| self.tables[channel][usize::from(byte)];
                fill_planes(bytes, self.size, flip, value, out);
            }
            (Samples::Words(words), _) => {
                let value = |channel: usize, word| normalised(word, self.statistics[channel]);
                fill_planes(words, self.size, flip, value, out);
            }
        })
    }

    fn normalisation(&self, is_augmented: bool) -> Option<Normalisation> {
        Some(self.small.normalisation(is_augmented))
    }

    fn fill_bytes(&self, index: usize, draws: Option<&mut Draws>, out: &mut [u8]) -> Result<bool> {
        if self.size < LARGE {
            let planes = self.square(index, None, |square, _, _| Planes::of(square, 3))?;
            return Ok(self.small.fill_plane_bytes(&planes, draws, out));
        }
        self.square(index, draws, |square, flip, draws| {
            let Samples::Bytes(pixels) = square else { return false };
            fill_planes(pixels, self.size, flip, |_, byte| byte, out);
            if let Some(draws) = draws {
                self.small.operate_on_bytes(draws, out);
            }
            true
        })
    }
}
