//! What can be typed after `autogrow suite` and `autogrow reproduce`.

use crate::scale::Scale;
use crate::shard::Shard;
use clap::{Args, value_parser};
use std::path::PathBuf;

/// `autogrow suite`.
#[derive(Debug, Args)]
pub struct SuiteArgs {
    /// The suite's file (TOML)
    #[arg(required_unless_present = "merge", conflicts_with = "merge")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// `autogrow reproduce`.
#[derive(Debug, Args)]
pub struct ReproduceArgs {
    /// Tables, figures and data sets, such as table3, figure4, mnist; `all`
    #[arg(value_name = "NAME", required_unless_present_any = ["merge", "list"],
          conflicts_with = "merge")]
    pub(crate) names: Vec<String>,
    /// Begin at the paper's scale, whatever it costs
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// What both take.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How large
    #[arg(long, value_enum, default_value = "paper")]
    pub(crate) scale: Scale,
    /// Train on this data set in place of each row's
    #[arg(long, value_name = "NAME")]
    pub(crate) data: Option<String>,
    /// Runs of each row; more than one give mean and standard deviation
    /// [default: as the suite says, 1 for those built in]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub(crate) seeds: Option<u64>,
    /// Show the runs, and how far each is
    #[arg(long, group = "look")]
    pub(crate) list: bool,
    /// Show runs, epochs, operations and estimated time; train nothing
    #[arg(long, group = "look")]
    pub(crate) dry_run: bool,
    /// Tell how far the runs are, in their folders and in Slurm's queue
    #[arg(long, group = "look")]
    pub(crate) status: bool,
    /// Runs at a time; they share the CPU's threads
    #[arg(long, value_name = "N", default_value = "1", value_parser = positive)]
    pub(crate) jobs: usize,
    /// CPU threads of each run [default: the CPU's, divided by --jobs]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) threads: Option<usize>,
    /// A part of the work, such as 2/3; --merge puts the parts together
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
    /// Device of every run: flex, cuda:0, ... [default: auto]
    #[arg(long)]
    pub(crate) device: Option<String>,
    /// Folder of the results [default: runs/reproduce/SCALE, or runs/FILE]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Put the results of these folders together, in the folder --out, and
    /// write tables and figures of all their suites
    #[arg(long, value_name = "FOLDER", num_args = 1.., requires = "out",
          conflicts_with_all = ["scale", "data", "seeds", "look", "shard", "device", "slurm"])]
    pub(crate) merge: Vec<PathBuf>,
    /// Submit the runs to Slurm, as job arrays, in place of training here
    #[arg(long, conflicts_with_all = ["dry_run", "status"])]
    pub(crate) slurm: bool,
    /// Show the scripts that would be submitted
    #[arg(long, requires = "slurm", group = "look")]
    pub(crate) print: bool,
    /// More options of sbatch, such as "--partition=gpu --gres=gpu:1"
    #[arg(long, requires = "slurm", value_name = "OPTIONS", allow_hyphen_values = true)]
    pub(crate) sbatch: Vec<String>,
    /// The run that is this job of Slurm
    #[arg(long, hide = true, conflicts_with_all = ["slurm", "look"])]
    pub(crate) only: Option<String>,
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&number| number > 0).ok_or_else(|| "at least 1".into())
}

impl Options {
    /// What decides which runs there are, as it is typed: for jobs of Slurm, which plan anew.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = vec!["--scale".into(), self.scale.name().into()];
        let seeds = self.seeds.map(|seeds| seeds.to_string());
        for (option, value) in
            [("--data", &self.data), ("--seeds", &seeds), ("--device", &self.device)]
        {
            words.extend(value.iter().flat_map(|value| [option.into(), value.clone()]));
        }
        words
    }
}

impl ReproduceArgs {
    /// The device of every run, where it is named.
    pub fn device(&self) -> Option<&str> {
        self.options.device.as_deref()
    }

    /// Whether nothing is to be trained but shown what would be.
    pub fn is_dry_run(&self) -> bool {
        self.options.dry_run
    }

    /// Whether anything is to be trained, now or by Slurm.
    pub(crate) fn trains(&self) -> bool {
        let Options { list, dry_run, status, print, .. } = self.options;
        !(list || dry_run || status || print)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[derive(Debug, Parser)]
    struct Reproduce {
        #[command(flatten)]
        args: ReproduceArgs,
    }

    fn parse(words: &str) -> Result<ReproduceArgs, clap::Error> {
        Ok(Reproduce::try_parse_from(words.split(' '))?.args)
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        Reproduce::command().debug_assert();
        for fine in [
            "x --list",
            "x table3 --list --scale smoke",
            "x table3 --slurm --print --sbatch --partition=cpu",
            "x --merge a b --out c --threads 2",
        ] {
            assert!(parse(fine).is_ok(), "{fine}");
        }
        for wrong in [
            "x",
            "x table3 --seeds 0",
            "x table3 --jobs 0",
            "x table3 --list --dry-run",
            "x table3 --status --slurm",
            "x table3 --print",
            "x --merge a b",
            "x --merge a b --out c --scale small",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_job_is_told_what_decides_its_runs() {
        let args = parse("x table3 --scale small --seeds 3 --data mnist --jobs 4 -y").unwrap();
        let words = args.options.words().join(" ");
        assert_eq!(words, "--scale small --data mnist --seeds 3");
    }
}
