//! What can be typed: commands and options. Each is defined here once; help comes from it.

mod branches;

use crate::run_folders;
use crate::settings::{Common, Settings};
use autogrow::growth::Depth;
use autogrow_suite::{ReproduceArgs, SuiteArgs};
pub(crate) use branches::{CertifyArgs, CooldownArgs};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Finds the depth of a network for your data in one training run.
///
/// `autogrow train` shows it on handwritten digits that are built in.
#[derive(Debug, Parser)]
#[command(
    name = "autogrow",
    version,
    long_version = crate::version::long(),
    max_term_width = 80,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
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
    /// When to colour what is printed
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// In a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Discover the depth of a network and train it
    Train(TrainArgs),
    /// Go on exactly where a run stopped
    Resume(ResumeArgs),
    /// Is the found depth worth it? One level shallower and deeper, on the same batches
    Certify(CertifyArgs),
    /// What would a growing network be worth now? A branch that grows no further
    Cooldown(CooldownArgs),
    /// Fixed depths by successive halving: what growth has to beat
    Sweep(SweepArgs),
    /// Network Morphism: train a shallow net, deepen it, train on
    Morph(MorphArgs),
    /// Accuracy, loss and calibration of a trained model
    Evaluate(EvaluateArgs),
    /// Classes, values or labels of pictures
    Predict(PredictArgs),
    /// Write a model for other programs
    Export(ExportArgs),
    /// Loss around models, along random directions
    Landscape(LandscapeArgs),
    /// The way of training through the weights, over the loss
    Trajectory(TrajectoryArgs),
    /// Run the policies over recorded accuracies
    Replay(ReplayArgs),
    /// Depth floor, size, epochs and time, before any training
    Plan(PlanArgs),
    /// What is in a data set: classes, sizes, statistics, samples
    Data(DataArgs),
    /// (Re)write the report of a run, or compare several
    Report(ReportArgs),
    /// Runs in a folder, newest first
    Runs(RunsArgs),
    /// Many runs from one file: seeds, baselines, tables, figures
    Suite(Box<SuiteArgs>),
    /// The paper's tables and figures, which are suites
    Reproduce(Box<ReproduceArgs>),
    /// What is registered, and from which crate
    List(ListArgs),
    /// Fetch data sets, check them, unpack them
    Download(DownloadArgs),
    /// The resolved configuration, and where each value comes from
    Config(ConfigArgs),
    /// Images per second
    Bench(BenchArgs),
    /// Completions for a shell, as a script
    Completions(CompletionsArgs),
    /// The manual page of autogrow or of a command, as roff
    Man(ManArgs),
}

