//! Buffers of floats from a pool, because fresh memory costs a page fault every 4 KiB, a third of
//! a training step.
//!
//! The pool never makes the process hold more than twice what its buffers in use once did at their
//! peak: before fresh memory is taken, buffers of other sizes that have been idle for longest are
//! freed. Twice, because an evaluation passes through every size while it uses few at once.
//! What little a thread keeps for itself counts as in use.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;
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

/// Floats that tasks side by side write, each at places of its own.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a> {
    first: *mut f32,
    len: usize,
    floats: PhantomData<&'a mut [f32]>,
}

// SAFETY: a pointer alone does nothing; whoever writes through it vouches for the place.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    pub(crate) fn new(floats: &'a mut [f32]) -> Self {
        Self { first: floats.as_mut_ptr(), len: floats.len(), floats: PhantomData }
    }

    pub(crate) fn len(self) -> usize {
        self.len
    }

    /// The `len` floats from `at` on.
    pub(crate) fn part(self, at: usize, len: usize) -> Self {
        assert!(at + len <= self.len);
        Self { first: self.first.wrapping_add(at), len, floats: PhantomData }
    }

    pub(crate) fn as_mut_ptr(self) -> *mut f32 {
        self.first
    }
}

struct Pool {
    /// Idle memory by its number of lines, with when it was given back, longest idle first.
    idle: BTreeMap<usize, VecDeque<(u64, Vec<Line>)>>,
    /// Counts what is given back.
    clock: u64,
    /// Lines held by idle memory.
    idle_lines: usize,
    /// Lines held by buffers, and by what threads keep.
    used_lines: usize,
    /// The most that `used_lines` ever was.
    peak_lines: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool::new());

fn pool() -> MutexGuard<'static, Pool> {
    // The pool is consistent between its statements, so a panic elsewhere does not matter.
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    const fn new() -> Self {
        Self { idle: BTreeMap::new(), clock: 0, idle_lines: 0, used_lines: 0, peak_lines: 0 }
    }

    /// Memory of exactly `lines` lines, the most recently used first: it may still be in a cache.
    fn reuse(&mut self, lines: usize) -> Option<Vec<Line>> {
        let (_, memory) = self.idle.get_mut(&lines)?.pop_back()?;
        self.idle_lines -= lines;
        Some(memory)
    }

    fn give_back(&mut self, memory: Vec<Line>) {
        self.used_lines -= memory.len();
        self.idle_lines += memory.len();
        self.clock += 1;
        self.idle.entry(memory.len()).or_default().push_back((self.clock, memory));
    }

    /// Idle memory to free, so that `lines` fresh lines leave the total within the bound.
    fn evict(&mut self, lines: usize) -> Vec<Vec<Line>> {
        let mut evicted = Vec::new();
        while self.used_lines + self.idle_lines + lines > 2 * self.peak_lines {
            let fronts = self.idle.values_mut().filter(|idle| !idle.is_empty());
            let longest = fronts.min_by_key(|idle| idle.front().map(|(since, _)| *since));
            let Some((_, memory)) = longest.and_then(VecDeque::pop_front) else { break };
            self.idle_lines -= memory.len();
            evicted.push(memory);
        }
        evicted
    }
}

/// Idle memory that a thread keeps for itself, longest idle first: scratch that every task takes and
/// gives back, for which threads would wait for one another at the pool.
#[derive(Default)]
struct Kept {
    idle: Vec<Vec<Line>>,
    lines: usize,
}

/// The most lines that a thread keeps: 2 MiB.
const KEPT: usize = (2 << 20) / (4 * LINE);

thread_local! {
    static KEPT_IDLE: RefCell<Kept> = RefCell::default();
}

impl Kept {
    fn reuse(&mut self, lines: usize) -> Option<Vec<Line>> {
        let index = self.idle.iter().rposition(|memory| memory.len() == lines)?;
        self.lines -= lines;
        Some(self.idle.remove(index))
    }

    /// Keeps `memory`; what there is no more room for is returned.
    fn keep(&mut self, memory: Vec<Line>) -> Vec<Vec<Line>> {
        self.lines += memory.len();
        self.idle.push(memory);
        let mut count = 0;
        while self.lines > KEPT {
            self.lines -= self.idle[count].len();
            count += 1;
        }
        self.idle.drain(..count).collect()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.idle.drain(..).for_each(|memory| pool().give_back(memory));
    }
}

impl Buffer {
    /// `len` floats that hold anything: whatever the previous user left.
    pub(crate) fn stale(len: usize) -> Self {
        let lines = len.div_ceil(LINE);
        let kept = KEPT_IDLE.try_with(|kept| kept.borrow_mut().reuse(lines));
        if let Ok(Some(lines)) = kept {
            return Self { lines, len };
        }
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
        if memory.len() > KEPT {
            return pool().give_back(memory);
        }
        let mut memory = Some(memory);
        // A thread that ends keeps nothing any more.
        let rest = KEPT_IDLE.try_with(|kept| memory.take().map(|m| kept.borrow_mut().keep(m)));
        let rest = rest.ok().flatten().into_iter().flatten().chain(memory);
        rest.for_each(|memory| pool().give_back(memory));
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

/// Fills all idle memory, of the pool and of this thread, with what would show if it were read.
#[cfg(test)]
pub(crate) fn poison() {
    let fill = |memory: &mut Vec<Line>| memory.fill(Line([f32::NAN; LINE]));
    pool().idle.values_mut().flatten().for_each(|(_, memory)| fill(memory));
    KEPT_IDLE.with_borrow_mut(|kept| kept.idle.iter_mut().for_each(fill));
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} floats)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_and_holds_what_it_held() {
        let mut pool = Pool::new();
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
        let mut pool = Pool::new();
        pool.peak_lines = 50;
        for lines in [40, 60] {
            pool.used_lines += lines;
            pool.give_back(vec![Line([0.0; LINE]); lines]);
        }
        assert_eq!(pool.evict(30).len(), 1);
        assert_eq!(pool.idle_lines, 60);
        assert!(pool.reuse(40).is_none());
        assert_eq!(pool.evict(200).len(), 1);
        assert_eq!(pool.idle_lines, 0);
    }

    #[test]
    fn a_thread_keeps_what_it_used_last_up_to_a_bound() {
        let mut kept = Kept::default();
        let memory = || vec![Line([0.0; LINE]); KEPT / 2];
        assert!(kept.keep(memory()).is_empty());
        assert!(kept.keep(memory()).is_empty());
        assert_eq!(kept.keep(vec![Line([0.0; LINE])]).len(), 1);
        assert!(kept.reuse(KEPT / 2).is_some());
        assert!(kept.reuse(KEPT / 2).is_none());
        assert_eq!(kept.lines, 1);
        // What was never the pool's is not given back to it.
        kept.idle.clear();
    }

    #[test]
    fn zeroed_is_zero_even_if_the_memory_was_not() {
        Buffer::stale(1000).fill(7.0);
        assert!(Buffer::zeroed(1000).iter().all(|v| *v == 0.0));
    }
}
