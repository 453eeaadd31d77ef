//! What the algorithm needs to know of data: splits that yield batches. Formats, files and
//! augmentation live in the crates that register [`DataSetKind`]s.

pub use crate::baselines::{Baselines, Linear};
use crate::raw::check_images;
pub use crate::raw::{RawBatch, RawImages};
pub use crate::share::Share;
pub use crate::table::{Cells, Column, Feature, LeftOut, TableInput};
pub use crate::targets::{Outputs, Targets, Task, ValueOutput};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Images of one step with what is right for them.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Normalised pixels `[batch, channels, height, width]`, row-major.
    pub images: Vec<f32>,
    /// What is right for each image.
    pub targets: Targets,
}

impl Batch {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Checks that there are no more images than asked for, all of this size.
    ///
    /// # Errors
    /// [`Error::Data`] about the data set.
    pub fn check_images(&self, image: [usize; 3], asked_for: usize) -> Result<()> {
        check_images(self.len(), self.images.len(), image, asked_for)
    }
}

impl From<Batch> for RawBatch {
    fn from(Batch { images, targets }: Batch) -> Self {
        Self { images: RawImages::Normalised(images), targets }
    }
}

/// How to walk a split once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pass {
    /// Images a batch; the last batch may be smaller.
    pub batch_size: usize,
    /// `Some` while training: the order and the augmentation are a function of this seed and the
    /// image's index alone. `None`: stored order, no augmentation.
    pub seed: Option<u64>,
    /// Batches at the beginning to leave out: they were seen before.
    pub skip: usize,
    /// The part of each batch to yield, which may be nothing. `batch_size` is that of the whole, and
    /// which images a batch holds does not depend on how it is shared.
    pub share: Share,
}

/// Mean and standard deviation of a channel, of pixels scaled to the range 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Subtracted from a pixel.
    pub mean: f32,
    /// Divides a pixel afterwards.
    pub std: f32,
}

impl Statistics {
    /// The statistics of each channel, from a list of means and one of standard deviations.
    pub fn channels<const C: usize>(mean: [f32; C], std: [f32; C]) -> [Self; C] {
        std::array::from_fn(|channel| Self { mean: mean[channel], std: std[channel] })
    }
}

/// What the network sees of a byte: `(byte / white - mean) / std`, by the statistics of its channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalisation {
    /// The brightest byte.
    pub white: u8,
    /// Of each channel.
    pub statistics: Vec<Statistics>,
}

/// Batches of one pass.
pub type RawBatches<'a> = Box<dyn Iterator<Item = Result<RawBatch>> + 'a>;

/// A part of a data set that can be walked any number of times.
pub trait Split: Send + Sync {
    /// Number of images.
    fn len(&self) -> usize;

    /// Whether there is no image at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The batches of one pass: at most `batch_size` images each, all of the data set's size, with
    /// targets for its outputs. The same pass yields the same batches, on any number of threads.
    /// Where `data.on_bad_image` allows it, images that cannot be read are missing in theirs.
    /// As many batches for each share, empty ones included.
    fn batches(&self, pass: Pass) -> Box<dyn Iterator<Item = Result<Batch>> + '_>;

    /// The same batches for a device that normalises images itself, and how that is done: a quarter of
    /// the bytes go there. None where images are not made of bytes; a batch of which that is true comes
    /// normalised.
    fn raw_batches(&self, pass: Pass) -> Option<(Normalisation, RawBatches<'_>)> {
        let _ = pass;
        None
    }

    /// What is right for each image, in stored order.
    ///
    /// # Errors
    /// Data errors.
    fn targets(&self) -> Result<Targets> {
        let batches = self.batches(Pass { batch_size: 500, ..Pass::default() });
        let mut targets = Targets::Classes(Vec::new());
        for batch in batches {
            targets.append(batch?.targets)?;
        }
        Ok(targets)
    }

    /// What the image at `position`, in stored order, is called: its file, or its place in one; none
    /// where it has no name.
    fn name(&self, position: usize) -> Option<String> {
        let _ = position;
        None
    }

    /// Height and width of the image at `position`, in stored order, before it was made to what
    /// the network takes; none where that is not known.
    ///
    /// # Errors
    /// Data errors.
    fn stored_size(&self, position: usize) -> Result<Option<[usize; 2]>> {
        let _ = position;
        Ok(None)
    }
}

/// How a picture becomes an image as the network sees it. Scaled so that its shorter side fits, cut
/// to its middle, and normalised: a pixel of a channel is `(value - mean) / std` of it, where
/// values go from 0 (black) to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Height and width after scaling and cutting. Where the network's images are larger, the
    /// picture lies in the middle of a black one.
    pub size: [usize; 2],
    /// What the shorter side is scaled to before the middle is cut out; where it is not said, to
    /// as little as covers `size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shorter_side: Option<usize>,
    /// Of each channel: one for grey, three for red, green and blue.
    pub mean: Vec<f32>,
    /// Of each channel.
    pub std: Vec<f32>,
}

