//! The sizes of an activation and where its numbers lie: NHWC, with the channels padded to whole
//! registers and, where a convolution reads it, a border of zeros (a halo) around every image.
//!
//! In a haloed image the padding of a convolution costs nothing, and one row of a kernel is one
//! contiguous run of floats. The lanes beyond the real channels are always zero.

use crate::simd::NARROW;

/// The halo that finished activations are stored with: what a 3x3 convolution needs.
pub(crate) const HALO: usize = 1;

/// The size of a batch of activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) images: usize,
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Extent {
    pub(crate) fn new([images, channels, height, width]: [usize; 4]) -> Self {
        Self { images, channels, height, width }
    }

    pub(crate) fn dims(&self) -> [usize; 4] {
        [self.images, self.channels, self.height, self.width]
    }

    /// Floats from one pixel to the next.
    pub(crate) fn lanes(&self) -> usize {
        self.channels.next_multiple_of(NARROW)
    }

    pub(crate) fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Floats of one image with `halo` pixels of border.
    pub(crate) fn image(&self, halo: usize) -> usize {
        (self.height + 2 * halo) * (self.width + 2 * halo) * self.lanes()
    }

    /// Floats from one row to the next in an image with `halo` pixels of border.
    pub(crate) fn row(&self, halo: usize) -> usize {
        (self.width + 2 * halo) * self.lanes()
    }

    /// Where the pixel at `[y, x]` lies in an image with `halo` pixels of border.
    pub(crate) fn pixel(&self, halo: usize, [y, x]: [usize; 2]) -> usize {
        (y + halo) * self.row(halo) + (x + halo) * self.lanes()
    }

    /// Zeroes the border of one image.
    pub(crate) fn zero_halo(&self, halo: usize, image: &mut [f32]) {
        if halo == 0 {
            return;
        }
        let row = self.row(halo);
        let (top, bottom) = (halo * row, (self.height + halo) * row);
        image[..top].fill(0.0);
        image[bottom..].fill(0.0);
        for line in image[top..bottom].chunks_exact_mut(row) {
            line[..halo * self.lanes()].fill(0.0);
            line[row - halo * self.lanes()..].fill(0.0);
        }
    }
}
