//! The MPI job from its beginning to its end.

use crate::launcher::processes;
use crate::world::{RUNNING, Running, World};
use autogrow_core::ranks::Ranks;
use autogrow_core::{Error, Result};
use mpi::Threading;
use mpi::topology::Communicator;
use std::marker::PhantomData;

/// This process's part in an MPI job. Dropped, it waits for the others and ends MPI.
#[derive(Debug)]
pub struct Job {
    ranks: Ranks,
    /// Ends on the thread on which it began.
    _thread: PhantomData<*const ()>,
}

/// Joins the job that this process was started in. `on_lost` is told why, just before the whole job
/// is ended because a rank does not answer.
///
/// # Errors
/// [`Error::Ranks`] where MPI does not start, or does not find the other processes.
pub fn join(on_lost: impl Fn(&Error) + Send + Sync + 'static) -> Result<Job> {
    // Other threads compute, but never call MPI.
    let Some((universe, _)) = mpi::initialize_with_threading(Threading::Funneled) else {
        return Err(Error::ranks("MPI has been started already"));
    };
    let communicator = universe.world();
    let number = |number| usize::try_from(number).unwrap_or(0);
    let (rank, size) = (number(communicator.rank()), number(communicator.size()));
    let started = processes();
    if size == 1 && started > 1 {
        return Err(Error::ranks(format!("{started} processes were started, but MPI sees one"))
            .with_hint(
                "start them by the mpirun of the MPI library that autogrow was built with, or by \
                 `srun --mpi=pmix`",
            ));
    }
    RUNNING.set(Some(Running { communicator, _universe: universe }));
    let ranks = Ranks::new(World::new(rank, size, Box::new(on_lost)));
    Ok(Job { ranks, _thread: PhantomData })
}

impl Job {
    /// This process among the others.
    pub fn ranks(&self) -> &Ranks {
        &self.ranks
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The others would wait for messages that never come.
            self.ranks.abort(101);
        }
        drop(RUNNING.take());
    }
}
