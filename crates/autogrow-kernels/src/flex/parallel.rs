//! How the work of a batch is cut and spread over threads. The cuts depend on sizes alone, never on
//! the number of threads, so sums taken part by part and then over the parts in their order have
//! the same bits on any machine.

use std::ops::Range;

use rayon::prelude::*;

/// The threads that shall have an equal share of every pass over a batch.
pub(crate) const WORKERS: usize = 32;

/// The most parts that a pass is cut into: two a thread, so that no thread waits long for another.
pub(crate) const PARTS: usize = 2 * WORKERS;

/// Multiplications from which on it pays to give a piece of work to another thread.
const PIECE: usize = 1 << 18;

/// How a pass over a batch is cut. Chunks run side by side; each takes its groups of images one
/// after another; and where chunks are too few, pieces of a group's work run side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Images per chunk, a multiple of `group`.
    pub(crate) chunk: usize,
    /// Images per group.
    pub(crate) group: usize,
    /// Into how many pieces the work on a group is cut.
    pub(crate) pieces: usize,
}

impl Cut {
    /// At most `chunks` chunks of whole groups, of images that cost `work` multiplications each.
    pub(crate) fn new(images: usize, chunks: usize, group: usize, work: usize) -> Self {
        let group = group.min(images).max(1);
        let chunk = images.div_ceil(chunks).next_multiple_of(group);
        let chunks = images.div_ceil(chunk.max(1)).max(1);
        let pieces = if chunks < WORKERS { PARTS / chunks } else { 1 };
        let worth = (group * work / PIECE).max(1);
        Self { chunk: chunk.max(1), group, pieces: pieces.min(worth) }
    }

    /// Chunks of single images, for passes that work on one image at a time.
    pub(crate) fn images(images: usize) -> Self {
        Self::new(images, PARTS, 1, 0)
    }

    /// The images of a chunk, group by group.
    pub(crate) fn groups(self, chunk: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let end = chunk.end;
        chunk.step_by(self.group).map(move |start| start..(start + self.group).min(end))
    }

    /// How many images a piece has.
    pub(crate) fn piece(self) -> usize {
        self.group.div_ceil(self.pieces)
    }
}

/// Runs `task` on every part, on as many threads as there are; the results in their order.
pub(crate) fn map<T: Send, R: Send>(parts: Vec<T>, task: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    #[cfg(test)]
    if let Some(results) = recording::serial(&parts) {
        return results.map(parts, task);
    }
    // A thread that is alone would only queue tasks for itself.
    if parts.len() < 2 || rayon::current_num_threads() < 2 {
        return parts.into_iter().map(task).collect();
    }
    parts.into_par_iter().with_max_len(1).map(task).collect()
}

/// Runs `task` on every part, on as many threads as there are.
pub(crate) fn each<T: Send>(parts: Vec<T>, task: impl Fn(T) + Sync + Send) {
    map(parts, task);
}

/// Runs `task` on every item: at most `pieces` pieces of consecutive ones side by side.
pub(crate) fn spread<T: Send>(pieces: usize, items: Vec<T>, task: impl Fn(T) + Sync + Send) {
    if pieces < 2 {
        return items.into_iter().for_each(task);
    }
    let size = items.len().div_ceil(pieces).max(1);
    let mut items = items.into_iter();
    let mut parts = Vec::new();
    while items.len() > 0 {
        parts.push(items.by_ref().take(size).collect::<Vec<_>>());
    }
    each(parts, |part| part.into_iter().for_each(&task));
}

/// `0..count` in at most `parts` ranges of nearly the same length.
pub(crate) fn ranges(count: usize, parts: usize) -> Vec<Range<usize>> {
    let parts = parts.clamp(1, count.max(1));
    (0..parts).map(|part| part * count / parts..(part + 1) * count / parts).collect()
}

#[cfg(test)]
pub(crate) use recording::{Recorded, record};

#[cfg(test)]
mod recording {
    //! Loops that run on one thread and write down how long each task took, so that it can be said
    //! how long they would take on many threads.

    use std::cell::RefCell;
    use std::time::Instant;

    use crate::simd;

