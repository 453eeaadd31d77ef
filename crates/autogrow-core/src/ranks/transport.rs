//! What has to be known of how processes talk to each other.

use crate::Result;
use std::fmt::Debug;
use std::time::Duration;

/// Messages between processes that all run the same program on the same settings.
pub trait Transport: Debug + Send + Sync {
    /// Which process this is, from 0.
    fn rank(&self) -> usize;

    /// How many there are.
    fn size(&self) -> usize;

    /// Sends `outgoing[r]` to rank `r` and fills `incoming[r]` with what rank `r` sends, for all
    /// ranks but this one, at the same time. Nothing is sent where there is nothing. All processes
    /// call it in the same order, with lengths that fit each other's.
    ///
    /// # Errors
    /// [`Error::Ranks`](crate::Error::Ranks) where another process is gone or does not answer.
    fn exchange(&self, outgoing: &[&[u8]], incoming: &mut [Vec<u8>]) -> Result<()>;

    /// Sets how long [`exchange`](Self::exchange) waits; a minute at first.
    fn set_patience(&self, patience: Duration);

    /// Ends all processes with this exit code, if that can be done from here.
    fn abort(&self, exit_code: u8) {
        let _ = exit_code;
    }
}

/// A process on its own.
#[derive(Debug)]
pub(super) struct Single;

impl Transport for Single {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn exchange(&self, _: &[&[u8]], _: &mut [Vec<u8>]) -> Result<()> {
        Ok(())
    }

    fn set_patience(&self, _: Duration) {}
}
