//! Batch norms whose batch is spread over several processes: where the sums of this process meet
//! those of the others.
//!
//! Set for a thread, not for the process: a batch is computed by one thread, which hands work to
//! others but takes all sums over the batch itself. So whoever implements [`Peers`] is called from
//! that thread alone.

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::Arc;

/// The processes, this one among them, that have a part of each batch.
pub trait Peers: Debug + Send + Sync {
    /// The numbers of each process in a fixed order, the same on all. All call it at the same
    /// places with the same count of numbers.
    fn gather(&self, own: &[f64]) -> Vec<Vec<f64>>;
}

thread_local! {
    static PEERS: RefCell<Option<Arc<dyn Peers>>> = const { RefCell::new(None) };
}

/// Runs `work`; batch norms in training mode take their statistics over the batches of all peers,
/// forward here and backward whenever that is. Only on Flex, see
/// [`supports_peers`](crate::supports_peers).
pub fn with_peers<R>(peers: Arc<dyn Peers>, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<Arc<dyn Peers>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            PEERS.set(self.0.take());
        }
    }
    let _restore = Restore(PEERS.replace(Some(peers)));
    work()
}

/// The peers of this thread, if there are any.
pub(crate) fn peers() -> Option<Arc<dyn Peers>> {
    PEERS.with_borrow(Clone::clone)
}
