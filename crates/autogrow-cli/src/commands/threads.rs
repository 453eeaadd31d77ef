//! The threads that everything is computed on.

use std::sync::mpsc::{Receiver, channel};
use std::thread::{Builder, available_parallelism};

/// Starts the pool of `wanted` threads, 0 for all cores; fewer where the system grants fewer, with a
/// warning. Where there is a pool already, it stays.
pub(super) fn start(wanted: usize) {
    let asked = match wanted {
        0 => available_parallelism().map_or(1, usize::from),
        wanted => wanted,
    };
    let threads = granted(asked);
    if threads < asked {
        tracing::warn!(
            "run.threads: the system grants no {asked} threads; there are {threads} now (`ulimit -u`, \
             `ulimit -v` and limits of containers say how many)"
        );
    }
    // Fails only where there is a pool already.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
}

/// How many threads to use of those that were asked for: all, or so many that half of what the system
/// grants is left to others, since a pool that cannot be started ends the process later on.
fn granted(asked: usize) -> usize {
    // All at once, each waiting for the others.
    let (release, waiting) = channel::<()>();
    let waiting = std::sync::Arc::new(std::sync::Mutex::new(waiting));
    let wait = |waiting: &std::sync::Mutex<Receiver<()>>| {
        // Ends when `release` is dropped.
        let _ = waiting.lock().map(|waiting| waiting.recv());
    };
    let mut threads = Vec::new();
    for _ in 0..asked {
        let waiting = waiting.clone();
        match Builder::new().spawn(move || wait(&waiting)) {
            Ok(thread) => threads.push(thread),
            Err(_) => break,
        }
    }
    drop(release);
    let started = threads.len();
    for thread in threads {
        let _ = thread.join();
    }
    if started == asked { asked } else { (started / 2).max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_are_there_are_granted() {
        assert_eq!(granted(3), 3);
        assert_eq!(granted(1), 1);
    }
}
