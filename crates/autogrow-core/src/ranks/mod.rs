//! Training on several processes: each has a rank, a network of its own, and a part of every batch;
//! what they add up, they add up in the order of their ranks, so all get the same to the last bit.
//!
//! [`Transport`] is all that has to be known of how processes talk to each other. The sums above it
//! are the same for threads of one process ([`in_process`]) and for MPI (the crate `autogrow-mpi`).

mod collective;
mod devices;
mod in_process;
mod norm;
mod transport;

pub(crate) use devices::reduced;
pub use in_process::{InProcess, in_process};
pub(crate) use norm::NormSums;
pub use transport::Transport;

use crate::Error;
use crate::share::Share;
use burn::tensor::Device;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// This process among those that train together. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ranks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    transport: Box<dyn Transport>,
    /// Bytes handed to the transport so far.
    sent: AtomicU64,
    /// Whether all know that the run has failed.
    failed: AtomicBool,
    /// Those of all ranks, where they add up gradients themselves.
    devices: OnceLock<Vec<Device>>,
}

impl Ranks {
    /// Those of a transport.
    pub fn new(transport: impl Transport + 'static) -> Self {
        let transport = Box::new(transport);
        Self(Arc::new(Inner {
            transport,
            sent: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            devices: OnceLock::new(),
        }))
    }

    /// A process on its own.
    pub fn single() -> Self {
        Self::new(transport::Single)
    }

    /// Which one this is, from 0.
    pub fn rank(&self) -> usize {
        self.0.transport.rank()
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        self.0.transport.size()
    }

    /// Whether this process writes the run folder and talks to the user.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// Whether there are others.
    pub fn are_several(&self) -> bool {
        self.size() > 1
    }

    /// The part of every batch that is this process's.
    pub fn share(&self) -> Share {
        Share { index: self.rank(), of: self.size() }
    }

    /// Bytes sent to others so far.
    pub fn sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// Sets how long others may keep this process waiting before they count as lost.
    pub fn set_patience(&self, patience: Duration) {
        self.0.transport.set_patience(patience);
    }

    /// Whether all ranks end because of `error`, so that none waits for another.
    pub fn all_end_with(&self, error: &Error) -> bool {
        let is_common = matches!(error, Error::Diverged { .. } | Error::Interrupted { .. });
        is_common || self.0.failed.load(Ordering::Relaxed)
    }

    /// Ends all processes, because this one cannot go on and the others wait for it. Where they
    /// cannot be ended from here, nothing happens.
    pub fn abort(&self, exit_code: u8) {
        if self.are_several() {
            self.0.transport.abort(exit_code);
        }
    }
}

impl Default for Ranks {
    fn default() -> Self {
        Self::single()
    }
}
