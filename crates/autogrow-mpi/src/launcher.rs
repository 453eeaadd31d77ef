//! Whether this process was started as one of several, before MPI is asked: a process of its own
//! that starts MPI pays for it with a daemon.

/// Where launchers say how many processes there are: Open MPI's mpirun, those of MPICH and Intel,
/// and srun.
const SIZES: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"];

/// How many processes the launcher has started, this one among them; one where there is none.
pub fn processes() -> usize {
    let size = |name| std::env::var(name).ok()?.parse().ok();
    SIZES.into_iter().filter_map(size).max().unwrap_or(1)
}
