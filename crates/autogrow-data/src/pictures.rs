//! Pictures that are decoded when a batch asks for them, on the thread that makes the image.
//!
//! For networks of 224x224 pixels a training image is a random part of the picture, mirrored half
//! of the time, and an evaluated one the middle of the picture scaled to an eighth more than that,
//! as is usual for ImageNet. For small images the middle is scaled to the size wanted, and shifted
//! and mirrored for training, as is usual for CIFAR; those that fit into memory are kept there.

use crate::archives::Store;
use crate::error::of_file;
use crate::images::{Images, Source, SourceTargets};
use crate::listing::Listing;
use crate::random::Draws;
use crate::transform::{Transform, table};
use autogrow_core::Result;
use autogrow_core::config::OnBadImage;
use autogrow_core::data::{Preprocessing, Statistics};
use autogrow_formats::geometry::{Crop, Scaler, fill_planes};
use autogrow_formats::picture::{decode, size};
use rayon::prelude::*;
use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

/// Images from this size on are parts of their pictures.
const LARGE: usize = 64;
/// Decoded images that take no more are kept.
const KEPT: usize = 256 << 20;
/// Pictures that statistics are measured on at most. The mean of so many differs from that of all
/// by some hundredths of a standard deviation.
const MEASURED: usize = 1_000;

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
    /// How small images are augmented and normalised.
    small: Transform,
}

impl Pictures {
    /// Pictures as images of `size` pixels in each direction, normalised with `statistics`.
    pub(crate) fn new(
        listing: Listing,
        store: Store,
        size: usize,
        statistics: [Statistics; 3],
    ) -> Self {
        let tables = statistics.map(|of| table(of, 255));
        let small = Transform::new([size, size], 255, statistics).shift([4, 4]).flip();
        Self { listing, store, size, statistics, tables, small }
    }

    /// The same pictures, normalised with what is measured on them: the mean and the standard
    /// deviation of each channel.
    ///
    /// # Errors
    /// [`Error::Data`] where one of them cannot be read, unless those are to be left out.
    pub(crate) fn measured(self, on_bad_image: OnBadImage) -> Result<Self> {
        let count = self.listing.len();
        let measured = count.min(MEASURED);
        let each: Vec<Result<Sums>> = (0..measured)
            .into_par_iter()
            .map(|part| self.square(part * count / measured, None, |square, _| Sums::of(square)))
            .collect();
        let mut all = Sums::default();
        for of_one in each {
            match of_one {
                Ok(of_one) => all.add(&of_one),
                Err(error) if on_bad_image == OnBadImage::Error => return Err(error),
                Err(_) => {}
            }
        }
        Ok(Self::new(self.listing, self.store, self.size, all.statistics()))
    }

    /// What pixels are normalised with.
    pub(crate) fn statistics(&self) -> [Statistics; 3] {
        self.statistics
    }

    /// As a source: with the images in memory where they are few and small, else as they are.
    ///
    /// # Errors
    /// [`Error::Data`] about the first picture that cannot be read, where all of them are.
    pub(crate) fn source(self, on_bad_image: OnBadImage) -> Result<Arc<dyn Source>> {
        let bytes = 3 * self.size * self.size;
        if self.size >= LARGE || self.listing.len().saturating_mul(bytes) > KEPT {
            return Ok(Arc::new(self));
        }
        let mut pixels = vec![0; self.listing.len() * bytes];
        let failed =
            pixels.par_chunks_exact_mut(bytes).enumerate().find_map_first(|(index, out)| {
                self.square(index, None, |square, _| planes(square, out)).err()
            });
        match (failed, on_bad_image) {
            (None, _) => {
                let labels = self.listing.labels().to_vec();
                let images = Images::new(Path::new(""), pixels, labels, self.small.clone())?;
                Ok(Arc::new(Kept { images, pictures: self }))
            }
            (Some(error), OnBadImage::Error) => Err(error),
            // Which ones are left out shows when they are asked for.
            (Some(_), OnBadImage::Skip) => Ok(Arc::new(self)),
        }
    }

    /// What a picture's shorter side is scaled to before the middle is cut out.
    fn shorter_side(&self) -> usize {
        if self.size < LARGE { self.size } else { self.size + self.size / 7 }
    }

    /// Hands the pixels of an image, red, green and blue one after the other, to `take`, and
    /// whether to mirror them.
    fn square<T>(
        &self,
        index: usize,
        draws: Option<&mut Draws>,
        take: impl FnOnce(&[u8], bool) -> T,
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
                    square.map(|square| take(square, draws.coin()))
                }
                None => {
                    let side = self.shorter_side() as u32;
                    let square = scaler.centre(&path, &picture, side, [size; 2]);
                    square.map(|square| take(square, false))
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
    /// Of the bytes of each channel, and of their squares.
    bytes: [[u64; 2]; 3],
}

impl Sums {
    /// Of pixels of red, green and blue.
    fn of(square: &[u8]) -> Self {
        let mut sums = Self { pixels: square.len() as u64 / 3, ..Self::default() };
        for pixel in square.as_chunks::<3>().0 {
            for ([sum, squares], &byte) in sums.bytes.iter_mut().zip(pixel) {
                *sum += u64::from(byte);
                *squares += u64::from(byte) * u64::from(byte);
            }
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        self.pixels += other.pixels;
        for (sums, other) in self.bytes.iter_mut().flatten().zip(other.bytes.iter().flatten()) {
            *sums += other;
        }
    }

    fn statistics(&self) -> [Statistics; 3] {
        self.bytes.map(|sums| {
            let [mean, square] = sums.map(|sum| sum as f64 / self.pixels.max(1) as f64);
            let deviation = (square - mean * mean).max(0.0).sqrt();
            // Where all pixels are alike, nothing is to be made larger.
            let deviation = if deviation < 1.0 { 255.0 } else { deviation };
            Statistics { mean: (mean / 255.0) as f32, std: (deviation / 255.0) as f32 }
        })
    }
}

/// Red, green and blue of each pixel as planes.
fn planes(pixels: &[u8], out: &mut [u8]) {
    for (channel, plane) in out.chunks_exact_mut((pixels.len() / 3).max(1)).enumerate() {
        for (value, pixel) in plane.iter_mut().zip(pixels.as_chunks::<3>().0) {
            *value = pixel[channel];
        }
    }
}

/// Pictures whose images are in memory.
struct Kept {
    images: Images,
    pictures: Pictures,
}

impl Source for Kept {
    fn image(&self) -> [usize; 3] {
        self.images.image()
    }

    fn targets(&self) -> SourceTargets<'_> {
        self.images.targets()
    }

    fn preprocessing(&self) -> Option<Preprocessing> {
        self.images.preprocessing()
    }

    fn stored_size(&self, index: usize) -> Result<[usize; 2]> {
        self.pictures.stored_size(index)
    }

    fn fill(&self, index: usize, draws: Option<&mut Draws>, out: &mut [f32]) -> Result<()> {
        self.images.fill(index, draws, out)
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
        let (path, content) = self.store.read(&self.listing, index)?;
        let [width, height] = size(&path, &content).map_err(of_file)?;
        Ok([height as usize, width as usize])
    }

    fn fill(&self, index: usize, draws: Option<&mut Draws>, out: &mut [f32]) -> Result<()> {
        if self.size >= LARGE {
            return self.square(index, draws, |square, flip| {
                fill_planes(square, self.size, flip, &self.tables, out);
            });
        }
        let mut pixels = vec![0; 3 * self.size * self.size];
        self.square(index, None, |square, _| planes(square, &mut pixels))?;
        self.small.fill(&pixels, draws, out);
        Ok(())
    }
}
