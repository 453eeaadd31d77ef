//! Sums of outer products, `sums += input^T * gradient` over pixels: what every gradient of weights
//! is made of. A tile of the sums stays in registers while the pixels stream past.
//!
//! Pixels that lie a power of two apart fall on few sets of a cache, so blocks of them are packed
//! first: panels of as many inputs as a tile has rows, and of two registers of gradients.

#![allow(clippy::needless_range_loop, reason = "loops over registers unroll by index")]

use std::ops::Range;

use super::buffer::{Buffer, Shared};
use super::geometry::Run;
use super::parallel::{ranges, spread};
use crate::simd::{Kernel, Simd, dispatch};

/// Pixels that are packed at a time: their panels stay in the first-level cache.
const PIXELS: usize = 192;
/// Rows whose panels are packed at a time.
const ROWS: usize = 56;

/// Rows of the sums that one tile of registers holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowTile {
    pub(crate) row: usize,
    pub(crate) rows: usize,
    /// The rows that are computed: a height that there is a kernel for.
    pub(crate) height: usize,
    /// Where, relative to the pixel, the input floats lie that meet the rows.
    offsets: [usize; HIGHEST],
}

/// The most rows of a tile.
const HIGHEST: usize = 8;

/// The heights of tiles of two registers a row, by the lanes of a register.
fn heights(lanes: usize) -> [usize; 3] {
    if lanes == 16 { [HIGHEST, 4, 2] } else { [6, 4, 2] }
}

/// The rows that `runs` meet, which follow one another, cut into tiles.
pub(crate) fn row_tiles(runs: &[Run], lanes: usize) -> Vec<RowTile> {
    let [high, middle, low] = heights(lanes);
    let offsets = runs.iter().flat_map(|run| run.offset..run.offset + run.len);
    let offsets = offsets.collect::<Vec<_>>();
    let mut tiles = Vec::new();
    let mut row = 0;
    while row < offsets.len() {
        let left = offsets.len() - row;
        let height = match left {
            _ if left <= low => low,
            _ if left <= middle || (left > high && left <= 2 * middle) => middle,
            _ => high,
        };
        let rows = height.min(left);
        let mut tile = RowTile { row, rows, height, offsets: [offsets[row]; HIGHEST] };
        tile.offsets[..rows].copy_from_slice(&offsets[row..row + rows]);
        tiles.push(tile);
        row += rows;
    }
    tiles
}

impl RowTile {
    /// Whether the tile is full of floats that lie side by side.
    fn is_run(&self) -> bool {
        let pairs = self.offsets[..self.rows].windows(2);
        self.rows == self.height && pairs.into_iter().all(|pair| pair[0] + 1 == pair[1])
    }
}

/// The pixels of a sum of products: where the input and the gradient of each begin.
#[derive(Clone, Copy)]
pub(crate) struct Pixels<'a> {
    pub(crate) input: &'a [f32],
    pub(crate) gradient: &'a [f32],
    pub(crate) inputs: &'a [u32],
    pub(crate) gradients: &'a [u32],
    /// Whether they lie so close that packing them does not pay.
    pub(crate) close: bool,
}

/// A matrix of sums, rows of `columns` floats, computed with registers of `lanes`.
#[derive(Clone, Copy)]
pub(crate) struct Sums<'a> {
    pub(crate) floats: Shared<'a>,
    pub(crate) columns: usize,
    pub(crate) lanes: usize,
    /// Whether they hold anything yet: otherwise they are zero, whatever the memory holds.
    pub(crate) begun: bool,
}

/// Adds the products of all pixels, at least one, to the sums: as many columns as a pixel has of
/// gradient. The work is cut into at least `pieces` pieces if there is enough.
pub(crate) fn add_products(pixels: Pixels<'_>, tiles: &[RowTile], sums: Sums<'_>, pieces: usize) {
    let block = 2 * sums.lanes;
    let rows = row_blocks(tiles);
    let parts = if pieces < 2 { 1 } else { (2 * pieces).div_ceil(rows.len().max(1)) };
    let columns = ranges(sums.columns.div_ceil(block), parts).into_iter();
    let columns = columns.map(|part| part.start * block..(part.end * block).min(sums.columns));
    let columns = columns.collect::<Vec<_>>();
    let tasks = rows.into_iter().flat_map(|rows| columns.iter().map(move |c| (rows, c.clone())));
    spread(pieces, tasks.collect(), |(rows, columns)| {
        add_block(pixels, rows, sums, columns);
    });
}

