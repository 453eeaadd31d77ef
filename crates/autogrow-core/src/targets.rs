//! What a network is asked for, and the right answers: one class an image, numbers, or labels.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What kind of answer a network gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// One of several classes.
    Classes,
    /// Numbers: regression.
    Values,
    /// Any number of labels at once.
    Labels,
}

impl Task {
    /// In plural, for messages: "classes", "values", "labels".
    pub fn name(self) -> &'static str {
        match self {
            Self::Classes => "classes",
            Self::Values => "values",
            Self::Labels => "labels",
        }
    }
}

/// The outputs of a network, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outputs {
    /// A score for each class, by name.
    Classes(Vec<String>),
    /// A standardised number each.
    Values(Vec<ValueOutput>),
    /// The log odds of each label, by name.
    Labels(Vec<String>),
}

/// A number that a network gives, standardised: mean 0 and deviation 1 over the training images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueOutput {
    /// Its name.
    pub name: String,
    /// Mean over the training images, in the units of the data.
    pub mean: f64,
    /// Standard deviation over the training images, in the units of the data; above 0.
    pub deviation: f64,
}

impl ValueOutput {
    /// Whether mean and deviation are such as data can have.
    pub(crate) fn is_sensible(&self) -> bool {
        self.mean.is_finite() && self.deviation.is_finite() && self.deviation > 0.0
    }

    /// A standardised number in the units of the data.
    pub fn in_units(&self, standardised: f32) -> f64 {
        self.mean + self.deviation * f64::from(standardised)
    }
}

impl Outputs {
    /// What kind of answer they give.
    pub fn task(&self) -> Task {
        match self {
            Self::Classes(_) => Task::Classes,
            Self::Values(_) => Task::Values,
            Self::Labels(_) => Task::Labels,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(names) | Self::Labels(names) => names.len(),
            Self::Values(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their names, in order.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Classes(names) | Self::Labels(names) => names.iter().map(|n| &**n).collect(),
            Self::Values(values) => values.iter().map(|value| &*value.name).collect(),
        }
    }

    /// Checks that they are what an objective asks for; `data` is the name of the data set.
    ///
    /// # Errors
    /// [`Error::Config`] about `training.objective`.
    pub(crate) fn suit(&self, task: Task, data: &str) -> Result<()> {
        let own = self.task();
        if own == task {
            return Ok(());
        }
        let (own, task) = (own.name(), task.name());
        let problem = format!("asks for {task}, but the data set {data} has {own}");
        Err(Error::config("training.objective", problem)
            .with_hint(format!("--set training.objective={own}, or name another data set")))
    }

    /// The classes, where that is what the network is asked for.
    pub fn classes(&self) -> Option<&[String]> {
        match self {
            Self::Classes(classes) => Some(classes),
            Self::Values(_) | Self::Labels(_) => None,
        }
    }
}

/// The right answers for the images of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// The class of each image, from 0.
    Classes(Vec<usize>),
    /// `width` numbers an image, row-major, one for each output of the network: standardised
    /// values, labels from 0 to 1, or probabilities of classes.
    Numbers {
        /// Numbers of an image.
        width: usize,
        /// `[images, width]`.
        values: Vec<f32>,
    },
}

