//! From a picture of any size to a square of the size a network takes, as torchvision does it.
//!
//! For evaluation the shorter side is scaled to a given length and the middle cut out; for training
//! a box of random area and shape is scaled to the square ("random resized crop", Szegedy et al.
//! 2015). Scaling averages over all pixels that a new one covers (bilinear, antialiased), as
//! Pillow's `BILINEAR` does. Flips cost nothing: they are made while pixels are put into planes.

use crate::picture::Picture;
use crate::{Error, Result};
use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ImageView, ResizeAlg, ResizeOptions, Resizer};
use std::path::Path;

/// Part of the area that a random box has.
const SCALE: [f64; 2] = [0.08, 1.0];
/// Width by height that a random box has.
const RATIO: [f64; 2] = [3.0 / 4.0, 4.0 / 3.0];
/// Boxes that are drawn before one is taken from the middle.
const TRIES: usize = 10;

/// A part of a picture, in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crop {
    /// Columns to the left of it.
    pub left: u32,
    /// Rows above it.
    pub top: u32,
    /// Columns of it.
    pub width: u32,
    /// Rows of it.
    pub height: u32,
}

impl Crop {
    /// The box of a random resized crop of a picture of `width` and `height`; each call of
    /// `uniform` draws a number from 0 to below 1.
    pub fn random([width, height]: [u32; 2], mut uniform: impl FnMut() -> f64) -> Self {
        let area = f64::from(width) * f64::from(height);
        let logarithms = RATIO.map(f64::ln);
        for _ in 0..TRIES {
            let area = area * between(SCALE, uniform());
            let ratio = between(logarithms, uniform()).exp();
            let wide = (area * ratio).sqrt().round_ties_even() as u32;
            let tall = (area / ratio).sqrt().round_ties_even() as u32;
            if (1..=width).contains(&wide) && (1..=height).contains(&tall) {
                let mut place = |free: u32| (uniform() * f64::from(free + 1)) as u32;
                let (top, left) = (place(height - tall), place(width - wide));
                return Self { left, top, width: wide, height: tall };
            }
        }
        Self::middle([width, height])
    }

    /// As much of the middle as has a shape that a random box may have.
    fn middle([width, height]: [u32; 2]) -> Self {
        let ratio = f64::from(width) / f64::from(height);
        let length = |exact: f64, most: u32| (exact.round_ties_even() as u32).clamp(1, most.max(1));
        let (wide, tall) = if ratio < RATIO[0] {
            (width, length(f64::from(width) / RATIO[0], height))
        } else if ratio > RATIO[1] {
            (length(f64::from(height) * RATIO[1], width), height)
        } else {
            (width, height)
        };
        Self { left: (width - wide) / 2, top: (height - tall) / 2, width: wide, height: tall }
    }
}

fn between([low, high]: [f64; 2], part: f64) -> f64 {
    low + part * (high - low)
}

/// Scales pictures, with memory that is used again.
#[derive(Debug, Default)]
pub struct Scaler {
    resizer: Resizer,
    scaled: Vec<u8>,
}

impl Scaler {
    /// The part `crop` of a picture as a square of `size` pixels: red, green and blue of each
    /// pixel, row by row.
    ///
    /// # Errors
    /// [`Error`] about `path` where the picture has no such part.
    pub fn crop(&mut self, path: &Path, picture: &Picture, crop: Crop, size: u32) -> Result<&[u8]> {
        let Crop { left, top, width, height } = crop;
        let view = view(path, picture)?;
        let part = TypedCroppedImage::from_ref(&view, left, top, width, height);
        let part = part.map_err(|cause| Error::new(path, format!("cannot be cut: {cause}")))?;
        self.resize(path, &part, [size; 2], None)
    }

    /// The middle of a picture whose shorter side is scaled to `side` pixels, in `[width, height]`
    /// pixels, which are at most `side`.
    ///
    /// # Errors
    /// [`Error`] about `path` where the picture has no pixels.
    pub fn centre(
        &mut self,
        path: &Path,
        picture: &Picture,
        side: u32,
        size: [u32; 2],
    ) -> Result<&[u8]> {
        self.middle(path, picture, [side, picture.width.min(picture.height)], size)
    }

