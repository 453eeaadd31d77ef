//! AMX and AVX-512 BF16, found at run time. Both pack with AVX-512.

use std::arch::asm;
use std::arch::x86_64::*;
use std::sync::OnceLock;

use half::bf16;

use super::bf16::{DEPTH, Product, SIDE, TILE, TileKernel, Tiles};

pub(super) fn has_avx512_bf16() -> bool {
    super::x86::has_avx512()
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bf16")
}

/// Whether the processor has AMX for bf16 and the system lets this process use it. Asks once.
pub(super) fn has_amx() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        // Bits 22 and 24 are AMX-BF16 and AMX-TILE.
        let amx = (1 << 22) | (1 << 24);
        has_avx512_bf16() && __cpuid_count(7, 0).edx & amx == amx && permission()
    })
}

/// Asks Linux to let this process use tiles, whose state is 8 KiB of each thread that has used them.
#[cfg(target_os = "linux")]
fn permission() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: i64 = 0x1023;
    const XFEATURE_XTILEDATA: i64 = 18;
    let result: i64;
    // SAFETY: the call touches no memory of the process; it fails on systems that do not know it.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XFEATURE_XTILEDATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result == 0
}

#[cfg(not(target_os = "linux"))]
fn permission() -> bool {
    false
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

pub(super) fn run_amx(kernel: impl TileKernel) {
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512bf16,avx2,fma")]
    fn inner<K: TileKernel>(kernel: K) {
        kernel.run::<Amx>();
    }
    assert!(has_amx());
    let _configured = Configured::new();
    // SAFETY: the CPU has all these features, and the tiles are configured.
    unsafe { inner(kernel) }
}

/// Eight tiles of 16 rows of 64 bytes on this thread, released when dropped.
struct Configured;

impl Configured {
    /// The process must have the permission for tiles.
    fn new() -> Self {
        #[repr(C, align(64))]
        struct Configuration {
            palette: u8,
            start_row: u8,
            reserved: [u8; 14],
            row_bytes: [u16; 16],
            rows: [u8; 16],
        }
        let mut configuration = Configuration {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            row_bytes: [0; 16],
            rows: [0; 16],
        };
        configuration.row_bytes[..8].fill(64);
        configuration.rows[..8].fill(SIDE as u8);
        // SAFETY: a valid configuration of 64 bytes.
        unsafe {
            asm!(
                "ldtilecfg [{}]",
                in(reg) &raw const configuration,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack, readonly, preserves_flags),
            );
        }
        Self
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        // SAFETY: no tile holds anything that is still read.
        unsafe {
            asm!(
                "tilerelease",
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack, nomem, preserves_flags),
            );
        }
    }
}

/// The first `count` of 16 lanes.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    ((1_u32 << count.min(16)) - 1) as __mmask16
}

