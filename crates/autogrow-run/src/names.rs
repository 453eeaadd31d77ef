//! Names of the files in a run folder.

/// The resolved configuration.
pub const CONFIG: &str = "config.toml";
/// What happened, an event a line.
pub const JOURNAL: &str = "journal.jsonl";
/// A row an epoch.
pub const METRICS: &str = "metrics.csv";
/// First line of [`METRICS`].
pub const METRICS_HEADER: &str = "epoch,phase,depth,learning_rate,train_loss,train_accuracy,\
                                  val_loss,val_accuracy,seconds";
/// A loss a step, where `run.log_steps` asks for it.
pub const STEPS: &str = "steps.csv";
/// What every epoch showed of every validation image.
pub const VALIDATION: &str = "validation.bin";
/// The architecture.
pub const NETWORK: &str = "network.json";
/// The best model.
pub const MODEL: &str = "model.safetensors";
/// The best network of the growing epochs, where the one that was found is worse.
pub const PEAK: &str = "peak.safetensors";
/// The result.
pub const RESULT: &str = "result.json";
/// The test images class by class.
pub const EVALUATION: &str = "evaluation.json";
/// Which pictures are trained on, selected on and tested on, of a folder of pictures.
pub const FILES: &str = "files.csv";
/// The test images that were taken for something else, where they have names.
pub const MISTAKES: &str = "mistakes.csv";
/// The page of the run.
pub const REPORT: &str = "report.html";
/// The model card.
pub const CARD: &str = "README.md";
/// Folder of the checkpoints, a numbered folder each.
pub const CHECKPOINTS: &str = "checkpoints";
/// Checkpoint of the network as growth left it, before fine-tuning.
pub const GROWN: &str = "grown";
/// Runs that the certificate rests on, a folder each.
pub const CERTIFICATE_RUNS: &str = "certificate";
/// The certificate.
pub const CERTIFICATE: &str = "certificate.json";
/// What a checkpoint says of its parts.
pub const MANIFEST: &str = "manifest.json";
/// Folder of the weights that `run.snapshots` keeps.
pub const SNAPSHOTS: &str = "snapshots";
/// Who writes the folder.
pub const LOCK: &str = "lock";
/// What belongs to a run: a folder that holds none of it is free, whatever else is there.
pub const OF_RUNS: [&str; 18] = [
    CONFIG,
    JOURNAL,
    METRICS,
    STEPS,
    VALIDATION,
    NETWORK,
    MODEL,
    PEAK,
    RESULT,
    EVALUATION,
    FILES,
    MISTAKES,
    REPORT,
    CARD,
    CHECKPOINTS,
    GROWN,
    CERTIFICATE,
    SNAPSHOTS,
];
/// Ending of what is not whole yet.
pub const PART: &str = ".part";
