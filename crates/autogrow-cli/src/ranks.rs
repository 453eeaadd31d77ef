//! The processes that train together: those of an MPI job where the feature `mpi` is built in, else
//! this one alone.

use crate::args::{BenchWhat, Command};
use crate::output::Output;
use autogrow::Result;
use autogrow::ranks::Ranks;

/// This process among the others, until it is dropped.
pub(crate) struct Member {
    #[cfg(feature = "mpi")]
    job: Option<autogrow_mpi::Job>,
    single: Ranks,
}

/// Whether several processes can carry out a command together.
pub(crate) fn is_for_several(command: &Command) -> bool {
    match command {
        Command::Train(_) | Command::Resume(_) | Command::Morph(_) => true,
        Command::Bench(args) => matches!(args.what, BenchWhat::Step(_)),
        _ => false,
    }
}

impl Member {
    /// Joins the job that this process was started in, if the command is one for several.
    ///
    /// # Errors
    /// Exit code 1 where that fails.
    #[cfg(feature = "mpi")]
    pub(crate) fn join(command: &Command, output: Output) -> Result<Self> {
        let single = Ranks::single();
        if autogrow_mpi::processes() < 2 || !is_for_several(command) {
            return Ok(Self { job: None, single });
        }
        let job = autogrow_mpi::join(move |error| output.error(error))?;
        Ok(Self { job: Some(job), single })
    }

    #[cfg(not(feature = "mpi"))]
    pub(crate) fn join(command: &Command, _: Output) -> Result<Self> {
        // Each would train by itself, and all write the same folder.
        if is_for_several(command) && std::env::var("OMPI_COMM_WORLD_SIZE").is_ok_and(|n| n != "1")
        {
            return Err(autogrow::Error::ranks("this autogrow is built without MPI")
                .with_hint("cargo build --release --features mpi"));
        }
        Ok(Self { single: Ranks::single() })
    }

    /// This process among the others.
    pub(crate) fn ranks(&self) -> &Ranks {
        #[cfg(feature = "mpi")]
        if let Some(job) = &self.job {
            return job.ranks();
        }
        &self.single
    }
}
