//! What a data set asks for: how many images of each class or label there are, or how its values are
//! spread.

use crate::output::{significant, table};
use autogrow::Result;
use autogrow::data::{DataSet, Outputs, Split, Targets, ValueOutput};
use serde::Serialize;

/// Classes, values or labels whose numbers are printed one by one.
const LISTED: usize = 30;

/// Images of each split.
#[derive(Clone, Copy, Default, Serialize)]
pub(super) struct Count {
    pub(super) train: usize,
    pub(super) val: usize,
    pub(super) test: usize,
}

/// What is asked for.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Contents {
    Classes(Vec<Class>),
    Values(Vec<Value>),
    Labels(Vec<Class>),
}

/// Images of a class, or with a label.
#[derive(Serialize)]
pub(super) struct Class {
    name: String,
    #[serde(flatten)]
    images: Count,
}

/// A value, in the units of the data.
#[derive(Serialize)]
pub(super) struct Value {
    name: String,
    train: Spread,
    val: Spread,
    test: Spread,
}

#[derive(Clone, Copy, Serialize)]
struct Spread {
    mean: f64,
    deviation: f64,
    smallest: f64,
    largest: f64,
}

impl Contents {
    /// Looks at all targets of all splits.
    pub(super) fn of(data: &DataSet) -> Result<Self> {
        let splits: [&dyn Split; 3] = [&*data.train, &*data.validation, &*data.test];
        let [train, val, test] = splits.map(Split::targets);
        let targets = [train?, val?, test?];
        Ok(match &data.outputs {
            Outputs::Classes(names) => Self::Classes(count(names, &targets)),
            Outputs::Labels(names) => Self::Labels(count(names, &targets)),
            Outputs::Values(values) => {
                let value = |(column, of): (usize, &ValueOutput)| {
                    let [train, val, test] =
                        [0, 1, 2].map(|split| spread(&targets[split], column, of));
                    Value { name: of.name.clone(), train, val, test }
                };
                Self::Values(values.iter().enumerate().map(value).collect())
            }
        })
    }

    /// As a table; `images` are all there are, and are called `samples`.
    pub(super) fn text(&self, images: Count, samples: &str) -> String {
        match self {
            Self::Classes(classes) => counts("class", "classes", classes, images),
            Self::Labels(labels) => counts("label", "labels", labels, images),
            Self::Values(values) => {
                let parts = values.iter().take(LISTED).flat_map(|value| {
                    let parts = [("train", value.train), ("val", value.val), ("test", value.test)];
                    parts.map(|(split, spread)| {
                        let Spread { mean, deviation, smallest, largest } = spread;
                        let numbers =
                            [mean, deviation, smallest, largest].map(|n| significant(n, 5));
                        let [mean, deviation, smallest, largest] = numbers;
                        [value.name.clone(), split.into(), mean, deviation, smallest, largest]
                    })
                });
                let header = ["value", "", "mean", "deviation", "smallest", "largest"];
                let Count { train, val, test } = images;
                let table = table(header, parts.collect());
                format!("{train} training, {val} validation, {test} test {samples}\n{table}")
            }
        }
    }
}

/// How many images of each split have each class or label.
fn count(names: &[String], targets: &[Targets; 3]) -> Vec<Class> {
    let counts = targets.each_ref().map(|targets| {
        let mut counts = vec![0; names.len()];
        match targets {
            Targets::Classes(classes) => {
                for &class in classes {
                    counts.get_mut(class).into_iter().for_each(|count| *count += 1);
                }
            }
            Targets::Numbers { width, values } => {
                for row in values.chunks_exact((*width).max(1)) {
                    for (count, &value) in counts.iter_mut().zip(row) {
                        *count += usize::from(value > 0.5);
                    }
                }
            }
        }
        counts
    });
    let class = |(index, name): (usize, &String)| {
        let [train, val, test] = counts.each_ref().map(|counts| counts[index]);
        Class { name: name.clone(), images: Count { train, val, test } }
    };
    names.iter().enumerate().map(class).collect()
}

/// How the numbers of a column are spread.
fn spread(targets: &Targets, column: usize, of: &ValueOutput) -> Spread {
    let values: Vec<f64> = match targets {
        Targets::Numbers { width, values } => {
            let column = values.iter().skip(column).step_by((*width).max(1));
            column.map(|&value| of.in_units(value)).collect()
        }
        Targets::Classes(_) => Vec::new(),
    };
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    Spread {
        mean,
        deviation: variance.sqrt(),
        smallest: values.iter().copied().fold(f64::INFINITY, f64::min),
        largest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}

fn counts(title: &str, plural: &str, classes: &[Class], images: Count) -> String {
    let row = |name: &str, count: Count| {
        [name.into(), count.train.to_string(), count.val.to_string(), count.test.to_string()]
    };
    let listed = classes.iter().take(LISTED);
    let mut rows: Vec<_> = listed.map(|class| row(&class.name, class.images)).collect();
    match classes.len() > LISTED {
        true => rows.push(row(&format!("... {} {plural}", classes.len()), images)),
        false => rows.push(row("all", images)),
    }
    table([title, "train", "val", "test"], rows)
}
