//! What a network says of one image: its classes, best first, its values, or its labels.

use crate::args::PredictArgs;
use crate::output::significant;
use autogrow::data::{Outputs, ValueOutput};
use autogrow::training::{sigmoid, softmax};
use serde::Serialize;

/// Classes that are named for an image, where it is not said how many.
pub(super) const TOP: usize = 5;

/// What a network says of one image.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Answer {
    /// Its classes, best first.
    Class(ClassAnswer),
    /// Its values, in the units of the data.
    Values {
        /// In order.
        values: Vec<Value>,
    },
    /// Its labels.
    Labels {
        /// Those that are more likely than not.
        given: Vec<String>,
        /// All of them, in order.
        labels: Vec<Label>,
    },
}

#[derive(Serialize)]
pub(super) struct ClassAnswer {
    class: String,
    index: usize,
    probability: f64,
    top: Vec<Candidate>,
    /// Of all classes, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    probabilities: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logits: Option<Vec<f32>>,
}

#[derive(Serialize)]
struct Candidate {
    class: String,
    index: usize,
    probability: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    logit: Option<f32>,
}

#[derive(Serialize)]
pub(super) struct Value {
    name: String,
    value: f64,
}

#[derive(Serialize)]
pub(super) struct Label {
    label: String,
    probability: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    logit: Option<f32>,
}

impl Answer {
    /// Of a network's outputs for the image; `top` is how many classes are named.
    pub(super) fn new(numbers: &[f32], outputs: &Outputs, top: usize, args: &PredictArgs) -> Self {
        match outputs {
            Outputs::Classes(classes) => Self::Class(ClassAnswer::new(numbers, classes, top, args)),
            Outputs::Values(values) => {
                let value = |(of, &number): (&ValueOutput, &f32)| Value {
                    name: of.name.clone(),
                    value: of.in_units(number),
                };
                Self::Values { values: values.iter().zip(numbers).map(value).collect() }
            }
            Outputs::Labels(names) => {
                let label = |(name, &odds): (&String, &f32)| Label {
                    label: name.clone(),
                    probability: sigmoid(odds),
                    logit: args.logits.then_some(odds),
                };
                let given = names.iter().zip(numbers).filter(|&(_, &odds)| odds > 0.0);
                Self::Labels {
                    given: given.map(|(name, _)| name.clone()).collect(),
                    labels: names.iter().zip(numbers).map(label).collect(),
                }
            }
        }
    }

    /// For a line: what is in the first text stands out.
    pub(super) fn texts(&self) -> Vec<String> {
        match self {
            Self::Class(answer) => answer.top.iter().map(Candidate::text).collect(),
            Self::Values { values } => {
                let text = |of: &Value| format!("{} {}", of.name, significant(of.value, 6));
                values.iter().map(text).collect()
            }
            Self::Labels { given, labels } => {
                let all = if given.is_empty() { "none".into() } else { given.join(", ") };
                std::iter::once(all).chain(labels.iter().map(Label::text)).collect()
            }
        }
    }

    /// For a table, without the image's name: as [`header`] names them.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        match self {
            Self::Class(answer) => {
                let row = |(rank, of): (usize, &Candidate)| {
                    let number = number(of.logit, of.probability);
                    vec![rank.to_string(), of.class.clone(), number]
                };
                (1..).zip(&answer.top).map(row).collect()
            }
            Self::Values { values } => {
                vec![values.iter().map(|value| value.value.to_string()).collect()]
            }
            Self::Labels { labels, .. } => {
                vec![labels.iter().map(|label| number(label.logit, label.probability)).collect()]
            }
        }
    }
}

/// Names of the columns of a table, behind that of the image's name.
pub(super) fn header<'a>(outputs: &'a Outputs, args: &PredictArgs) -> Vec<&'a str> {
    match outputs {
        Outputs::Classes(_) if args.logits => vec!["rank", "class", "logit"],
        Outputs::Classes(_) => vec!["rank", "class", "probability"],
        Outputs::Values(_) | Outputs::Labels(_) => outputs.names(),
    }
}

impl ClassAnswer {
    fn new(logits: &[f32], classes: &[String], top: usize, args: &PredictArgs) -> Self {
        let probabilities = softmax(logits);
        let mut order: Vec<usize> = (0..classes.len()).collect();
        // Of equal ones the first; what is not a number comes last.
        let key =
            |class: usize| if logits[class].is_nan() { f32::NEG_INFINITY } else { logits[class] };
        order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
        let candidate = |&index: &usize| Candidate {
            class: classes[index].clone(),
            index,
            probability: probabilities[index],
            logit: args.logits.then(|| logits[index]),
        };
        let top: Vec<_> = order.iter().take(top).map(candidate).collect();
        let best = order.first().copied().unwrap_or(0);
        Self {
            class: classes[best].clone(),
            index: best,
            probability: probabilities[best],
            top,
            logits: args.logits.then(|| logits.to_vec()),
            probabilities: (args.top.is_none() && !args.logits).then_some(probabilities),
        }
    }
}

impl Candidate {
    fn text(&self) -> String {
        described(&self.class, self.logit, self.probability)
    }
}

impl Label {
    fn text(&self) -> String {
        described(&self.label, self.logit, self.probability)
    }
}

fn described(name: &str, logit: Option<f32>, probability: f64) -> String {
    match logit {
        Some(logit) => format!("{name} {logit:.4}"),
        None => format!("{name} {:.2} %", 100.0 * probability),
    }
}

fn number(logit: Option<f32>, probability: f64) -> String {
    logit.map_or_else(|| probability.to_string(), |logit| logit.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn args(more: &[&str]) -> PredictArgs {
        let line = [&["autogrow", "predict", "model", "picture"], more].concat();
        match crate::args::Cli::try_parse_from(line).unwrap().command {
            crate::args::Command::Predict(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_are_told_in_the_units_of_the_data() {
        let value = |name: &str, mean| ValueOutput { name: name.into(), mean, deviation: 50.0 };
        let outputs = Outputs::Values(vec![value("price", 200.0), value("rent", 0.0)]);
        let answer = Answer::new(&[-1.5, 0.02], &outputs, TOP, &args(&[]));
        assert_eq!(answer.texts()[0], "price 125.000");
        assert_eq!(answer.rows()[0][0], "125");
        assert_eq!(header(&outputs, &args(&[])), ["price", "rent"]);
    }

    #[test]
    fn labels_have_probabilities() {
        let outputs = Outputs::Labels(["cat", "dog"].map(String::from).into());
        let odds = [3.0_f32.ln(), -3.0_f32.ln()];
        let answer = Answer::new(&odds, &outputs, TOP, &args(&[]));
        assert_eq!(answer.texts(), ["cat", "cat 75.00 %", "dog 25.00 %"]);
        let logits = Answer::new(&odds, &outputs, TOP, &args(&["--logits"]));
        assert_eq!(logits.rows(), [odds.map(|odds| odds.to_string())]);
    }
}
