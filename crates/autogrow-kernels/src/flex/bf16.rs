//! The direct convolution in bf16: forward and, with turned weights, for the gradient of the input.
//!
//! Weights are rounded to bf16 and packed into tiles once a batch. For 1x1 kernels pixels are rounded while
//! they are packed. For larger ones, which read a pixel several times, images are rounded first and stay
//! as they lie: a tile is read from 16 pixels that lie evenly, and from a packed copy of 16 that do
//! not. Sums are f32, and so is all that is read and written.

use std::ops::Range;

use half::bf16;

use super::buffer::{Buffer, Shared};
use super::geometry::{Gather, Run};
use super::parallel::{PARTS, each, ranges, spread};
use crate::simd::bf16::{DEPTH, PACKED, Product, SIDE, TILE, TileKernel, Tiles, dispatch};

/// Pixels that pass before the next columns of weights.
const PIXELS: usize = 256;
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
struct Pass {
    reads: Vec<u32>,
    writes: Vec<u32>,
    /// The runs in slices of as many floats as a tile is deep.
    slices: Vec<Run>,
    /// Where each slice begins, in bytes from a rounded pixel.
    offsets: Vec<u32>,
    portions: Vec<Range<usize>>,
    /// For every 16 columns a tile per slice.
    weights: Buffer,
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

/// A table of one image's places, repeated for `images` images of `image` floats.
pub(crate) fn repeated(table: &[u32], images: usize, image: usize) -> Vec<u32> {
    assert!(u32::try_from(images * image).is_ok(), "images of 16 GiB");
    let images = 0..images as u32;
    images.flat_map(|i| table.iter().map(move |at| at + i * image as u32)).collect()
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
        let width = 2 * SIDE;
        for (source, target) in sources.zip(targets) {
            let images = source.len() / self.source;
            assert_eq!(source.len(), images * self.source);
            assert_eq!(target.len(), images * self.target);
            let rounded = self.rounds.then(|| round(source, pieces));
            let source = rounded.as_deref().map_or(Source::Floats(source), Source::Rounded);
            let mut tasks = Vec::new();
            for pass in &self.passes {
                let pixels = pass.reads.len() / self.images * images;
                let blocks = ranges(pixels.div_ceil(width), pieces);
                let columns = ranges(self.columns.div_ceil(width), pieces.div_ceil(blocks.len()));
                for block in blocks {
                    for columns in &columns {
                        let pixels = block.start * width..(block.end * width).min(pixels);
                        tasks.push((pass, pixels, columns.clone()));
                    }
                }
            }
            let target = Shared::new(target);
            spread(pieces.min(tasks.len()), tasks, |(pass, pixels, columns)| {
                let steps = pass.portions.iter().map(Range::len).max().unwrap_or(0);
                let rows = pixels.len().min(PIXELS).next_multiple_of(width) / SIDE;
                let packed = &mut tiles(rows * steps);
                let conv = self;
                dispatch(Convolve { conv, pass, source, target, pixels, columns, packed });
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

/// Whole images.
#[derive(Clone, Copy)]
enum Source<'a> {
    Floats(&'a [f32]),
    Rounded(&'a [f32]),
}

/// Some pixels of a convolution, and some of its columns by pairs of tiles. Tasks that run side by side
/// share the target and differ in one of the two.
struct Convolve<'a> {
    conv: &'a Bf16Direct,
    pass: &'a Pass,
    source: Source<'a>,
    target: Shared<'a>,
    pixels: Range<usize>,
    columns: Range<usize>,
    /// Room for the tiles of a portion of a block of pixels.
    packed: &'a mut [f32],
}

/// Up to 32 pixels, as two rows of tiles.
#[derive(Clone, Copy)]
struct Rows {
    first: [*const bf16; 2],
    pitch: usize,
    offsets: *const u32,
}

/// Sums that are written where no tile of them fits.
#[repr(C, align(64))]
struct Sums([f32; 4 * SIDE * SIDE]);

impl TileKernel for Convolve<'_> {
    #[inline(always)]
    fn run<T: Tiles>(self) {
        let mut sums = Sums([0.0; 4 * SIDE * SIDE]);
        let packed = self.packed.as_mut_ptr().cast::<bf16>();
        for start in self.pixels.clone().step_by(PIXELS) {
            let pixels = start..(start + PIXELS).min(self.pixels.end);
            for (index, portion) in self.pass.portions.iter().enumerate() {
                let steps = portion.len();
                let mut rows = [Rows { first: [packed; 2], pitch: DEPTH, offsets: PACKED.as_ptr() };
                    PIXELS / 32];
                for (pair, (rows, first)) in
                    rows.iter_mut().zip(pixels.clone().step_by(2 * SIDE)).enumerate()
                {
                    let pixels = first..(first + 2 * SIDE).min(pixels.end);
                    // SAFETY: there is room for the tiles of a portion of `PIXELS` pixels.
                    unsafe {
                        let packed = packed.add(2 * pair * steps * TILE);
                        *rows = self.rows::<T>(pixels, portion.clone(), packed);
                    }
                }
                for column in self.columns.clone().map(|pair| 2 * pair) {
                    for (rows, first) in rows.iter().zip(pixels.clone().step_by(2 * SIDE)) {
                        let pixels = first..(first + 2 * SIDE).min(pixels.end);
                        // SAFETY: the pixels and columns exist, and `new`, `run` and `Gather::new`
                        // have checked the tables.
                        unsafe {
                            self.multiply::<T>(*rows, pixels, portion, column, index > 0, &mut sums)
                        };
                    }
                }
            }
        }
    }
}

/// The distance from one to the next, if there are 16 places that lie evenly.
#[inline(always)]
fn distance(places: &[u32]) -> Option<usize> {
    let distance = places.get(1)?.checked_sub(places[0])?;
    let even = places.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == distance);
    (places.len() == SIDE && even).then_some(distance as usize)
}

/// The same for one or two times 16 places.
#[inline(always)]
fn distance_of_all(places: &[u32]) -> Option<usize> {
    let (first, second) = places.split_at(SIDE.min(places.len()));
    let distances =
        (distance(first)?, if second.is_empty() { None } else { Some(distance(second)?) });
    match distances {
        (first, Some(second)) => (first == second).then_some(first),
        (first, None) => Some(first),
    }
}

impl Convolve<'_> {
    /// A portion of the slices of up to 32 pixels: where they lie, or packed.
    ///
    /// # Safety
    /// There is room for their tiles.
    #[inline(always)]
    unsafe fn rows<T: Tiles>(
        &self,
        pixels: Range<usize>,
        portion: Range<usize>,
        packed: *mut bf16,
    ) -> Rows {
        let (pass, steps) = (self.pass, portion.len());
        let reads = &pass.reads[pixels];
        let place = |p: usize| packed.wrapping_add(p / SIDE * steps * TILE + p % SIDE * DEPTH);
        match self.source {
            Source::Floats(source) => {
                for (p, read) in reads.iter().enumerate() {
                    for (step, slice) in pass.slices[portion.clone()].iter().enumerate() {
                        // SAFETY: the caller's promise; `Gather::new` has checked the slices of
                        // every pixel.
                        unsafe {
                            let from = source.as_ptr().add(*read as usize + slice.offset);
                            T::row(from, slice.len, place(p).add(step * TILE));
                        }
                    }
                }
            }
            Source::Rounded(source) => {
                let source = source.as_ptr().cast::<bf16>();
                if let Some(pitch) = distance_of_all(reads) {
                    let second = reads.get(SIDE).unwrap_or(&reads[0]);
                    let first = [reads[0], *second].map(|read| source.wrapping_add(read as usize));
                    return Rows { first, pitch, offsets: pass.offsets[portion].as_ptr() };
                }
                for (p, read) in reads.iter().enumerate() {
                    for (step, offset) in pass.offsets[portion.clone()].iter().enumerate() {
                        // SAFETY: as above, and what is read beyond the last slice are zeros.
                        unsafe {
                            let from = source.add(*read as usize).byte_add(*offset as usize);
                            let row = from.cast::<[bf16; DEPTH]>().read();
                            place(p).add(step * TILE).cast::<[bf16; DEPTH]>().write(row);
                        }
                    }
                }
            }
        }
        let first = [packed.cast_const(), packed.wrapping_add(steps * TILE)];
        Rows { first, pitch: DEPTH, offsets: PACKED.as_ptr() }
    }

    /// Writes the sums of up to 32 pixels and up to 32 columns from those of tile `column` on.
    ///
    /// # Safety
    /// The pixels, their rows and the columns exist.
    #[inline(always)]
    unsafe fn multiply<T: Tiles>(
        &self,
        rows: Rows,
        pixels: Range<usize>,
        portion: &Range<usize>,
        column: usize,
        add: bool,
        sums: &mut Sums,
    ) {
        let left = self.conv.columns - column * SIDE;
        let across = if left > SIDE { 2 } else { 1 };
        let columns = [column, column + across - 1].map(|column| {
            let at = column * self.pass.slices.len() + portion.start;
            self.pass.weights.as_ptr().cast::<bf16>().wrapping_add(at * TILE)
        });
        let writes = &self.pass.writes[pixels];
        let target = self.target.as_mut_ptr().wrapping_add(column * SIDE);
        let whole = left >= across * SIDE;
        let product = |sums: [*mut f32; 2], width: usize| Product {
            rows: rows.first,
            pitch: rows.pitch,
            offsets: rows.offsets,
            columns,
            steps: portion.len(),
            sums,
            width,
            add,
        };
        // SAFETY: the caller's promise.
        unsafe {
            if let (true, Some(width)) = (whole, distance_of_all(writes)) {
                let second = writes.get(SIDE).unwrap_or(&writes[0]);
                let to = [writes[0], *second].map(|write| target.add(write as usize));
                return multiply::<T>(&product(to, width), writes.len() > SIDE, across > 1);
            }
            let to = sums.0.as_mut_ptr();
            let line = |m: usize, c: usize| to.add((m * 2 + c) * SIDE);
            let lines = || (0..writes.len()).flat_map(|m| (0..across).map(move |c| (m, c)));
            let place = |m: usize, c: usize| target.add(writes[m] as usize + c * SIDE);
            let count = |c: usize| SIDE.min(left - c * SIDE);
            if add {
                for (m, c) in lines() {
                    T::copy(place(m, c), count(c), line(m, c));
                }
            }
            let halves = [to, line(SIDE, 0)];
            multiply::<T>(&product(halves, 2 * SIDE), writes.len() > SIDE, across > 1);
            for (m, c) in lines() {
                T::copy(line(m, c), count(c), place(m, c));
            }
        }
    }
}

/// One or two rows and columns of a product of two.
///
/// # Safety
/// As for [`Tiles::multiply`], for those.
#[inline(always)]
pub(crate) unsafe fn multiply<T: Tiles>(
    product: &Product<2, 2>,
    two_rows: bool,
    two_columns: bool,
) {
    let Product { rows, pitch, offsets, columns, steps, sums, width, add } = *product;
    // SAFETY: the caller's promise.
    unsafe {
        match (two_rows, two_columns) {
            (true, true) => T::multiply(product),
            (false, true) => {
                let (rows, sums) = ([rows[0]], [sums[0]]);
                T::multiply(&Product { rows, pitch, offsets, columns, steps, sums, width, add });
            }
            (true, false) => {
                let columns = [columns[0]];
                T::multiply(&Product { rows, pitch, offsets, columns, steps, sums, width, add });
            }
            (false, false) => {
                let (rows, columns, sums) = ([rows[0]], [columns[0]], [sums[0]]);
                T::multiply(&Product { rows, pitch, offsets, columns, steps, sums, width, add });
            }
        }
    }
}
