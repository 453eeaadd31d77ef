//! Threads of the CPU, for one run or one prediction.

use autogrow_core::{Error, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// So many threads; 0: as many as the machine has.
pub(crate) fn pool(threads: usize) -> Result<ThreadPool> {
    ThreadPoolBuilder::new().num_threads(threads).build().map_err(|error| Error::Device {
        device: "CPU".into(),
        problem: format!("no threads to be had ({error})"),
        origin: None,
        hint: Some("set `threads` to fewer".into()),
    })
}
