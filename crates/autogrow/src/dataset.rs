//! [`Dataset`]: images or rows in memory, without a registered name.

mod answers;
mod pixels;
mod source;

use answers::Answers;
use autogrow_core::config::DataConfig;
use autogrow_core::data::{DataRequest, DataSet, Task};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::settings::PluginSettings;
use autogrow_core::{Error, Result};
use autogrow_data::{Parts, Source};
pub use pixels::Pixels;
use rand::seq::SliceRandom;
use source::source;
pub(crate) use source::{Prepared, split_of};
use std::sync::Arc;

/// What errors about data in memory name in place of a file.
const PLACE: &str = "data in memory";

/// Images in memory and what is right for each, to be split into what a run trains, selects and tests
/// on. A row of a table is an image of the shape `[columns, 1, 1]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    image: [usize; 3],
    pixels: Pixels,
    answers: Answers,
    /// Names of the channels, where they are columns of a table that is to be standardised.
    columns: Vec<String>,
    is_standardised: bool,
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
        Self::new(pixels.into(), image, Answers::classes(labels)?)
    }

    /// Of whole arrays, for regression: `values` are `[images, width]`, row-major, in any unit. They
    /// are standardised over the training images.
    ///
    /// # Errors
    /// [`Error::Data`] where the sizes do not suit each other, or a value is not finite.
    pub fn from_values(
        pixels: impl Into<Pixels>,
        image: [usize; 3],
        width: usize,
        values: Vec<f64>,
    ) -> Result<Self> {
        Self::new(pixels.into(), image, Answers::values(width, values)?)
    }

    fn new(pixels: Pixels, image: [usize; 3], answers: Answers) -> Result<Self> {
        let [channels, height, width] = image;
        let size = channels * height * width;
        if size == 0 || pixels.len() != answers.len() * size {
            let problem = format!(
                "{} pixels are not {} images of {channels} channels, {width}x{height}",
                pixels.len(),
                answers.len()
            );
            return Err(Error::data(PLACE, problem)
                .with_hint("give [channels, height, width] of an image, and a label an image"));
        }
        let columns = (0..channels).map(|column| format!("x{column}")).collect();
        Ok(Self { image, pixels, answers, columns, is_standardised: false })
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

    /// Names the classes or the values, in order.
    ///
    /// # Errors
    /// [`Error::Data`] where one has no name.
    pub fn with_classes<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        self.answers.name(names.into_iter().map(Into::into).collect())?;
        Ok(self)
    }

    /// Names the columns of a table, in order, for its model file.
    ///
    /// # Errors
    /// [`Error::Data`] where there are more or fewer.
    pub fn with_columns<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() != self.columns.len() {
            let problem = format!("{} names for {} columns", names.len(), self.columns.len());
            return Err(Error::data(PLACE, problem).with_hint("give every column a name"));
        }
        self.columns = names;
        Ok(self)
    }

    /// Standardises floats by the mean and the deviation of each channel, or of each column of a table,
    /// over the training images. The model file keeps the numbers, so that models take what stands in
    /// the data.
    pub fn standardised(self) -> Self {
        Self { is_standardised: true, ..self }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
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

    /// Holds out a part of the images at random for validation, of each class about that part; the rest
    /// is trained on. The test is on the same images as the validation: whoever tests by themselves
    /// keeps test images out of this data set.
    ///
    /// # Errors
    /// [`Error::Data`] where one of the two would be empty.
    pub fn hold_out(self, part: f64, seed: u64) -> Result<DataSet> {
        let held_out = ((part * self.len() as f64).round() as usize).max(1);
        let order = self.order(seed.wrapping_add(1));
        let (validation, train) = self.answers.spread(order, held_out);
        let validation = self.part(&validation);
        self.part(&train).open(&validation, &validation, seed)
    }

    /// Holds out a part of the images at random for validation; `test` is what the network is tested
    /// on at the end.
    ///
    /// # Errors
    /// [`Error::Data`] where one of the three would be empty, or `test` has other images.
    pub fn split_with_test(self, test: &Self, part: f64, seed: u64) -> Result<DataSet> {
        if test.image != self.image || !self.answers.cover(&test.answers) {
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
        train.open(&validation, test, seed)
    }

    /// The data set of which this is what is trained on.
    fn open(self, validation: &Self, test: &Self, seed: u64) -> Result<DataSet> {
        if [&self, validation, test].iter().any(|part| part.is_empty()) {
            let problem = format!(
                "{} training, {} validation and {} test images are too few",
                self.len(),
                validation.len(),
                test.len()
            );
            return Err(Error::data(PLACE, problem)
                .with_hint("give more images, or hold out another part of them"));
        }
        let outputs = self.answers.outputs()?;
        let prepared = Prepared::of(&self);
        let make = |part: &Self| {
            source(part.image, &part.pixels, &prepared, part.answers.targets(&outputs))
        };
        let held_out = make(validation)?;
        let tested: Arc<dyn Source> =
            if std::ptr::eq(validation, test) { held_out.clone() } else { make(test)? };
        let parts =
            Parts { train: make(&self)?, validation: Some(held_out), test: tested, outputs };
        let (config, plugins) = (&DataConfig::default(), &PluginSettings::default());
        let (compat, task) = (Default::default(), Task::Classes);
        let size = self.image[1];
        let set = parts.open(&DataRequest { config, compat, plugins, task, seed, size });
        Ok(DataSet { preprocessing: prepared.preprocessing, table: prepared.table, ..set })
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
            answers: self.answers.take(images),
            columns: self.columns.clone(),
            is_standardised: self.is_standardised,
        }
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
    fn floats_are_standardised_by_the_training_images_where_that_is_asked_for() {
        let floats: Vec<f32> = (0..40).flat_map(|i| [i as f32, 3.0]).collect();
        let data = |image| Dataset::from_arrays(floats.clone(), image, (0..40).map(|i| i % 2));
        let rows = data([2, 1, 1]).unwrap().standardised().hold_out(0.25, 0).unwrap();
        let train = images(&*rows.train);
        assert_eq!((train.len(), rows.validation.len(), rows.test.len()), (30, 10, 10));
        let sum: f32 = train.iter().map(|(row, _)| row[0]).sum();
        assert!(sum.abs() < 1e-4 && train.iter().all(|(row, _)| row[1] == 0.0), "{sum}");
        assert_eq!(rows.table.unwrap().width(), 2);
        assert!(rows.preprocessing.is_none());
        // Pixels of one channel share a mean.
        let images = data([1, 2, 1]).unwrap().standardised().hold_out(0.25, 0).unwrap();
        assert_eq!(images.preprocessing.unwrap().mean.len(), 1);
        let as_they_are = data([1, 2, 1]).unwrap().hold_out(0.25, 0).unwrap();
        assert!(as_they_are.preprocessing.is_none() && as_they_are.table.is_none());
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
