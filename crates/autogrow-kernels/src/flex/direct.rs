//! The direct convolution: a tile of pixels times a block of output channels stays in registers
//! while the runs of a [`Gather`] stream past.

#![allow(clippy::needless_range_loop, reason = "loops over registers unroll by index")]

use std::ops::Range;

use super::buffer::{Buffer, Shared};
use super::geometry::{Gather, Run, repeated};
use super::parallel::{PARTS, each, ranges, spread};
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
        let blocks = weights.chunks_mut(rows.max(1) * block).enumerate();
        // Rows that one thread packs.
        let part = (rows * padded.div_ceil(block)).div_ceil(PARTS).max(16);
        let parts = blocks.flat_map(|(index, floats)| {
            let width = block.min(padded - index * block);
            let parts = floats.chunks_mut(part * width).enumerate();
            parts.map(move |(first, floats)| (index * block, width, first * part, floats))
        });
        each(parts.collect(), |(column, width, first, floats)| {
            for (row, floats) in floats.chunks_exact_mut(width).enumerate() {
                for (column, float) in (column..).zip(floats) {
                    *float = if column < columns { value(first + row, column) } else { 0.0 };
                }
            }
        });
        Self { weights, rows, columns: padded, lanes }
    }
}

/// A convolution ready to run: what every pixel reads and where it writes, and the weights.
pub(crate) struct Direct {
    passes: Vec<Pass>,
    weights: Packed,
    /// Images that the tables reach over.
    images: usize,
    /// Floats of one image, source and target.
    source: usize,
    target: usize,
}

/// One gather, its tables repeated for several images so that tiles of pixels run across them, and
/// its runs in portions whose weights stay in the cache.
struct Pass {
    reads: Vec<u32>,
    writes: Vec<u32>,
    portions: Vec<Vec<Run>>,
    /// Pixels that pass before the next block of columns.
    step: usize,
}

impl Direct {
    /// For up to `images` images at a time: for every pixel of each gather,
    /// `target = runs(source) * weights`, zero if there are no runs. No two gathers write the same
    /// pixel.
    pub(crate) fn new(gathers: Vec<Gather>, weights: Packed, images: usize) -> Self {
        let first = gathers.first();
        let (source, target) = first.map_or((0, 0), |gather| (gather.source, gather.target));
        let passes = gathers.into_iter().map(|gather| {
            // What the kernel relies on instead of testing every access.
            assert_eq!([gather.source, gather.target], [source, target]);
            assert!(gather.runs.iter().all(|run| run.row + run.len <= weights.rows));
            assert!(gather.writes.iter().all(|at| *at as usize + weights.columns <= target));
            let portions = portions(&gather.runs, WEIGHTS / (4 * 2 * weights.lanes));
            let longest = portions.iter().map(|portion| length(portion)).max().unwrap_or(0);
            Pass {
                reads: repeated(&gather.reads, images, source),
                writes: repeated(&gather.writes, images, target),
                portions,
                step: (SOURCE / (4 * longest.max(1))).max(48),
            }
        });
        Self { passes: passes.collect(), weights, images: images.max(1), source, target }
    }

    /// Convolves whole images, the work cut into at least `pieces` pieces if there is enough.
    pub(crate) fn run(&self, source: &[f32], target: &mut [f32], pieces: usize) {
        let sources = source.chunks(self.images * self.source.max(1));
        let targets = target.chunks_mut(self.images * self.target.max(1));
        for (source, target) in sources.zip(targets) {
            let images = source.len() / self.source;
            assert_eq!(source.len(), images * self.source);
            assert_eq!(target.len(), images * self.target);
            let block = 2 * self.weights.lanes;
            let blocks = ranges(self.weights.columns.div_ceil(block), pieces);
            let parts = pieces.div_ceil(blocks.len());
            let mut tasks = Vec::new();
            for pass in &self.passes {
                for pixels in ranges(pass.reads.len() / self.images * images, parts) {
                    for blocks in &blocks {
                        let columns =
                            blocks.start * block..(blocks.end * block).min(self.weights.columns);
                        tasks.push((pass, pixels.clone(), columns));
                    }
                }
            }
            let target = Shared::new(target);
            spread(pieces.min(tasks.len()), tasks, |(pass, pixels, columns)| {
                let weights = &self.weights;
                dispatch(
                    weights.lanes,
                    Convolve { pass, weights, source, target, pixels, columns },
                );
            });
        }
    }
}

