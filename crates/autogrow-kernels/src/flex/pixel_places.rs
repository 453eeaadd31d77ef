//! Where the pixels of the input and of the gradient lie whose products a direct weight gradient sums.

use super::geometry::{Shape, repeated};

/// Where every pixel begins, of each of some images in turn.
pub(crate) struct PixelPlaces {
    pub(crate) inputs: Vec<u32>,
    pub(crate) gradients: Vec<u32>,
    /// Floats of an image of the input and of one of the gradient.
    floats: [usize; 2],
    /// Pixels of an image of the gradient.
    pixels: usize,
}

impl PixelPlaces {
    /// For inputs, read at the places `reads` of an image, and gradients with that many pixels of border,
    /// `images` of them at a time.
    pub(crate) fn new(shape: &Shape, reads: &[u32], halos: [usize; 2], images: usize) -> Self {
        let output = shape.output;
        let pixels = (0..output.height)
            .flat_map(|y| (0..output.width).map(move |x| [y, x]))
            .map(|pixel| output.pixel(halos[1], pixel) as u32)
            .collect::<Vec<_>>();
        let floats = [shape.input.image(halos[0]), output.image(halos[1])];
        Self {
            inputs: repeated(reads, images, floats[0]),
            gradients: repeated(&pixels, images, floats[1]),
            floats,
            pixels: output.pixels(),
        }
    }

    /// How many pixels there are in these whole images.
    pub(crate) fn count(&self, input: &[f32], gradient: &[f32]) -> usize {
        let images = input.len() / self.floats[0];
        assert_eq!(input.len(), images * self.floats[0]);
        assert_eq!(gradient.len(), images * self.floats[1]);
        images * self.pixels
    }
}
