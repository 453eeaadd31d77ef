//! [`Dataset`]: images or rows in memory, without a registered name.

use autogrow_core::config::DataConfig;
use autogrow_core::data::{DataRequest, DataSet, Outputs, Preprocessing, Statistics, Task};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::settings::PluginSettings;
use autogrow_core::{Error, Result};
use autogrow_data::{Draws, Images, Parts, Source, SourceTargets, Transform};
use rand::seq::SliceRandom;
use std::path::Path;
use std::sync::Arc;

/// What errors about data in memory name in place of a file.
const PLACE: &str = "data in memory";

/// Pixels of images, or the numbers of rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// From 0 to 255. They are scaled to 0 to 1, and normalised by the mean and the deviation of
    /// each channel over the training images.
    Bytes(Vec<u8>),
    /// Taken as they are: normalise them to about mean 0 and deviation 1.
    Floats(Vec<f32>),
}

impl From<Vec<u8>> for Pixels {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<f32>> for Pixels {
    fn from(floats: Vec<f32>) -> Self {
        Self::Floats(floats)
    }
}

impl Pixels {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(floats) => floats.len(),
        }
    }

    /// Those of some images of `size` values each.
    fn take(&self, images: &[usize], size: usize) -> Self {
        fn taken<T: Copy>(values: &[T], images: &[usize], size: usize) -> Vec<T> {
            images.iter().flat_map(|&image| &values[image * size..][..size]).copied().collect()
        }
        match self {
            Self::Bytes(bytes) => Self::Bytes(taken(bytes, images, size)),
            Self::Floats(floats) => Self::Floats(taken(floats, images, size)),
        }
    }
}

/// Labelled images in memory, to be split into what a run trains, selects and tests on. A row of a
/// table is an image of the shape `[columns, 1, 1]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    image: [usize; 3],
    pixels: Pixels,
    labels: Vec<u16>,
    classes: Vec<String>,
}

impl Dataset {
    /// Of whole arrays: `pixels` are `[images, channels, height, width]`, row-major, `image` is
    /// `[channels, height, width]`; `labels` are classes from 0.
    ///
    /// # Errors
    /// [`Error::Data`] where the sizes do not suit each other, or a label is 65,536 or more.
    pub fn from_arrays(
        pixels: impl Into<Pixels>,
        image: [usize; 3],
        labels: impl IntoIterator<Item = usize>,
    ) -> Result<Self> {
        let pixels = pixels.into();
        let labels = labels.into_iter().map(class).collect::<Result<Vec<_>>>()?;
        let [channels, height, width] = image;
        let size = channels * height * width;
        if size == 0 || pixels.len() != labels.len() * size {
            let problem = format!(
                "{} pixels are not {} images of {channels} channels, {width}x{height}",
                pixels.len(),
                labels.len()
            );
            return Err(Error::data(PLACE, problem)
                .with_hint("give [channels, height, width] of an image, and a label an image"));
        }
        let classes = labels.iter().max().map_or(0, |&last| usize::from(last) + 1);
        let classes = (0..classes).map(|class| class.to_string()).collect();
        Ok(Self { image, pixels, labels, classes })
    }

    /// Of samples one by one, each the pixels `[channels, height, width]` of an image and its class:
    /// of any iterator, such as `burn_dataset.iter().map(..)`.
    ///
    /// # Errors
    /// As [`Dataset::from_arrays`].
    pub fn from_samples<P: AsRef<[f32]>>(
        image: [usize; 3],
        samples: impl IntoIterator<Item = (P, usize)>,
    ) -> Result<Self> {
        let size: usize = image.iter().product();
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for (number, (own, label)) in samples.into_iter().enumerate() {
            let own = own.as_ref();
            if own.len() != size {
                let problem = format!("sample {number} has {} numbers, not {size}", own.len());
                return Err(Error::data(PLACE, problem).with_hint("all images have one size"));
            }
            pixels.extend_from_slice(own);
            labels.push(label);
        }
        Self::from_arrays(pixels, image, labels)
    }

