//! Arguments of commands that branch off from a run.

use crate::settings::Common;
use clap::Args;
use std::num::NonZeroUsize;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct CertifyArgs {
    /// Run folder of a finished run, or `last`: the newest in runs
    pub(crate) run: PathBuf,
    /// How often each network is trained, each time with the images in another order
    #[arg(long = "seeds", value_name = "N", default_value = "1")]
    pub(crate) orders: NonZeroUsize,
    /// Points that a doubling of the cost has to bring [default: the run's growth.price]
    #[arg(long, allow_negative_numbers = true, value_name = "POINTS")]
    pub(crate) price: Option<f64>,
    /// Make the better network the run's model; the found one is kept beside it
    #[arg(long)]
    pub(crate) take: bool,
    #[command(flatten)]
    pub(crate) settings: Common,
}

#[derive(Debug, Args)]
pub(crate) struct CooldownArgs {
    /// Run folder, or `last`: the newest in runs. The run may be going on
    pub(crate) run: PathBuf,
    /// Folder of the branch [default: <RUN>/cooldown-<EPOCH>]
    pub(crate) out: Option<PathBuf>,
    /// The epoch of growing to begin after [default: the end of growth, or the last that is kept]
    #[arg(long, value_name = "EPOCH")]
    pub(crate) at: Option<usize>,
    /// Epochs of annealing, by the run's fine_tune.schedule
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) epochs: NonZeroUsize,
    #[command(flatten)]
    pub(crate) settings: Common,
}
