//! The weight gradient of a direct convolution: a tile of weights stays in registers while the
//! pixels of several images stream past, the twin of [`direct`](super::direct).

#![allow(clippy::needless_range_loop, reason = "loops over registers unroll by index")]

use rayon::prelude::*;

use super::buffer::Buffer;
use super::geometry::{Run, Shape};
use crate::simd::{Kernel, Simd, dispatch, lanes};

/// Bytes of input and output gradient that stay in the first-level cache while all weights pass.
const PIXELS: usize = 24 * 1024;

/// A weight gradient that sums over images, `[taps, in, out]` with the outputs padded.
pub(crate) struct WeightSums {
    sums: Buffer,
}

impl WeightSums {
    pub(crate) fn zeroed(shape: &Shape) -> Self {
        Self { sums: Buffer::zeroed(shape.rows() * shape.output.lanes()) }
    }

    /// Adds `input^T * gradient` of some whole images; `input` has `halo` pixels of border,
    /// `gradient` has `gradient_halo`.
    pub(crate) fn add(
        &mut self,
        shape: &Shape,
        (input, halo): (&[f32], usize),
        (gradient, gradient_halo): (&[f32], usize),
    ) {
        let images = input.len() / shape.input.image(halo);
        assert_eq!(input.len(), images * shape.input.image(halo));
        assert_eq!(gradient.len(), images * shape.output.image(gradient_halo));
        assert_eq!(self.sums.len(), shape.rows() * shape.output.lanes());
        let kernel = AddWeights {
            shape: *shape,
            runs: shape.forward(halo).runs,
            images,
            input,
            halo,
            gradient,
            gradient_halo,
            sums: self.sums.as_mut_ptr(),
        };
        dispatch(lanes(shape.output.lanes()), kernel);
    }

    /// The sum of all parts in their order, as `[out, in, kernel, kernel]`.
    pub(crate) fn total(shape: &Shape, parts: &[Self]) -> Vec<f32> {
        let (inputs, outputs) = (shape.input.channels, shape.output.channels);
        let taps = shape.kernel * shape.kernel;
        let mut total = vec![0.0; outputs * inputs * taps];
        // One cache line of sums serves as many outputs as it has floats.
        const LINE: usize = 16;
        let lanes = shape.output.lanes();
        total.par_chunks_mut(LINE * inputs * taps).enumerate().for_each(|(index, outputs)| {
            for (row, (input, tap)) in
                (0..taps).flat_map(|tap| (0..inputs).map(move |input| (input, tap))).enumerate()
            {
                let line = row * lanes + index * LINE;
                for (lane, output) in outputs.chunks_exact_mut(inputs * taps).enumerate() {
                    let sum = parts.iter().fold(0.0, |sum, part| sum + part.sums[line + lane]);
                    output[input * taps + tap] = sum;
                }
            }
        });
        total
    }
}

struct AddWeights<'a> {
    shape: Shape,
    runs: Vec<Run>,
    images: usize,
    input: &'a [f32],
    halo: usize,
    gradient: &'a [f32],
    gradient_halo: usize,
    sums: *mut f32,
}

/// A rectangle of pixels in some images: a pixel's input and gradient offsets are linear in all
/// three indices.
#[derive(Clone, Copy)]
pub(crate) struct Pixels {
    pub(crate) images: usize,
    pub(crate) rows: usize,
    pub(crate) width: usize,
    pub(crate) input_steps: [usize; 3],
    pub(crate) gradient_steps: [usize; 3],
}

impl Kernel for AddWeights<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (input, output) = (self.shape.input, self.shape.output);
        let stride = self.shape.stride;
        let inset = self.halo - self.shape.padding;
        let corner = inset * (input.row(self.halo) + input.lanes());
        let touched = (4 * input.lanes() * stride).min(128) + (4 * output.lanes()).min(128);
        let budget = PIXELS / touched;
        let rows = (budget / output.width).clamp(1, output.height);
        let group = (budget / output.pixels()).clamp(1, self.images.max(1));
        for image in (0..self.images).step_by(group) {
            for row in (0..output.height).step_by(rows) {
                let pixels = Pixels {
                    images: group.min(self.images - image),
                    rows: rows.min(output.height - row),
                    width: output.width,
                    input_steps: [
                        input.image(self.halo),
                        stride * input.row(self.halo),
                        stride * input.lanes(),
                    ],
                    gradient_steps: [
                        output.image(self.gradient_halo),
                        output.row(self.gradient_halo),
                        output.lanes(),
                    ],
                };
                let first = pixels.input_steps[0] * image + pixels.input_steps[1] * row + corner;
                let from =
                    pixels.gradient_steps[0] * image + output.pixel(self.gradient_halo, [row, 0]);
                // SAFETY: the rectangle lies within the images, whose sizes `add` has checked.
                unsafe { self.block::<S>(pixels, first, from) };
            }
        }
    }
}

