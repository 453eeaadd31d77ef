//! Images in memory as what a data set is made of.

use super::pixels::{Scale, preprocessing, table};
use super::{Dataset, PLACE, Pixels};
use autogrow_core::config::DataConfig;
use autogrow_core::data::{
    DataRequest, Normalisation, Outputs, Preprocessing, Split, Statistics, TableInput, Targets,
    Task,
};
use autogrow_core::settings::PluginSettings;
use autogrow_core::{Error, Result};
use autogrow_data::{Draws, Images, Parts, Source, SourceTargets, Transform};
use std::path::Path;
use std::sync::Arc;

/// How numbers become what a network sees, as a model file keeps it.
#[derive(Default)]
pub(crate) struct Prepared {
    pub(crate) preprocessing: Option<Preprocessing>,
    pub(crate) table: Option<TableInput>,
}

impl Prepared {
    /// By the statistics of these images: of bytes always, of floats where that is asked for.
    pub(super) fn of(train: &Dataset) -> Self {
        let [channels, height, width] = train.image;
        match &train.pixels {
            _ if train.is_standardised && [height, width] == [1, 1] => {
                let statistics = train.pixels.statistics(train.image);
                let table = table(&statistics, &train.columns, train.answers.columns());
                Self { table: Some(table), ..Self::default() }
            }
            Pixels::Bytes(bytes) => {
                let statistics = of_bytes(bytes, channels, height * width);
                let preprocessing = Preprocessing::of(&statistics, [height, width]);
                Self { preprocessing: Some(preprocessing), ..Self::default() }
            }
            pixels if train.is_standardised => {
                let of = preprocessing(&pixels.statistics(train.image), [height, width]);
                Self { preprocessing: Some(of), ..Self::default() }
            }
            _ => Self::default(),
        }
    }
}

/// Statistics of each channel of bytes.
fn of_bytes(bytes: &[u8], channels: usize, area: usize) -> Vec<Statistics> {
    let of_channel = |channel: usize| {
        let values = bytes.chunks_exact(area).skip(channel).step_by(channels).flatten();
        let (mut sum, mut squares, mut count) = (0_u64, 0_u64, 0_u64);
        for &value in values {
            let value = u64::from(value);
            (sum, squares, count) = (sum + value, squares + value * value, count + 1);
        }
        let mean = sum as f64 / count as f64;
        let std = (squares as f64 / count as f64 - mean * mean).max(0.0).sqrt();
        // A channel of one value has nothing to be scaled by.
        let std = if std > 0.0 { std / 255.0 } else { 1.0 };
        Statistics { mean: (mean / 255.0) as f32, std: std as f32 }
    };
    (0..channels).map(of_channel).collect()
}

/// Images `[channels, height, width]`, prepared as the training images are.
pub(super) fn source(
    image: [usize; 3],
    pixels: &Pixels,
    prepared: &Prepared,
    targets: Targets,
) -> Result<Arc<dyn Source>> {
    let Prepared { preprocessing, table } = prepared;
    let images: Arc<dyn Source> = match (pixels, preprocessing) {
        (Pixels::Bytes(bytes), Some(preprocessing)) => {
            let [_, height, width] = image;
            let transform = Transform::prepare(preprocessing, [height, width]);
            let labels = match &targets {
                Targets::Classes(classes) => classes.iter().map(|&class| class as u16).collect(),
                Targets::Numbers { .. } => vec![0; targets.len()],
            };
            Arc::new(Images::new(Path::new(PLACE), bytes.clone(), labels, transform)?)
        }
        (Pixels::Bytes(_), None) if table.is_none() => {
            return Err(Error::data(PLACE, "is of bytes and of floats")
                .with_hint("give training and test images in one form"));
        }
        _ => {
            let scale = Scale::of(preprocessing.as_ref(), table.as_ref());
            let values = pixels.clone().standardised(image, &scale);
            let image = table.as_ref().map_or(image, |table| [table.width(), 1, 1]);
            Arc::new(Floats { image, values })
        }
    };
    Ok(Arc::new(Answered { images, targets: Kept::of(targets) }))
}

/// Images of which nothing is known, prepared as a model file tells, to be looked at in order.
pub(crate) fn split_of(
    image: [usize; 3],
    pixels: &Pixels,
    prepared: &Prepared,
) -> Result<Box<dyn Split>> {
    let size: usize = match (pixels, &prepared.preprocessing) {
        // Smaller pictures lie in a black image.
        (Pixels::Bytes(_), Some(of)) => image[0] * of.size[0] * of.size[1],
        _ => image.iter().product(),
    };
    let targets = Targets::Classes(vec![0; pixels.len() / size.max(1)]);
    let all = source(image, pixels, prepared, targets)?;
    let outputs = Outputs::Classes(Vec::new());
    let parts = Parts { outputs, train: all.clone(), validation: None, test: all };
    let (config, plugins) = (&DataConfig::default(), &PluginSettings::default());
    let (compat, task, seed, size) = (Default::default(), Task::Classes, 0, image[1]);
    Ok(parts.open(&DataRequest { config, compat, plugins, task, seed, size }).test)
}

/// Numbers in memory that are taken as they are.
struct Floats {
    image: [usize; 3],
    values: Vec<f32>,
}

impl Source for Floats {
    fn image(&self) -> [usize; 3] {
        self.image
    }

    fn targets(&self) -> SourceTargets<'_> {
        SourceTargets::Classes(&[])
    }

    fn stored_size(&self, _: usize) -> Result<[usize; 2]> {
        let [_, height, width] = self.image;
        Ok([height, width])
    }

    fn fill(&self, index: usize, _: Option<&mut Draws>, out: &mut [f32]) -> Result<()> {
        out.copy_from_slice(&self.values[index * out.len()..][..out.len()]);
        Ok(())
    }
}

/// Images with answers from elsewhere.
struct Answered {
    images: Arc<dyn Source>,
    targets: Kept,
}

/// Targets in the form that sources keep.
enum Kept {
    Classes(Vec<u16>),
    Numbers { width: usize, values: Vec<f32> },
}

impl Kept {
    fn of(targets: Targets) -> Self {
        match targets {
            Targets::Classes(classes) => {
                Self::Classes(classes.into_iter().map(|class| class as u16).collect())
            }
            Targets::Numbers { width, values } => Self::Numbers { width, values },
        }
    }
}

impl Source for Answered {
    fn image(&self) -> [usize; 3] {
        self.images.image()
    }

    fn targets(&self) -> SourceTargets<'_> {
        match &self.targets {
            Kept::Classes(classes) => SourceTargets::Classes(classes),
            Kept::Numbers { width, values } => SourceTargets::Numbers { width: *width, values },
        }
    }

    fn preprocessing(&self) -> Option<Preprocessing> {
        self.images.preprocessing()
    }

    fn stored_size(&self, index: usize) -> Result<[usize; 2]> {
        self.images.stored_size(index)
    }

    fn fill(&self, index: usize, draws: Option<&mut Draws>, out: &mut [f32]) -> Result<()> {
        self.images.fill(index, draws, out)
    }

    fn normalisation(&self, is_augmented: bool) -> Option<Normalisation> {
        self.images.normalisation(is_augmented)
    }

    fn fill_bytes(&self, index: usize, draws: Option<&mut Draws>, out: &mut [u8]) -> Result<bool> {
        self.images.fill_bytes(index, draws, out)
    }
}
