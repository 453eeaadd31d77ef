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
    /// A feature `(value - mean) / deviation`; then one for each piece between two `edges`, how far the
    /// value has come through it, from 0 to 1 (Gorishniy et al. 2022). The mean stands for what is missing.
    Numbers {
        /// Of the training rows.
        mean: f64,
        /// Of the training rows; above 0.
        deviation: f64,
        /// From the lowest to the highest; none where there are no pieces.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        edges: Vec<f64>,
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

/// A number of the network's input, made of one of [`TableInput::inputs`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Feature {
    /// Such as `size`, `size from 1 to 2`, `colour = red`, `size is missing`.
    pub name: String,
    /// Place of the input among all.
    pub input: usize,
    /// Subtracted from the input.
    pub mean: f64,
    /// Divides it afterwards.
    pub deviation: f64,
    /// Whether the quotient is then limited to 0 to 1.
    pub is_piece: bool,
}

impl Feature {
    /// The feature of an input.
    pub fn of(&self, input: f64) -> f64 {
        let feature = (input - self.mean) / self.deviation;
        if self.is_piece { feature.clamp(0.0, 1.0) } else { feature }
    }
}

impl Column {
    /// Number of features.
    pub fn width(&self) -> usize {
        let own = match &self.cells {
            Cells::Numbers { edges, .. } => 1 + edges.len().saturating_sub(1),
            Cells::Words { words } => words.len(),
        };
        own + usize::from(self.missing)
    }

    /// Names of what a row tells of it.
    fn inputs(&self) -> Vec<String> {
        let name = &self.name;
        let mut inputs = match &self.cells {
            Cells::Numbers { .. } => vec![name.clone()],
            Cells::Words { words } => words.iter().map(|word| format!("{name} = {word}")).collect(),
        };
        inputs.extend(self.missing.then(|| format!("{name} is missing")));
        inputs
    }
}

impl TableInput {
    /// Number of features of a row.
    pub fn width(&self) -> usize {
        self.columns.iter().map(Column::width).sum()
    }

    /// Names of the numbers that a row comes as, in order: of a column of numbers its own, of one of words
    /// a 1 where the cell is the word and else 0, and a 1 where a value is missing.
    pub fn inputs(&self) -> Vec<String> {
        self.columns.iter().flat_map(Column::inputs).collect()
    }

    /// Whether the network sees more of an input than one number.
    pub fn has_pieces(&self) -> bool {
        self.columns.iter().any(
            |column| matches!(&column.cells, Cells::Numbers { edges, .. } if !edges.is_empty()),
        )
    }

    /// The features of a row, in order.
    pub fn features(&self) -> Vec<Feature> {
        let mut features = Vec::with_capacity(self.width());
        let mut place = 0;
        for column in &self.columns {
            let inputs = column.inputs();
            if let Cells::Numbers { mean, deviation, edges } = &column.cells {
                let (name, input) = (column.name.clone(), place);
                let (mean, deviation) = (*mean, *deviation);
                features.push(Feature { name, input, mean, deviation, is_piece: false });
                features.extend(edges.windows(2).map(|piece| Feature {
                    name: format!("{} from {} to {}", column.name, piece[0], piece[1]),
                    input,
                    mean: piece[0],
                    deviation: piece[1] - piece[0],
                    is_piece: true,
                }));
            }
            let numbers = usize::from(matches!(column.cells, Cells::Numbers { .. }));
            let flags = inputs.iter().zip(place..).skip(numbers);
            features.extend(flags.map(|(name, input)| Feature {
                name: name.clone(),
                input,
                mean: 0.0,
                deviation: 1.0,
                is_piece: false,
            }));
            place += inputs.len();
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
            let Cells::Numbers { mean, deviation, edges } = cells else { continue };
            if !(mean.is_finite() && deviation.is_finite() && *deviation > 0.0) {
                return Err(format!("no mean and deviation of {name}"));
            }
            let ascend = edges
                .windows(2)
                .all(|piece| (piece[1] - piece[0]).is_normal() && piece[0] < piece[1]);
            if edges.len() == 1 || !ascend || edges.iter().any(|edge| !edge.is_finite()) {
                return Err(format!("no pieces of {name}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(mean: f64, deviation: f64, edges: &[f64]) -> Cells {
        Cells::Numbers { mean, deviation, edges: edges.into() }
    }

    fn table() -> TableInput {
        let column = |name: &str, cells, missing| Column { name: name.into(), cells, missing };
        let words = ["blue", "red"].map(String::from).into();
        TableInput {
            targets: vec!["label".into()],
            columns: vec![
                column("size", numbers(3.0, 0.1, &[]), true),
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
        assert_eq!(names, table().inputs());
        assert!(features.iter().zip(0..).all(|(feature, place)| feature.input == place));
    }

    #[test]
    fn a_number_comes_through_pieces_one_after_the_other() {
        let mut table = table();
        table.columns[0].cells = numbers(3.0, 0.1, &[1.0, 2.0, 6.0]);
        let features = table.features();
        let names: Vec<_> = features.iter().map(|feature| &*feature.name).collect();
        let pieces = ["size", "size from 1 to 2", "size from 2 to 6"];
        assert_eq!(names[..3], pieces);
        assert_eq!(names[3..], ["size is missing", "colour = blue", "colour = red"]);
        assert_eq!((features.len(), table.inputs().len()), (table.width(), 4));
        let inputs: Vec<_> = features.iter().map(|feature| feature.input).collect();
        assert_eq!(inputs, [0, 0, 0, 1, 2, 3]);
        for (size, through) in
            [(0.0, [0.0, 0.0]), (1.5, [0.5, 0.0]), (3.0, [1.0, 0.25]), (9.0, [1.0, 1.0])]
        {
            assert_eq!([1, 2].map(|place| features[place].of(size)), through, "{size}");
        }
        assert_eq!(table.check([6, 1, 1]), Ok(()));
        for edges in [&[1.0][..], &[1.0, 1.0], &[2.0, 1.0], &[1.0, f64::INFINITY]] {
            table.columns[0].cells = numbers(3.0, 0.1, edges);
            let width = table.width();
            assert!(table.check([width, 1, 1]).unwrap_err().contains("no pieces of size"));
        }
    }

    #[test]
    fn a_file_keeps_every_digit_and_is_not_trusted() {
        let text = serde_json::to_string(&table()).unwrap();
        let read: TableInput = serde_json::from_str(&text).unwrap();
        assert_eq!(read, table());
        assert_eq!(read.check([4, 1, 1]), Ok(()));
        assert!(read.check([3, 1, 1]).unwrap_err().contains("4 features for 3x1x1"));
        let mut broken = table();
        broken.columns[0].cells = numbers(0.0, 0.0, &[]);
        assert!(broken.check([4, 1, 1]).unwrap_err().contains("deviation of size"));
        let twice = TableInput { columns: [table().columns, table().columns].concat(), ..table() };
        assert!(twice.check([8, 1, 1]).unwrap_err().contains("two columns size"));
    }
}