impl Targets {
    /// Of how many images.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.len(),
            Self::Numbers { width, values } => values.len() / (*width).max(1),
        }
    }

    /// Whether they are of no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class of each image, where it has one.
    pub fn classes(&self) -> Option<&[usize]> {
        match self {
            Self::Classes(classes) => Some(classes),
            Self::Numbers { .. } => None,
        }
    }

    /// Those of some images that follow each other.
    pub(crate) fn part(&self, images: Range<usize>) -> Self {
        match self {
            Self::Classes(classes) => Self::Classes(classes[images].to_vec()),
            Self::Numbers { width, values } => {
                let values = values[images.start * width..images.end * width].to_vec();
                Self::Numbers { width: *width, values }
            }
        }
    }

    /// Adds those of further images.
    ///
    /// # Errors
    /// [`Error::Data`] where they are of another kind.
    pub(crate) fn append(&mut self, other: Self) -> Result<()> {
        match (&mut *self, other) {
            (own, other) if own.is_empty() => *own = other,
            (_, other) if other.is_empty() => {}
            (Self::Classes(own), Self::Classes(other)) => own.extend(other),
            (
                Self::Numbers { width, values },
                Self::Numbers { width: other_width, values: other },
            ) if *width == other_width => values.extend(other),
            _ => return Err(broken("yields targets of several kinds".into())),
        }
        Ok(())
    }

    /// Checks that a network with so many outputs can be asked for them.
    ///
    /// # Errors
    /// [`Error::Data`]: numbers where there should be classes, a class that is out of range, a
    /// number that is not finite, or a label that is not from 0 to 1.
    pub fn check(&self, task: Task, outputs: usize) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        match self {
            Self::Classes(_) if task != Task::Classes => {
                Err(broken(format!("yields classes where there should be {}", task.name())))
            }
            Self::Classes(classes) => match classes.iter().find(|&&class| class >= outputs) {
                Some(class) => Err(broken(format!("yields class {class} of {outputs}, from 0"))),
                None => Ok(()),
            },
            Self::Numbers { width, .. } if *width != outputs => {
                Err(broken(format!("yields {width} targets an image for {outputs} outputs")))
            }
            Self::Numbers { width, values } if values.len() % width != 0 => {
                Err(broken(format!("yields {} targets, {width} an image", values.len())))
            }
            Self::Numbers { values, .. } => {
                let fits = |value: f32| match task {
                    Task::Values => value.is_finite(),
                    Task::Classes | Task::Labels => (0.0..=1.0).contains(&value),
                };
                match values.iter().find(|&&value| !fits(value)) {
                    Some(value) => {
                        Err(broken(format!("yields the target {value} for {}", task.name())))
                    }
                    None => Ok(()),
                }
            }
        }
    }
}

/// The error of a data set that does not keep to the contract of `Split`.
pub(crate) fn broken(problem: String) -> Error {
    Error::data("the data set", problem).with_hint(
        "this is a mistake of the crate that registers it: `Split::batches` says what batches hold",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(width: usize, values: &[f32]) -> Targets {
        Targets::Numbers { width, values: values.to_vec() }
    }

    #[test]
    fn targets_that_do_not_suit_the_network_are_refused() {
        let classes = Targets::Classes(vec![0, 2]);
        let problem = |targets: &Targets, task, outputs| {
            let error = targets.check(task, outputs).unwrap_err();
            assert_eq!((error.exit_code(), error.hint().is_some()), (3, true));
            error.to_string()
        };
        assert!(classes.check(Task::Classes, 3).is_ok());
        assert!(problem(&classes, Task::Classes, 2).contains("class 2 of 2"));
        assert!(problem(&classes, Task::Values, 3).contains("should be values"));
        assert!(numbers(2, &[0.3, -7.0]).check(Task::Values, 2).is_ok());
        assert!(problem(&numbers(2, &[0.3, -7.0]), Task::Values, 1).contains("2 targets an image"));
        assert!(problem(&numbers(1, &[f32::NAN]), Task::Values, 1).contains("NaN"));
        assert!(problem(&numbers(2, &[0.0, 1.5]), Task::Labels, 2).contains("1.5"));
        assert!(problem(&numbers(2, &[0.0, 1.0, 1.0]), Task::Labels, 2).contains("3 targets"));
    }

    #[test]
    fn parts_put_together_are_the_whole() {
        let whole = numbers(2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let mut together = Targets::Classes(Vec::new());
        for images in [0..1, 1..1, 1..3] {
            together.append(whole.part(images)).unwrap();
        }
        assert_eq!((together.len(), together), (3, whole.clone()));
        let mut classes = Targets::Classes(vec![1]);
        assert!(classes.append(whole).is_err());
    }

    #[test]
    fn values_are_told_in_the_units_of_the_data() {
        let value = ValueOutput { name: "price".into(), mean: 200.0, deviation: 50.0 };
        assert_eq!(value.in_units(-1.5), 125.0);
        assert_eq!(Outputs::Values(vec![value]).names(), ["price"]);
    }
}
