//! Products of matrices of bf16 with sums in f32, written once and run with the instructions that
//! the processor has for them: AMX, AVX-512 BF16, or ordinary arithmetic.
//!
//! A matrix is packed into tiles of 1 KiB. A tile of *rows* holds 32 numbers of each of 16 rows. A
//! tile of *columns* holds 32 numbers of each of 16 columns, as 16 lines of pairs: numbers `2k` and
//! `2k + 1` of a column lie side by side. As matrices of pairs each is the other transposed.
//!
//! The instructions add the products of a sum in orders of their own, so that the last bits of
//! sums differ from one engine to another. They take numbers below the smallest normal one for 0.

use half::bf16;

#[cfg(target_arch = "x86_64")]
use super::{amx, avx512_bf16};

/// Rows or columns of a tile.
pub(crate) const SIDE: usize = 16;
/// Numbers of each row or column of a tile.
pub(crate) const DEPTH: usize = 32;
/// Numbers of a tile.
pub(crate) const TILE: usize = SIDE * DEPTH;

/// A product of `R` rows and `C` columns of tiles, 1 or 2 of each.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Product<const R: usize, const C: usize> {
    /// The first row of each row of tiles, and how many numbers lie from one to the next.
    pub(crate) rows: [*const bf16; R],
    pub(crate) pitch: usize,
    /// Where, in bytes from the beginnings of the rows, each step's numbers lie.
    pub(crate) offsets: *const u32,
    /// Columns of tiles one after another.
    pub(crate) columns: [*const bf16; C],
    /// Tiles from left to right and from top to bottom, at least one.
    pub(crate) steps: usize,
    /// The first line of sums of each row of tiles, and how many floats lie from one to the next.
    pub(crate) sums: [*mut f32; R],
    pub(crate) width: usize,
    /// Whether products are added to the sums there are.
    pub(crate) add: bool,
}

/// Where the steps of tiles that lie one after another begin, in bytes.
pub(crate) static PACKED: [u32; 64] = {
    let mut offsets = [0; 64];
    let mut at = 1;
    while at < offsets.len() {
        offsets[at] = offsets[at - 1] + (size_of::<bf16>() * TILE) as u32;
        at += 1;
    }
    offsets
};

/// What computes with tiles.
///
/// Values of an implementation exist only below [`dispatch`], as for [`Simd`](super::Simd).
pub(crate) trait Tiles: Copy {
    /// Rounds `count` floats, at most [`DEPTH`], into one row of a tile; zeros follow.
    ///
    /// # Safety
    /// `from` is valid for reading `count` floats and `to` for writing [`DEPTH`] numbers.
    unsafe fn row(from: *const f32, count: usize, to: *mut bf16);

    /// Rounds `count` floats, at most [`SIDE`], of two lines into one line of pairs; zeros follow.
    ///
    /// # Safety
    /// Both lines are valid for reading `count` floats and `to` for writing `2 * SIDE` numbers.
    unsafe fn pairs(lines: [*const f32; 2], count: usize, to: *mut bf16);

    /// Makes a tile of rows one of columns, or the reverse.
    ///
    /// # Safety
    /// `tile` is valid for reading and writing [`TILE`] numbers.
    unsafe fn transpose(tile: *mut bf16);

    /// Writes the sums of a product.
    ///
    /// # Safety
    /// All that the product names exists: [`SIDE`] rows of [`DEPTH`] numbers at every step, the tiles
    /// of columns, and [`SIDE`] lines of `C * SIDE` sums.
    unsafe fn multiply<const R: usize, const C: usize>(product: &Product<R, C>);

    /// Copies `count` floats, at most [`SIDE`].
    ///
    /// # Safety
    /// `from` is valid for reading `count` floats and `to` for writing them.
    unsafe fn copy(from: *const f32, count: usize, to: *mut f32);
}

/// Work that [`dispatch`] can run with any engine.
pub(crate) trait TileKernel {
    /// Must be `#[inline(always)]`, to be compiled with the instructions of its caller.
    fn run<T: Tiles>(self);
}

