//! The weight gradient of a direct convolution, the twin of [`direct`](super::direct).

use super::buffer::{Buffer, Shared};
use super::geometry::Shape;
use super::parallel::{PARTS, each, ranges};
use super::pixel_places::PixelPlaces;
use super::products::{Pixels, RowTile, Sums, add_products, row_tiles};
use crate::simd::lanes;

/// Floats of input up to which pixels need not be packed.
const CLOSE: usize = 32;

/// A weight gradient that sums over images, `[taps, in, out]` with the outputs padded.
pub(crate) struct WeightSums {
    shape: Shape,
    tiles: Vec<RowTile>,
    places: PixelPlaces,
    sums: Buffer,
    begun: bool,
}

impl WeightSums {
    pub(crate) fn floats(shape: &Shape) -> usize {
        shape.rows() * shape.output.lanes()
    }

    /// For inputs and gradients with that many pixels of border, `images` of them at a time.
    pub(crate) fn new(shape: &Shape, halos: [usize; 2], images: usize) -> Self {
        let gather = shape.forward(halos[0]);
        let tiles = row_tiles(&gather.runs, lanes(shape.output.lanes()));
        Self {
            shape: *shape,
            tiles,
            places: PixelPlaces::new(shape, &gather.reads, halos, images),
            sums: Buffer::stale(Self::floats(shape)),
            begun: false,
        }
    }

    /// Adds `input^T * gradient` of some whole images, at least one.
    pub(crate) fn add(&mut self, input: &[f32], gradient: &[f32], pieces: usize) {
        let (source, target) = (self.shape.input, self.shape.output);
        let pixels = self.places.count(input, gradient);
        let (inputs, gradients) = (&self.places.inputs[..pixels], &self.places.gradients[..pixels]);
        let close = source.lanes() <= CLOSE;
        let pixels = Pixels { input, gradient, inputs, gradients, close };
        let columns = target.lanes();
        let (floats, lanes) = (Shared::new(&mut self.sums), lanes(columns));
        let sums = Sums { floats, columns, lanes, begun: self.begun };
        add_products(pixels, &self.tiles, sums, pieces);
        self.begun = true;
    }

    /// The sum of all parts in their order, as `[out, in, kernel, kernel]`.
    pub(crate) fn total(shape: &Shape, parts: &[Self]) -> Vec<f32> {
        let (inputs, outputs) = (shape.input.channels, shape.output.channels);
        let taps = shape.kernel * shape.kernel;
        let mut total = vec![0.0; outputs * inputs * taps];
        // One cache line of sums serves as many outputs as it has floats.
        const LINE: usize = 16;
        let columns = shape.output.lanes();
        let lines = outputs.div_ceil(LINE);
        let rows = ranges(shape.rows(), PARTS.div_ceil(lines));
        let tasks = (0..lines).flat_map(|line| rows.iter().map(move |rows| (line, rows.clone())));
        let places = Shared::new(&mut total);
        each(tasks.collect(), |(line, rows)| {
            for row in rows {
                let (tap, input) = (row / inputs, row % inputs);
                for output in LINE * line..outputs.min(LINE * (line + 1)) {
                    let at = row * columns + output;
                    let sum = parts.iter().fold(0.0, |sum, part| sum + part.sums[at]);
                    // SAFETY: a place among `[outputs, inputs, taps]`, which this task alone has.
                    unsafe {
                        *places.as_mut_ptr().add((output * inputs + input) * taps + tap) = sum;
                    }
                }
            }
        });
        total
    }
}