impl AddWeights<'_> {
    /// Adds what one rectangle of pixels contributes to all weights.
    ///
    /// # Safety
    /// The rectangle, beginning at `input` and `gradient`, lies within the images.
    #[inline(always)]
    unsafe fn block<S: Simd>(&self, pixels: Pixels, input: usize, gradient: usize) {
        let columns = self.shape.output.lanes();
        for run in &self.runs {
            for column in (0..columns).step_by(2 * S::LANES) {
                let wide = column + 2 * S::LANES <= columns;
                // SAFETY: the caller's promise; rows and columns of the sums exist.
                unsafe {
                    let gradient = self.gradient.as_ptr().add(gradient + column);
                    let input = self.input.as_ptr().add(input + run.offset);
                    let sums = self.sums.add(run.row * columns + column);
                    column_block::<S>(pixels, input, gradient, sums, columns, run.len, wide);
                }
            }
        }
    }
}

/// One or (if `wide`) two registers of columns of `sums += input^T * gradient`, for `rows` rows.
///
/// # Safety
/// All pixels have `rows` input floats and the registers of gradient, and `sums` has the rows,
/// `columns` apart.
#[inline(always)]
pub(crate) unsafe fn column_block<S: Simd>(
    pixels: Pixels,
    input: *const f32,
    gradient: *const f32,
    sums: *mut f32,
    columns: usize,
    rows: usize,
    wide: bool,
) {
    let mut row = 0;
    while row < rows {
        // SAFETY: the caller's promise; a tile has no more rows than are left.
        unsafe {
            let (input, sums) = (input.add(row), sums.add(row * columns));
            row += match (wide, rows - row) {
                (true, 10.. | 6) => tile::<S, 6, 2>(pixels, input, gradient, sums, columns),
                (true, 4..) => tile::<S, 4, 2>(pixels, input, gradient, sums, columns),
                (true, 3) => tile::<S, 3, 2>(pixels, input, gradient, sums, columns),
                (true, _) => tile::<S, 1, 2>(pixels, input, gradient, sums, columns),
                (false, 8..) => tile::<S, 8, 1>(pixels, input, gradient, sums, columns),
                (false, 4..) => tile::<S, 4, 1>(pixels, input, gradient, sums, columns),
                (false, 3) => tile::<S, 3, 1>(pixels, input, gradient, sums, columns),
                (false, _) => tile::<S, 1, 1>(pixels, input, gradient, sums, columns),
            };
        }
    }
}

/// `sums[m][b] += input[pixel][m] * gradient[pixel][b]` over the pixels; returns `M`.
///
/// # Safety
/// All pixels have `M` input floats and `B` registers of gradient, and `sums` has `M` rows.
#[inline(always)]
unsafe fn tile<S: Simd, const M: usize, const B: usize>(
    pixels: Pixels,
    input: *const f32,
    gradient: *const f32,
    sums: *mut f32,
    columns: usize,
) -> usize {
    let [input_image, input_row, input_pixel] = pixels.input_steps;
    let [gradient_image, gradient_row, gradient_pixel] = pixels.gradient_steps;
    // SAFETY: the caller's promise.
    unsafe {
        let mut local = [[S::splat(0.0); B]; M];
        for m in 0..M {
            for b in 0..B {
                local[m][b] = S::load(sums.add(m * columns + b * S::LANES));
            }
        }
        for image in 0..pixels.images {
            for row in 0..pixels.rows {
                let mut input = input.add(image * input_image + row * input_row);
                let mut gradient = gradient.add(image * gradient_image + row * gradient_row);
                for _ in 0..pixels.width {
                    let mut line = [S::splat(0.0); B];
                    for b in 0..B {
                        line[b] = S::load(gradient.add(b * S::LANES));
                    }
                    for m in 0..M {
                        let value = S::splat(*input.add(m));
                        for b in 0..B {
                            local[m][b] = value.mul_add(line[b], local[m][b]);
                        }
                    }
                    input = input.wrapping_add(input_pixel);
                    gradient = gradient.wrapping_add(gradient_pixel);
                }
            }
        }
        for m in 0..M {
            for b in 0..B {
                local[m][b].store(sums.add(m * columns + b * S::LANES));
            }
        }
    }
    M
}
