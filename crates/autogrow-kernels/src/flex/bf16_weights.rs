//! The weight gradient of a direct convolution in bf16, the twin of [`bf16`](super::bf16): `sums +=
//! gradient^T * input` over blocks of pixels, both rounded to bf16 while they are packed.
//!
//! The gradient is the side that is transposed, since the input comes as often as there are taps.

use std::ops::Range;

use half::bf16;

use super::bf16::{ZEROS, slices, tiles};
use super::bf16_convolve::multiply;
use super::buffer::{Buffer, Shared};
use super::geometry::{Run, Shape};
use super::parallel::{PARTS, each, ranges, spread};
use super::pixel_places::PixelPlaces;
use crate::simd::bf16::{DEPTH, PACKED, Product, SIDE, TILE, TileKernel, Tiles, dispatch};

/// Pixels whose products are added at a time.
const PIXELS: usize = 512;
const _: () = assert!(PIXELS / DEPTH <= PACKED.len());
/// Columns of tiles that are packed at a time: their tiles stay in the second-level cache.
const COLUMNS: usize = 32;

/// A weight gradient that sums over images: a row per output, of `[taps, in]` in slices of 16.
pub(crate) struct Bf16Sums {
    shape: Shape,
    /// The rows of the weights that each 16 columns of the sums belong to.
    slices: Vec<Run>,
    places: PixelPlaces,
    sums: Buffer,
    begun: bool,
}

impl Bf16Sums {
    /// How many floats the sums take at most.
    pub(crate) fn floats(shape: &Shape) -> usize {
        let run = (shape.kernel * shape.input.lanes()).next_multiple_of(SIDE);
        shape.output.channels.next_multiple_of(SIDE) * shape.kernel * run
    }

    /// For inputs and gradients with that many pixels of border, `images` of them at a time.
    pub(crate) fn new(shape: &Shape, halos: [usize; 2], images: usize) -> Self {
        let gather = shape.padded().forward(halos[0]);
        let slices = slices(&gather.runs, SIDE);
        let rows = shape.output.channels.next_multiple_of(SIDE);
        Self {
            shape: *shape,
            places: PixelPlaces::new(shape, &gather.reads, halos, images),
            sums: Buffer::stale(rows * slices.len() * SIDE),
            slices,
            begun: false,
        }
    }

    /// Adds `gradient^T * input` of some whole images, at least one.
    pub(crate) fn add(&mut self, input: &[f32], gradient: &[f32], pieces: usize) {
        let target = self.shape.output;
        let pixels = self.places.count(input, gradient);
        let rows = target.channels.div_ceil(SIDE);
        let mut packed = tiles(rows * PIXELS.min(pixels).div_ceil(DEPTH));
        for start in (0..pixels).step_by(PIXELS) {
            let pixels = start..(start + PIXELS).min(pixels);
            let steps = pixels.len().div_ceil(DEPTH);
            let at = &self.places.gradients[pixels.clone()];
            let places = Shared::new(&mut packed);
            spread(pieces, ranges(steps, pieces), |steps| {
                let lanes = target.lanes();
                dispatch(PackGradient { gradient, at, lanes, rows, steps, packed: places });
            });
            let (sums, slices) = (Shared::new(&mut self.sums), &self.slices);
            spread(pieces, ranges(slices.len().div_ceil(2), pieces), |pairs| {
                let columns = 2 * pairs.start..(2 * pairs.end).min(slices.len());
                let room = &mut tiles(steps * columns.len().min(COLUMNS));
                let (at, begun) = (&self.places.inputs[pixels.clone()], self.begun);
                let packed = &packed;
                let products =
                    AddProducts { input, at, slices, columns, rows, packed, room, sums, begun };
                dispatch(products);
            });
            self.begun = true;
        }
    }

    /// The sum of all parts in their order, as `[out, in, kernel, kernel]`.
    pub(crate) fn total(shape: &Shape, parts: &[Self]) -> Vec<f32> {
        let (inputs, outputs) = (shape.input.channels, shape.output.channels);
        let (taps, lanes) = (shape.kernel * shape.kernel, shape.input.lanes());
        let mut total = vec![0.0; outputs * inputs * taps];
        let slices = parts.first().map_or(&[][..], |part| &part.slices);
        let width = slices.len() * SIDE;
        let most = outputs.div_ceil(PARTS);
        let blocks = total.chunks_mut((most * inputs * taps).max(1)).enumerate();
        each(blocks.collect(), |(block, totals)| {
            for (output, total) in (block * most..).zip(totals.chunks_exact_mut(inputs * taps)) {
                for (index, slice) in slices.iter().enumerate() {
                    let mut sums = [0.0_f32; SIDE];
                    for part in parts {
                        let line = &part.sums[output * width + index * SIDE..][..SIDE];
                        sums.iter_mut().zip(line).for_each(|(sum, part)| *sum += part);
                    }
                    for (row, sum) in (slice.row..slice.row + slice.len).zip(sums) {
                        let (tap, input) = (row / lanes, row % lanes);
                        if input < inputs {
                            total[input * taps + tap] = sum;
                        }
                    }
                }
            }
        });
        total
    }
}

