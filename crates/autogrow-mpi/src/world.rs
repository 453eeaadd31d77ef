//! Messages over MPI, point to point and without blocking, so that a rank that hangs is noticed.
//!
//! MPI is called from one thread alone, the one that has joined: its handles lie in a variable of
//! that thread, where no other reaches them.

use autogrow_core::ranks::Transport;
use autogrow_core::{Error, Result};
use mpi::environment::Universe;
use mpi::request::{Request, Scope, scope};
use mpi::topology::{Communicator, SimpleCommunicator};
use mpi::traits::{Destination, Source};
use std::cell::RefCell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Bytes of one message: MPI counts them in 32 bits.
const LONGEST: usize = 1 << 30;

/// How long is looked for messages without a pause. Waits between ranks of equal speed are shorter.
const BUSY: Duration = Duration::from_millis(20);

/// The pause between two looks after that: it lets other processes of the machine compute.
const PAUSE: Duration = Duration::from_micros(50);

/// MPI between its start and its end.
pub(crate) struct Running {
    pub(crate) communicator: SimpleCommunicator,
    /// Ends MPI when it is dropped.
    pub(crate) _universe: Universe,
}

thread_local! {
    pub(crate) static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// All processes of the job.
pub(crate) struct World {
    rank: usize,
    size: usize,
    /// Milliseconds.
    patience: AtomicU64,
    on_lost: Box<dyn Fn(&Error) + Send + Sync>,
}

/// A message under way, and the rank at its other end.
type Pending<'a, S> = (usize, Request<'a, [u8], S>);

impl World {
    pub(crate) fn new(
        rank: usize,
        size: usize,
        on_lost: Box<dyn Fn(&Error) + Send + Sync>,
    ) -> Self {
        Self { rank, size, patience: AtomicU64::new(60_000), on_lost }
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(self.patience.load(Ordering::Relaxed))
    }

    /// Waits for all messages, those to be received first in the list. Where one does not come, the
    /// job is ended from here: MPI cannot take back a message that is under way.
    fn wait<'a, S: Scope<'a>>(
        &self,
        communicator: &SimpleCommunicator,
        mut pending: Vec<Pending<'a, S>>,
    ) {
        let since = Instant::now();
        loop {
            let test = |(rank, request): Pending<'a, S>| match request.test() {
                Ok(_) => None,
                Err(request) => Some((rank, request)),
            };
            pending = pending.into_iter().filter_map(test).collect();
            let Some((rank, _)) = pending.first() else { return };
            let waited = since.elapsed();
            if waited > self.patience() {
                (self.on_lost)(&Error::silent_rank(*rank, self.patience()));
                communicator.abort(1);
            }
            if waited > BUSY {
                std::thread::sleep(PAUSE);
            } else {
                std::thread::yield_now();
            }
        }
    }
}

impl Transport for World {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn exchange(&self, outgoing: &[&[u8]], incoming: &mut [Vec<u8>]) -> Result<()> {
        RUNNING.with_borrow(|running| {
            let Some(running) = running else {
                return Err(Error::ranks("MPI is called from the thread that has joined it alone"));
            };
            let communicator = &running.communicator;
            let process = |rank| communicator.process_at_rank(i32::try_from(rank).unwrap_or(0));
            scope(|scope| {
                let mut pending = Vec::new();
                for (rank, bytes) in incoming.iter_mut().enumerate() {
                    if rank != self.rank {
                        for bytes in bytes.chunks_mut(LONGEST) {
                            let request = process(rank).immediate_receive_into(scope, bytes);
                            pending.push((rank, request));
                        }
                    }
                }
                for (rank, bytes) in outgoing.iter().enumerate() {
                    if rank != self.rank {
                        for bytes in bytes.chunks(LONGEST) {
                            pending.push((rank, process(rank).immediate_send(scope, bytes)));
                        }
                    }
                }
                self.wait(communicator, pending);
            });
            Ok(())
        })
    }

    fn set_patience(&self, patience: Duration) {
        let milliseconds = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        self.patience.store(milliseconds, Ordering::Relaxed);
    }

    fn abort(&self, exit_code: u8) {
        RUNNING.with_borrow(|running| {
            if let Some(running) = running {
                running.communicator.abort(i32::from(exit_code));
            }
        });
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {} of {}", self.rank, self.size)
    }
}