    /// A task: how long it took outside of the parallel loops within it, and those.
    #[derive(Debug, Default)]
    pub(crate) struct Recorded {
        pub(crate) alone: f64,
        pub(crate) loops: Vec<Vec<Recorded>>,
    }

    impl Recorded {
        pub(crate) fn seconds(&self) -> f64 {
            let tasks = self.loops.iter().flatten();
            self.alone + tasks.map(Self::seconds).sum::<f64>()
        }
    }

    /// The task at work, and how long its loops took, with what recording them costs.
    #[derive(Default)]
    struct AtWork {
        task: Recorded,
        in_loops: f64,
    }

    thread_local! {
        static TASK: RefCell<Option<AtWork>> = const { RefCell::new(None) };
    }

    pub(super) struct Serial {
        recorded: bool,
    }

    /// Whether this thread's loops are to run on it alone: they are recorded, or its registers
    /// are limited.
    pub(super) fn serial<T>(_parts: &[T]) -> Option<Serial> {
        let recorded = TASK.with_borrow(Option::is_some);
        (recorded || simd::limited()).then_some(Serial { recorded })
    }

    impl Serial {
        pub(super) fn map<T, R>(self, parts: Vec<T>, task: impl Fn(T) -> R) -> Vec<R> {
            if !self.recorded {
                return parts.into_iter().map(task).collect();
            }
            let outer = TASK.take();
            let start = Instant::now();
            let (results, tasks): (Vec<_>, Vec<_>) =
                parts.into_iter().map(|part| timed(|| task(part))).unzip();
            let outer = outer.map(|mut outer| {
                outer.task.loops.push(tasks);
                outer.in_loops += start.elapsed().as_secs_f64();
                outer
            });
            TASK.set(outer);
            results
        }
    }

    fn timed<R>(task: impl FnOnce() -> R) -> (R, Recorded) {
        TASK.set(Some(AtWork::default()));
        let start = Instant::now();
        let result = task();
        let seconds = start.elapsed().as_secs_f64();
        let AtWork { task, in_loops } = TASK.take().unwrap_or_default();
        (result, Recorded { alone: seconds - in_loops, ..task })
    }

    /// Runs `f` on this thread alone and records its loops.
    pub(crate) fn record<R>(f: impl FnOnce() -> R) -> (R, Recorded) {
        timed(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_is_in_one_chunk_and_group() {
        for (images, chunks, group) in
            [(128, 64, 1), (128, 64, 8), (100, 8, 3), (1, 4, 32), (7, 1, 2)]
        {
            let cut = Cut::new(images, chunks, group, 0);
            let starts = (0..images).step_by(cut.chunk).collect::<Vec<_>>();
            assert!(starts.len() <= chunks.max(1));
            let of = |start: usize| cut.groups(start..(start + cut.chunk).min(images));
            let all = starts.into_iter().flat_map(of).flatten().collect::<Vec<_>>();
            assert_eq!(all, (0..images).collect::<Vec<_>>());
        }
    }

    #[test]
    fn few_chunks_are_cut_into_pieces() {
        assert_eq!(Cut::new(128, 64, 2, PIECE), Cut { chunk: 2, group: 2, pieces: 1 });
        assert_eq!(Cut::new(128, 8, 8, PIECE), Cut { chunk: 16, group: 8, pieces: 8 });
        assert_eq!(Cut::new(128, 1, 32, 2 * PIECE), Cut { chunk: 128, group: 32, pieces: 64 });
        assert_eq!(Cut::new(1, 64, 1, PIECE), Cut { chunk: 1, group: 1, pieces: 1 });
    }

    #[test]
    fn loops_keep_the_order_of_their_parts() {
        assert_eq!(map((0..100).collect(), |i| 2 * i), (0..200).step_by(2).collect::<Vec<_>>());
        let sum = std::sync::atomic::AtomicUsize::new(0);
        spread(3, (1..11).collect(), |i| {
            sum.fetch_add(i, std::sync::atomic::Ordering::Relaxed);
        });
        assert_eq!(sum.into_inner(), 55);
        assert_eq!(ranges(7, 3), [0..2, 2..4, 4..7]);
        assert_eq!(ranges(2, 5), [0..1, 1..2]);
    }
}
