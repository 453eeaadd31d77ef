//! The weight gradient by Winograd's F(4x4, 3x3): summed over the batch in transformed form, and
//! transformed back once.

#![allow(clippy::needless_range_loop, reason = "loops over registers unroll by index")]

use std::ops::Range;

use super::buffer::{Buffer, Shared};
use super::geometry::{Run, Shape};
use super::parallel::{PARTS, each, ranges, spread};
use super::products::{Pixels, Product, RowTile, Sums, add_block, row_blocks, row_tiles};
use super::winograd::{band, bands, plane, products};
use super::winograd_transforms::{PLANES, weights_backward};
use crate::simd::{Kernel, Simd, dispatch, lanes};

/// A weight gradient that sums over images, in transformed form: 36 planes `[in, out]`.
pub(crate) struct WinogradSums {
    shape: Shape,
    halos: [usize; 2],
    tiles: Vec<RowTile>,
    lanes: usize,
    sums: Buffer,
    begun: bool,
}

/// Channels from which on tiles lie so far apart that they are packed before they are multiplied.
const PACKED: usize = 128;

impl WinogradSums {
    pub(crate) fn floats(shape: &Shape) -> usize {
        PLANES * shape.input.channels * shape.output.lanes()
    }

    /// For inputs and gradients with that many pixels of border.
    pub(crate) fn new(shape: &Shape, halos: [usize; 2]) -> Self {
        let run = Run { offset: 0, row: 0, len: shape.input.channels };
        let lanes = lanes(shape.output.lanes());
        let tiles = row_tiles(&[run], lanes);
        Self {
            shape: *shape,
            halos,
            tiles,
            lanes,
            sums: Buffer::stale(Self::floats(shape)),
            begun: false,
        }
    }

    /// Adds `input^T * gradient` of some whole images, at least one, the work of each band cut into `pieces`.
    pub(crate) fn add(&mut self, input: &[f32], gradient: &[f32], pieces: usize) {
        let (source, target) = (self.shape.input, self.shape.output);
        let [halo, gradient_halo] = self.halos;
        let images = input.len() / source.image(halo);
        assert_eq!(gradient.len(), images * target.image(gradient_halo));
        let bands = || bands(target, images, band(&self.shape));
        let most = bands().map(|band| band.count(target)).max().unwrap_or(0);
        let mut inputs = Buffer::stale(PLANES * plane(most, source));
        let mut gradients = Buffer::stale(PLANES * plane(most, target));
        let rows = (0..most as u32).map(|tile| tile * source.lanes() as u32).collect::<Vec<_>>();
        let columns = (0..most as u32).map(|tile| tile * target.lanes() as u32).collect::<Vec<_>>();
        for band in bands() {
            let planes = Shared::new(&mut inputs);
            spread(pieces, band.places(source, most, pieces), |(image, tiles, place)| {
                let image = &input[image * source.image(halo)..][..source.image(halo)];
                tiles.input((image, halo), planes, place);
            });
            let planes = Shared::new(&mut gradients);
            spread(pieces, band.places(target, most, pieces), |(image, tiles, place)| {
                let image = &gradient[image * target.image(gradient_halo)..];
                tiles.gradient(
                    (&image[..target.image(gradient_halo)], gradient_halo),
                    planes,
                    place,
                );
            });
            let tiles = band.count(target);
            let steps = [plane(most, source), plane(most, target)];
            let (floats, begun) = (Shared::new(&mut self.sums), self.begun);
            each(products(pieces, self.tiles.len()), |(planes, blocks)| {
                let row_tiles = &self.tiles[blocks];
                if source.lanes().max(target.lanes()) < PACKED {
                    let products = AddProducts {
                        shape: &self.shape,
                        tiles,
                        row_tiles,
                        planes,
                        steps,
                        inputs: &inputs,
                        gradients: &gradients,
                        floats,
                        begun,
                    };
                    return dispatch(self.lanes, products);
                }
                let step = source.channels * target.lanes();
                for plane in planes {
                    let pixels = Pixels {
                        input: &inputs[plane * steps[0]..][..steps[0]],
                        gradient: &gradients[plane * steps[1]..][..steps[1]],
                        inputs: &rows[..tiles],
                        gradients: &columns[..tiles],
                        close: false,
                    };
                    let floats = floats.part(plane * step, step);
                    let columns = target.lanes();
                    let sums = Sums { floats, columns, lanes: self.lanes, begun };
                    for row_tiles in row_blocks(row_tiles) {
                        add_block(pixels, row_tiles, sums, 0..columns);
                    }
                }
            });
            self.begun = true;
        }
    }

