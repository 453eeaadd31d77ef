//! [`TableInput`]: how a row of a table becomes the numbers that a network takes.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The columns of the tables that a network takes. Whatever is measured was measured on the training
/// rows alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableInput {
    /// Names of the columns that hold the targets, in order.
    pub targets: Vec<String>,
    /// The columns that the network sees, in order.
    pub columns: Vec<Column>,
    /// The columns that it does not see.
    pub left_out: Vec<LeftOut>,
    /// What else was decided about the training table, in words.
    pub notes: Vec<String>,
}

/// A column that the network sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How its cells become numbers.
    #[serde(flatten)]
    pub cells: Cells,
    /// Whether there is a feature more, which is 1 where the value is missing and else 0.
    pub missing: bool,
}

/// How the cells of a column become numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Cells {
    /// One feature: `(value - mean) / deviation`, 0 where the value is missing.
    Numbers {
        /// Of the training rows.
        mean: f64,
        /// Of the training rows; above 0.
        deviation: f64,
    },
    /// A feature for each of these words, which is 1 where the cell is the word and else 0.
    Words {
        /// Those of the training rows, by alphabet.
        words: Vec<String>,
    },
}

/// A column that the network does not see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Its name, which may be empty.
    pub name: String,
    /// Why, to be read behind the name.
    pub why: String,
}

/// A number of the network's input: `(value - mean) / deviation`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Feature {
    /// Such as `size`, `colour = red`, `size is missing`.
    pub name: String,
    /// Subtracted from the value.
    pub mean: f64,
    /// Divides it afterwards.
    pub deviation: f64,
}

impl Column {
    /// Number of features.
    pub fn width(&self) -> usize {
        let own = match &self.cells {
            Cells::Numbers { .. } => 1,
            Cells::Words { words } => words.len(),
        };
        own + usize::from(self.missing)
    }
}

impl TableInput {
    /// Number of features of a row.
    pub fn width(&self) -> usize {
        self.columns.iter().map(Column::width).sum()
    }

    /// The features of a row, in order.
    pub fn features(&self) -> Vec<Feature> {
        let flag = |name: String| Feature { name, mean: 0.0, deviation: 1.0 };
        let mut features = Vec::with_capacity(self.width());
        for Column { name, cells, missing } in &self.columns {
            match cells {
                &Cells::Numbers { mean, deviation } => {
                    features.push(Feature { name: name.clone(), mean, deviation });
                }
                Cells::Words { words } => {
                    features.extend(words.iter().map(|word| flag(format!("{name} = {word}"))));
                }
            }
            features.extend(missing.then(|| flag(format!("{name} is missing"))));
        }
        features
    }

    /// Checks what a file says of a network that takes images of this size.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(crate) fn check(&self, image: [usize; 3]) -> Result<(), String> {
        let [channels, height, width] = image;
        let features = self.width();
        if [channels, height, width] != [features, 1, 1] {
            return Err(format!("{features} features for {channels}x{height}x{width} images"));
        }
        let mut names = BTreeSet::new();
        for Column { name, cells, .. } in &self.columns {
            if !names.insert(name) {
                return Err(format!("two columns {name}"));
            }
            if let Cells::Numbers { mean, deviation } = cells
                && !(mean.is_finite() && deviation.is_finite() && *deviation > 0.0)
            {
                return Err(format!("no mean and deviation of {name}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> TableInput {
        let column = |name: &str, cells, missing| Column { name: name.into(), cells, missing };
        let words = ["blue", "red"].map(String::from).into();
        TableInput {
            targets: vec!["label".into()],
            columns: vec![
                column("size", Cells::Numbers { mean: 3.0, deviation: 0.1 }, true),
                column("colour", Cells::Words { words }, false),
            ],
            left_out: vec![LeftOut { name: String::new(), why: "has no name".into() }],
            notes: Vec::new(),
        }
    }

    #[test]
    fn features_are_named_in_the_order_of_the_columns() {
        let features = table().features();
        let names: Vec<_> = features.iter().map(|feature| &*feature.name).collect();
        assert_eq!(names, ["size", "size is missing", "colour = blue", "colour = red"]);
        assert_eq!((features[0].mean, features[1].mean, table().width()), (3.0, 0.0, 4));
    }

    #[test]
    fn a_file_keeps_every_digit_and_is_not_trusted() {
        let text = serde_json::to_string(&table()).unwrap();
        let read: TableInput = serde_json::from_str(&text).unwrap();
        assert_eq!(read, table());
        assert_eq!(read.check([4, 1, 1]), Ok(()));
        assert!(read.check([3, 1, 1]).unwrap_err().contains("4 features for 3x1x1"));
        let mut broken = table();
        broken.columns[0].cells = Cells::Numbers { mean: 0.0, deviation: 0.0 };
        assert!(broken.check([4, 1, 1]).unwrap_err().contains("deviation of size"));
        let twice = TableInput { columns: [table().columns, table().columns].concat(), ..table() };
        assert!(twice.check([8, 1, 1]).unwrap_err().contains("two columns size"));
    }
}
