//! The configuration of a run: every key, its default, and what values make sense.
//!
//! Loading it from files, environment and command line is the command line's business; here it
//! is a plain value. Unknown keys are errors, never ignored.

mod check;

pub use crate::batch::{Suiting, batch_for};
use autogrow_base::settings::PluginSettings;
use autogrow_growth::Depth;
use autogrow_growth::Rules;
pub use autogrow_growth::{Compat, GrowthConfig};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Keys that mean something to the paper's policies alone: whoever sets one chooses these.
pub const PAPERS_KEYS: [&str; 3] = ["growth.patience", "growth.threshold", "growth.metric"];

/// Settings that go together; see [`Preset::settings`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Growth that has to pay: policy `worth`, guided by averaged weights.
    #[default]
    Standard,
    /// What the paper trains this data set with; K is divided by `data.fraction`.
    Paper,
    /// As `standard`, in a minute or two for small data.
    Quick,
}

/// Which images guide growth and select the best model (the paper uses the test set).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SelectOn {
    /// A part of the training images that is held out: an honest estimate.
    #[default]
    Val,
    /// The test images, as in the paper: comparable with it, optimistic.
    Test,
}

/// How training images are augmented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Augment {
    /// Not at all.
    None,
    /// As is usual for the set: shifted, mirrored.
    #[default]
    Standard,
    /// As `standard`, then one operation of random strength (TrivialAugment, wide).
    Trivial,
    /// As `standard`, then two operations of strength 9 of 30 (RandAugment).
    Rand,
}

/// How a network sees a column of numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Numbers {
    /// Standardised.
    #[default]
    Standard,
    /// Standardised, and as how far they have come through each of some pieces.
    Pieces,
}

/// What to do about an image that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnBadImage {
    /// End the run.
    #[default]
    Error,
    /// Leave it out, and say so once.
    Skip,
}

/// Everything that decides a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Settings that go together, under everything that is set by itself.
    pub preset: Preset,
    /// Paper or released code.
    pub compat: Compat,
    /// The seed network.
    pub network: NetworkConfig,
    /// When to stack and when to stop.
    pub growth: GrowthConfig,
    /// Optimisation.
    pub training: TrainingConfig,
    /// After growth.
    pub fine_tune: FineTuneConfig,
    /// Images.
    pub data: DataConfig,
    /// Seed, device, threads.
    pub run: RunConfig,
    /// Settings of plugins, each a table `[plugin.NAME]`.
    #[serde(skip_serializing_if = "PluginSettings::is_empty")]
    pub plugin: PluginSettings,
}

/// Section `[network]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkConfig {
    /// A registered seed network.
    pub name: String,
    /// Sub-modules of each sub-network to start from; where nobody sets it, one of each.
    pub depth: Depth,
    /// Channels of the first sub-network; 0: the network's own.
    pub width: usize,
    /// The shortcut where a sub-module changes shape.
    pub shortcut: Shortcut,
}

/// The shortcut of a residual sub-module that changes shape (He et al. 2016, section 3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shortcut {
    /// 1x1 convolution and batch norm (option B).
    #[default]
    Projection,
    /// Every second pixel, new channels zero, no parameters (option A).
    Padding,
}

