//! The pixels of a picture in as many bits as its file has, 8 or 16.

use image::DynamicImage;

/// Red, green and blue of each pixel, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pixels {
    /// From 0 to 255.
    Bytes(Vec<u8>),
    /// From 0 to 65,535.
    Words(Vec<u16>),
}

/// [`Pixels`] of somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Samples<'a> {
    /// From 0 to 255.
    Bytes(&'a [u8]),
    /// From 0 to 65,535.
    Words(&'a [u16]),
}

impl Pixels {
    /// The colours of an image; what is transparent is put on white.
    pub(super) fn of(image: DynamicImage) -> Self {
        let colour = image.color();
        let is_deep = colour.bits_per_pixel() > 8 * u16::from(colour.channel_count());
        match (is_deep, colour.has_alpha()) {
            (false, false) => Self::Bytes(image.into_rgb8().into_raw()),
            (true, false) => Self::Words(image.into_rgb16().into_raw()),
            (false, true) => Self::Bytes(on_white(&image.into_rgba8().into_raw())),
            (true, true) => Self::Words(on_white(&image.into_rgba16().into_raw())),
        }
    }

    /// The same values.
    pub fn samples(&self) -> Samples<'_> {
        match self {
            Self::Bytes(bytes) => Samples::Bytes(bytes),
            Self::Words(words) => Samples::Words(words),
        }
    }
}

impl Samples<'_> {
    /// Values, three for each pixel.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Words(words) => words.len(),
        }
    }

    /// Whether there is no pixel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A value of a pixel.
trait Value: Copy + Into<u64> + TryFrom<u64> {
    /// White, and fully opaque.
    const MOST: Self;
}

impl Value for u8 {
    const MOST: Self = Self::MAX;
}

impl Value for u16 {
    const MOST: Self = Self::MAX;
}

/// Red, green and blue of pixels of red, green, blue and opacity in front of white, rounded.
fn on_white<T: Value>(pixels: &[T]) -> Vec<T> {
    let most: u64 = T::MOST.into();
    let pixels = pixels.as_chunks::<4>().0.iter();
    pixels
        .flat_map(|&[red, green, blue, opacity]| {
            [red, green, blue].map(|colour| {
                let (colour, opacity): (u64, u64) = (colour.into(), opacity.into());
                let mixed = colour * opacity + most * (most - opacity);
                T::try_from((mixed + most / 2) / most).unwrap_or(T::MOST)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgba, RgbaImage};

    #[test]
    fn what_is_transparent_is_white() {
        let pixels = [[9, 8, 7, 0], [9, 8, 7, 255], [0, 100, 255, 128]];
        let mut image = RgbaImage::new(3, 1);
        for (at, pixel) in pixels.into_iter().enumerate() {
            image.put_pixel(at as u32, 0, Rgba(pixel));
        }
        let expected = vec![255, 255, 255, 9, 8, 7, 127, 177, 255];
        assert_eq!(Pixels::of(image.clone().into()), Pixels::Bytes(expected));
        let deep = DynamicImage::from(image).into_rgba16();
        let Pixels::Words(words) = Pixels::of(deep.into()) else { panic!("16 bits are kept") };
        assert_eq!(words[..6], [65_535, 65_535, 65_535, 9 * 257, 8 * 257, 7 * 257]);
    }
}
