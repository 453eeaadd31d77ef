//! What can be typed: commands and options. Each is defined here once; help comes from it.

use crate::settings::Settings;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Finds the depth of a network for your data in one training run.
///
/// Without a command: trains on the handwritten digits that are built in.
#[derive(Debug, Parser)]
#[command(name = "autogrow", version, max_term_width = 80, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// Print one JSON document to stdout, nothing else
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// No progress, no warnings
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Log more; twice for everything
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Discover the depth of a network and train it
    Train(TrainArgs),
    /// Go on exactly where a run stopped
    Resume(ResumeArgs),
    /// Accuracy and loss of a trained model
    Evaluate(EvaluateArgs),
    /// Run the policies over recorded accuracies
    Replay(ReplayArgs),
    /// Depth floor, size, epochs and time, before any training
    Plan(PlanArgs),
    /// (Re)write the report of a run, or compare several
    Report(ReportArgs),
    /// What is registered, and from which crate
    List(ListArgs),
    /// The resolved configuration, and where each value comes from
    Config(ConfigArgs),
    /// Images per second
    Bench(BenchArgs),
}

impl Default for Command {
    fn default() -> Self {
        Self::Train(TrainArgs { run: None, settings: Settings::default() })
    }
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Run folder [default: runs/<data>-<network>-<n>]
    pub(crate) run: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// Run folder
    pub(crate) run: PathBuf,
    /// Go on although this key has changed, or `data`, or `plugins`
    #[arg(long, value_name = "KEY")]
    pub(crate) allow: Vec<String>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Run folder, or a model.safetensors with its network.json beside it
    pub(crate) model: PathBuf,
    /// Images to evaluate on
    #[arg(long, value_enum, default_value_t = SplitName::Test)]
    pub(crate) split: SplitName,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SplitName {
    Train,
    Val,
    Test,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// CSV with the columns `epoch` (from 1) and `accuracy` (percent), or the
    /// metrics.csv of a run
    pub(crate) curve: PathBuf,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Run folders: of one, its report is written; of several, a comparison
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// Where to write the page [default: RUN/report.html, comparison.html]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only this kind
    #[arg(value_enum)]
    pub(crate) kind: Option<ListKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListKind {
    Networks,
    SubModules,
    Initializers,
    Policies,
    Data,
    Devices,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) what: BenchWhat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchWhat {
    /// A training step
    Step(BenchStepArgs),
    /// The input pipeline
    Data(BenchDataArgs),
}

#[derive(Debug, Args)]
pub(crate) struct BenchStepArgs {
    /// Images a step
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch: u32,
    /// Steps to time, after two that are not
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) steps: u32,
    /// Image as channels x height x width
    #[arg(long, default_value = "3x32x32", value_parser = parse_image)]
    pub(crate) image: [usize; 3],
    /// Number of classes
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) classes: u32,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct BenchDataArgs {
    /// Images to read
    #[arg(long, value_enum, default_value_t = SplitName::Train)]
    pub(crate) split: SplitName,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

fn parse_image(text: &str) -> Result<[usize; 3], String> {
    let sizes: Vec<usize> = text.split('x').filter_map(|size| size.parse().ok()).collect();
    match sizes[..] {
        [channels, height, width] if channels * height * width > 0 => Ok([channels, height, width]),
        _ => Err("expected channels x height x width, such as 3x32x32".into()),
    }
}