/// The tiles in blocks of rows that are packed together.
pub(crate) fn row_blocks(tiles: &[RowTile]) -> Vec<&[RowTile]> {
    let mut rest = tiles;
    let mut blocks = Vec::new();
    while !rest.is_empty() {
        let mut rows = 0;
        let fit = rest.iter().take_while(|tile| {
            rows += tile.height;
            rows <= ROWS
        });
        let (block, others) = rest.split_at(fit.count().max(1));
        blocks.push(block);
        rest = others;
    }
    blocks
}

/// Adds the products of all pixels to some rows and columns of the sums, which no other thread works
/// on meanwhile.
pub(crate) fn add_block(
    pixels: Pixels<'_>,
    tiles: &[RowTile],
    sums: Sums<'_>,
    columns: Range<usize>,
) {
    let Pixels { input, gradient, inputs, gradients, close } = pixels;
    let reach = tiles.iter().flat_map(|tile| tile.offsets).map(|offset| offset + 1).max();
    let last = |table: &[u32]| table.iter().max().map_or(0, |at| *at as usize);
    assert_eq!(inputs.len(), gradients.len());
    assert!(inputs.is_empty() || last(inputs) + reach.unwrap_or(0) <= input.len());
    assert!(gradients.is_empty() || last(gradients) + sums.columns <= gradient.len());
    assert!(columns.end <= sums.columns);
    let rows = tiles.iter().map(|tile| tile.row + tile.rows).max().unwrap_or(0);
    assert!(rows * sums.columns <= sums.floats.len());
    let height = tiles.iter().map(|tile| tile.height).sum::<usize>();
    if close {
        return dispatch(sums.lanes, AddClose { pixels, tiles, sums, columns });
    }
    let mut panels = Buffer::stale(PIXELS * (height + 2 * sums.lanes));
    let (rows, line) = panels.split_at_mut(PIXELS * height);
    dispatch(sums.lanes, AddProducts { pixels, tiles, sums, columns, rows, line });
}

struct AddProducts<'a> {
    pixels: Pixels<'a>,
    tiles: &'a [RowTile],
    sums: Sums<'a>,
    columns: Range<usize>,
    /// Room for the panels of input and of gradient.
    rows: &'a mut [f32],
    line: &'a mut [f32],
}

impl Kernel for AddProducts<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { pixels, tiles, sums, columns, rows, line } = self;
        let Pixels { input, gradient, inputs, gradients, .. } = pixels;
        let block = 2 * S::LANES;
        let (rows, line) = (rows.as_mut_ptr(), line.as_mut_ptr());
        let parts = inputs.chunks(PIXELS).zip(gradients.chunks(PIXELS)).enumerate();
        for (part, (inputs, gradients)) in parts {
            let count = inputs.len();
            // SAFETY: `add_block` has checked the tables, the sums and the room for the panels.
            unsafe {
                let mut panel = rows;
                for tile in tiles {
                    pack(tile, input.as_ptr(), inputs, panel);
                    panel = panel.add(count * tile.height);
                }
                for column in columns.clone().step_by(block) {
                    let wide = column + block <= columns.end;
                    let gradient = gradient.as_ptr().add(column);
                    for (p, at) in gradients.iter().enumerate() {
                        let from = gradient.add(*at as usize);
                        if wide {
                            S::load(from).store(line.add(p * block));
                            S::load(from.add(S::LANES)).store(line.add(p * block + S::LANES));
                        } else {
                            S::load(from).store(line.add(p * S::LANES));
                        }
                    }
                    let mut panel = rows.cast_const();
                    for tile in tiles {
                        let product = Product {
                            count,
                            input: panel,
                            input_step: tile.height,
                            gradient: line,
                            gradient_step: if wide { block } else { S::LANES },
                            sums: sums.floats.as_mut_ptr().add(tile.row * sums.columns + column),
                            columns: sums.columns,
                            begun: sums.begun || part > 0,
                        };
                        product.add::<S>(tile, wide);
                        panel = panel.add(count * tile.height);
                    }
                }
            }
        }
    }
}