    /// The sum of all parts in their order, as `[out, in, 3, 3]`.
    pub(crate) fn total(shape: &Shape, parts: &[Self]) -> Vec<f32> {
        let (inputs, outputs) = (shape.input.channels, shape.output.channels);
        let mut total = vec![0.0; outputs * inputs * 9];
        let lanes = lanes(shape.output.lanes());
        let blocks = outputs.div_ceil(lanes);
        let rows = ranges(inputs, PARTS.div_ceil(blocks));
        let tasks =
            (0..blocks).flat_map(|block| rows.iter().map(move |rows| (block, rows.clone())));
        let places = Shared::new(&mut total);
        each(tasks.collect(), |(block, rows)| {
            dispatch(lanes, Total { shape, parts, column: block * lanes, rows, places });
        });
        total
    }
}

/// The total of some inputs to one register of output channels. Tasks that run side by side share
/// the places and differ in one of the two.
struct Total<'a> {
    shape: &'a Shape,
    parts: &'a [WinogradSums],
    column: usize,
    rows: Range<usize>,
    places: Shared<'a>,
}

impl Kernel for Total<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (inputs, columns) = (self.shape.input.channels, self.shape.output.lanes());
        let outputs = self.shape.output.channels;
        assert!(self.column + S::LANES <= columns && self.rows.end <= inputs);
        assert_eq!(self.places.len(), outputs * inputs * 9);
        let floats = WinogradSums::floats(self.shape);
        assert!(self.parts.iter().all(|part| part.sums.len() == floats));
        for input in self.rows {
            let mut taps = [[0.0_f32; 16]; 9];
            // SAFETY: the parts have the size that has been checked; 16 floats hold any register.
            unsafe {
                let mut sums = [S::splat(0.0); PLANES];
                for part in self.parts {
                    for plane in 0..PLANES {
                        let at = (plane * inputs + input) * columns + self.column;
                        sums[plane] = sums[plane].add(S::load(part.sums.as_ptr().add(at)));
                    }
                }
                let weights = weights_backward(sums);
                for tap in 0..9 {
                    weights[tap].store(taps[tap].as_mut_ptr());
                }
            }
            for output in self.column..outputs.min(self.column + S::LANES) {
                for (tap, values) in taps.iter().enumerate() {
                    // SAFETY: the place exists, and this task alone writes it.
                    unsafe {
                        *self.places.as_mut_ptr().add((output * inputs + input) * 9 + tap) =
                            values[output - self.column];
                    }
                }
            }
        }
    }
}

/// Some rows of some of the 36 products `[in, tiles] * [tiles, out]`, added to their sums. Tasks that
/// run side by side share the sums and differ in one of the two.
struct AddProducts<'a> {
    shape: &'a Shape,
    tiles: usize,
    row_tiles: &'a [RowTile],
    planes: Range<usize>,
    steps: [usize; 2],
    inputs: &'a [f32],
    gradients: &'a [f32],
    floats: Shared<'a>,
    begun: bool,
}

impl Kernel for AddProducts<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { steps, inputs, gradients, floats, begun, .. } = self;
        let (rows, columns) = (self.shape.input.channels, self.shape.output.lanes());
        let step = self.shape.input.lanes();
        // A tile may be higher than the rows that are left: it reads on, and what that makes is
        // not kept.
        assert!(self.tiles * step + 16 <= steps[0] && self.tiles * columns <= steps[1]);
        assert!(inputs.len() >= PLANES * steps[0] && gradients.len() >= PLANES * steps[1]);
        assert!(self.planes.end <= PLANES && floats.len() == PLANES * rows * columns);
        assert!(self.row_tiles.iter().all(|tile| tile.row + tile.rows <= rows));
        for plane in self.planes {
            for column in (0..columns).step_by(2 * S::LANES) {
                for tile in self.row_tiles {
                    // SAFETY: the sizes of all three matrices have been checked.
                    unsafe {
                        let product = Product {
                            count: self.tiles,
                            input: inputs.as_ptr().add(plane * steps[0] + tile.row),
                            input_step: step,
                            gradient: gradients.as_ptr().add(plane * steps[1] + column),
                            gradient_step: columns,
                            sums: floats
                                .as_mut_ptr()
                                .add((plane * rows + tile.row) * columns + column),
                            columns,
                            begun,
                        };
                        product.add::<S>(tile, column + 2 * S::LANES <= columns);
                    }
                }
            }
        }
    }
}
