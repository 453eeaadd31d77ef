//! The direct convolution in bf16: forward and, with turned weights, for the gradient of the input.
//!
//! Weights are rounded to bf16 and packed into tiles once a batch. For 1x1 kernels pixels are rounded while
//! they are packed. For larger ones, which read a pixel several times, images are rounded first and stay
//! as they lie: a tile is read from 16 pixels that lie evenly, and from a packed copy of 16 that do
//! not. Sums are f32, and so is all that is read and written.

use std::ops::Range;

use half::bf16;

use super::bf16_convolve::{Convolve, PIXELS, Source};
use super::buffer::{Buffer, Shared};
use super::geometry::{Gather, Run, repeated};
use super::parallel::{PARTS, each, ranges, spread};
use crate::simd::bf16::{DEPTH, PACKED, SIDE, TILE, TileKernel, Tiles, dispatch};

/// The most steps of a product before its sums are written: the tiles of a block of pixels then stay in
/// the second-level cache while all weights pass.
const STEPS: usize = 36;
const _: () = assert!(STEPS <= PACKED.len());

/// Read where there is nothing.
pub(crate) static ZEROS: [f32; SIDE] = [0.0; SIDE];

/// Room for some tiles, which hold anything.
pub(crate) fn tiles(count: usize) -> Buffer {
    Buffer::stale(count * TILE / 2)
}

/// A matrix of weights within a tensor of them.
pub(crate) struct Matrix<'a> {
    pub(crate) floats: &'a [f32],
    /// Where each row begins; rows of padding have none.
    pub(crate) rows: Vec<Option<usize>>,
    pub(crate) columns: usize,
    /// Floats from one column to the next.
    pub(crate) step: usize,
}

/// A convolution ready to run, as [`Direct`](super::direct::Direct).
pub(crate) struct Bf16Direct {
    passes: Vec<Pass>,
    /// Floats of a pixel of the target.
    columns: usize,
    /// Images that the tables reach over.
    images: usize,
    /// Floats of one image, source and target.
    source: usize,
    target: usize,
    /// Whether images are rounded before anything is multiplied.
    rounds: bool,
}

/// One gather, its tables repeated for several images, with the weights that it meets.
pub(crate) struct Pass {
    pub(crate) reads: Vec<u32>,
    pub(crate) writes: Vec<u32>,
    /// The runs in slices of as many floats as a tile is deep.
    pub(crate) slices: Vec<Run>,
    /// Where each slice begins, in bytes from a rounded pixel.
    pub(crate) offsets: Vec<u32>,
    pub(crate) portions: Vec<Range<usize>>,
    /// For every 16 columns a tile per slice.
    pub(crate) weights: Buffer,
}

/// Runs cut into slices of at most `len` floats.
pub(crate) fn slices(runs: &[Run], len: usize) -> Vec<Run> {
    let cut = |run: &Run| {
        let Run { offset, row, len: all } = *run;
        let slice = move |at| Run { offset: offset + at, row: row + at, len: len.min(all - at) };
        (0..all).step_by(len).map(slice)
    };
    runs.iter().flat_map(cut).collect()
}

impl Bf16Direct {
    /// For up to `images` images at a time, with `columns` floats of each pixel written: for every
    /// pixel of each gather, `target = runs(source) * weights`. No two gathers write the same pixel.
    pub(crate) fn new(
        gathers: Vec<Gather>,
        weights: &Matrix<'_>,
        columns: usize,
        images: usize,
    ) -> Self {
        let first = gathers.first();
        let (source, target) = first.map_or((0, 0), |gather| (gather.source, gather.target));
        let rounds = gathers.iter().any(|gather| gather.runs.len() > 1);
        let passes = gathers.into_iter().map(|gather| {
            // What the kernel relies on instead of testing every access.
            assert_eq!([gather.source, gather.target], [source, target]);
            assert!(gather.writes.iter().all(|at| *at as usize + columns <= target));
            let slices = slices(&gather.runs, DEPTH);
            let bytes = |slice: &Run| (slice.offset * size_of::<bf16>()) as u32;
            Pass {
                offsets: slices.iter().map(bytes).collect(),
                reads: repeated(&gather.reads, images, source),
                writes: repeated(&gather.writes, images, target),
                portions: ranges(slices.len(), slices.len().div_ceil(STEPS)),
                weights: weights.pack(&slices, columns),
                slices,
            }
        });
        Self { passes: passes.collect(), columns, images: images.max(1), source, target, rounds }
    }