/// Section `[training]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Images a step.
    pub batch_size: usize,
    /// Images of one forward pass, gradients added up over a batch; 0: the whole batch at once.
    pub micro_batch: usize,
    /// A registered objective: `classes` (one class an image), `values` (regression), or `labels`
    /// (several at once).
    pub objective: String,
    /// Of `classes`: part of each target that is spread evenly over all classes, in the losses that
    /// are told as well.
    pub label_smoothing: f64,
    /// Alpha of mixup: every batch is mixed with itself in another order, images and targets, by a part
    /// drawn from Beta(alpha, alpha); 0: none. Not of `values`. Scores of training images are then of
    /// the target that counts most.
    pub mixup: f64,
    /// Alpha of CutMix, the same with a box of each image; 0: none. With mixup, a coin decides for each
    /// batch.
    pub cutmix: f64,
    /// Stochastic depth: how often the residual branch of the last sub-module is left out of a training
    /// image, from 0 to below 1; of the ones below it evenly less, down to the first of L, an Lth as often.
    /// For networks whose sub-modules have shortcuts.
    pub drop_path: f64,
    /// Of `values`: error in standard deviations from which on the loss rises evenly (Huber); 0:
    /// squared error.
    pub huber: f64,
    /// A registered optimiser: `sgd`, `nesterov`, `adam`, `adamw`, `amsgrad`, `adagrad`, `adadelta`,
    /// `rmsprop`.
    pub optimizer: String,
    /// Step size at the start of each phase; 0: of SGD 0.1, or 0.01 for plain networks and
    /// for `values`; of other optimisers 0.001, of `adagrad` 0.01, of `adadelta` 1.
    pub learning_rate: f64,
    /// Factors of the step size from the image on: of the stem, of each sub-network and of the head, such
    /// as `[0, 0, 0.1, 0.3, 1]` for three sub-networks; empty: 1 each. A part with factor 0 is frozen,
    /// weights and statistics of batch norms, and its depth stays; zeros come first.
    pub stage_rates: Vec<f64>,
    /// Of SGD.
    pub momentum: f64,
    /// L2 penalty on all parameters, or all that `training.decay_norms` leaves.
    pub weight_decay: f64,
    /// Whether weight decay acts on the scales and shifts of norms, layer scales and biases as well, as in
    /// the paper.
    pub decay_norms: bool,
    /// What all gradients together are at most as long as: longer ones are shortened alike; 0: any.
    pub clip_norm: f64,
    /// A registered schedule of the step size while growing: `constant`, or another, restarted every
    /// interval.
    pub schedule: String,
    /// Epochs at the beginning of a run over which the step size rises evenly, step by step; 0: none.
    pub warmup_epochs: usize,
    /// Decay of an exponential moving average of the parameters that is evaluated in their
    /// place; 0: none.
    pub average: f64,
    /// Whether a growth drops the momentum of all parameters.
    pub reset_states: bool,
    /// What to do when the loss is no longer a number.
    pub on_divergence: OnDivergence,
    /// Whether batch norms see the images of all ranks, not of each by itself; of no matter where
    /// there is one.
    pub sync_batch_norm: bool,
    /// How the CPU computes 3x3 convolutions.
    pub convolution: ConvolutionName,
    /// What the products of convolutions are made of on the CPU. All else is f32.
    pub precision: PrecisionName,
    /// Weights to start from: a `.safetensors` file with PyTorch names, or a `.pt` of PyTorch;
    /// empty: random.
    pub init_from: PathBuf,
}

/// What to do when a loss or a gradient is no longer a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDivergence {
    /// End the run.
    #[default]
    Stop,
    /// Go on from the checkpoint before with step sizes halved; three times at most.
    Rollback,
}

/// How the CPU computes 3x3 convolutions. All are right; they round differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConvolutionName {
    /// By shape, whichever is faster.
    #[default]
    Auto,
    /// By multiplying and adding, closest to the exact result.
    Direct,
    /// By Winograd's F(4x4, 3x3): a quarter of the multiplications, a little less exact.
    Winograd,
}

/// What products are made of: numbers of 32 bits, or rounded to 16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrecisionName {
    /// Of 32 bits.
    #[default]
    F32,
    /// Rounded to bf16, a part in 512 at most, and summed in 32 bits: faster. For processors with AMX or
    /// AVX-512 BF16, which add in different orders, so that the last bits of a sum differ between the two.
    /// What Winograd's algorithm computes stays in 32 bits.
    Bf16,
    /// Where the processor has it bf16, else f32 with a warning.
    Auto,
}

/// Section `[fine_tune]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FineTuneConfig {
    /// N: epochs of training the found network, or the seed where nothing grows.
    pub epochs: usize,
    /// A registered schedule of the step size, from `training.learning_rate` on.
    pub schedule: String,
    /// Of `staircase`: parts of N at which the step size is divided by ten, in whole epochs.
    pub milestones: Vec<f64>,
}