    /// Names the classes, in order.
    ///
    /// # Errors
    /// [`Error::Data`] where a label has no name.
    pub fn with_classes<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() < self.classes.len() {
            let problem = format!("{} names for {} classes", names.len(), self.classes.len());
            return Err(Error::data(PLACE, problem).with_hint("give every class a name"));
        }
        self.classes = names;
        Ok(self)
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Holds out a part of the images at random for validation and as much again for the test; the
    /// rest is trained on. `seed` fixes which.
    ///
    /// # Errors
    /// [`Error::Data`] where one of the three would be empty.
    pub fn split(self, part: f64, seed: u64) -> Result<DataSet> {
        let held_out = (part * self.len() as f64).round() as usize;
        let order = self.order(seed);
        let (test, rest) = order.split_at(held_out.min(order.len()));
        let test = self.part(test);
        self.part(rest).divide(held_out, &test, seed)
    }

    /// Holds out a part of the images at random for validation; `test` is what the network is tested
    /// on at the end.
    ///
    /// # Errors
    /// [`Error::Data`] where one of the three would be empty, or `test` has other images.
    pub fn split_with_test(self, test: &Self, part: f64, seed: u64) -> Result<DataSet> {
        if test.image != self.image || test.classes.len() > self.classes.len() {
            return Err(Error::data(PLACE, "the test images have another size, or more classes")
                .with_hint("prepare them as the training images"));
        }
        let held_out = (part * self.len() as f64).round() as usize;
        self.divide(held_out, test, seed)
    }

    fn divide(self, held_out: usize, test: &Self, seed: u64) -> Result<DataSet> {
        let order = self.order(seed.wrapping_add(1));
        let (validation, train) = order.split_at(held_out.min(order.len()));
        let [validation, train] = [validation, train].map(|images| self.part(images));
        if [&train, &validation, test].iter().any(|part| part.is_empty()) {
            let problem = format!(
                "{} training, {} validation and {} test images are too few",
                train.len(),
                validation.len(),
                test.len()
            );
            return Err(Error::data(PLACE, problem)
                .with_hint("give more images, or hold out another part of them"));
        }
        let preprocessing = train.preprocessing();
        let source = |part: &Self| part.source(preprocessing.as_ref());
        let parts = Parts {
            outputs: Outputs::Classes(self.classes.clone()),
            train: source(&train)?,
            validation: Some(source(&validation)?),
            test: source(test)?,
        };
        let (config, plugins) = (&DataConfig::default(), &PluginSettings::default());
        let (compat, task) = (Default::default(), Task::Classes);
        let size = self.image[1];
        Ok(parts.open(&DataRequest { config, compat, plugins, task, seed, size }))
    }

    /// A random order of the images.
    fn order(&self, seed: u64) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.len()).collect();
        order.shuffle(&mut generator(seed, Purpose::Partition, 0));
        order
    }

    /// The images at these places.
    fn part(&self, images: &[usize]) -> Self {
        Self {
            image: self.image,
            pixels: self.pixels.take(images, self.image.iter().product()),
            labels: images.iter().map(|&image| self.labels[image]).collect(),
            classes: self.classes.clone(),
        }
    }

    /// How bytes become numbers: by the statistics of these images. None for floats.
    fn preprocessing(&self) -> Option<Preprocessing> {
        let Pixels::Bytes(bytes) = &self.pixels else { return None };
        let [channels, height, width] = self.image;
        let area = height * width;
        let statistics: Vec<_> = (0..channels)
            .map(|channel| {
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
            })
            .collect();
        Some(Preprocessing::of(&statistics, [height, width]))
    }

    fn source(&self, preprocessing: Option<&Preprocessing>) -> Result<Arc<dyn Source>> {
        let [_, height, width] = self.image;
        Ok(match (&self.pixels, preprocessing) {
            (Pixels::Bytes(bytes), Some(preprocessing)) => {
                let transform = Transform::prepare(preprocessing, [height, width]);
                let (bytes, labels) = (bytes.clone(), self.labels.clone());
                Arc::new(Images::new(Path::new(PLACE), bytes, labels, transform)?)
            }
            (Pixels::Floats(floats), None) => Arc::new(Floats {
                image: self.image,
                values: floats.clone(),
                labels: self.labels.clone(),
            }),
            _ => {
                return Err(Error::data(PLACE, "is of bytes and of floats")
                    .with_hint("give training and test images in one form"));
            }
        })
    }
}

