//! What can be reproduced by name: tables and figures of the paper, its data sets, and all of it.

use super::paper::{Paper, Row, Table};
use anyhow::{Result, bail};

/// Suites by data set, as `autogrow` calls it.
const BY_SET: [&str; 6] = ["mnist", "fashion-mnist", "svhn", "cifar10", "cifar100", "imagenet"];

/// Network Morphism is Table 2.
const MORPH: (&str, &str) = ("morph", "table2");

/// Some rows of the paper under one name.
#[derive(Debug)]
pub(super) struct Suite<'a> {
    pub(super) name: &'static str,
    pub(super) title: String,
    pub(super) note: &'a str,
    /// Each with the table that prints it.
    pub(super) rows: Vec<(&'a Table, &'a Row)>,
}

/// Every suite but `all`, in the paper's order.
pub(super) fn all(paper: &Paper) -> Vec<Suite<'_>> {
    let of = |name, table: &'_ Table| format!("{}: {} ({name})", table.number, table.title);
    let tables = paper.tables.iter().map(|table| Suite {
        name: table.name,
        title: format!("{}: {}", table.number, table.title),
        note: &table.note,
        rows: table.rows.iter().map(|row| (table, row)).collect(),
    });
    let morph = paper.tables.iter().filter(|table| table.name == MORPH.1).map(|table| Suite {
        name: MORPH.0,
        title: of("Network Morphism", table),
        note: &table.note,
        rows: table.rows.iter().map(|row| (table, row)).collect(),
    });
    let sets = BY_SET.iter().map(|&name| {
        // Figures and Table 11 show runs of the other tables again.
        let tables = paper
            .tables
            .iter()
            .filter(|table| table.number.starts_with("Table") && table.name != "table11");
        let rows = tables.flat_map(|table| table.rows.iter().map(move |row| (table, row)));
        let title = paper.set(name).map_or(name, |set| &set.title);
        Suite {
            name,
            title: format!("All rows of the paper on {title}"),
            note: "Each row is named after its table. A run that several tables show is one run.",
            rows: rows.filter(|(_, row)| row.data == name).collect(),
        }
    });
    tables.chain(morph).chain(sets).collect()
}

/// The suites of these names, each once, in the paper's order.
///
/// # Errors
/// Where there is no such suite.
pub(super) fn choose<'a>(paper: &'a Paper, names: &[String]) -> Result<Vec<Suite<'a>>> {
    let mut suites = all(paper);
    for name in names {
        if name != "all" && !suites.iter().any(|suite| suite.name == name) {
            let valid: Vec<_> = suites.iter().map(|suite| suite.name).collect();
            bail!("no suite is called `{name}`\nhint: valid: {}, all", valid.join(", "));
        }
    }
    if !names.iter().any(|name| name == "all") {
        suites.retain(|suite| names.iter().any(|name| name == suite.name));
    }
    Ok(suites)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Result<Vec<&'static str>> {
        let paper = Paper::read().unwrap();
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let suites = choose(&paper, &names)?;
        Ok(suites.iter().map(|suite| suite.name).collect())
    }

    #[test]
    fn by_name() {
        assert_eq!(chosen(&["table4", "table3", "table4"]).unwrap(), ["table3", "table4"]);
        assert_eq!(chosen(&["all"]).unwrap().len(), 18 + 1 + 6);
        let error = chosen(&["table12"]).unwrap_err().to_string();
        assert!(error.contains("table11") && error.contains("hint"), "{error}");
    }

    #[test]
    fn every_row_of_a_table_belongs_to_a_data_set() {
        let paper = Paper::read().unwrap();
        let count = |names: &[&str]| -> usize {
            let suites = all(&paper);
            let suites = suites.iter().filter(|suite| names.contains(&suite.name));
            suites.map(|suite| suite.rows.len()).sum()
        };
        let tables: Vec<_> = (2..=10).map(|number| format!("table{number}")).collect();
        let tables: Vec<_> = tables.iter().map(String::as_str).collect();
        assert_eq!(count(&BY_SET), count(&tables));
        assert_eq!(count(&["mnist"]), 4 + 4);
    }
}
