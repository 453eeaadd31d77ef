//! [`Objective`]: what training minimises and by what score a network is judged. Built in are those
//! for one class an image, for numbers and for several labels at once.

mod classes;
mod labels;
mod values;

use crate::Result;
use crate::config::TrainingConfig;
use crate::data::{Targets, Task};
use crate::registry::find;
use crate::settings::PluginSettings;
use crate::transfer::upload;
use burn::tensor::{Device, Int, Tensor, TensorData};
use std::fmt::Debug;

/// What training minimises, and the score that guides growth and selects the best network.
///
/// Outputs are `[batch, outputs]`: what the network gives, before any softmax or sigmoid. All numbers
/// stay on the device; the caller reads them once a batch.
pub trait Objective: Debug + Send + Sync {
    /// What it asks of a network. Data sets that deal with something else are refused.
    fn task(&self) -> Task;

    /// The loss of each image, `[batch]`.
    fn losses(&self, outputs: Tensor<2>, targets: &TargetTensor) -> Tensor<1>;

    /// The mean loss of the batch, `[1]`.
    fn loss(&self, outputs: Tensor<2>, targets: &TargetTensor) -> Tensor<1> {
        self.losses(outputs, targets).mean()
    }

    /// How many numbers [`Objective::sums`] gives for a network with so many outputs.
    fn sum_count(&self, outputs: usize) -> usize;

    /// Numbers `[sum_count]` that add up over batches and ranks, of which the score is computed.
    /// Never trained through.
    fn sums(&self, outputs: Tensor<2>, targets: &TargetTensor) -> Tensor<1>;

    /// The guiding score in percent, higher is better, of the sums over so many images.
    fn score(&self, images: usize, sums: &[f64]) -> f64;

    /// 1 for each image that is right, 0 for the others, `[batch]`; none where right and wrong make
    /// no sense.
    fn right(&self, outputs: Tensor<2>, targets: &TargetTensor) -> Option<Tensor<1>> {
        let _ = (outputs, targets);
        None
    }

    /// A guiding score as people read it in a table: `93.13 %`.
    fn score_text(&self, score: f64) -> String {
        format!("{score:.2} %")
    }

    /// The same in a sentence: `accuracy 93.13 %`.
    fn score_words(&self, score: f64) -> String {
        format!("accuracy {}", self.score_text(score))
    }
}

/// Targets of a batch on a device.
#[derive(Clone, Debug)]
pub enum TargetTensor {
    /// The class of each image, `[batch, 1]`.
    Classes(Tensor<2, Int>),
    /// `[batch, outputs]`.
    Numbers(Tensor<2>),
}

impl TargetTensor {
    /// Copies targets to a device.
    pub fn new(targets: &Targets, device: &Device) -> Self {
        match targets {
            Targets::Classes(classes) => {
                let classes: Vec<i64> = classes.iter().map(|&class| class as i64).collect();
                let shape = [classes.len(), 1];
                Self::Classes(upload(TensorData::new(classes, shape), device))
            }
            Targets::Numbers { width, values } => {
                let data = TensorData::new(values.clone(), [targets.len(), *width]);
                Self::Numbers(upload(data, device))
            }
        }
    }

    /// As numbers `[batch, outputs]`; of a class, 1 for it and 0 for all others.
    pub fn numbers(&self, outputs: usize) -> Tensor<2> {
        match self {
            Self::Numbers(numbers) => numbers.clone(),
            Self::Classes(classes) => {
                let [batch, _] = classes.dims();
                let all = numbered([batch, outputs], &classes.device());
                all.equal(classes.clone().expand([batch, outputs])).float()
            }
        }
    }

    /// The class of each image `[batch, 1]`; of probabilities, the first of the most likely ones.
    pub fn classes(&self) -> Tensor<2, Int> {
        match self {
            Self::Classes(classes) => classes.clone(),
            Self::Numbers(numbers) => numbers.clone().argmax(1),
        }
    }

    /// The same on the plain device of an autodiff device.
    pub(crate) fn inner(self) -> Self {
        match self {
            Self::Classes(classes) => Self::Classes(classes.inner()),
            Self::Numbers(numbers) => Self::Numbers(numbers.inner()),
        }
    }
}

/// The number of each column, `[rows, columns]`.
fn numbered([rows, columns]: [usize; 2], device: &Device) -> Tensor<2, Int> {
    Tensor::<1, Int>::arange(0..columns as i64, device)
        .reshape([1, columns])
        .expand([rows, columns])
}

/// A kind of objective, registered with `inventory`.
pub struct ObjectiveKind {
    /// Name in `training.objective`.
    pub name: &'static str,
    /// Crate that registers it: `env!("CARGO_PKG_NAME")`.
    pub origin: &'static str,
    /// One line for `autogrow list`.
    pub summary: &'static str,
    /// Makes the objective from the `[training]` section and the settings of plugins.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub build: fn(&TrainingConfig, &PluginSettings) -> Result<Box<dyn Objective>>,
}

crate::kind!(ObjectiveKind, "objective", "training.objective");

/// The objective that `training.objective` names.
///
/// # Errors
/// [`Error::Unknown`](crate::Error::Unknown) where it is not registered; what it finds wrong with its
/// settings.
pub fn objective(
    training: &TrainingConfig,
    plugins: &PluginSettings,
) -> Result<Box<dyn Objective>> {
    (find::<ObjectiveKind>(&training.objective)?.build)(training, plugins)
}

crate::register! {
    ObjectiveKind {
        name: "classes",
        origin: env!("CARGO_PKG_NAME"),
        summary: "one class an image: cross entropy, judged by top-1 accuracy",
        build: |training, _| {
            Ok(Box::new(classes::Classes { smoothing: training.label_smoothing }))
        },
    },
    ObjectiveKind {
        name: "values",
        origin: env!("CARGO_PKG_NAME"),
        summary: "numbers: squared error or Huber's loss, judged by R2",
        build: |training, _| Ok(Box::new(values::Values { huber: training.huber })),
    },
    ObjectiveKind {
        name: "labels",
        origin: env!("CARGO_PKG_NAME"),
        summary: "several labels at once: binary cross entropy, judged by right decisions",
        build: |_, _| Ok(Box::new(labels::Labels)),
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_numbers_as_well_and_numbers_classes() {
        let device = Device::flex();
        let classes = TargetTensor::new(&Targets::Classes(vec![2, 0]), &device);
        let numbers: Vec<f32> = classes.numbers(3).into_data().iter::<f32>().collect();
        assert_eq!(numbers, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        let soft = Targets::Numbers { width: 3, values: vec![0.2, 0.4, 0.4, 0.6, 0.4, 0.0] };
        let soft = TargetTensor::new(&soft, &device).classes();
        assert_eq!(soft.into_data().iter::<i64>().collect::<Vec<_>>(), [1, 0]);
    }
}