/// Writes a tile's inputs of some pixels after one another.
///
/// # Safety
/// The tile's offsets exist at every pixel, and the panel has room for its height at each.
#[inline(always)]
unsafe fn pack(tile: &RowTile, input: *const f32, pixels: &[u32], panel: *mut f32) {
    let first = input.wrapping_add(tile.offsets[0]);
    // SAFETY: the caller's promise.
    unsafe {
        match (tile.height, tile.is_run()) {
            (8, true) => pack_run::<8>(first, pixels, panel),
            (6, true) => pack_run::<6>(first, pixels, panel),
            (4, true) => pack_run::<4>(first, pixels, panel),
            (height, _) => {
                for (p, at) in pixels.iter().enumerate() {
                    for (row, offset) in tile.offsets[..height].iter().enumerate() {
                        *panel.add(p * height + row) = *input.add(*at as usize + offset);
                    }
                }
            }
        }
    }
}

/// # Safety
/// `M` floats exist at every pixel, and the panel has room for them.
#[inline(always)]
unsafe fn pack_run<const M: usize>(input: *const f32, pixels: &[u32], panel: *mut f32) {
    for (p, at) in pixels.iter().enumerate() {
        // SAFETY: the caller's promise.
        unsafe {
            let floats = input.add(*at as usize).cast::<[f32; M]>().read_unaligned();
            panel.add(p * M).cast::<[f32; M]>().write_unaligned(floats);
        }
    }
}

/// As [`AddProducts`], reading the pixels where they lie.
struct AddClose<'a> {
    pixels: Pixels<'a>,
    tiles: &'a [RowTile],
    sums: Sums<'a>,
    columns: Range<usize>,
}

/// Pixels that stay in the first-level cache while all tiles pass.
const CLOSE: usize = 96;

impl Kernel for AddClose<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Pixels { inputs, gradients, .. } = self.pixels;
        let parts = inputs.chunks(CLOSE).zip(gradients.chunks(CLOSE)).enumerate();
        for (part, (inputs, gradients)) in parts {
            let tables = [inputs, gradients];
            let sums = Sums { begun: self.sums.begun || part > 0, ..self.sums };
            for column in self.columns.clone().step_by(2 * S::LANES) {
                let wide = column + 2 * S::LANES <= self.columns.end;
                for tile in self.tiles {
                    // SAFETY: `add_block` has checked the tables and the sums.
                    unsafe {
                        match (tile.height, wide) {
                            (8, true) if S::LANES == 16 => {
                                self.tile::<S, 8, 2>(tile, tables, sums, column);
                            }
                            (8, false) if S::LANES == 16 => {
                                self.tile::<S, 8, 1>(tile, tables, sums, column);
                            }
                            (6, true) => self.tile::<S, 6, 2>(tile, tables, sums, column),
                            (6, false) => self.tile::<S, 6, 1>(tile, tables, sums, column),
                            (4, true) => self.tile::<S, 4, 2>(tile, tables, sums, column),
                            (4, false) => self.tile::<S, 4, 1>(tile, tables, sums, column),
                            (_, true) => self.tile::<S, 2, 2>(tile, tables, sums, column),
                            (_, false) => self.tile::<S, 2, 1>(tile, tables, sums, column),
                        }
                    }
                }
            }
        }
    }
}

impl AddClose<'_> {
    /// # Safety
    /// The tile's offsets and the `B` registers from `column` exist at all pixels of the tables,
    /// and the sums have the tile's rows.
    #[inline(always)]
    unsafe fn tile<S: Simd, const M: usize, const B: usize>(
        &self,
        tile: &RowTile,
        [inputs, gradients]: [&[u32]; 2],
        sums: Sums<'_>,
        column: usize,
    ) {
        let Sums { floats, columns, begun, .. } = sums;
        // SAFETY: the caller's promise.
        unsafe {
            let sums = floats.as_mut_ptr().add(tile.row * columns + column);
            let gradient = self.pixels.gradient.as_ptr().add(column);
            let mut rows = [self.pixels.input.as_ptr(); M];
            for m in 0..M {
                rows[m] = rows[m].add(tile.offsets[m]);
            }
            let mut local = load_sums::<S, M, B>(sums, columns, if begun { tile.rows } else { 0 });
            for (from, at) in inputs.iter().zip(gradients) {
                let mut line = [S::splat(0.0); B];
                for b in 0..B {
                    line[b] = S::load(gradient.add(*at as usize + b * S::LANES));
                }
                for m in 0..M {
                    let value = S::splat(*rows[m].add(*from as usize));
                    for b in 0..B {
                        local[m][b] = value.mul_add(line[b], local[m][b]);
                    }
                }
            }
            store_sums(local, sums, columns, tile.rows);
        }
    }
}