fn class(label: usize) -> Result<u16> {
    u16::try_from(label).map_err(|_| {
        Error::data(PLACE, format!("a label is {label}"))
            .with_hint("labels are classes: whole numbers from 0 to 65535")
    })
}

/// Numbers in memory that are taken as they are.
struct Floats {
    image: [usize; 3],
    values: Vec<f32>,
    labels: Vec<u16>,
}

impl Source for Floats {
    fn image(&self) -> [usize; 3] {
        self.image
    }

    fn targets(&self) -> SourceTargets<'_> {
        SourceTargets::Classes(&self.labels)
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

#[cfg(test)]
mod tests {
    use super::*;
    use autogrow_core::data::{Pass, Split};

    fn images(split: &dyn Split) -> Vec<(Vec<f32>, usize)> {
        let batch = split.batches(Pass { batch_size: 1000, ..Pass::default() }).next();
        let batch = batch.unwrap().unwrap();
        let size = batch.images.len() / batch.len();
        let labels = batch.targets.classes().unwrap().iter().copied();
        batch.images.chunks(size).map(<[f32]>::to_vec).zip(labels).collect()
    }

    #[test]
    fn the_parts_are_all_images_once() {
        let samples = (0..20).map(|i| ([i as f32, -1.0], i % 3));
        let data = Dataset::from_samples([2, 1, 1], samples).unwrap().split(0.2, 7).unwrap();
        let parts = [&data.train, &data.validation, &data.test].map(|split| images(&**split));
        assert_eq!([12, 4, 4], [0, 1, 2].map(|part| parts[part].len()));
        let mut all = parts.concat();
        all.sort_by(|a, b| a.0[0].total_cmp(&b.0[0]));
        for (number, (pixels, label)) in all.iter().enumerate() {
            assert_eq!((pixels[0], *label), (number as f32, number % 3));
        }
        assert_eq!(data.outputs.names(), ["0", "1", "2"]);
    }

    #[test]
    fn bytes_are_normalised_by_the_training_images() {
        let bytes: Vec<u8> = (0..40_u8).flat_map(|i| [i, 255 - i]).collect();
        let data = Dataset::from_arrays(bytes, [2, 1, 1], (0..40).map(|i| i % 2)).unwrap();
        let data = data.split(0.25, 0).unwrap();
        let train = images(&*data.train);
        for channel in 0..2 {
            let values: Vec<_> =
                train.iter().map(|(pixels, _)| f64::from(pixels[channel])).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let square = values.iter().map(|value| value * value).sum::<f64>();
            assert!(mean.abs() < 1e-5, "{mean}");
            assert!((square / values.len() as f64 - 1.0).abs() < 1e-4);
        }
        assert!(data.preprocessing.is_some());
    }

    #[test]
    fn what_does_not_fit_is_refused_with_a_hint() {
        let refused = [
            Dataset::from_arrays(vec![0_u8; 5], [1, 2, 2], [0]).err(),
            Dataset::from_arrays(vec![0.0_f32; 4], [1, 2, 2], [70_000]).err(),
            Dataset::from_samples([1, 2, 2], [([0.0; 3], 0)]).err(),
            Dataset::from_arrays(vec![0_u8; 8], [1, 2, 2], [0, 1]).unwrap().split(0.1, 0).err(),
        ];
        for error in refused {
            let error = error.unwrap();
            assert_eq!(error.exit_code(), 3);
            assert!(error.hint().is_some(), "{error}");
        }
    }
}
