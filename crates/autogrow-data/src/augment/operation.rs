//! What is done to the bytes of a picture, to the byte as Pillow does it, on which torchvision rests.

use super::warp::{Matrix, warp};
use crate::planes::GREY;

/// An operation on a picture. What its magnitude means is said with it; operations without say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// Nothing; no magnitude.
    Identity,
    /// Columns to the right for each row down.
    ShearX,
    /// Rows down for each column to the right.
    ShearY,
    /// Columns to the right, in whole pixels.
    TranslateX,
    /// Rows down, in whole pixels.
    TranslateY,
    /// Degrees counter-clockwise around the middle.
    Rotate,
    /// 0: as it is; -1: black.
    Brightness,
    /// 0: as it is; -1: grey. Nothing where there are not three channels.
    Color,
    /// 0: as it is; -1: its mean grey everywhere.
    Contrast,
    /// 0: as it is; -1: smoothed.
    Sharpness,
    /// Bits that are kept of each byte.
    Posterize,
    /// Bytes from this part of 255 on are inverted.
    Solarize,
    /// Each channel is stretched to all from 0 to 255; no magnitude.
    AutoContrast,
    /// Each channel gets an even histogram; no magnitude.
    Equalize,
}

impl Operation {
    /// All of them.
    pub(super) const ALL: [Self; 14] = [
        Self::Identity,
        Self::ShearX,
        Self::ShearY,
        Self::TranslateX,
        Self::TranslateY,
        Self::Rotate,
        Self::Brightness,
        Self::Color,
        Self::Contrast,
        Self::Sharpness,
        Self::Posterize,
        Self::Solarize,
        Self::AutoContrast,
        Self::Equalize,
    ];

    /// Whether it goes both ways.
    pub(super) fn is_signed(self) -> bool {
        use Operation as O;
        let geometric = [O::ShearX, O::ShearY, O::TranslateX, O::TranslateY, O::Rotate];
        let blended = [O::Brightness, O::Color, O::Contrast, O::Sharpness];
        geometric.contains(&self) || blended.contains(&self)
    }

    /// Changes a picture, `[channels, height, width]` bytes. What comes from outside of it is black.
    pub(super) fn apply(self, magnitude: f64, image: [usize; 3], pixels: &mut [u8]) {
        let [channels, height, width] = image;
        let (area, size) = (height * width, [height, width]);
        let mut geometric = |matrix: Matrix| {
            pixels.chunks_exact_mut(area).for_each(|plane| warp(plane, size, &matrix));
        };
        match self {
            Self::Identity => {}
            Self::ShearX => geometric(Matrix::shear([magnitude, 0.0])),
            Self::ShearY => geometric(Matrix::shear([0.0, magnitude])),
            Self::TranslateX => geometric(Matrix::translation([magnitude.trunc(), 0.0])),
            Self::TranslateY => geometric(Matrix::translation([0.0, magnitude.trunc()])),
            Self::Rotate => geometric(Matrix::rotation(magnitude, size)),
            Self::Brightness => by_table(pixels, |byte| blend(0, byte, 1.0 + magnitude)),
            Self::Color => {
                if channels == 3 {
                    saturate(pixels, area, 1.0 + magnitude);
                }
            }
            Self::Contrast => {
                let mean = mean_grey(pixels, channels, area);
                by_table(pixels, |byte| blend(mean, byte, 1.0 + magnitude));
            }
            Self::Sharpness => {
                let planes = pixels.chunks_exact_mut(area);
                planes.for_each(|plane| sharpen(plane, size, 1.0 + magnitude));
            }
            Self::Posterize => {
                let lost = 8 - (magnitude as u32).min(8);
                by_table(pixels, |byte| (u32::from(byte) >> lost << lost) as u8);
            }
            Self::Solarize => {
                let threshold = 255.0 * magnitude;
                let invert = |byte: u8| if f64::from(byte) < threshold { byte } else { 255 - byte };
                by_table(pixels, invert);
            }
            Self::AutoContrast => pixels.chunks_exact_mut(area).for_each(stretch),
            Self::Equalize => pixels.chunks_exact_mut(area).for_each(equalize),
        }
    }
}

