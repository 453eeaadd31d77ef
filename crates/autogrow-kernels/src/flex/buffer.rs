//! Buffers of floats from a pool, because fresh memory costs a page fault every 4 KiB, a third of
//! a training step.
//!
//! The pool never makes the process hold more than twice what its buffers in use once did at their
//! peak: before fresh memory is taken, buffers of other sizes that have been idle for longest are
//! freed. Twice, because an evaluation passes through every size while it uses few at once.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

const LINE: usize = 16;

/// Floats aligned to cache lines, returned to the pool when dropped.
pub(crate) struct Buffer {
    lines: Vec<Line>,
    len: usize,
}

struct Pool {
    /// Idle memory, longest idle first.
    idle: Vec<Vec<Line>>,
    /// Lines held by idle memory.
    idle_lines: usize,
    /// Lines held by buffers.
    used_lines: usize,
    /// The most that buffers ever held.
    peak_lines: usize,
}

static POOL: Mutex<Pool> =
    Mutex::new(Pool { idle: Vec::new(), idle_lines: 0, used_lines: 0, peak_lines: 0 });

fn pool() -> MutexGuard<'static, Pool> {
    // The pool is consistent between its statements, so a panic elsewhere does not matter.
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// Memory of exactly `lines` lines, the most recently used first: it may still be in a cache.
    fn reuse(&mut self, lines: usize) -> Option<Vec<Line>> {
        let index = self.idle.iter().rposition(|memory| memory.len() == lines)?;
        self.idle_lines -= lines;
        Some(self.idle.remove(index))
    }

    fn give_back(&mut self, memory: Vec<Line>) {
        self.used_lines -= memory.len();
        self.idle_lines += memory.len();
        self.idle.push(memory);
    }

    /// Idle memory to free, so that `lines` fresh lines leave the total within the bound.
    fn evict(&mut self, lines: usize) -> Vec<Vec<Line>> {
        let mut count = 0;
        while self.used_lines + self.idle_lines + lines > 2 * self.peak_lines
            && count < self.idle.len()
        {
            self.idle_lines -= self.idle[count].len();
            count += 1;
        }
        self.idle.drain(..count).collect()
    }
}

impl Buffer {
    /// `len` floats that hold anything: whatever the previous user left.
    pub(crate) fn stale(len: usize) -> Self {
        let lines = len.div_ceil(LINE);
        let mut pool = pool();
        let reused = pool.reuse(lines);
        let evicted = if reused.is_none() { pool.evict(lines) } else { Vec::new() };
        pool.used_lines += lines;
        pool.peak_lines = pool.peak_lines.max(pool.used_lines);
        drop(pool);
        drop(evicted);
        Self { lines: reused.unwrap_or_else(|| vec![Line([0.0; LINE]); lines]), len }
    }

    /// `len` zeros.
    pub(crate) fn zeroed(len: usize) -> Self {
        let mut buffer = Self::stale(len);
        buffer.fill(0.0);
        buffer
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.lines);
        pool().give_back(memory);
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: `Line` is an array of floats without padding, and `len` floats fit in the lines.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`, and the lines are borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

/// Fills all idle memory with what would show if it were read.
#[cfg(test)]
pub(crate) fn poison() {
    for memory in &mut pool().idle {
        memory.fill(Line([f32::NAN; LINE]));
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} floats)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Pool {
        Pool { idle: Vec::new(), idle_lines: 0, used_lines: 0, peak_lines: 0 }
    }

    #[test]
    fn memory_comes_back_and_holds_what_it_held() {
        let mut pool = empty();
        let mut memory = pool.reuse(100).unwrap_or_else(|| vec![Line([0.0; LINE]); 100]);
        memory[0] = Line([7.0; LINE]);
        let address = memory.as_ptr();
        pool.used_lines = 100;
        pool.give_back(memory);
        assert!(pool.reuse(99).is_none());
        let memory = pool.reuse(100).unwrap();
        assert_eq!((memory.as_ptr(), memory[0].0[0]), (address, 7.0));
    }

    #[test]
    fn fresh_memory_evicts_what_lies_idle_beyond_the_bound() {
        let mut pool = empty();
        pool.peak_lines = 50;
        for lines in [40, 60] {
            pool.used_lines += lines;
            pool.give_back(vec![Line([0.0; LINE]); lines]);
        }
        assert_eq!(pool.evict(30).len(), 1);
        assert_eq!((pool.idle_lines, pool.idle.len()), (60, 1));
        assert_eq!(pool.evict(200).len(), 1);
        assert_eq!(pool.idle_lines, 0);
    }

    #[test]
    fn zeroed_is_zero_even_if_the_memory_was_not() {
        Buffer::stale(1000).fill(7.0);
        assert!(Buffer::zeroed(1000).iter().all(|v| *v == 0.0));
    }
}
