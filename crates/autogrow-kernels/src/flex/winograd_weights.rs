//! The weight gradient by Winograd's F(4x4, 3x3): summed over the batch in transformed form, and
//! transformed back once.

#![allow(clippy::needless_range_loop, reason = "loops over registers unroll by index")]

use rayon::prelude::*;

use super::buffer::Buffer;
use super::direct_weights::{Pixels, column_block};
use super::geometry::Shape;
use super::winograd::{bands, plane, planes_at_once};
use super::winograd_transforms::{PLANES, weights_backward};
use crate::simd::{Kernel, Simd, dispatch, lanes};

/// A weight gradient that sums over images, in transformed form: 36 planes `[in, out]`.
pub(crate) struct WinogradSums {
    sums: Buffer,
}

impl WinogradSums {
    pub(crate) fn floats(shape: &Shape) -> usize {
        PLANES * shape.input.channels * shape.output.lanes()
    }

    pub(crate) fn zeroed(shape: &Shape) -> Self {
        Self { sums: Buffer::zeroed(Self::floats(shape)) }
    }

    /// Adds `input^T * gradient` of some whole images; both come with the width of their halo.
    pub(crate) fn add(
        &mut self,
        shape: &Shape,
        (input, halo): (&[f32], usize),
        (gradient, gradient_halo): (&[f32], usize),
    ) {
        let (source, target) = (shape.input, shape.output);
        let images = input.len() / source.image(halo);
        assert_eq!(gradient.len(), images * target.image(gradient_halo));
        let most = bands(target, images).map(|band| band.count(target)).max().unwrap_or(0);
        let mut inputs = Buffer::stale(PLANES * plane(most, source));
        let mut gradients = Buffer::stale(PLANES * plane(most, target));
        for band in bands(target, images) {
            for (image, tiles, place) in band.places(source, most) {
                let image = &input[image * source.image(halo)..][..source.image(halo)];
                tiles.input((image, halo), &mut inputs, place);
            }
            for (image, tiles, place) in band.places(target, most) {
                let image = target.image(gradient_halo) * image;
                let image = &gradient[image..][..target.image(gradient_halo)];
                tiles.gradient((image, gradient_halo), &mut gradients, place);
            }
            let tiles = band.count(target);
            let steps = [plane(most, source), plane(most, target)];
            let planes = planes_at_once(source, target);
            let step = source.channels * target.lanes();
            let parts = self.sums.par_chunks_mut(planes * step).enumerate();
            parts.for_each(|(index, sums)| {
                let inputs = &inputs[index * planes * steps[0]..];
                let gradients = &gradients[index * planes * steps[1]..];
                let kernel = AddProducts { shape, tiles, steps, inputs, gradients, sums };
                dispatch(lanes(target.lanes()), kernel);
            });
        }
    }

    /// The sum of all parts in their order, as `[out, in, 3, 3]`.
    pub(crate) fn total(shape: &Shape, parts: &[Self]) -> Vec<f32> {
        let (inputs, outputs) = (shape.input.channels, shape.output.channels);
        let mut total = vec![0.0; outputs * inputs * 9];
        let lanes = lanes(shape.output.lanes());
        let blocks = total.par_chunks_mut(lanes * inputs * 9).enumerate();
        blocks.for_each(|(index, block)| {
            dispatch(lanes, Total { shape, parts, column: index * lanes, block });
        });
        total
    }
}

/// The total of one register of output channels.
struct Total<'a> {
    shape: &'a Shape,
    parts: &'a [WinogradSums],
    column: usize,
    block: &'a mut [f32],
}

impl Kernel for Total<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (inputs, columns) = (self.shape.input.channels, self.shape.output.lanes());
        assert!(self.column + S::LANES <= columns);
        let floats = WinogradSums::floats(self.shape);
        assert!(self.parts.iter().all(|part| part.sums.len() == floats));
        for input in 0..inputs {
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
            for (lane, output) in self.block.chunks_exact_mut(inputs * 9).enumerate() {
                for (weight, tap) in output[9 * input..][..9].iter_mut().zip(&taps) {
                    *weight = tap[lane];
                }
            }
        }
    }
}

/// Some of the 36 products `[in, tiles] * [tiles, out]`, added to their sums.
struct AddProducts<'a> {
    shape: &'a Shape,
    tiles: usize,
    steps: [usize; 2],
    inputs: &'a [f32],
    gradients: &'a [f32],
    sums: &'a mut [f32],
}

impl Kernel for AddProducts<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (rows, columns) = (self.shape.input.channels, self.shape.output.lanes());
        let planes = self.sums.len() / (rows * columns);
        assert!(self.tiles * self.shape.input.lanes() <= self.steps[0]);
        assert!(self.tiles * columns <= self.steps[1]);
        assert!(self.inputs.len() >= planes * self.steps[0]);
        assert!(self.gradients.len() >= planes * self.steps[1]);
        let tiles = Pixels {
            images: 1,
            rows: 1,
            width: self.tiles,
            input_steps: [0, 0, self.shape.input.lanes()],
            gradient_steps: [0, 0, columns],
        };
        let sums = self.sums.as_mut_ptr();
        for plane in 0..planes {
            for column in (0..columns).step_by(2 * S::LANES) {
                let wide = column + 2 * S::LANES <= columns;
                // SAFETY: the sizes of all three matrices have been checked.
                unsafe {
                    let inputs = self.inputs.as_ptr().add(plane * self.steps[0]);
                    let gradients = self.gradients.as_ptr().add(plane * self.steps[1] + column);
                    let sums = sums.add(plane * rows * columns + column);
                    column_block::<S>(tiles, inputs, gradients, sums, columns, rows, wide);
                }
            }
        }
    }
}
