//! The products of a convolution in bf16: 32 pixels times 32 columns of its weights at a time.

use std::ops::Range;

use half::bf16;

use super::bf16::Pass;
use super::buffer::Shared;
use crate::simd::bf16::{DEPTH, PACKED, Product, SIDE, TILE, TileKernel, Tiles};

/// Pixels that pass before the next columns of weights.
pub(crate) const PIXELS: usize = 256;
/// Whole images.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    Floats(&'a [f32]),
    Rounded(&'a [f32]),
}

/// Some pixels of a convolution, and some of its columns by pairs of tiles. Tasks that run side by side
/// share the target and differ in one of the two.
pub(crate) struct Convolve<'a> {
    pub(crate) pass: &'a Pass,
    pub(crate) source: Source<'a>,
    pub(crate) target: Shared<'a>,
    /// Floats of a pixel of the target.
    pub(crate) width: usize,
    pub(crate) pixels: Range<usize>,
    pub(crate) columns: Range<usize>,
    /// Room for the tiles of a portion of a block of pixels.
    pub(crate) packed: &'a mut [f32],
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
                    PIXELS / (2 * SIDE)];
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
                            self.multiply::<T>(
                                *rows,
                                pixels,
                                portion,
                                column,
                                index > 0,
                                &mut sums,
                            );
                        }
                    }
                }
            }
        }
    }
}

/// The distance from one place to the next, if there are 16 or 32 and each 16 of them lie evenly.
#[inline(always)]
fn distance(places: &[u32]) -> Option<usize> {
    let distance = places.get(1)?.checked_sub(places[0])?;
    let is_even =
        |tile: &[u32]| tile.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == distance);
    let all = places.chunks(SIDE).all(|tile| tile.len() == SIDE && is_even(tile));
    all.then_some(distance as usize)
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
                if let Some(pitch) = distance(reads) {
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
        let left = self.width - column * SIDE;
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
            if let (true, Some(width)) = (whole, distance(writes)) {
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