impl Preprocessing {
    /// With the statistics of each channel, to `[height, width]`.
    pub fn of(statistics: &[Statistics], size: [usize; 2]) -> Self {
        let of = |number: fn(&Statistics) -> f32| statistics.iter().map(number).collect();
        Self { size, shorter_side: None, mean: of(|of| of.mean), std: of(|of| of.std) }
    }
}

/// A data set, opened.
pub struct DataSet {
    /// `[channels, height, width]` of an image as the network sees it.
    pub image: [usize; 3],
    /// What the network is asked for.
    pub outputs: Outputs,
    /// How pictures from elsewhere are made alike; none where that cannot be told.
    pub preprocessing: Option<Preprocessing>,
    /// How rows of tables become images, where the set is a table.
    pub table: Option<TableInput>,
    /// What the network trains on.
    pub train: Box<dyn Split>,
    /// What guides growth and selects the best model.
    pub validation: Box<dyn Split>,
    /// What is looked at once, at the end.
    pub test: Box<dyn Split>,
}

impl std::fmt::Debug for DataSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataSet")
            .field("image", &self.image)
            .field("outputs", &self.outputs)
            .field("train", &self.train.len())
            .field("validation", &self.validation.len())
            .field("test", &self.test.len())
            .finish()
    }
}

/// How many of `images` training images are held out for validation when a fraction of the set
/// is used, and how many of the rest are trained on: `(validation, training)`.
///
/// A tenth of the set, for small sets up to 500 images but never more than a quarter, is held out;
/// never more than a third of the images asked for. So a tenth of 60,000 images is 6,000 to train
/// on and 2,000 others to validate on.
pub fn holdout(images: usize, fraction: f64) -> (usize, usize) {
    let asked = ((images as f64 * fraction).round() as usize).clamp(1, images.max(1));
    let validation = (images / 10).max((images / 4).min(500)).min(asked / 3);
    (validation, asked.min(images - validation))
}

/// A kind of data set, registered with `inventory`.
pub struct DataSetKind {
    /// Name in `data.name`.
    pub name: &'static str,
    /// Crate that registers it: `env!("CARGO_PKG_NAME")`.
    pub origin: &'static str,
    /// One line for `autogrow list`.
    pub summary: &'static str,
    /// Opens the set as the configuration asks.
    ///
    /// # Errors
    /// [`Error::Data`] where files are missing or damaged.
    pub open: fn(&DataRequest<'_>) -> Result<DataSet>,
}

/// What a data set is asked for.
#[derive(Clone, Copy, Debug)]
pub struct DataRequest<'a> {
    /// The `[data]` section.
    pub config: &'a crate::config::DataConfig,
    /// Whether statistics follow the authors' released code.
    pub compat: crate::config::Compat,
    /// Settings of plugins.
    pub plugins: &'a crate::settings::PluginSettings,
    /// What the objective asks for. Sets that have nothing but classes need not look.
    pub task: Task,
    /// Fixes the held-out split and the fraction.
    pub seed: u64,
    /// Height and width that the network takes: what pictures of any size are made to. Sets whose
    /// images have a size of their own have that.
    pub size: usize,
}

crate::kind!(DataSetKind, "data set", "data.name");

impl DataSet {
    /// Opens the data set that the configuration names.
    ///
    /// # Errors
    /// [`Error::Unknown`] where no such set is registered, [`Error::Data`] where its files are
    /// missing, damaged or empty, [`Error::Config`] where it does not have what the objective asks
    /// for.
    pub fn open(request: &DataRequest<'_>) -> Result<Self> {
        let kind = crate::registry::find::<DataSetKind>(&request.config.name)?;
        let set = (kind.open)(request)?;
        set.outputs.suit(request.task, &request.config.name)?;
        set.refuse_empty(request)?;
        Ok(set)
    }

    /// Checks that each split has an image.
    ///
    /// # Errors
    /// [`Error::Data`] that names the split which has none.
    pub fn refuse_empty(&self, request: &DataRequest<'_>) -> Result<()> {
        let splits =
            [("training", &self.train), ("validation", &self.validation), ("test", &self.test)];
        let Some((name, _)) = splits.into_iter().find(|(_, split)| split.is_empty()) else {
            return Ok(());
        };
        let (data, fraction) = (&request.config.name, request.config.fraction);
        let problem = format!("no {name} images are left with data.fraction = {fraction}");
        let hint = match fraction < 1.0 {
            true => "a larger `data.fraction` leaves some".into(),
            false => {
                format!("there are {} training images, too few to hold some out", self.train.len())
            }
        };
        Err(Error::data(data, problem).with_hint(hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holdout_keeps_validation_useful_and_disjoint() {
        assert_eq!(holdout(60_000, 0.1), (2_000, 6_000));
        assert_eq!(holdout(60_000, 1.0), (6_000, 54_000));
        assert_eq!(holdout(1_437, 1.0), (359, 1_078));
        for images in 3..200 {
            let (validation, training) = holdout(images, 1.0);
            assert!(validation + training <= images && training > 0, "{images}");
        }
    }
}