    /// The middle of a picture that is scaled to as little as covers `[width, height]` pixels.
    ///
    /// # Errors
    /// As [`Self::centre`].
    pub fn cover(&mut self, path: &Path, picture: &Picture, size: [u32; 2]) -> Result<&[u8]> {
        let [wide, tall] = [[size[0], picture.width], [size[1], picture.height]];
        let product = |a: u32, b: u32| u64::from(a) * u64::from(b);
        let wider = product(wide[0], tall[1]) > product(tall[0], wide[1]);
        self.middle(path, picture, if wider { wide } else { tall }, size)
    }

    /// The middle of a picture that is scaled so that `from` pixels become `to`.
    fn middle(
        &mut self,
        path: &Path,
        picture: &Picture,
        [to, from]: [u32; 2],
        size: [u32; 2],
    ) -> Result<&[u8]> {
        let view = view(path, picture)?;
        // Only the middle is computed: the window of the original that it is made of.
        let lengths = [(picture.width, size[0]), (picture.height, size[1])];
        let window = lengths.map(|(length, size)| {
            let scaled = u64::from(to) * u64::from(length) / u64::from(from.max(1));
            let before = (scaled.saturating_sub(size.into()) as f64 / 2.0).round_ties_even();
            let pixel = f64::from(length) / scaled.max(1) as f64;
            let start = before * pixel;
            // Rounding must not lead out of the picture.
            [start, (f64::from(size) * pixel).min(f64::from(length) - start)]
        });
        self.resize(path, &view, size, Some(window))
    }

    fn resize(
        &mut self,
        path: &Path,
        view: &impl ImageView<Pixel = U8x3>,
        [width, height]: [u32; 2],
        window: Option<[[f64; 2]; 2]>,
    ) -> Result<&[u8]> {
        self.scaled.resize(3 * width as usize * height as usize, 0);
        let scaled = TypedImage::<U8x3>::from_buffer(width, height, &mut self.scaled);
        let mut options =
            ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        if let Some([[left, width], [top, height]]) = window {
            options = options.crop(left, top, width, height);
        }
        let cannot = |cause: &dyn std::fmt::Display| {
            Error::new(path, format!("cannot be scaled to {width}x{height}: {cause}"))
        };
        let mut scaled = scaled.map_err(|cause| cannot(&cause))?;
        self.resizer.resize_typed(view, &mut scaled, &options).map_err(|cause| cannot(&cause))?;
        Ok(&self.scaled)
    }
}

fn view<'a>(path: &Path, picture: &'a Picture) -> Result<TypedImageRef<'a, U8x3>> {
    TypedImageRef::from_buffer(picture.width, picture.height, &picture.pixels)
        .map_err(|cause| Error::new(path, format!("cannot be scaled: {cause}")))
}

/// Fills `out` with the planes of red, green and blue of pixels in rows of `width`, each byte as
/// its channel's table has it; mirrored left to right where `flip` says so.
pub fn fill_planes(
    pixels: &[u8],
    width: usize,
    flip: bool,
    tables: &[[f32; 256]; 3],
    out: &mut [f32],
) {
    let planes = out.chunks_exact_mut((pixels.len() / 3).max(1));
    for (channel, (table, plane)) in tables.iter().zip(planes).enumerate() {
        let put =
            |(value, pixel): (&mut f32, &[u8; 3])| *value = table[usize::from(pixel[channel])];
        let rows = pixels.as_chunks().0.chunks_exact(width);
        for (row, out) in rows.zip(plane.chunks_exact_mut(width)) {
            if flip {
                out.iter_mut().zip(row.iter().rev()).for_each(put);
            } else {
                out.iter_mut().zip(row).for_each(put);
            }
        }
    }
}

#[cfg(test)]
mod tests;
