//! Tests run kernels with less than the machine has: narrower registers, a slower engine.

use std::cell::Cell;
use std::thread::LocalKey;

use super::bf16::{Engine, fastest};
use super::{Registers, widest};

impl Registers {
    #[cfg(target_arch = "x86_64")]
    pub(crate) const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    pub(crate) const ALL: [Self; 2] = [Self::Portable, Self::Neon];
    #[cfg(not(any(
        target_arch = "x86_64",
        all(target_arch = "aarch64", target_feature = "neon")
    )))]
    pub(crate) const ALL: [Self; 1] = [Self::Portable];
}

impl Engine {
    #[cfg(target_arch = "x86_64")]
    pub(crate) const ALL: [Self; 3] = [Self::Portable, Self::Avx512, Self::Amx];
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) const ALL: [Self; 1] = [Self::Portable];
}

/// The most that the kernels of a thread may use, where that is limited.
type Limit<T> = Cell<Option<T>>;

thread_local! {
    static REGISTERS: Limit<Registers> = const { Cell::new(None) };
    static ENGINE: Limit<Engine> = const { Cell::new(None) };
}

pub(super) fn registers() -> Registers {
    limited_to(&REGISTERS, widest())
}

pub(crate) fn engine() -> Engine {
    limited_to(&ENGINE, fastest())
}

fn limited_to<T: Copy + Ord>(limit: &'static LocalKey<Limit<T>>, there_is: T) -> T {
    limit.get().map_or(there_is, |limit| limit.min(there_is))
}

/// Whether this thread's registers or its engine are limited.
pub(crate) fn limited() -> bool {
    REGISTERS.get().is_some() || ENGINE.get().is_some()
}

/// Runs `f` with at most these registers on this thread.
pub(crate) fn with_at_most<T>(registers: Registers, f: impl FnOnce() -> T) -> T {
    with(&REGISTERS, registers, f)
}

/// Runs `f` with at most this engine on this thread.
pub(crate) fn with_engine<T>(engine: Engine, f: impl FnOnce() -> T) -> T {
    with(&ENGINE, engine, f)
}

fn with<L: Copy, T>(limit: &'static LocalKey<Limit<L>>, most: L, f: impl FnOnce() -> T) -> T {
    limit.set(Some(most));
    let result = f();
    limit.set(None);
    result
}
