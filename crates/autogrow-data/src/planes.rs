//! An image as planes, one for each channel, in as many bits as its picture has.

use autogrow_formats::picture::Samples;

/// How much red, green and blue count for grey, in 65,536ths (ITU-R BT.601).
pub(crate) const GREY: [u32; 3] = [19_595, 38_470, 7_471];

/// Planes of red, green and blue one after the other, or one of grey.
#[derive(Debug)]
pub(crate) enum Planes {
    /// From 0 to 255.
    Bytes(Vec<u8>),
    /// From 0 to 65,535.
    Words(Vec<u16>),
}

impl Planes {
    /// Of the red, green and blue of each pixel, as three planes or one.
    pub(crate) fn of(pixels: Samples<'_>, channels: usize) -> Self {
        match pixels {
            Samples::Bytes(bytes) => {
                Self::Bytes(planes(bytes, channels, |grey| (grey >> 16) as u8))
            }
            Samples::Words(words) => {
                Self::Words(planes(words, channels, |grey| (grey >> 16) as u16))
            }
        }
    }
}

/// `grey` makes a value of 65,536 times that value.
fn planes<T: Copy + Into<u64>>(pixels: &[T], channels: usize, grey: impl Fn(u64) -> T) -> Vec<T> {
    let pixels = pixels.as_chunks::<3>().0;
    if channels == 1 {
        let of = |pixel: &[T; 3]| {
            let parts = pixel.iter().zip(GREY).map(|(&value, part)| value.into() * u64::from(part));
            grey(parts.sum::<u64>() + 32_768)
        };
        return pixels.iter().map(of).collect();
    }
    (0..channels).flat_map(|channel| pixels.iter().map(move |pixel| pixel[channel])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_is_the_same_in_8_and_16_bits() {
        let bytes = [0, 0, 0, 255, 255, 255, 10, 200, 90];
        let words = bytes.map(|byte| u16::from(byte) * 257);
        let Planes::Bytes(grey) = Planes::of(Samples::Bytes(&bytes), 1) else { panic!() };
        let Planes::Words(deep) = Planes::of(Samples::Words(&words), 1) else { panic!() };
        assert_eq!(grey, [0, 255, 131]);
        assert!(
            deep.iter().zip(&grey).all(|(&deep, &grey)| (deep / 257).abs_diff(grey.into()) <= 1)
        );
        let Planes::Bytes(colour) = Planes::of(Samples::Bytes(&bytes), 3) else { panic!() };
        assert_eq!(colour, [0, 255, 10, 0, 255, 200, 0, 255, 90]);
    }
}
