//! [`Evaluation`]: everything there is to say of a network's outputs on images whose targets are
//! known.

mod classes;
mod labels;
mod values;

use crate::Result;
use crate::data::{Outputs, Targets};
use classes::ClassEvaluation;
pub use classes::{ClassesReport, Mistake, softmax};
use labels::LabelEvaluation;
pub use labels::{LabelsReport, sigmoid};
use serde::Serialize;
use values::ValueEvaluation;
pub use values::ValuesReport;

/// Sums over the images seen so far.
#[derive(Clone, Debug)]
pub struct Evaluation {
    outputs: Outputs,
    sums: Sums,
}

#[derive(Clone, Debug)]
enum Sums {
    Classes(Box<ClassEvaluation>),
    Values(ValueEvaluation),
    Labels(LabelEvaluation),
}

/// The results of an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// Of one class an image.
    Classes(ClassesReport),
    /// Of numbers.
    Values(ValuesReport),
    /// Of several labels at once.
    Labels(LabelsReport),
}

impl Evaluation {
    /// Of no images yet, for a network with these outputs.
    pub fn new(outputs: &Outputs) -> Self {
        let sums = match outputs {
            Outputs::Classes(names) => Sums::Classes(Box::new(ClassEvaluation::new(names))),
            Outputs::Values(values) => Sums::Values(ValueEvaluation::new(values)),
            Outputs::Labels(names) => Sums::Labels(LabelEvaluation::new(names)),
        };
        Self { outputs: outputs.clone(), sums }
    }

    /// Adds images: their outputs `[batch, outputs]`, row-major, and their targets.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) where the targets do not suit the outputs.
    pub fn add(&mut self, outputs: &[f32], targets: &Targets) -> Result<()> {
        let (task, width) = (self.outputs.task(), self.outputs.len());
        targets.check(task, width)?;
        match (&mut self.sums, targets) {
            (Sums::Classes(sums), Targets::Classes(classes)) => sums.add(outputs, classes),
            (Sums::Classes(sums), Targets::Numbers { values, .. }) => {
                let likeliest: Vec<usize> = values.chunks_exact(width).map(classes::best).collect();
                sums.add(outputs, &likeliest);
            }
            (Sums::Values(sums), Targets::Numbers { values, .. }) => sums.add(outputs, values),
            (Sums::Labels(sums), Targets::Numbers { values, .. }) => sums.add(outputs, values),
            // Of no image, or refused by the check.
            (Sums::Values(_) | Sums::Labels(_), Targets::Classes(_)) => {}
        }
        Ok(())
    }

    /// Every image that was taken for something else, in order; none where nothing is told apart.
    pub fn mistakes(&self) -> &[Mistake] {
        match &self.sums {
            Sums::Classes(sums) => sums.mistakes(),
            Sums::Values(_) | Sums::Labels(_) => &[],
        }
    }

    /// The results.
    pub fn report(&self) -> Report {
        match &self.sums {
            Sums::Classes(sums) => Report::Classes(sums.report()),
            Sums::Values(sums) => Report::Values(sums.report()),
            Sums::Labels(sums) => Report::Labels(sums.report()),
        }
    }
}

impl Report {
    /// Number of images.
    pub fn images(&self) -> usize {
        match self {
            Self::Classes(report) => report.images,
            Self::Values(report) => report.images,
            Self::Labels(report) => report.images,
        }
    }
}
