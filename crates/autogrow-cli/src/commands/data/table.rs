//! What was done to a table: how its columns are read, and which are left out.

use crate::output::{significant, table};
use autogrow::data::{Cells, Column, TableInput};

/// Columns that are listed one by one.
const LISTED: usize = 100;

/// The columns of a table, with what was decided about them.
pub(super) fn text(input: &TableInput) -> String {
    let head = format!("rows of {} features from {} columns", input.width(), input.columns.len());
    let mut rows: Vec<_> = input.columns.iter().take(LISTED).map(row).collect();
    if let more @ 1.. = input.columns.len().saturating_sub(LISTED) {
        rows.push([format!("... {more} more"), String::new()]);
    }
    let left_out = input.left_out.iter().take(LISTED);
    let left_out = left_out.map(|column| format!("left out: `{}` {}", column.name, column.why));
    let notes: String =
        input.notes.iter().cloned().chain(left_out).map(|note| format!("{note}\n")).collect();
    format!("{head}\n{notes}{}", table(["column", "is"], rows))
}

fn row(Column { name, cells, missing }: &Column) -> [String; 2] {
    let mut is = match cells {
        Cells::Numbers { mean, deviation, edges } => {
            let of = |number: f64| significant(number, 5);
            let pieces = match edges.len() {
                0 => String::new(),
                edges => format!(", {} pieces", edges - 1),
            };
            format!("mean {}, deviation {}{pieces}", of(*mean), of(*deviation))
        }
        Cells::Words { words } => format!("one of {}", words.join(", ")),
    };
    if *missing {
        is += match cells {
            Cells::Numbers { .. } => "; where missing the mean, and marked",
            Cells::Words { .. } => "; or missing",
        };
    }
    [name.clone(), is]
}