/// The engines, from the slowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Engine {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Amx,
}

impl Engine {
    /// Whether whole tiles are multiplied at once, several times as fast as registers are.
    pub(crate) fn is_tiled(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        let is_tiled = self == Self::Amx;
        #[cfg(not(target_arch = "x86_64"))]
        let is_tiled = false;
        is_tiled
    }
}

/// The fastest engine of this machine. The first call asks the system for AMX.
pub(super) fn fastest() -> Engine {
    #[cfg(target_arch = "x86_64")]
    if amx::has_amx() {
        return Engine::Amx;
    } else if avx512_bf16::has_avx512_bf16() {
        return Engine::Avx512;
    }
    Engine::Portable
}

#[cfg(not(test))]
pub(crate) fn engine() -> Engine {
    fastest()
}

/// Runs `kernel` with the fastest engine.
pub(crate) fn dispatch(kernel: impl TileKernel) {
    match engine() {
        #[cfg(target_arch = "x86_64")]
        Engine::Amx => amx::run_amx(kernel),
        #[cfg(target_arch = "x86_64")]
        Engine::Avx512 => avx512_bf16::run_avx512(kernel),
        Engine::Portable => kernel.run::<Portable>(),
    }
}

#[cfg(test)]
pub(crate) use super::limit::{engine, with_engine};

/// Ordinary arithmetic, for machines without an engine: right, and slower than f32.
#[derive(Clone, Copy)]
struct Portable;

impl Tiles for Portable {
    #[inline(always)]
    unsafe fn row(from: *const f32, count: usize, to: *mut bf16) {
        for at in 0..DEPTH {
            // SAFETY: the caller's promise.
            unsafe {
                let value = if at < count { *from.add(at) } else { 0.0 };
                *to.add(at) = bf16::from_f32(value);
            }
        }
    }

