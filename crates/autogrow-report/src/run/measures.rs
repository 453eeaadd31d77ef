//! `evaluation.json` of a network that does not tell classes apart: named numbers, and tables of
//! them, a row a value or a label. They are shown as they are, whatever the objective measures.

use serde_json::{Map, Value};

/// Most rows of a table that are read.
const MAX_ROWS: usize = 500;

/// What a model does on a split, in numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measures {
    /// Names and values that stand by themselves.
    pub facts: Vec<(String, String)>,
    /// Lists.
    pub tables: Vec<Table>,
}

/// A list of things with the same measures.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What the list is called in the file.
    pub name: String,
    /// Names of the measures.
    pub columns: Vec<String>,
    /// A cell a column.
    pub rows: Vec<Vec<String>>,
}

impl Measures {
    /// Those of a document; what is neither a number, a word nor a list of such is left out.
    pub(super) fn of(document: &Map<String, Value>) -> Self {
        let mut measures = Self::default();
        for (name, value) in document {
            match value {
                Value::Array(rows) => measures.tables.extend(Table::of(name, rows)),
                value => measures.facts.extend(text(value).map(|text| (name.clone(), text))),
            }
        }
        measures
    }
}

impl Table {
    /// A list of objects, whose columns are those of the first; none of any other list.
    fn of(name: &str, rows: &[Value]) -> Option<Self> {
        let plain = |(key, value): (&String, &Value)| text(value).map(|_| key.clone());
        let columns: Vec<String> = rows.first()?.as_object()?.iter().filter_map(plain).collect();
        let cell = |row: &Value, key: &String| row.get(key).and_then(text).unwrap_or_default();
        let row = |row: &Value| columns.iter().map(|key| cell(row, key)).collect();
        let rows = rows.iter().take(MAX_ROWS).map(row).collect();
        (!columns.is_empty()).then(|| Self { name: name.into(), columns, rows })
    }
}

/// A value as people read it: five digits of a fraction, a dash for none.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("–".into()),
        Value::Bool(value) => Some(value.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(value) if (1e-3..1e6).contains(&value.abs()) || value == 0.0 => {
                let decimals = 4usize.saturating_sub(value.abs().max(1.0).log10() as usize);
                Some(format!("{value:.decimals$}").replace('-', "−"))
            }
            Some(value) => Some(format!("{value:.4e}").replace('-', "−")),
            None => Some(number.to_string()),
        },
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(document: &Value) -> Measures {
        Measures::of(document.as_object().unwrap())
    }

    #[test]
    fn numbers_stand_by_themselves_and_lists_are_tables() {
        let read = of(&json!({
            "rmse": 54.321_987, "mse": 1.5e9, "bias": -1e-4, "images": 89, "data": "csv", "loss": null, "nested": {"a": 1},
            "targets": [{"target": "y", "r2": 0.5, "all": []}, {"target": "z"}, 7],
            "numbers": [1, 2], "empty": [],
        }));
        let facts = [
            ("bias", "−1.0000e−4"),
            ("data", "csv"),
            ("images", "89"),
            ("loss", "–"),
            ("mse", "1.5000e9"),
            ("rmse", "54.322"),
        ];
        assert_eq!(read.facts, facts.map(|(name, text)| (name.into(), text.to_string())));
        let [table] = &read.tables[..] else { panic!("{:?}", read.tables) };
        assert_eq!(
            (&*table.name, &table.columns[..]),
            ("targets", &["r2".into(), "target".into()][..])
        );
        assert_eq!(table.rows, [["0.5000", "y"], ["", "z"], ["", ""]]);
    }
}
