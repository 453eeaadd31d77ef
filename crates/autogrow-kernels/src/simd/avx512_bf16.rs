//! AVX-512 BF16, found at run time, and the packing of tiles that AMX has in common with it.

use std::arch::x86_64::*;

use half::bf16;

use super::bf16::{DEPTH, Product, SIDE, TILE, TileKernel, Tiles};

pub(super) fn has_avx512_bf16() -> bool {
    super::x86::has_avx512()
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bf16")
}

pub(super) fn run_avx512(kernel: impl TileKernel) {
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512bf16,avx2,fma")]
    fn inner<K: TileKernel>(kernel: K) {
        kernel.run::<Avx512>();
    }
    assert!(has_avx512_bf16());
    // SAFETY: the CPU has all these features.
    unsafe { inner(kernel) }
}

/// The first `count` of 16 lanes.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    ((1_u32 << count.min(16)) - 1) as __mmask16
}

// SAFETY, for every block of arithmetic below: all of it is used only inside kernels run by
// `run_avx512` and `run_amx`, which have checked the features. Loads and stores need no alignment,
// and their callers vouch for the memory; what a mask leaves out is not touched.

/// Sixteen floats, `count` of them from memory and zeros.
#[inline(always)]
unsafe fn load(from: *const f32, count: usize) -> __m512 {
    // SAFETY: see above.
    unsafe { _mm512_maskz_loadu_ps(first(count), from) }
}

/// Rounds two registers into one, `low` first.
#[inline(always)]
unsafe fn round(low: __m512, high: __m512) -> __m512i {
    // SAFETY: see above; both types are 64 bytes of which every value is valid.
    unsafe { std::mem::transmute(_mm512_cvtne2ps_pbh(high, low)) }
}

#[inline(always)]
pub(super) unsafe fn row(from: *const f32, count: usize, to: *mut bf16) {
    // SAFETY: see above.
    unsafe {
        let rounded = if count >= DEPTH {
            round(_mm512_loadu_ps(from), _mm512_loadu_ps(from.add(SIDE)))
        } else {
            let high = load(from.wrapping_add(SIDE), count.saturating_sub(SIDE));
            round(load(from, count), high)
        };
        _mm512_storeu_si512(to.cast(), rounded);
    }
}

/// Where the words of a line of pairs come from in two lines one after the other.
static INTERLEAVED: [u16; 32] = {
    let mut words = [0; 32];
    let mut at = 0;
    while at < 32 {
        words[at] = (at / 2 + at % 2 * SIDE) as u16;
        at += 1;
    }
    words
};

#[inline(always)]
pub(super) unsafe fn pairs([even, odd]: [*const f32; 2], count: usize, to: *mut bf16) {
    // SAFETY: see above.
    unsafe {
        let rounded = if count >= SIDE {
            round(_mm512_loadu_ps(even), _mm512_loadu_ps(odd))
        } else {
            round(load(even, count), load(odd, count))
        };
        let words = _mm512_loadu_si512(INTERLEAVED.as_ptr().cast());
        _mm512_storeu_si512(to.cast(), _mm512_permutexvar_epi16(words, rounded));
    }
}

/// The transpose of 16 lines of 16 pairs: within blocks of 4x4, then of the blocks.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "loops over registers unroll by index")]
pub(super) unsafe fn transpose(tile: *mut bf16) {
    // SAFETY: see above.
    unsafe {
        let mut lines = [_mm512_setzero_si512(); SIDE];
        for at in 0..SIDE {
            lines[at] = _mm512_loadu_si512(tile.add(at * DEPTH).cast());
        }
        let mut halves = lines;
        for at in (0..SIDE).step_by(4) {
            let [a, b, c, d] = [lines[at], lines[at + 1], lines[at + 2], lines[at + 3]];
            let [ab, cd] = [_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d)];
            halves[at] = _mm512_unpacklo_epi64(ab, cd);
            halves[at + 1] = _mm512_unpackhi_epi64(ab, cd);
            let [ab, cd] = [_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d)];
            halves[at + 2] = _mm512_unpacklo_epi64(ab, cd);
            halves[at + 3] = _mm512_unpackhi_epi64(ab, cd);
        }
        for at in 0..4 {
            let [a, b] = [halves[at], halves[at + 4]];
            let [c, d] = [halves[at + 8], halves[at + 12]];
            let even = [_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0x88>(c, d)];
            let odd = [_mm512_shuffle_i32x4::<0xdd>(a, b), _mm512_shuffle_i32x4::<0xdd>(c, d)];
            lines[at] = _mm512_shuffle_i32x4::<0x88>(even[0], even[1]);
            lines[at + 8] = _mm512_shuffle_i32x4::<0xdd>(even[0], even[1]);
            lines[at + 4] = _mm512_shuffle_i32x4::<0x88>(odd[0], odd[1]);
            lines[at + 12] = _mm512_shuffle_i32x4::<0xdd>(odd[0], odd[1]);
        }
        for at in 0..SIDE {
            _mm512_storeu_si512(tile.add(at * DEPTH).cast(), lines[at]);
        }
    }
}

