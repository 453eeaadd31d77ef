//! Where a split gets its images from.

use crate::random::Draws;
use crate::transform::Transform;
use autogrow_core::data::{Normalisation, Preprocessing, Targets};
use autogrow_core::{Error, Result};
use std::path::Path;

/// What is right for each image of a source, in stored order.
#[derive(Clone, Copy, Debug)]
pub enum SourceTargets<'a> {
    /// Its class, from 0.
    Classes(&'a [u16]),
    /// `width` numbers an image, row-major; see [`Targets::Numbers`].
    Numbers {
        /// Numbers of an image.
        width: usize,
        /// `[images, width]`.
        values: &'a [f32],
    },
}

impl SourceTargets<'_> {
    /// Of how many images.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.len(),
            Self::Numbers { width, values } => values.len() / (*width).max(1),
        }
    }

    /// Whether they are of no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those of some images.
    pub(crate) fn of(&self, images: &[u32]) -> Targets {
        let images = images.iter().map(|&image| image as usize);
        match *self {
            Self::Classes(classes) => {
                Targets::Classes(images.map(|image| usize::from(classes[image])).collect())
            }
            Self::Numbers { width, values } => {
                let values = images.flat_map(|image| &values[image * width..][..width]);
                Targets::Numbers { width, values: values.copied().collect() }
            }
        }
    }
}

/// Images that can be prepared one by one, in any order, from any thread.
pub trait Source: Send + Sync + 'static {
    /// `[channels, height, width]` of an image as the network sees it.
    fn image(&self) -> [usize; 3];

    /// What is right for each image.
    fn targets(&self) -> SourceTargets<'_>;

    /// How pictures from elsewhere are made like these images; by default that is not told.
    fn preprocessing(&self) -> Option<Preprocessing> {
        None
    }

    /// Height and width of an image before it is prepared.
    ///
    /// # Errors
    /// [`Error::Data`] where they cannot be read.
    fn stored_size(&self, index: usize) -> Result<[usize; 2]>;

    /// What an image is called: its file, or its place in one; none where it has no name.
    fn name(&self, index: usize) -> Option<String> {
        let _ = index;
        None
    }

    /// Fills `out` with the normalised pixels of one image, `[channels, height, width]`,
    /// row-major; augmented according to `draws`, where there are any, else as they are stored.
    ///
    /// # Errors
    /// [`Error::Data`] where the image cannot be read.
    fn fill(&self, index: usize, draws: Option<&mut Draws>, out: &mut [f32]) -> Result<()>;

    /// How the bytes of [`Source::fill_bytes`] are normalised, of augmented images or of others; none
    /// where images are not made of bytes.
    fn normalisation(&self, is_augmented: bool) -> Option<Normalisation> {
        let _ = is_augmented;
        None
    }

    /// Fills `out` with the bytes that [`Source::fill`] normalises. Says whether there are any: an
    /// image may have more bits than others.
    ///
    /// # Errors
    /// As [`Source::fill`].
    fn fill_bytes(&self, index: usize, draws: Option<&mut Draws>, out: &mut [u8]) -> Result<bool> {
        let _ = (index, draws, out);
        Ok(false)
    }
}

/// Images in memory, a byte a value.
#[derive(Debug)]
pub struct Images {
    pixels: Vec<u8>,
    labels: Vec<u16>,
    transform: Transform,
}

impl Images {
    /// Images and their classes. `pixels` are `[images, channels, height, width]`, row-major, in
    /// the shape that `transform` names as stored.
    ///
    /// # Errors
    /// [`Error::Data`] about `origin`, the file of the labels, where their number differs from
    /// that of the images.
    pub fn new(
        origin: &Path,
        pixels: Vec<u8>,
        labels: Vec<u16>,
        transform: Transform,
    ) -> Result<Self> {
        let images = pixels.len() / transform.stored().iter().product::<usize>().max(1);
        if images != labels.len() {
            return Err(Error::data(
                origin,
                format!("{} labels for {images} images", labels.len()),
            )
            .with_hint("images and labels are not of one set: get both files again"));
        }
        Ok(Self { pixels, labels, transform })
    }
}

impl Source for Images {
    fn image(&self) -> [usize; 3] {
        self.transform.image()
    }

    fn targets(&self) -> SourceTargets<'_> {
        SourceTargets::Classes(&self.labels)
    }

    fn preprocessing(&self) -> Option<Preprocessing> {
        Some(self.transform.preprocessing())
    }

    fn stored_size(&self, _: usize) -> Result<[usize; 2]> {
        let [_, height, width] = self.transform.stored();
        Ok([height, width])
    }

    fn fill(&self, index: usize, draws: Option<&mut Draws>, out: &mut [f32]) -> Result<()> {
        let size: usize = self.transform.stored().iter().product();
        self.transform.fill(&self.pixels[index * size..(index + 1) * size], draws, out);
        Ok(())
    }

    fn normalisation(&self, is_augmented: bool) -> Option<Normalisation> {
        Some(self.transform.normalisation(is_augmented))
    }

    fn fill_bytes(&self, index: usize, draws: Option<&mut Draws>, out: &mut [u8]) -> Result<bool> {
        let size: usize = self.transform.stored().iter().product();
        self.transform.fill_bytes(&self.pixels[index * size..(index + 1) * size], draws, out);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autogrow_core::data::Statistics;

    #[test]
    fn as_many_labels_as_images() {
        let transform = Transform::new([2, 2], 255, [Statistics { mean: 0.0, std: 1.0 }]);
        let new = |pixels, labels| {
            let labels = vec![0; labels];
            Images::new(Path::new("labels"), vec![0; pixels], labels, transform.clone())
        };
        assert_eq!(new(12, 3).unwrap().targets().len(), 3);
        assert_eq!(new(12, 2).unwrap_err().to_string(), "labels: 2 labels for 3 images");
    }
}