    /// Convolves whole images, the work cut into at least `pieces` pieces if there is enough.
    pub(crate) fn run(&self, source: &[f32], target: &mut [f32], pieces: usize) {
        let sources = source.chunks(self.images * self.source.max(1));
        let targets = target.chunks_mut(self.images * self.target.max(1));
        let step = 2 * SIDE;
        for (source, target) in sources.zip(targets) {
            let images = source.len() / self.source;
            assert_eq!(source.len(), images * self.source);
            assert_eq!(target.len(), images * self.target);
            let rounded = self.rounds.then(|| round(source, pieces));
            let source = rounded.as_deref().map_or(Source::Floats(source), Source::Rounded);
            let mut tasks = Vec::new();
            for pass in &self.passes {
                let pixels = pass.reads.len() / self.images * images;
                let blocks = ranges(pixels.div_ceil(step), pieces);
                let columns = ranges(self.columns.div_ceil(step), pieces.div_ceil(blocks.len()));
                for block in blocks {
                    for columns in &columns {
                        let pixels = block.start * step..(block.end * step).min(pixels);
                        tasks.push((pass, pixels, columns.clone()));
                    }
                }
            }
            let target = Shared::new(target);
            spread(pieces.min(tasks.len()), tasks, |(pass, pixels, columns)| {
                let steps = pass.portions.iter().map(Range::len).max().unwrap_or(0);
                let rows = pixels.len().min(PIXELS).next_multiple_of(step) / SIDE;
                let packed = &mut tiles(rows * steps);
                let width = self.columns;
                dispatch(Convolve { pass, source, target, width, pixels, columns, packed });
            });
        }
    }
}

/// All floats rounded, and as many zeros after them as a tile is deep: a slice may be shorter than a tile,
/// which reads on and multiplies what follows by zeros.
fn round(floats: &[f32], pieces: usize) -> Buffer {
    let mut rounded = Buffer::stale(floats.len().div_ceil(2) + DEPTH);
    let part = floats.len().div_ceil(pieces.max(1)).next_multiple_of(DEPTH);
    let parts = rounded.chunks_mut(part / 2).zip(floats.chunks(part)).collect();
    spread(pieces, parts, |(to, from)| dispatch(Round { from, to }));
    rounded[floats.len() / 2..].fill(0.0);
    rounded
}

/// Rounds an even number of floats.
struct Round<'a> {
    from: &'a [f32],
    to: &'a mut [f32],
}

impl TileKernel for Round<'_> {
    #[inline(always)]
    fn run<T: Tiles>(self) {
        assert!(
            self.from.len().is_multiple_of(2)
                && self.to.len() >= self.from.len().next_multiple_of(DEPTH) / 2
        );
        let to = self.to.as_mut_ptr().cast::<bf16>();
        for (at, from) in self.from.chunks(DEPTH).enumerate() {
            // SAFETY: the target has room for whole rows of a tile.
            unsafe { T::row(from.as_ptr(), from.len(), to.add(at * DEPTH)) };
        }
    }
}

impl Matrix<'_> {
    /// For every 16 of the columns, padded to `columns`, a tile of each slice of the rows.
    fn pack(&self, slices: &[Run], columns: usize) -> Buffer {
        assert!(slices.iter().all(|slice| slice.row + slice.len <= self.rows.len()));
        assert!(slices.iter().all(|slice| slice.len <= DEPTH));
        let mut packed = tiles(columns.div_ceil(SIDE) * slices.len());
        let blocks = packed.chunks_mut((slices.len() * TILE / 2).max(1)).enumerate();
        // Slices that one thread packs.
        let part = (slices.len() * columns.div_ceil(SIDE)).div_ceil(PARTS).max(1);
        let parts = blocks.flat_map(|(block, floats)| {
            let parts = floats.chunks_mut(part * TILE / 2).zip(slices.chunks(part));
            parts.map(move |(floats, slices)| (SIDE * block, floats, slices))
        });
        each(parts.collect(), |(column, floats, slices)| {
            dispatch(PackWeights { matrix: self, column, floats, slices });
        });
        packed
    }
}

/// Packs slices of the 16 columns from `column` on.
struct PackWeights<'a> {
    matrix: &'a Matrix<'a>,
    column: usize,
    floats: &'a mut [f32],
    slices: &'a [Run],
}

impl TileKernel for PackWeights<'_> {
    #[inline(always)]
    fn run<T: Tiles>(self) {
        let Matrix { floats, rows, columns, step } = self.matrix;
        let across = SIDE.min(columns.saturating_sub(self.column));
        for (slice, tile) in self.slices.iter().zip(self.floats.chunks_exact_mut(TILE / 2)) {
            let tile = tile.as_mut_ptr().cast::<bf16>();
            let rows = &rows[slice.row..slice.row + slice.len];
            let first = self.column * step;
            if *step == 1 {
                // The columns lie side by side.
                let line = |row: usize| match rows.get(row) {
                    Some(Some(row)) => floats[row + first..][..across].as_ptr(),
                    _ => ZEROS.as_ptr(),
                };
                for pair in 0..SIDE {
                    // SAFETY: both lines have as many floats, the tile 16 lines of 16 pairs.
                    unsafe {
                        let lines = [line(2 * pair), line(2 * pair + 1)];
                        T::pairs(lines, across, tile.add(pair * DEPTH));
                    }
                }
                continue;
            }
            let mut line = [0.0_f32; DEPTH];
            for n in 0..SIDE {
                for (value, row) in line.iter_mut().zip(rows) {
                    *value = match row {
                        Some(row) if n < across => floats[row + first + n * step],
                        _ => 0.0,
                    };
                }
                // SAFETY: the line has 32 floats, the tile 16 rows of 32 numbers.
                unsafe { T::row(line.as_ptr(), slice.len, tile.add(n * DEPTH)) };
            }
            // SAFETY: a whole tile.
            unsafe { T::transpose(tile) };
        }
    }
}
