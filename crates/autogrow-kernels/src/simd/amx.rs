//! AMX, found at run time. It packs as AVX-512 BF16 does.

use std::arch::asm;
use std::arch::x86_64::__cpuid_count;
use std::sync::OnceLock;

use half::bf16;

use super::avx512_bf16::{copy, has_avx512_bf16, packing, pairs, row, transpose};
use super::bf16::{Product, SIDE, TileKernel, Tiles};

/// Whether the processor has AMX for bf16 and the system lets this process use it. Asks once.
pub(super) fn has_amx() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        // Bits 22 and 24 are AMX-BF16 and AMX-TILE.
        let amx = (1 << 22) | (1 << 24);
        // SAFETY: every 64-bit x86 has the instruction.
        #[allow(unused_unsafe, reason = "a safe function since Rust 1.94")]
        let has = || unsafe { __cpuid_count(7, 0) }.edx & amx == amx;
        has_avx512_bf16() && has() && permission()
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
