//! Batches made ahead of time on a thread of their own.
//!
//! Bounded: one batch waits in the channel while the next is made. Dropping the iterator closes
//! the channel, at which the thread stops; it is joined, so nothing outlives the iterator.

use autogrow_core::Result;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// What `batches` yields, made one or two items ahead. Ends after the first error.
pub(crate) struct Prefetch<T> {
    ready: Option<Receiver<Result<T>>>,
    worker: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Prefetch<T> {
    /// Starts a thread that makes what `batches` yields.
    ///
    /// # Errors
    /// Where the operating system grants no thread.
    pub(crate) fn start(
        batches: impl Iterator<Item = Result<T>> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, ready) = sync_channel(1);
        let worker = std::thread::Builder::new().name("batches".into()).spawn(move || {
            for batch in batches {
                let failed = batch.is_err();
                if sender.send(batch).is_err() || failed {
                    return;
                }
            }
        })?;
        Ok(Self { ready: Some(ready), worker: Some(worker) })
    }

    /// Waits for the thread, which has nobody to send to any more, and passes its panic on.
    fn finish(&mut self) -> std::thread::Result<()> {
        self.ready = None;
        self.worker.take().map_or(Ok(()), JoinHandle::join)
    }
}

impl<T: Send + 'static> Iterator for Prefetch<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.ready.as_ref().and_then(|ready| ready.recv().ok());
        if next.is_none()
            && let Err(panic) = self.finish()
        {
            std::panic::resume_unwind(panic);
        }
        next
    }
}

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        self.ready = None;
        if let Some(worker) = self.worker.take() {
            // A panic of a batch that nobody asked for any more is nobody's business.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autogrow_core::Error;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Counts how many items were made, and, once dropped, that the thread is gone.
    fn counted(items: usize) -> (Arc<AtomicUsize>, Prefetch<usize>) {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        let batches = (0..items).map(move |item| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(item)
        });
        (made, Prefetch::start(batches).unwrap())
    }

    #[test]
    fn items_arrive_in_order_and_end() {
        let (_, mut batches) = counted(100);
        let items: Vec<_> = batches.by_ref().map(Result::unwrap).collect();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
        assert!(batches.next().is_none());
    }

    #[test]
    fn dropped_early_the_thread_ends_within_its_bound() {
        let (made, mut batches) = counted(usize::MAX);
        for expected in 0..5 {
            assert_eq!(batches.next().unwrap().unwrap(), expected);
        }
        drop(batches);
        // The thread held the other handle: it has been joined, not abandoned.
        assert_eq!(Arc::strong_count(&made), 1);
        assert!(made.load(Ordering::SeqCst) <= 5 + 2 + 1, "{made:?}");
        drop(counted(usize::MAX));
    }

    #[test]
    fn an_error_arrives_and_ends_the_stream() {
        let batches = (0..9).map(|n| if n == 2 { Err(Error::data("x", "bad")) } else { Ok(n) });
        let mut batches = Prefetch::start(batches).unwrap();
        assert_eq!(batches.next().unwrap().unwrap(), 0);
        assert_eq!(batches.next().unwrap().unwrap(), 1);
        assert_eq!(batches.next().unwrap().unwrap_err().to_string(), "x: bad");
        assert!(batches.next().is_none());
    }

    #[test]
    #[should_panic(expected = "a bug")]
    fn a_panic_is_passed_on() {
        let batches = (0..3).map(|n| if n == 1 { panic!("a bug") } else { Ok(n) });
        Prefetch::start(batches).unwrap().for_each(drop);
    }
}