// SAFETY, for every block of arithmetic below: the types are used only inside kernels run by
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
unsafe fn row(from: *const f32, count: usize, to: *mut bf16) {
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
unsafe fn pairs([even, odd]: [*const f32; 2], count: usize, to: *mut bf16) {
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
unsafe fn transpose(tile: *mut bf16) {
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
unsafe fn copy(from: *const f32, count: usize, to: *mut f32) {
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

#[derive(Clone, Copy)]
struct Amx;

/// A product as the assembly below reads it: eight bytes a field, the missing second rows and columns the
/// same as the first, strides in bytes.
#[repr(C)]
struct Call {
    rows: [*const bf16; 2],
    columns: [*const bf16; 2],
    offsets: *const u32,
    steps: usize,
    pitch: usize,
    sums: [*mut f32; 2],
    width: usize,
    add: usize,
}

/// A product as one loop over its steps: sums in tiles 0 to 3, rows in 4 and 5, columns in 6 and 7. `$load`
/// and `$store` move the sums whose lines begin at `{at}` and `{next}`, `{pitch}` bytes apart; `$step`
/// multiplies the rows at `{row}` and `{below}`, `{at}` bytes on, and the columns at `{left}` and `{right}`.
macro_rules! multiply {
    ($call:expr, $load:literal, $zero:literal, $step:literal, $store:literal) => {
        asm!(
            "mov {at}, [{call} + 56]",
            "mov {next}, [{call} + 64]",
            "mov {pitch}, [{call} + 72]",
            "cmp qword ptr [{call} + 80], 0",
            "je 3f",
            $load,
            "jmp 4f",
            "3:",
            $zero,
            "4:",
            "mov {row}, [{call}]",
            "mov {below}, [{call} + 8]",
            "mov {left}, [{call} + 16]",
            "mov {right}, [{call} + 24]",
            "mov {offsets}, [{call} + 32]",
            "mov {steps}, [{call} + 40]",
            "mov {pitch}, [{call} + 48]",
            "mov {line:e}, 64",
            "test {steps}, {steps}",
            "jz 5f",
            "2:",
            "mov {at:e}, dword ptr [{offsets}]",
            "lea {next}, [{at} + {below}]",
            "add {at}, {row}",
            $step,
            "add {offsets}, 4",
            "add {left}, 1024",
            "add {right}, 1024",
            "dec {steps}",
            "jnz 2b",
            "5:",
            "mov {at}, [{call} + 56]",
            "mov {next}, [{call} + 64]",
            "mov {pitch}, [{call} + 72]",
            $store,
            call = in(reg) $call,
            row = out(reg) _,
            below = out(reg) _,
            left = out(reg) _,
            right = out(reg) _,
            offsets = out(reg) _,
            steps = out(reg) _,
            pitch = out(reg) _,
            line = out(reg) _,
            at = out(reg) _,
            next = out(reg) _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        )
    };
}

impl Tiles for Amx {
    packing!();

    #[inline(always)]
    unsafe fn multiply<const R: usize, const C: usize>(product: &Product<R, C>) {
        let Product { rows, pitch, offsets, columns, steps, sums, width, add } = *product;
        let call = Call {
            rows: [rows[0], rows[R - 1]],
            columns: [columns[0], columns[C - 1]],
            offsets,
            steps,
            pitch: pitch * size_of::<bf16>(),
            sums: [sums[0], sums[R - 1]],
            width: width * size_of::<f32>(),
            add: add.into(),
        };
        let call = &raw const call;
        // SAFETY: the tiles are configured as `run_amx` does it; the numbers and sums exist by the
        // caller's promise.
        unsafe {
            match (R, C) {
                (2, 2) => multiply!(
                    call,
                    "tileloadd tmm0, [{at} + {pitch}*1]
                    tileloadd tmm1, [{at} + {pitch}*1 + 64]
                    tileloadd tmm2, [{next} + {pitch}*1]
                    tileloadd tmm3, [{next} + {pitch}*1 + 64]",
                    "tilezero tmm0
                    tilezero tmm1
                    tilezero tmm2
                    tilezero tmm3",
                    "tileloadd tmm4, [{at} + {pitch}*1]
                    tileloadd tmm6, [{left} + {line}*1]
                    tdpbf16ps tmm0, tmm4, tmm6
                    tileloadd tmm7, [{right} + {line}*1]
                    tdpbf16ps tmm1, tmm4, tmm7
                    tileloadd tmm5, [{next} + {pitch}*1]
                    tdpbf16ps tmm2, tmm5, tmm6
                    tdpbf16ps tmm3, tmm5, tmm7",
                    "tilestored [{at} + {pitch}*1], tmm0
                    tilestored [{at} + {pitch}*1 + 64], tmm1
                    tilestored [{next} + {pitch}*1], tmm2
                    tilestored [{next} + {pitch}*1 + 64], tmm3"
                ),
                (1, 2) => multiply!(
                    call,
                    "tileloadd tmm0, [{at} + {pitch}*1]
                    tileloadd tmm1, [{at} + {pitch}*1 + 64]",
                    "tilezero tmm0
                    tilezero tmm1",
                    "tileloadd tmm4, [{at} + {pitch}*1]
                    tileloadd tmm6, [{left} + {line}*1]
                    tdpbf16ps tmm0, tmm4, tmm6
                    tileloadd tmm7, [{right} + {line}*1]
                    tdpbf16ps tmm1, tmm4, tmm7",
                    "tilestored [{at} + {pitch}*1], tmm0
                    tilestored [{at} + {pitch}*1 + 64], tmm1"
                ),
                (2, 1) => multiply!(
                    call,
                    "tileloadd tmm0, [{at} + {pitch}*1]
                    tileloadd tmm2, [{next} + {pitch}*1]",
                    "tilezero tmm0
                    tilezero tmm2",
                    "tileloadd tmm6, [{left} + {line}*1]
                    tileloadd tmm4, [{at} + {pitch}*1]
                    tdpbf16ps tmm0, tmm4, tmm6
                    tileloadd tmm5, [{next} + {pitch}*1]
                    tdpbf16ps tmm2, tmm5, tmm6",
                    "tilestored [{at} + {pitch}*1], tmm0
                    tilestored [{next} + {pitch}*1], tmm2"
                ),
                _ => multiply!(
                    call,
                    "tileloadd tmm0, [{at} + {pitch}*1]",
                    "tilezero tmm0",
                    "tileloadd tmm4, [{at} + {pitch}*1]
                    tileloadd tmm6, [{left} + {line}*1]
                    tdpbf16ps tmm0, tmm4, tmm6",
                    "tilestored [{at} + {pitch}*1], tmm0"
                ),
            }
        }
    }
}