#[inline(always)]
pub(super) unsafe fn copy(from: *const f32, count: usize, to: *mut f32) {
    // SAFETY: see above.
    unsafe { _mm512_mask_storeu_ps(to, first(count), load(from, count)) }
}

/// What both engines do alike.
macro_rules! packing {
    () => {
        #[inline(always)]
        unsafe fn row(from: *const f32, count: usize, to: *mut bf16) {
            // SAFETY: the caller's promise.
            unsafe { row(from, count, to) }
        }

        #[inline(always)]
        unsafe fn pairs(lines: [*const f32; 2], count: usize, to: *mut bf16) {
            // SAFETY: the caller's promise.
            unsafe { pairs(lines, count, to) }
        }

        #[inline(always)]
        unsafe fn transpose(tile: *mut bf16) {
            // SAFETY: the caller's promise.
            unsafe { transpose(tile) }
        }

        #[inline(always)]
        unsafe fn copy(from: *const f32, count: usize, to: *mut f32) {
            // SAFETY: the caller's promise.
            unsafe { copy(from, count, to) }
        }
    };
}

pub(super) use packing;

#[derive(Clone, Copy)]
struct Avx512;

/// A register of pairs.
#[inline(always)]
fn pairs_of(register: __m512i) -> __m512bh {
    // SAFETY: both types are 64 bytes of which every value is valid.
    unsafe { std::mem::transmute(register) }
}

impl Tiles for Avx512 {
    packing!();

    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "loops over registers unroll by index")]
    unsafe fn multiply<const R: usize, const C: usize>(product: &Product<R, C>) {
        /// Rows whose sums stay in registers.
        const HIGH: usize = 8;
        let Product { rows, pitch, offsets, columns, steps, sums, width, add } = *product;
        for r in 0..R {
            for part in (0..SIDE).step_by(HIGH) {
                // SAFETY: see above; the numbers and sums exist by the caller's promise.
                unsafe {
                    let sums = sums[r].add(part * width);
                    let mut local = [[_mm512_setzero_ps(); C]; HIGH];
                    for m in 0..HIGH {
                        for c in 0..C {
                            if add {
                                local[m][c] = _mm512_loadu_ps(sums.add(m * width + c * SIDE));
                            }
                        }
                    }
                    for step in 0..steps {
                        let row = rows[r].add(part * pitch).byte_add(*offsets.add(step) as usize);
                        for pair in 0..SIDE {
                            let mut line = [pairs_of(_mm512_setzero_si512()); C];
                            for c in 0..C {
                                let from = columns[c].add(step * TILE + pair * DEPTH);
                                line[c] = pairs_of(_mm512_loadu_si512(from.cast()));
                            }
                            for m in 0..HIGH {
                                let value = row.add(m * pitch + 2 * pair).cast::<i32>();
                                let value = pairs_of(_mm512_set1_epi32(value.read_unaligned()));
                                for c in 0..C {
                                    local[m][c] = _mm512_dpbf16_ps(local[m][c], value, line[c]);
                                }
                            }
                        }
                    }
                    for m in 0..HIGH {
                        for c in 0..C {
                            _mm512_storeu_ps(sums.add(m * width + c * SIDE), local[m][c]);
                        }
                    }
                }
            }
        }
    }
}
