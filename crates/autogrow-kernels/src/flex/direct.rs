//! The direct convolution: a tile of pixels times a block of output channels stays in registers
//! while the runs of a [`Gather`] stream past.

#![allow(clippy::needless_range_loop, reason = "loops over registers unroll by index")]

use rayon::prelude::*;

use super::buffer::Buffer;
use super::geometry::{Gather, Run};
use crate::simd::{Kernel, Simd, dispatch};

/// Bytes of weights that stay in the first-level cache while all pixels pass.
const WEIGHTS: usize = 24 * 1024;
/// Bytes of source that stay in the second-level cache while all weights pass.
const SOURCE: usize = 256 * 1024;

/// A matrix of weights as the tiles read it: blocks of two registers of columns (the last may be
/// one), each with its rows after one another.
pub(crate) struct Packed {
    weights: Buffer,
    rows: usize,
    columns: usize,
    lanes: usize,
}

impl Packed {
    /// Packs `value(row, column)` with zeros in the columns beyond `columns`.
    pub(crate) fn new(
        rows: usize,
        columns: usize,
        lanes: usize,
        value: impl Fn(usize, usize) -> f32 + Sync,
    ) -> Self {
        let padded = columns.next_multiple_of(crate::simd::NARROW);
        let mut weights = Buffer::stale(rows * padded);
        let block = 2 * lanes;
        let blocks = weights.par_chunks_mut(rows.max(1) * block).enumerate();
        blocks.for_each(|(index, floats)| {
            let width = block.min(padded - index * block);
            for (row, floats) in floats.chunks_exact_mut(width).enumerate() {
                for (offset, float) in floats.iter_mut().enumerate() {
                    let column = index * block + offset;
                    *float = if column < columns { value(row, column) } else { 0.0 };
                }
            }
        });
        Self { weights, rows, columns: padded, lanes }
    }
}

/// Convolves one image: for every pixel of the gather, `target = runs(source) * weights`, zero if
/// there are no runs.
pub(crate) fn convolve(gather: &Gather, weights: &Packed, source: &[f32], target: &mut [f32]) {
    assert_eq!(source.len(), gather.source);
    assert_eq!(target.len(), gather.target);
    assert!(gather.runs.iter().all(|run| run.row + run.len <= weights.rows));
    assert!(gather.writes.iter().all(|at| *at as usize + weights.columns <= gather.target));
    let lanes = weights.lanes;
    dispatch(lanes, Convolve { gather, weights, source, target: target.as_mut_ptr() });
}

struct Convolve<'a> {
    gather: &'a Gather,
    weights: &'a Packed,
    source: &'a [f32],
    target: *mut f32,
}

impl Kernel for Convolve<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Packed { rows, columns, .. } = *self.weights;
        let block = 2 * S::LANES;
        let pixels = self.gather.reads.len();
        let chunks = chunks(&self.gather.runs, WEIGHTS / (4 * block));
        let longest = chunks.iter().map(|chunk| length(chunk)).max().unwrap_or(0);
        let step = (SOURCE / (4 * longest.max(1))).max(48);
        for start in (0..pixels).step_by(step) {
            let end = (start + step).min(pixels);
            for (index, runs) in chunks.iter().enumerate() {
                let add = index > 0;
                for column in (0..columns).step_by(block) {
                    // SAFETY: the block begins within the packed weights.
                    let weights = unsafe { self.weights.weights.as_ptr().add(rows * column) };
                    let wide = column + block <= columns;
                    let mut pixel = start;
                    // SAFETY: `pixel` and the tile's other pixels are below `end`, the columns
                    // exist, and `convolve` and `Gather::new` have checked the tables.
                    unsafe {
                        if wide {
                            while pixel + 6 <= end {
                                self.tile::<S, 6, 2>(runs, weights, pixel, column, add);
                                pixel += 6;
                            }
                            while pixel + 3 <= end {
                                self.tile::<S, 3, 2>(runs, weights, pixel, column, add);
                                pixel += 3;
                            }
                            while pixel < end {
                                self.tile::<S, 1, 2>(runs, weights, pixel, column, add);
                                pixel += 1;
                            }
                        } else {
                            while pixel + 8 <= end {
                                self.tile::<S, 8, 1>(runs, weights, pixel, column, add);
                                pixel += 8;
                            }
                            while pixel + 4 <= end {
                                self.tile::<S, 4, 1>(runs, weights, pixel, column, add);
                                pixel += 4;
                            }
                            while pixel < end {
                                self.tile::<S, 1, 1>(runs, weights, pixel, column, add);
                                pixel += 1;
                            }
                        }
                    }
                }
            }
        }
    }
}

impl Convolve<'_> {
    /// # Safety
    /// Pixels `pixel..pixel + P` and columns `column..column + B * LANES` exist.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const B: usize>(
        &self,
        runs: &[Run],
        weights: *const f32,
        pixel: usize,
        column: usize,
        add: bool,
    ) {
        // SAFETY: the caller's promise, and the tables are within the images.
        unsafe {
            let reads = self.gather.reads.as_ptr().add(pixel);
            let writes = self.gather.writes.as_ptr().add(pixel);
            let mut sources = [self.source.as_ptr(); P];
            let mut sums = [[S::splat(0.0); B]; P];
            for p in 0..P {
                sources[p] = sources[p].add(*reads.add(p) as usize);
                if add {
                    let target = self.target.add(*writes.add(p) as usize + column);
                    for b in 0..B {
                        sums[p][b] = S::load(target.add(b * S::LANES));
                    }
                }
            }
            for run in runs {
                let weights = weights.add(run.row * B * S::LANES);
                multiply_run(&sources, run.offset, run.len, weights, &mut sums);
            }
            for p in 0..P {
                let target = self.target.add(*writes.add(p) as usize + column);
                for b in 0..B {
                    sums[p][b].store(target.add(b * S::LANES));
                }
            }
        }
    }
}

/// `sums[p][b] += source[p][offset + k] * weights[k][b]` for `k` in `0..len`.
///
/// # Safety
/// Every source has `offset + len` floats, and `weights` has `len` rows of `B` registers.
#[inline(always)]
pub(crate) unsafe fn multiply_run<S: Simd, const P: usize, const B: usize>(
    sources: &[*const f32; P],
    offset: usize,
    len: usize,
    mut weights: *const f32,
    sums: &mut [[S; B]; P],
) {
    let mut local = *sums;
    // SAFETY: the caller's promise.
    unsafe {
        for k in offset..offset + len {
            let mut row = [S::splat(0.0); B];
            for b in 0..B {
                row[b] = S::load(weights.add(b * S::LANES));
            }
            for p in 0..P {
                let value = S::splat(*sources[p].add(k));
                for b in 0..B {
                    local[p][b] = value.mul_add(row[b], local[p][b]);
                }
            }
            weights = weights.add(B * S::LANES);
        }
    }
    *sums = local;
}

/// The runs in portions of at most `rows` floats.
fn chunks(runs: &[Run], rows: usize) -> Vec<Vec<Run>> {
    let mut chunks = vec![Vec::new()];
    let mut room = rows;
    for run in runs {
        let mut rest = *run;
        while rest.len > 0 {
            if room == 0 {
                chunks.push(Vec::new());
                room = rows;
            }
            let len = rest.len.min(room);
            if let Some(chunk) = chunks.last_mut() {
                chunk.push(Run { len, ..rest });
            }
            rest = Run { offset: rest.offset + len, row: rest.row + len, len: rest.len - len };
            room -= len;
        }
    }
    chunks
}

fn length(runs: &[Run]) -> usize {
    runs.iter().map(|run| run.len).sum()
}