impl Command {
    /// The runs and models that it is given, any of which may be called `last`.
    pub(crate) fn runs(&mut self) -> Vec<&mut PathBuf> {
        match self {
            Self::Resume(args) => vec![&mut args.run],
            Self::Certify(args) => vec![&mut args.run],
            Self::Cooldown(args) => vec![&mut args.run],
            Self::Sweep(args) => args.like.iter_mut().collect(),
            Self::Evaluate(args) => vec![&mut args.model],
            Self::Predict(args) => vec![&mut args.model],
            Self::Export(args) => vec![&mut args.model],
            Self::Landscape(args) => args.models.iter_mut().collect(),
            Self::Trajectory(args) => args.runs.iter_mut().collect(),
            Self::Replay(args) => vec![&mut args.curve],
            Self::Report(args) => args.runs.iter_mut().collect(),
            _ => Vec::new(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Run folder [default: runs/<data>-<network>-<n>]
    pub(crate) run: Option<PathBuf>,
    /// Show the page of the run to browsers on this machine while it is running
    #[arg(long)]
    pub(crate) page: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// Run folder, or `last`: the newest in runs
    pub(crate) run: PathBuf,
    /// Go on although this key has changed, or `data`, or `plugins`
    #[arg(long, value_name = "KEY")]
    pub(crate) allow: Vec<String>,
    /// Show the page of the run to browsers on this machine while it is running
    #[arg(long)]
    pub(crate) page: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    /// Folder of its run folders. Where it exists, what is missing goes on
    /// [default: runs/<data>-<network>-sweep-<n>]
    pub(crate) folder: Option<PathBuf>,
    /// Depths to try, such as 1-1-1,2-2-2 [default: 1, 2, 3, 5, 8 and 12
    /// sub-modules of each sub-network]
    #[arg(long, value_name = "DEPTHS", value_delimiter = ',')]
    pub(crate) depths: Vec<Depth>,
    /// Train with the settings of this run, and for as long as it did in all, not
    /// N epochs in the last round
    #[arg(long, value_name = "RUN")]
    pub(crate) like: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct MorphArgs {
    /// Folder of its three run folders: shallow, deepening, deep. Where it
    /// exists, what is missing goes on [default: runs/<data>-<network>-morph-<n>]
    pub(crate) run: Option<PathBuf>,
    /// Depth of the deep net, such as 5-5-5; --depth is that of the shallow one
    #[arg(long, value_name = "DEPTH")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Run folder, `last` for the newest in runs, or a file of weights:
    /// .safetensors, or .pt of PyTorch. One that does not say of which network it
    /// is needs --network
    pub(crate) model: PathBuf,
    /// Images to evaluate on [default: test]
    ///
    /// Without it, and with a --dir that holds a folder for each class, all
    /// pictures in there.
    #[arg(long, value_enum)]
    pub(crate) split: Option<SplitName>,
    /// Write evaluation.json into the run folder
    #[arg(long)]
    pub(crate) save: bool,
    #[command(flatten)]
    pub(crate) settings: Common,
}

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// Run folder, `last` for the newest in runs, or a file of weights:
    /// .safetensors, or .pt of PyTorch. One that does not say of which network it
    /// is needs --network
    pub(crate) model: PathBuf,
    /// Pictures, folders of pictures, or tables, as the model takes them; `-` is
    /// one of them on standard input
    #[arg(required = true)]
    pub(crate) images: Vec<PathBuf>,
    /// Classes to name for each picture or row [default: 5; of tables with
    /// --csv 1]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) top: Option<u32>,
    /// Raw outputs instead of probabilities
    #[arg(long)]
    pub(crate) logits: bool,
    /// CSV: image (or row), rank, class, probability
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
    /// Pictures at once [default: as evaluations of a run have them]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch: Option<u32>,
    #[command(flatten)]
    pub(crate) settings: Common,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Run folder, `last` for the newest in runs, or a file of weights:
    /// .safetensors, or .pt of PyTorch. One that does not say of which network it
    /// is needs --network
    pub(crate) model: PathBuf,
    /// File to write; a model card (.md) is written beside it
    pub(crate) out: PathBuf,
    /// [default: by the file's ending]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Make batch norms part of the convolutions before them (onnx)
    #[arg(long)]
    pub(crate) fold_bn: bool,
    /// Write a PyTorch module (.py) for the weights beside them (safetensors)
    #[arg(long)]
    pub(crate) pytorch: bool,
    /// Replace files that are there and that no export has written
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) settings: Common,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Weights by PyTorch's names, and what the model is
    Safetensors,
    /// Weights and computation, IR version 8, operator set 17
    Onnx,
    /// Burn's own, with the architecture beside it (.json)
    Burnpack,
}

#[derive(Debug, Args)]
pub(crate) struct LandscapeArgs {
    /// Run folders, or files of weights: .safetensors, or .pt of PyTorch. Several
    /// are drawn side by side with the same contours
    #[arg(required = true, value_name = "MODEL")]
    pub(crate) models: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) surface: SurfaceArgs,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct TrajectoryArgs {
    /// Run folders with snapshots (run.snapshots), each one gone on from the one
    /// before
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) surface: SurfaceArgs,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Options of the commands that compute the loss over a plane.
#[derive(Debug, Args)]
pub(crate) struct SurfaceArgs {
    /// Places along each axis at which the loss is computed
    #[arg(long, value_name = "N", default_value_t = 25,
          value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub(crate) grid: u32,
    /// Training images, not augmented, that the loss is the mean over
    #[arg(long, value_name = "N", default_value_t = 500,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) images: u32,
    /// Write NAME.json, NAME.svg and NAME.png [default: named after the command,
    /// in the run folder or beside the model; of several, here]
    #[arg(long, value_name = "NAME")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The command, such as `train` or `bench step`
    pub(crate) command: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SplitName {
    Train,
    Val,
    Test,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// CSV with the columns `epoch` (from 1) and `accuracy` (percent), the
    /// metrics.csv or validation.bin of a run, or its folder; `last`: the newest
    /// in runs
    pub(crate) curve: PathBuf,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Take some steps at the run's step size, and at smaller and larger ones
    #[arg(long)]
    pub(crate) probe: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// Data set [default: that of the configuration]
    pub(crate) name: Option<String>,
    /// Print which part each image or row is in, a line each: part, class, file
    #[arg(long)]
    pub(crate) list: bool,
    /// Write a picture of samples to this file: each as it is evaluated, then
    /// as it is augmented in five epochs
    #[arg(long, value_name = "FILE.png")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Run folders, or `last`: of one, its report is written; of several, a
    /// comparison
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// Where to write the page [default: RUN/report.html, comparison.html]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Open the page in a browser
    #[arg(long)]
    pub(crate) open: bool,
    /// Put charts into this folder as well, as SVG and PNG: of one run its
    /// curves; test accuracy by parameters and by multiply-accumulates
    #[arg(long, value_name = "FOLDER")]
    pub(crate) figures: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    /// The folder that holds them
    #[arg(default_value = run_folders::FOLDER)]
    pub(crate) folder: PathBuf,
    /// Write a page of them, index.html in that folder
    #[arg(long)]
    pub(crate) page: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Print TOML that --config takes
    #[arg(long, conflicts_with = "json")]
    pub(crate) toml: bool,
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
    Stems,
    Heads,
    Initializers,
    Policies,
    Objectives,
    Optimizers,
    Schedules,
    Data,
    Devices,
}

#[derive(Debug, Args)]
pub(crate) struct DownloadArgs {
    /// Data sets, or `all` for those that are given out freely
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Folder to put them into, each into one of its name [default:
    /// $AUTOGROW_DATA, or autogrow in the platform's folder for data]
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Take the files from this folder, where somebody put them by hand, and
    /// check them
    #[arg(long, value_name = "DIR", conflicts_with = "mirror")]
    pub(crate) from: Option<PathBuf>,
    /// Ask this server: URL/<set>/<file>, then URL/<file>
    #[arg(long, value_name = "URL")]
    pub(crate) mirror: Option<String>,
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
    /// Time evaluations, in the batches of a run, instead of training steps
    #[arg(long)]
    pub(crate) evaluate: bool,
    /// Print `ready`, then take a step and print its seconds for every line of
    /// standard input: to be interleaved with another program
    #[arg(long, conflicts_with = "json")]
    pub(crate) serve: bool,
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
    let sizes: Result<Vec<usize>, _> = text.split('x').map(str::parse).collect();
    match sizes.as_deref() {
        Ok(&[channels, height, width])
            if [channels, height, width].iter().all(|side| (1..=1 << 14).contains(side)) =>
        {
            Ok([channels, height, width])
        }
        _ => Err("expected channels x height x width, such as 3x32x32".into()),
    }
}
