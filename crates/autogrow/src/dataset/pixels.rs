//! [`Pixels`]: the numbers of images or rows, and how they are standardised.

use autogrow_core::data::{Cells, Column, Feature, Preprocessing, Statistics, TableInput};

/// Pixels of images, or the numbers of rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// From 0 to 255. They are scaled to 0 to 1, and normalised by the mean and the deviation of
    /// each channel over the training images.
    Bytes(Vec<u8>),
    /// Taken as they are, unless [`Dataset::standardised`](crate::Dataset::standardised) asks for
    /// more: normalise them to about mean 0 and deviation 1.
    Floats(Vec<f32>),
    /// As [`Pixels::Floats`], but standardised before they are rounded to float32.
    Doubles(Vec<f64>),
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

impl From<Vec<f64>> for Pixels {
    fn from(doubles: Vec<f64>) -> Self {
        Self::Doubles(doubles)
    }
}

impl Pixels {
    /// How many numbers there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(floats) => floats.len(),
            Self::Doubles(doubles) => doubles.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those of some images of `size` values each.
    pub(super) fn take(&self, images: &[usize], size: usize) -> Self {
        fn taken<T: Copy>(values: &[T], images: &[usize], size: usize) -> Vec<T> {
            images.iter().flat_map(|&image| &values[image * size..][..size]).copied().collect()
        }
        match self {
            Self::Bytes(bytes) => Self::Bytes(taken(bytes, images, size)),
            Self::Floats(floats) => Self::Floats(taken(floats, images, size)),
            Self::Doubles(doubles) => Self::Doubles(taken(doubles, images, size)),
        }
    }

    /// The numbers as the network sees them, of images `[channels, height, width]`.
    pub(crate) fn standardised(self, image: [usize; 3], scale: &Scale) -> Vec<f32> {
        let [channels, height, width] = image;
        let channel = |place: usize| place / (height * width) % channels;
        let scaled = |place: usize, value: f64| match scale {
            Scale::Pixels(of) => {
                let channel = channel(place);
                (value as f32 - of.mean[channel]) / of.std[channel]
            }
            Scale::None | Scale::Rows(_) => value as f32,
        };
        match (self, scale) {
            (pixels, Scale::Rows(features)) => {
                let rows = pixels.doubles();
                let row = |row: &[f64]| -> Vec<f32> {
                    features.iter().map(|feature| feature.of(row[feature.input]) as f32).collect()
                };
                rows.chunks_exact(channels).flat_map(row).collect()
            }
            (Self::Floats(floats), Scale::None) => floats,
            (Self::Bytes(bytes), _) => numbered(bytes.into_iter().map(f64::from), scaled),
            (Self::Floats(floats), _) => numbered(floats.into_iter().map(f64::from), scaled),
            (Self::Doubles(doubles), _) => numbered(doubles.into_iter(), scaled),
        }
    }

    fn doubles(self) -> Vec<f64> {
        match self {
            Self::Bytes(bytes) => bytes.into_iter().map(f64::from).collect(),
            Self::Floats(floats) => floats.into_iter().map(f64::from).collect(),
            Self::Doubles(doubles) => doubles,
        }
    }

    /// Mean and deviation of each channel of images `[channels, height, width]`: 1 for the
    /// deviation of what is constant.
    pub(super) fn statistics(&self, image: [usize; 3]) -> Vec<(f64, f64)> {
        fn of<T: Copy + Into<f64>>(values: &[T], channels: usize, area: usize) -> Vec<(f64, f64)> {
            let of_channel = |channel: usize| {
                let planes = move || values.chunks_exact(area).skip(channel).step_by(channels);
                mean_and_deviation(move || planes().flatten().map(|&value| value.into()))
            };
            (0..channels).map(of_channel).collect()
        }
        let [channels, height, width] = image;
        match self {
            Self::Bytes(bytes) => of(bytes, channels, height * width),
            Self::Floats(floats) => of(floats, channels, height * width),
            Self::Doubles(doubles) => of(doubles, channels, height * width),
        }
    }
}

fn numbered(values: impl Iterator<Item = f64>, scaled: impl Fn(usize, f64) -> f32) -> Vec<f32> {
    values.enumerate().map(|(place, value)| scaled(place, value)).collect()
}

/// Mean and standard deviation; 1 for that of what is constant.
pub(super) fn mean_and_deviation<I: Iterator<Item = f64>>(values: impl Fn() -> I) -> (f64, f64) {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values() {
        (sum, count) = (sum + value, count + 1.0);
    }
    let mean = sum / f64::max(count, 1.0);
    let squares: f64 = values().map(|value| (value - mean).powi(2)).sum();
    let first = values().next();
    // Rounding may make a deviation of equal numbers.
    let is_constant = values().all(|value| Some(value) == first);
    let deviation = (squares / f64::max(count, 1.0)).sqrt();
    (mean, if is_constant || deviation == 0.0 { 1.0 } else { deviation })
}

/// How numbers become what a network sees.
pub(crate) enum Scale {
    /// As they are.
    None,
    /// `(value - mean) / std` of the channel.
    Pixels(Preprocessing),
    /// The features of a row.
    Rows(Vec<Feature>),
}

impl Scale {
    /// As a model file tells it.
    pub(crate) fn of(preprocessing: Option<&Preprocessing>, table: Option<&TableInput>) -> Self {
        match (preprocessing, table) {
            (_, Some(table)) => Self::Rows(table.features()),
            (Some(preprocessing), None) => Self::Pixels(preprocessing.clone()),
            (None, None) => Self::None,
        }
    }
}

/// How images of floats are prepared.
pub(super) fn preprocessing(statistics: &[(f64, f64)], size: [usize; 2]) -> Preprocessing {
    let of = |&(mean, std): &(f64, f64)| Statistics { mean: mean as f32, std: std as f32 };
    Preprocessing::of(&statistics.iter().map(of).collect::<Vec<_>>(), size)
}

/// How rows are prepared: every column is a number.
pub(super) fn table(
    statistics: &[(f64, f64)],
    names: &[String],
    targets: Vec<String>,
) -> TableInput {
    let column = |(name, &(mean, deviation)): (&String, &(f64, f64))| Column {
        name: name.clone(),
        cells: Cells::Numbers { mean, deviation, edges: Vec::new() },
        missing: false,
    };
    let columns = names.iter().zip(statistics).map(column).collect();
    TableInput { targets, columns, left_out: Vec::new(), notes: Vec::new() }
}
