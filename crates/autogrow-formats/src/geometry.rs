//! From a picture of any size to a square of the size a network takes, as torchvision does it.
//!
//! For evaluation the shorter side is scaled to a given length and the middle cut out; for training
//! a box of random area and shape is scaled to the square ("random resized crop", Szegedy et al.
//! 2015). Scaling averages over all pixels that a new one covers (bilinear, antialiased), as
//! Pillow's `BILINEAR` does. Flips cost nothing: they are made while pixels are put into planes.

use crate::picture::{Picture, Pixels, Samples};
use crate::{Error, Result};
use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8x3, U16x3};
use fast_image_resize::{FilterType, ImageView, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
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
    bytes: Vec<u8>,
    words: Vec<u16>,
}

/// A part of a picture: whole pixels that are cut out, or a window with parts of pixels.
#[derive(Clone, Copy, Debug)]
enum Part {
    Crop(Crop),
    /// Start and length of the columns, then of the rows.
    Window([[f64; 2]; 2]),
}

impl Scaler {
    /// The part `crop` of a picture as a square of `size` pixels: red, green and blue of each
    /// pixel, row by row, in as many bits as the picture has.
    ///
    /// # Errors
    /// [`Error`] about `path` where the picture has no such part.
    pub fn crop(
        &mut self,
        path: &Path,
        picture: &Picture,
        crop: Crop,
        size: u32,
    ) -> Result<Samples<'_>> {
        self.resize(path, picture, Part::Crop(crop), [size; 2])
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
    ) -> Result<Samples<'_>> {
        self.middle(path, picture, [side, picture.width.min(picture.height)], size)
    }

    /// The middle of a picture that is scaled to as little as covers `[width, height]` pixels.
    ///
    /// # Errors
    /// As [`Self::centre`].
    pub fn cover(&mut self, path: &Path, picture: &Picture, size: [u32; 2]) -> Result<Samples<'_>> {
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
    ) -> Result<Samples<'_>> {
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
        self.resize(path, picture, Part::Window(window), size)
    }

    fn resize(
        &mut self,
        path: &Path,
        picture: &Picture,
        part: Part,
        size: [u32; 2],
    ) -> Result<Samples<'_>> {
        let Self { resizer, bytes, words } = self;
        let cannot = |cause: &dyn std::fmt::Display| {
            let [width, height] = size;
            Error::new(path, format!("cannot be scaled to {width}x{height}: {cause}"))
        };
        let ([wide, tall], [width, height]) = ([picture.width, picture.height], size);
        let values = 3 * width as usize * height as usize;
        match &picture.pixels {
            Pixels::Bytes(pixels) => {
                let view = TypedImageRef::<U8x3>::from_buffer(wide, tall, pixels);
                let view = view.map_err(|cause| cannot(&cause))?;
                bytes.resize(values, 0);
                let scaled = TypedImage::from_buffer(width, height, bytes);
                let mut scaled = scaled.map_err(|cause| cannot(&cause))?;
                resize(resizer, &view, part, &mut scaled).map_err(|cause| cannot(&cause))?;
                Ok(Samples::Bytes(bytes))
            }
            Pixels::Words(pixels) => {
                let pixels = pixels.as_chunks().0.iter().map(|&pixel| U16x3::new(pixel));
                let pixels: Vec<_> = pixels.collect();
                let view = TypedImageRef::new(wide, tall, &pixels);
                let view = view.map_err(|cause| cannot(&cause))?;
                let scaled = vec![U16x3::default(); values / 3];
                let scaled = TypedImage::from_pixels(width, height, scaled);
                let mut scaled = scaled.map_err(|cause| cannot(&cause))?;
                resize(resizer, &view, part, &mut scaled).map_err(|cause| cannot(&cause))?;
                words.clear();
                words.extend(scaled.pixels().iter().flat_map(|pixel| pixel.0));
                Ok(Samples::Words(words))
            }
        }
    }
}

/// Scales a part of a picture to the size of `scaled`: rows first, then columns, each rounded to whole
/// values, as Pillow does.
fn resize<P: PixelTrait + Default>(
    resizer: &mut Resizer,
    view: &TypedImageRef<'_, P>,
    part: Part,
    scaled: &mut TypedImage<'_, P>,
) -> std::result::Result<(), String> {
    // What may be looked at, and of that the part in fractions of pixels.
    let (seen, [[left, width], [top, height]]) = match part {
        Part::Crop(crop) => (crop, [[0.0, f64::from(crop.width)], [0.0, f64::from(crop.height)]]),
        Part::Window([columns, [top, height]]) => {
            // Behind the part's own rows as many as its last ones reach into.
            let reach = (height / f64::from(scaled.height().max(1))).max(1.0);
            let first = (top - reach).floor().max(0.0);
            let end = (top + height + reach).ceil().min(f64::from(view.height()));
            let (top, height) = (top - first, height);
            let (first, rows) = (first as u32, (end - first) as u32);
            let seen = Crop { left: 0, top: first, width: view.width(), height: rows };
            (seen, [columns, [top, height]])
        }
    };
    let wrong = |cause: &dyn std::fmt::Display| cause.to_string();
    let seen = TypedCroppedImage::from_ref(view, seen.left, seen.top, seen.width, seen.height);
    let seen = seen.map_err(|cause| wrong(&cause))?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    let mut rows = TypedImage::new(scaled.width(), seen.height());
    let across = options.crop(left, 0.0, width, f64::from(seen.height()));
    resizer.resize_typed(&seen, &mut rows, &across).map_err(|cause| wrong(&cause))?;
    let down = options.crop(0.0, top, f64::from(scaled.width()), height);
    resizer.resize_typed(&rows, scaled, &down).map_err(|cause| wrong(&cause))
}

/// Fills `out` with the planes of red, green and blue of pixels in rows of `width`; mirrored left to
/// right where `flip` says so. `value` makes of a channel and a value in it what is put there.
pub fn fill_planes<T: Copy, V>(
    pixels: &[T],
    width: usize,
    flip: bool,
    value: impl Fn(usize, T) -> V,
    out: &mut [V],
) {
    let planes = out.chunks_exact_mut((pixels.len() / 3).max(1));
    for (channel, plane) in planes.enumerate() {
        let put = |(out, pixel): (&mut V, &[T; 3])| *out = value(channel, pixel[channel]);
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