    #[inline(always)]
    unsafe fn pairs(lines: [*const f32; 2], count: usize, to: *mut bf16) {
        for at in 0..SIDE {
            for (which, line) in lines.iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe {
                    let value = if at < count { *line.add(at) } else { 0.0 };
                    *to.add(2 * at + which) = bf16::from_f32(value);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn transpose(tile: *mut bf16) {
        let tile = tile.cast::<[bf16; 2]>();
        for row in 0..SIDE {
            for column in 0..row {
                // SAFETY: two pairs of the caller's tile.
                unsafe { tile.add(SIDE * row + column).swap(tile.add(SIDE * column + row)) };
            }
        }
    }

    #[inline(always)]
    unsafe fn multiply<const R: usize, const C: usize>(product: &Product<R, C>) {
        for r in 0..R {
            for (m, c) in (0..SIDE).flat_map(|m| (0..C).map(move |c| (m, c))) {
                for n in 0..SIDE {
                    // SAFETY: places of the caller's product.
                    unsafe {
                        let to = product.sums[r].add(m * product.width + c * SIDE + n);
                        let mut sum = if product.add { *to } else { 0.0 };
                        for k in 0..product.steps * DEPTH {
                            let (step, k) = (k / DEPTH, k % DEPTH);
                            let row = product.rows[r].byte_add(*product.offsets.add(step) as usize);
                            let pair = step * TILE + k / 2 * DEPTH + 2 * n + k % 2;
                            let value = row.add(m * product.pitch + k).read();
                            sum += value.to_f32() * product.columns[c].add(pair).read().to_f32();
                        }
                        *to = sum;
                    }
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn copy(from: *const f32, count: usize, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { to.copy_from_nonoverlapping(from, count) };
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// What a kernel of all instructions has written.
    #[derive(Debug, Default, PartialEq)]
    struct Written {
        /// Rows, lines of pairs, and the former transposed: bits.
        packed: Vec<u16>,
        sums: Vec<f32>,
    }

    struct Everything<'a> {
        floats: &'a [f32],
        written: &'a mut Written,
    }

    const STEPS: usize = 3;
    /// Numbers from one row to the next, and floats from one line of sums to the next.
    const PITCH: usize = STEPS * DEPTH + 5;
    const WIDTH: usize = 2 * SIDE + 3;

    impl TileKernel for Everything<'_> {
        #[inline(always)]
        fn run<T: Tiles>(self) {
            let Self { floats, written } = self;
            let zero = bf16::from_f32(0.0);
            let mut rows = vec![zero; 2 * SIDE * PITCH + DEPTH];
            let mut columns = vec![zero; 2 * STEPS * TILE];
            let mut sums = floats[..2 * SIDE * WIDTH].to_vec();
            let offsets = [0, 1, 2].map(|step| (step * size_of::<bf16>() * DEPTH) as u32);
            let counts = [32, 0, 1, 15, 16, 17, 31];
            // SAFETY: there are enough floats, and room for all that is written.
            unsafe {
                for (at, from) in floats.chunks_exact(DEPTH).take(2 * SIDE * STEPS).enumerate() {
                    let (row, step) = (at / STEPS, at % STEPS);
                    let count = if at < SIDE { counts[at % counts.len()] } else { DEPTH };
                    T::row(from.as_ptr(), count, rows.as_mut_ptr().add(row * PITCH + step * DEPTH));
                }
                for (at, lines) in floats.chunks_exact(DEPTH).take(2 * SIDE * STEPS).enumerate() {
                    let lines = [0, SIDE].map(|half| lines[half..].as_ptr());
                    let count = if at < SIDE { at } else { SIDE };
                    T::pairs(lines, count, columns.as_mut_ptr().add(at * DEPTH));
                }
                let [first, second] = [0, STEPS * TILE].map(|at| columns.as_ptr().wrapping_add(at));
                for add in [true, false, true] {
                    let to = sums.as_mut_ptr();
                    T::multiply(&Product {
                        rows: [rows.as_ptr(), rows.as_ptr().add(SIDE * PITCH)],
                        pitch: PITCH,
                        offsets: offsets.as_ptr(),
                        columns: [first, second],
                        steps: STEPS,
                        sums: [to, to.add(SIDE * WIDTH)],
                        width: WIDTH,
                        add,
                    });
                    written.sums.extend(&sums);
                    let single = |columns: [_; 1], steps| Product {
                        rows: [rows.as_ptr()],
                        pitch: PITCH,
                        offsets: offsets.as_ptr(),
                        columns,
                        steps,
                        sums: [to],
                        width: WIDTH,
                        add,
                    };
                    T::multiply(&single([second], STEPS));
                    T::multiply(&single([second], 0));
                    written.sums.extend(&sums);
                }
                T::transpose(columns.as_mut_ptr());
                let mut copy = [7.0; SIDE];
                T::copy(floats.as_ptr(), 5, copy.as_mut_ptr());
                written.sums.extend(copy);
            }
            let numbers = rows.into_iter().chain(columns);
            written.packed = numbers.map(bf16::to_bits).collect();
        }
    }

    #[test]
    fn all_engines_round_alike_and_sum_up_within_the_precision_of_f32() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut floats = Vec::from([0.0; 2 * SIDE * STEPS * DEPTH]);
        floats.fill_with(|| rng.random_range(-1.0..1.0_f32));
        // Halfway to the next number, above an even and above an odd one.
        floats[..3].copy_from_slice(&[1.0 + 1.0 / 256.0, 1.0 + 3.0 / 256.0, -0.0]);
        let run = |engine| {
            let mut written = Written::default();
            with_engine(engine, || dispatch(Everything { floats: &floats, written: &mut written }));
            written
        };
        let plain = run(Engine::Portable);
        assert_eq!(plain.packed[..3], [1.0, 1.015_625, -0.0].map(|v| bf16::from_f32(v).to_bits()));
        for engine in Engine::ALL {
            let written = run(engine);
            assert_eq!(written.packed, plain.packed, "{engine:?}");
            assert_eq!(written.sums.len(), plain.sums.len());
            for (ours, plain) in written.sums.iter().zip(&plain.sums) {
                assert!((ours - plain).abs() <= 1e-5 * plain.abs().max(1.0), "{ours} {plain}");
            }
        }
    }
}
