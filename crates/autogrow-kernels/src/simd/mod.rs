//! One source for every instruction set: a kernel is written once against [`Simd`] and
//! [`dispatch`] runs it with the widest registers that the CPU has and the channels fill.
//!
//! The portable implementation is ordinary arithmetic on arrays, so the same pointer code that
//! runs on AVX-512 can be run by Miri and on any architecture.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx512_bf16;
pub(crate) mod bf16;
#[cfg(test)]
mod limit;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Channels are stored padded to a multiple of this, so that the narrowest registers always fill.
pub(crate) const NARROW: usize = 8;

/// A register of `f32` lanes.
///
/// Values of an implementation exist only below [`dispatch`], which has made sure that the CPU has
/// the instructions; that is why the arithmetic may be safe functions.
pub(crate) trait Simd: Copy {
    const LANES: usize;

    /// # Safety
    /// `from` is valid for reading `LANES` floats.
    unsafe fn load(from: *const f32) -> Self;
    /// # Safety
    /// `to` is valid for writing `LANES` floats.
    unsafe fn store(self, to: *mut f32);
    fn splat(value: f32) -> Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    /// `self * factor + term`
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// `term - self * factor`
    fn neg_mul_add(self, factor: Self, term: Self) -> Self;
    /// `max(self, 0)` that keeps NaN, so that a diverging network shows.
    fn relu(self) -> Self;
    /// `self` where `gate > 0`, otherwise 0.
    fn where_positive(self, gate: Self) -> Self;
}

/// Work that [`dispatch`] can run with any registers.
pub(crate) trait Kernel {
    /// Must be `#[inline(always)]`, to be compiled with the instructions of its caller.
    fn run<S: Simd>(self);
}

/// The kinds of registers, from the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Registers {
    Portable,
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    Neon,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The widest registers that this machine has.
fn widest() -> Registers {
    #[cfg(target_arch = "x86_64")]
    if x86::has_avx512() {
        return Registers::Avx512;
    } else if x86::has_avx2() {
        return Registers::Avx2;
    }
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    let fallback = Registers::Neon;
    #[cfg(not(all(target_arch = "aarch64", target_feature = "neon")))]
    let fallback = Registers::Portable;
    fallback
}

#[cfg(not(test))]
fn registers() -> Registers {
    widest()
}

/// How many lanes a kernel over `channels` (a multiple of [`NARROW`]) runs with on this machine.
pub(crate) fn lanes(channels: usize) -> usize {
    debug_assert!(channels.is_multiple_of(NARROW));
    match registers() {
        #[cfg(target_arch = "x86_64")]
        Registers::Avx512 if channels.is_multiple_of(16) => 16,
        _ => NARROW,
    }
}

/// Runs `kernel` with registers of `lanes` lanes, as [`lanes`] chose them.
pub(crate) fn dispatch(lanes: usize, kernel: impl Kernel) {
    match registers() {
        #[cfg(target_arch = "x86_64")]
        _ if lanes == 16 => x86::run_avx512(kernel),
        #[cfg(target_arch = "x86_64")]
        Registers::Avx2 | Registers::Avx512 => x86::run_avx2(kernel),
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        Registers::Neon => kernel.run::<neon::Neon>(),
        Registers::Portable => {
            debug_assert_eq!(lanes, NARROW);
            kernel.run::<Portable>();
        }
    }
}

#[cfg(test)]
use limit::registers;
#[cfg(test)]
pub(crate) use limit::{limited, with_at_most};

/// The registers of a machine without vectors.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; NARROW]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

impl Simd for Portable {
    const LANES: usize = NARROW;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for the floats; arrays of floats have their alignment.
        Self(unsafe { from.cast::<[f32; NARROW]>().read() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as for `load`.
        unsafe { to.cast::<[f32; NARROW]>().write(self.0) }
    }

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; NARROW])
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    // Two roundings: a fused multiply-add is a slow library call where the CPU has none.
    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        self.zip(factor, |a, b| a * b).zip(term, |a, b| a + b)
    }

    #[inline(always)]
    fn neg_mul_add(self, factor: Self, term: Self) -> Self {
        self.zip(factor, |a, b| a * b).zip(term, |a, b| b - a)
    }

    #[inline(always)]
    fn relu(self) -> Self {
        Self(self.0.map(|v| if v < 0.0 { 0.0 } else { v }))
    }

    #[inline(always)]
    fn where_positive(self, gate: Self) -> Self {
        self.zip(gate, |v, gate| if gate > 0.0 { v } else { 0.0 })
    }
}