/// Packs `count` floats of up to 32 pixels, `from` on, two by two pixels as pairs: zeros where the pixels
/// end.
///
/// # Safety
/// The floats exist at every pixel, and `to` has room for a tile.
#[inline(always)]
unsafe fn pack<T: Tiles>(from: *const f32, at: &[u32], count: usize, to: *mut bf16) {
    // SAFETY: the caller's promise.
    unsafe {
        for (pair, at) in at.chunks(2).enumerate() {
            let even = from.add(at[0] as usize);
            let odd = at.get(1).map_or(ZEROS.as_ptr(), |at| from.add(*at as usize));
            T::pairs([even, odd], count, to.add(pair * DEPTH));
        }
        for pair in at.len().div_ceil(2)..SIDE {
            T::pairs([ZEROS.as_ptr(); 2], SIDE, to.add(pair * DEPTH));
        }
    }
}

/// Packs the gradient of some steps of 32 pixels as tiles of rows. Tasks that run side by side share the
/// tiles and differ in the steps.
struct PackGradient<'a> {
    gradient: &'a [f32],
    at: &'a [u32],
    lanes: usize,
    rows: usize,
    steps: Range<usize>,
    packed: Shared<'a>,
}

impl TileKernel for PackGradient<'_> {
    #[inline(always)]
    fn run<T: Tiles>(self) {
        let Self { gradient, at, lanes, rows, .. } = self;
        let all = at.len().div_ceil(DEPTH);
        let last = at.iter().max().map_or(0, |at| *at as usize);
        assert!(last + lanes <= gradient.len() && (rows - 1) * SIDE < lanes);
        assert!(self.steps.end <= all && self.packed.len() >= rows * all * TILE / 2);
        let packed = self.packed.as_mut_ptr().cast::<bf16>();
        for step in self.steps {
            let at = &at[step * DEPTH..at.len().min((step + 1) * DEPTH)];
            for row in 0..rows {
                // SAFETY: the sizes have been checked.
                unsafe {
                    let to = packed.add((row * all + step) * TILE);
                    let count = SIDE.min(lanes - row * SIDE);
                    pack::<T>(gradient.as_ptr().add(row * SIDE), at, count, to);
                    T::transpose(to);
                }
            }
        }
    }
}

/// Adds the products of some pixels to some columns of all rows of the sums. Tasks that run side by side
/// share the sums and differ in the columns.
struct AddProducts<'a> {
    input: &'a [f32],
    at: &'a [u32],
    slices: &'a [Run],
    columns: Range<usize>,
    /// Rows of tiles, and the tiles of the gradient.
    rows: usize,
    packed: &'a [f32],
    /// Room for the tiles of up to [`COLUMNS`] columns.
    room: &'a mut [f32],
    sums: Shared<'a>,
    begun: bool,
}

impl TileKernel for AddProducts<'_> {
    #[inline(always)]
    fn run<T: Tiles>(self) {
        let Self { input, at, slices, rows, packed, room, .. } = self;
        let (steps, width) = (at.len().div_ceil(DEPTH), slices.len() * SIDE);
        let last = at.iter().max().map_or(0, |at| *at as usize);
        assert!(slices.iter().all(|slice| last + slice.offset + slice.len <= input.len()));
        assert!(packed.len() >= rows * steps * TILE / 2);
        assert!(room.len() >= self.columns.len().min(COLUMNS) * steps * TILE / 2);
        assert!(self.sums.len() >= rows * SIDE * width);
        let (packed, room) = (packed.as_ptr().cast::<bf16>(), room.as_mut_ptr().cast::<bf16>());
        for first in self.columns.clone().step_by(COLUMNS) {
            let slices = &slices[first..self.columns.end.min(first + COLUMNS)];
            for (step, at) in at.chunks(DEPTH).enumerate() {
                for (column, slice) in slices.iter().enumerate() {
                    // SAFETY: the sizes have been checked.
                    unsafe {
                        let to = room.add((column * steps + step) * TILE);
                        pack::<T>(input.as_ptr().add(slice.offset), at, slice.len, to);
                    }
                }
            }
            for column in (0..slices.len()).step_by(2) {
                let columns = [column, column + 1]
                    .map(|column| room.cast_const().wrapping_add(column * steps * TILE));
                let sums = self.sums.as_mut_ptr().wrapping_add((first + column) * SIDE);
                for row in (0..rows).step_by(2) {
                    let product = Product {
                        rows: [row, row + 1].map(|row| packed.wrapping_add(row * steps * TILE)),
                        pitch: DEPTH,
                        offsets: PACKED.as_ptr(),
                        columns,
                        steps,
                        sums: [row, row + 1].map(|row| sums.wrapping_add(row * SIDE * width)),
                        width,
                        add: self.begun,
                    };
                    // SAFETY: the tiles have been packed, and the sizes checked.
                    unsafe {
                        multiply::<T>(&product, row + 1 < rows, column + 1 < slices.len());
                    }
                }
            }
        }
    }
}
