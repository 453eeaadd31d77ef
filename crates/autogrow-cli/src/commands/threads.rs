//! The threads that everything is computed on.

use std::sync::Once;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{Builder, available_parallelism};

/// Threads of a core at most, where that is more than so many threads: where memory is limited, the
/// stacks of thousands leave nothing for anything else.
const MOST_A_CORE: usize = 4;
const LEAST: usize = 64;

/// Starts the pool of `wanted` threads, 0 for all cores, or as many as `RAYON_NUM_THREADS` says; fewer
/// where the system grants fewer, with a warning. Where there is a pool already, it stays.
pub(super) fn start(wanted: usize) {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| start_now(wanted));
}

fn start_now(wanted: usize) {
    let of_rayon = std::env::var("RAYON_NUM_THREADS").ok().and_then(|text| text.parse().ok());
    let of_rayon: Option<usize> = of_rayon.filter(|&threads| threads > 0);
    let cores = || available_parallelism().map_or(1, usize::from);
    let usual = of_rayon.unwrap_or_else(cores);
    let asked = if wanted > 0 { wanted } else { usual };
    let useful = asked.min((MOST_A_CORE * cores()).max(LEAST));
    if useful < asked {
        tracing::warn!("run.threads: {asked} threads are of no use here; there are {useful}");
    }
    let threads = granted(useful);
    if threads < useful {
        tracing::warn!(
            "run.threads: the system grants no {useful} threads; there are {threads} now (`ulimit -u`, \
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
