//! Tables of any content: read for a model, and opened as a data set.
#![no_main]

use autogrow_core::config::DataConfig;
use autogrow_core::data::{
    Cells, Column, DataRequest, DataSet, Outputs, Pass, Split, TableInput, Task,
};
use autogrow_data::Table;
use libfuzzer_sys::fuzz_target;
use std::fs;

/// Walks a split: every number of a table that was accepted is one.
fn walk(split: &dyn Split) {
    let mut rows = 0;
    for batch in split.batches(Pass { batch_size: 7, ..Pass::default() }) {
        let Ok(batch) = batch else { return };
        assert!(batch.images.iter().all(|value| value.is_finite()));
        rows += batch.len();
    }
    assert_eq!(rows, split.len());
}

fuzz_target!(|content: &[u8]| {
    let column = |name: &str, cells| Column { name: name.into(), cells, missing: true };
    let words = ["blue", "red"].map(String::from).into();
    let input = TableInput {
        targets: vec!["label".into()],
        columns: vec![
            column("a", Cells::Numbers { mean: 3.0, deviation: 0.1 }),
            column("b", Cells::Words { words }),
        ],
        left_out: Vec::new(),
        notes: Vec::new(),
    };
    let outputs = Outputs::Classes(vec!["no".into(), "yes".into()]);
    if let Ok(table) = Table::of_bytes("table", content, &input) {
        if let Ok(rows) = table.labelled(&outputs) {
            walk(&*rows);
        }
        if let Ok(rows) = table.unlabelled(&outputs) {
            walk(&*rows);
        }
    }
    let path = std::env::temp_dir().join(format!("autogrow-fuzz-{}.csv", std::process::id()));
    if fs::write(&path, content).is_err() {
        return;
    }
    let config = DataConfig { name: "csv".into(), dir: path, ..DataConfig::default() };
    for task in [Task::Classes, Task::Values, Task::Labels] {
        let request = DataRequest {
            config: &config,
            compat: Default::default(),
            plugins: &Default::default(),
            task,
            seed: 0,
            size: 1,
        };
        if let Ok(set) = DataSet::open(&request) {
            [set.train, set.validation, set.test].iter().for_each(|split| walk(&**split));
        }
    }
});