/// Section `[data]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// A registered data set.
    pub name: String,
    /// Folder of its files, or the file of a `csv`; empty: the platform's data folder, or
    /// `AUTOGROW_DATA`.
    pub dir: PathBuf,
    /// Of `csv`: the column of classes; empty: one of a usual name such as `label`, or else the last.
    pub label: String,
    /// Of `csv`: columns of values, or of labels (0 or 1), separated by commas; empty: one of a usual
    /// name such as `target`, or else the last.
    pub target: String,
    /// Of `csv`: how columns of numbers are seen: `standard`, less their mean, divided by their deviation;
    /// `pieces`, beside that as how far they have come through each of up to eight pieces that hold as many
    /// training rows.
    pub numbers: Numbers,
    /// Height and width that pictures of any size are made to; 0: as the network is made for, 224 where its
    /// name ends in `-imagenet`, else 32. Of a `folder` and of `imagenet`; other sets have a size of their own.
    pub size: usize,
    /// Part of the training images to use, above 0, up to 1.
    pub fraction: f64,
    /// What guides growth: held-out images, or the test images as in the paper.
    pub select_on: SelectOn,
    /// How training images are augmented; `true` means `standard`, `false` means `none`.
    #[serde(deserialize_with = "crate::or_switch::augment")]
    pub augment: Augment,
    /// Whether augmented images are mirrored left to right half of the time, `true` or `false`; `auto`:
    /// as is usual for the set. Letters and signs should not be.
    #[serde(with = "crate::or_auto")]
    pub flip: Option<bool>,
    /// Pixels by which augmented images are shifted at most, in each direction; `auto`: as is usual for
    /// the set. Of no matter for images that are random parts of their pictures.
    #[serde(with = "crate::or_auto")]
    pub shift: Option<usize>,
    /// Part of the augmented images in which a random box is blanked (random erasing).
    pub erasing: f64,
    /// Whether every epoch has an order of its own.
    pub shuffle: bool,
    /// What to do about pictures that cannot be read: `error` names them all and ends the command,
    /// `skip` leaves them out.
    pub on_bad_image: OnBadImage,
    /// Of `synthetic`: 0 (trivial) to 1 (noise).
    pub difficulty: f64,
}

/// Section `[run]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunConfig {
    /// Fixes everything random.
    pub seed: u64,
    /// `auto`, `flex`, `ndarray`, `cuda:0`, `wgpu`, ...; several, such as `cuda:0,cuda:1`, train
    /// together.
    pub device: String,
    /// CPU threads, of each rank; 0: all. Results do not depend on it.
    pub threads: usize,
    /// Seconds after which a rank that others wait for counts as lost.
    pub patience: f64,
    /// Whether to write `steps.csv`, a loss a step.
    pub log_steps: bool,
    /// Keep the weights of every so many epochs, the first and the last, in `snapshots`; 0: none.
    pub snapshots: usize,
    /// Checkpoints to keep.
    pub keep: usize,
    /// Minutes that growing and fine-tuning may take together; 0: as many as it takes. Half of them at
    /// most go into growing.
    pub max_minutes: f64,
    /// Minutes between checkpoints within an epoch; there is one at the end of each epoch anyway.
    pub checkpoint_minutes: f64,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            name: "basic3resnet".into(),
            depth: Depth::uniform(3, 1),
            width: 0,
            shortcut: Shortcut::default(),
        }
    }
}

impl TrainingConfig {
    /// Parts of the network that are frozen, from the image on.
    pub fn frozen_parts(&self) -> usize {
        self.stage_rates.iter().take_while(|&&factor| factor == 0.0).count()
    }

    /// Sub-networks among them: the first part is the stem.
    pub fn frozen_sub_networks(&self) -> usize {
        self.frozen_parts().saturating_sub(1)
    }
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            batch_size: 128,
            micro_batch: 0,
            objective: "classes".into(),
            label_smoothing: 0.0,
            mixup: 0.0,
            cutmix: 0.0,
            drop_path: 0.0,
            huber: 0.0,
            optimizer: "sgd".into(),
            learning_rate: 0.0,
            stage_rates: Vec::new(),
            momentum: 0.9,
            weight_decay: 5e-4,
            decay_norms: true,
            clip_norm: 0.0,
            schedule: "constant".into(),
            warmup_epochs: 0,
            average: 0.0,
            reset_states: false,
            on_divergence: OnDivergence::default(),
            sync_batch_norm: false,
            convolution: ConvolutionName::default(),
            precision: PrecisionName::default(),
            init_from: PathBuf::new(),
        }
    }
}

impl Default for FineTuneConfig {
    fn default() -> Self {
        Self { epochs: 200, schedule: "staircase".into(), milestones: vec![0.5, 0.75] }
    }
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            name: "digits".into(),
            dir: PathBuf::new(),
            label: String::new(),
            target: String::new(),
            numbers: Numbers::default(),
            size: 0,
            fraction: 1.0,
            select_on: SelectOn::Val,
            augment: Augment::default(),
            flip: None,
            shift: None,
            erasing: 0.0,
            shuffle: true,
            on_bad_image: OnBadImage::default(),
            difficulty: 0.5,
        }
    }
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            device: "auto".into(),
            threads: 0,
            patience: 45.0,
            log_steps: false,
            snapshots: 0,
            keep: 2,
            max_minutes: 0.0,
            checkpoint_minutes: 10.0,
        }
    }
}

impl Config {
    /// What growth depends on.
    pub fn rules(&self) -> Rules<'_> {
        Rules {
            growth: &self.growth,
            plugins: &self.plugin,
            depth: &self.network.depth,
            seed: self.run.seed,
            compat: self.compat,
        }
    }
}