/// Replaces each byte by what `of` makes of it.
fn by_table(pixels: &mut [u8], of: impl Fn(u8) -> u8) {
    let table: [u8; 256] = std::array::from_fn(|byte| of(byte as u8));
    pixels.iter_mut().for_each(|pixel| *pixel = table[usize::from(*pixel)]);
}

/// `from` at factor 0, `to` at factor 1, and on along that line; in single precision, rounded down.
fn blend(from: u8, to: u8, factor: f64) -> u8 {
    let (from, to) = (f32::from(from), f32::from(to));
    (from + factor as f32 * (to - from)).clamp(0.0, 255.0) as u8
}

/// The grey of a pixel.
fn grey(rgb: [u8; 3]) -> u8 {
    let parts = rgb.into_iter().zip(GREY).map(|(value, part)| u32::from(value) * part);
    ((parts.sum::<u32>() + 32_768) >> 16) as u8
}

/// Red, green and blue of each pixel of three planes.
fn colours(pixels: &[u8], area: usize) -> impl Iterator<Item = [u8; 3]> {
    let (red, rest) = pixels.split_at(area);
    let (green, blue) = rest.split_at(area);
    red.iter().zip(green).zip(blue).map(|((&red, &green), &blue)| [red, green, blue])
}

/// The mean grey of a picture; where there are not three channels, the mean of all bytes.
fn mean_grey(pixels: &[u8], channels: usize, area: usize) -> u8 {
    let sum = |bytes: &mut dyn Iterator<Item = u8>| bytes.map(u64::from).sum::<u64>();
    let (sum, count) = match channels {
        3 => (sum(&mut colours(pixels, area).map(grey)), area),
        _ => (sum(&mut pixels.iter().copied()), pixels.len()),
    };
    (sum as f64 / count.max(1) as f64 + 0.5) as u8
}

/// Blends three planes with their grey.
fn saturate(pixels: &mut [u8], area: usize, factor: f64) {
    let greys: Vec<u8> = colours(pixels, area).map(grey).collect();
    for plane in pixels.chunks_exact_mut(area) {
        let blended = plane.iter_mut().zip(&greys);
        blended.for_each(|(pixel, &grey)| *pixel = blend(grey, *pixel, factor));
    }
}

/// Blends a plane with itself smoothed by a kernel of ones around a five. Its border stays.
fn sharpen(plane: &mut [u8], [height, width]: [usize; 2], factor: f64) {
    if height < 3 || width < 3 {
        return;
    }
    let before = plane.to_vec();
    for y in 1..height - 1 {
        let [above, own, below] = [y - 1, y, y + 1].map(|row| &before[row * width..][..width]);
        let columns = above.windows(3).zip(own.windows(3)).zip(below.windows(3));
        let out = &mut plane[y * width + 1..][..width - 2];
        for (out, ((above, own), below)) in out.iter_mut().zip(columns) {
            let ones: u32 = [above, own, below].into_iter().flatten().map(|&b| u32::from(b)).sum();
            let sum = ones + 4 * u32::from(own[1]);
            *out = blend(((2 * sum + 13) / 26) as u8, own[1], factor);
        }
    }
}

/// How often each byte occurs.
fn histogram(plane: &[u8]) -> [usize; 256] {
    let mut counts = [0; 256];
    plane.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    counts
}

/// Stretches a plane to all from 0 to 255.
fn stretch(plane: &mut [u8]) {
    let (Some(&low), Some(&high)) = (plane.iter().min(), plane.iter().max()) else { return };
    if high > low {
        let scale = 255.0 / f64::from(high - low);
        let offset = -f64::from(low) * scale;
        by_table(plane, |byte| (f64::from(byte) * scale + offset).clamp(0.0, 255.0) as u8);
    }
}

/// Gives a plane an even histogram.
fn equalize(plane: &mut [u8]) {
    let counts = histogram(plane);
    let last = counts.iter().rev().find(|&&count| count > 0).copied().unwrap_or(0);
    let step = (plane.len() - last) / 255;
    if step == 0 {
        return;
    }
    let mut sum = step / 2;
    let table = counts.map(|count| {
        let value = (sum / step).min(255) as u8;
        sum += count;
        value
    });
    by_table(plane, |byte| table[usize::from(byte)]);
}