/// The first `rows` of `M` rows of sums, the others zero.
///
/// # Safety
/// The rows exist, `columns` floats apart.
#[inline(always)]
unsafe fn load_sums<S: Simd, const M: usize, const B: usize>(
    sums: *const f32,
    columns: usize,
    rows: usize,
) -> [[S; B]; M] {
    let mut local = [[S::splat(0.0); B]; M];
    for m in 0..M {
        for b in 0..B {
            if m < rows {
                // SAFETY: the caller's promise.
                local[m][b] = unsafe { S::load(sums.add(m * columns + b * S::LANES)) };
            }
        }
    }
    local
}

/// # Safety
/// As for `load_sums`.
#[inline(always)]
unsafe fn store_sums<S: Simd, const M: usize, const B: usize>(
    local: [[S; B]; M],
    sums: *mut f32,
    columns: usize,
    rows: usize,
) {
    for m in 0..M {
        for b in 0..B {
            if m < rows {
                // SAFETY: the caller's promise.
                unsafe { local[m][b].store(sums.add(m * columns + b * S::LANES)) };
            }
        }
    }
}

/// A sum of outer products whose pixels lie evenly: `count` of them.
#[derive(Clone, Copy)]
pub(crate) struct Product {
    pub(crate) count: usize,
    pub(crate) input: *const f32,
    pub(crate) input_step: usize,
    pub(crate) gradient: *const f32,
    pub(crate) gradient_step: usize,
    pub(crate) sums: *mut f32,
    pub(crate) columns: usize,
    pub(crate) begun: bool,
}

impl Product {
    /// Adds one tile of the sums: its rows, and one or (if `wide`) two registers of columns.
    ///
    /// # Safety
    /// Every pixel has the tile's height of input floats and the registers of gradient; the sums
    /// have the tile's rows.
    #[inline(always)]
    pub(crate) unsafe fn add<S: Simd>(self, tile: &RowTile, wide: bool) {
        // SAFETY: the caller's promise.
        unsafe {
            match (tile.height, wide) {
                (8, true) if S::LANES == 16 => self.tile::<S, 8, 2>(tile.rows),
                (8, false) if S::LANES == 16 => self.tile::<S, 8, 1>(tile.rows),
                (6, true) => self.tile::<S, 6, 2>(tile.rows),
                (6, false) => self.tile::<S, 6, 1>(tile.rows),
                (4, true) => self.tile::<S, 4, 2>(tile.rows),
                (4, false) => self.tile::<S, 4, 1>(tile.rows),
                (_, true) => self.tile::<S, 2, 2>(tile.rows),
                (_, false) => self.tile::<S, 2, 1>(tile.rows),
            }
        }
    }

    /// `sums[m][b] += input[pixel][m] * gradient[pixel][b]` over the pixels, for the first `rows`
    /// of `M` rows.
    ///
    /// # Safety
    /// As for `add`.
    #[inline(always)]
    unsafe fn tile<S: Simd, const M: usize, const B: usize>(self, rows: usize) {
        let Self { count, mut input, mut gradient, sums, columns, .. } = self;
        // SAFETY: the caller's promise.
        unsafe {
            let mut local = load_sums::<S, M, B>(sums, columns, if self.begun { rows } else { 0 });
            for _ in 0..count {
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
                input = input.wrapping_add(self.input_step);
                gradient = gradient.wrapping_add(self.gradient_step);
            }
            store_sums(local, sums, columns, rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(offset: usize, row: usize, len: usize) -> Run {
        Run { offset, row, len }
    }

    #[test]
    fn tiles_cover_all_rows_once() {
        for lanes in [8, 16] {
            for rows in 1..100 {
                let tiles = row_tiles(&[run(0, 0, rows)], lanes);
                let covered = tiles.iter().flat_map(|tile| tile.row..tile.row + tile.rows);
                assert_eq!(covered.collect::<Vec<_>>(), (0..rows).collect::<Vec<_>>());
                assert!(tiles.iter().all(|tile| tile.rows <= tile.height));
                let blocks = row_blocks(&tiles);
                assert_eq!(blocks.concat(), tiles);
            }
        }
        let stem = row_tiles(&[run(0, 0, 3), run(8, 3, 3), run(16, 6, 3)], 16);
        assert_eq!((stem[0].rows, stem[0].height), (8, 8));
        assert_eq!(stem[0].offsets, [0, 1, 2, 8, 9, 10, 16, 17]);
        assert_eq!((stem[1].rows, stem[1].height), (1, 2));
        assert_eq!(stem[1].offsets, [18; HIGHEST]);
    }
}
