//! [`RawBatch`]: images as they go to a device, normalised or as the bytes that the device normalises.

use crate::Result;
use crate::targets::{Targets, broken};

/// Images of one step with what is right for them, the images normalised or not.
#[derive(Clone, Debug, PartialEq)]
pub struct RawBatch {
    /// The images.
    pub images: RawImages,
    /// What is right for each of them.
    pub targets: Targets,
}

/// Pixels `[batch, channels, height, width]`, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum RawImages {
    /// As the network sees them.
    Normalised(Vec<f32>),
    /// As they were stored, and augmented: what a
    /// [`Normalisation`](crate::data::Normalisation) makes normalised pixels of.
    Bytes(Vec<u8>),
}

impl RawImages {
    /// How many pixels there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Normalised(pixels) => pixels.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn part(&self, range: std::ops::Range<usize>) -> Self {
        match self {
            Self::Normalised(pixels) => Self::Normalised(pixels[range].to_vec()),
            Self::Bytes(bytes) => Self::Bytes(bytes[range].to_vec()),
        }
    }
}

impl RawBatch {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Checks that there are no more images than asked for, all of this size.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) about the data set.
    pub fn check_images(&self, image: [usize; 3], asked_for: usize) -> Result<()> {
        check_images(self.len(), self.images.len(), image, asked_for)
    }

    /// The same images in batches of at most `size`; all at once where `size` is 0. A last one of fewer
    /// than `least` images is joined to the one before.
    pub(crate) fn parts(self, size: usize, least: usize) -> Vec<Self> {
        let count = self.len();
        if size == 0 || size >= count {
            return vec![self];
        }
        let rest = count % size;
        let whole = if rest > 0 && rest < least { count - rest } else { count };
        let pixels = self.images.len() / count;
        let part = |start: usize| {
            let end = if start + size < whole { start + size } else { count };
            let images = self.images.part(start * pixels..end * pixels);
            Self { images, targets: self.targets.part(start..end) }
        };
        (0..whole).step_by(size).map(part).collect()
    }
}

/// Checks that there are no more images than asked for, of this size, with so many pixels together.
pub(crate) fn check_images(
    images: usize,
    pixels: usize,
    image @ [channels, height, width]: [usize; 3],
    asked_for: usize,
) -> Result<()> {
    if images > asked_for {
        return Err(broken(format!("yields {images} images in a batch of {asked_for}")));
    }
    if pixels != images * image.iter().product::<usize>() {
        return Err(broken(format!(
            "yields {pixels} pixels for {images} images of {channels}x{height}x{width}"
        )));
    }
    Ok(())
}
