//! How many programs a GPU is asked to run.

/// Counts the launches of all GPUs, by all threads, as long as it exists. One at a time: a second one
/// counts in place of the first.
#[derive(Debug)]
pub struct Launches {
    #[cfg(feature = "gpu")]
    counting: gpu::Counting,
}

impl Launches {
    /// From now on.
    pub fn begin() -> Self {
        Self {
            #[cfg(feature = "gpu")]
            counting: gpu::Counting::begin(),
        }
    }

    /// Launches so far; none where no backend for GPUs is built in.
    pub fn so_far(&self) -> Option<u64> {
        #[cfg(feature = "gpu")]
        {
            Some(self.counting.so_far())
        }
        #[cfg(not(feature = "gpu"))]
        {
            None
        }
    }
}

#[cfg(feature = "gpu")]
mod gpu {
    use burn::cubecl::logging::{LaunchObservation, LaunchObserver};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Debug, Default)]
    struct Count(AtomicU64);

    impl LaunchObserver for Count {
        fn launched(&self, _: &'static str) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[derive(Debug)]
    pub(super) struct Counting {
        count: Arc<Count>,
        _observation: LaunchObservation,
    }

    impl Counting {
        pub(super) fn begin() -> Self {
            let count = Arc::new(Count::default());
            Self { _observation: LaunchObservation::new(count.clone()), count }
        }

        pub(super) fn so_far(&self) -> u64 {
            self.count.0.load(Ordering::Relaxed)
        }
    }
}