/// Some pixels and columns of a convolution. Tasks that run side by side share the target and
/// differ in one of the two.
struct Convolve<'a> {
    pass: &'a Pass,
    weights: &'a Packed,
    source: &'a [f32],
    target: Shared<'a>,
    pixels: Range<usize>,
    columns: Range<usize>,
}

impl Kernel for Convolve<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Packed { rows, columns, .. } = *self.weights;
        let block = 2 * S::LANES;
        for start in self.pixels.clone().step_by(self.pass.step) {
            let pixels = start..(start + self.pass.step).min(self.pixels.end);
            for (index, runs) in self.pass.portions.iter().enumerate() {
                let add = index > 0;
                for column in self.columns.clone().step_by(block) {
                    // SAFETY: the block begins within the packed weights; the pixels and columns
                    // exist, and `Direct::new`, `Direct::run` and `Gather::new` have checked the
                    // tables.
                    unsafe {
                        let weights = self.weights.weights.as_ptr().add(rows * column);
                        let tile = Block { runs, weights, column, add };
                        // As many pixels as there are registers for, of the vectors and of
                        // the pixels' addresses.
                        match (column + block <= columns, S::LANES == 16) {
                            (true, true) => self.pixels::<S, 8, 2>(tile, pixels.clone()),
                            (true, false) => self.pixels::<S, 6, 2>(tile, pixels.clone()),
                            (false, _) => self.pixels::<S, 8, 1>(tile, pixels.clone()),
                        }
                    }
                }
            }
        }
    }
}

/// A portion of the runs and a block of columns.
#[derive(Clone, Copy)]
struct Block<'a> {
    runs: &'a [Run],
    weights: *const f32,
    column: usize,
    /// Whether the sums are added to what the target holds.
    add: bool,
}

impl Convolve<'_> {
    /// All `pixels`, `P` at a time, and the rest in smaller tiles.
    ///
    /// # Safety
    /// The pixels and the block's `B` registers of columns exist.
    #[inline(always)]
    unsafe fn pixels<S: Simd, const P: usize, const B: usize>(
        &self,
        block: Block<'_>,
        pixels: Range<usize>,
    ) {
        let mut pixel = pixels.start;
        // SAFETY: the caller's promise; a tile has no more pixels than are left.
        unsafe {
            while pixel + P <= pixels.end {
                self.tile::<S, P, B>(block, pixel);
                pixel += P;
            }
            while pixel < pixels.end {
                let rest = pixels.end - pixel;
                pixel += match rest {
                    4.. => self.tile::<S, 4, B>(block, pixel),
                    2.. => self.tile::<S, 2, B>(block, pixel),
                    _ => self.tile::<S, 1, B>(block, pixel),
                };
            }
        }
    }

    /// Returns `P`.
    ///
    /// # Safety
    /// Pixels `pixel..pixel + P` and the block's `B` registers of columns exist.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const B: usize>(
        &self,
        block: Block<'_>,
        pixel: usize,
    ) -> usize {
        let Block { runs, weights, column, add } = block;
        // SAFETY: the caller's promise, and the tables are within the images.
        unsafe {
            let reads = self.pass.reads.as_ptr().add(pixel);
            let writes = self.pass.writes.as_ptr().add(pixel);
            let target = self.target.as_mut_ptr();
            let mut sources = [self.source.as_ptr(); P];
            let mut sums = [[S::splat(0.0); B]; P];
            for p in 0..P {
                sources[p] = sources[p].add(*reads.add(p) as usize);
                if add {
                    let target = target.add(*writes.add(p) as usize + column);
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
                let target = target.add(*writes.add(p) as usize + column);
                for b in 0..B {
                    sums[p][b].store(target.add(b * S::LANES));
                }
            }
        }
        P
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
fn portions(runs: &[Run], rows: usize) -> Vec<Vec<Run>> {
    let mut portions = vec![Vec::new()];
    let mut room = rows;
    for run in runs {
        let mut rest = *run;
        while rest.len > 0 {
            if room == 0 {
                portions.push(Vec::new());
                room = rows;
            }
            let len = rest.len.min(room);
            if let Some(portion) = portions.last_mut() {
                portion.push(Run { len, ..rest });
            }
            rest = Run { offset: rest.offset + len, row: rest.row + len, len: rest.len - len };
            room -= len;
        }
    }
    portions
}

fn length(runs: &[Run]) -> usize {
    runs.iter().map(|run| run.len).sum()
}
