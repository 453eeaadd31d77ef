//! Data sets of tables: divided, standardised, refused. Kinds of tables are in `kinds.rs`.

use super::*;
use crate::testing::{data_problem, gzip, labels, open, open_for, pixels};
use autogrow_core::config::{DataConfig, Numbers, SelectOn};
use autogrow_core::data::{Split, Targets, Task};
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

pub(super) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

pub(super) fn config(dir: &Path, label: &str) -> DataConfig {
    DataConfig {
        name: "csv".into(),
        dir: dir.into(),
        label: label.into(),
        select_on: SelectOn::Test,
        ..DataConfig::default()
    }
}

fn problem(train: &str, test: &str, label: &str) -> String {
    let folder = folder(&[("train.csv", train), ("test.csv", test)]);
    data_problem(open(&config(folder.path(), label), 0)).0
}

const TRAIN: &str = "size,label,colour\n1,ten, 5\n2,\"two, or so\",6\n6,ten,7\n";

#[test]
fn columns_are_standardised_and_found_by_name() {
    let test = "colour,size,label\n6,3,ten\n7,1,ten\n";
    let folder = folder(&[("train.csv", TRAIN), ("test.csv", test)]);
    let set = open(&config(folder.path(), ""), 0).unwrap();
    assert_eq!(set.image, [2, 1, 1]);
    assert_eq!(set.outputs.names(), ["ten", "two, or so"]);
    assert_eq!(labels(set.train.as_ref()), [0, 1, 0]);
    assert_eq!(labels(set.test.as_ref()), [0, 0]);
    // Means 3 and 6, deviations sqrt(14 / 3) and sqrt(2 / 3).
    let [size, colour] = [(14f32 / 3.0).sqrt(), (2f32 / 3.0).sqrt()];
    let close = |found: Vec<f32>, expected: &[f32]| {
        assert_eq!(found.len(), expected.len());
        let off = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs());
        assert!(off.fold(0.0, f32::max) < 1e-6, "{found:?} against {expected:?}");
    };
    let train = [-2.0 / size, -1.0 / colour, -1.0 / size, 0.0, 3.0 / size, 1.0 / colour];
    close(pixels(set.train.as_ref()), &train);
    close(pixels(set.test.as_ref()), &[0.0, 0.0, -2.0 / size, 1.0 / colour]);
}

#[test]
fn a_file_alone_is_divided_and_may_be_packed() {
    let rows: String = (0..20).map(|row| format!("{},{}\n", row * row, 10 - row % 2 * 8)).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv.gz");
    fs::write(&path, gzip(format!("x,kind\n{rows}").as_bytes())).unwrap();
    let set = open(&config(&path, ""), 0).unwrap();
    // The last column, its classes in the order of numbers.
    assert_eq!(set.outputs.names(), ["2", "10"]);
    assert_eq!((set.train.len(), set.test.len()), (16, 4));
    assert_eq!(labels(set.test.as_ref()), [1, 0, 1, 0]);
    let other_seed = open(&config(&path, "kind"), 9).unwrap();
    assert_eq!(pixels(set.test.as_ref()), pixels(other_seed.test.as_ref()));
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_column() {
    let test = "size,label,colour\n1,ten,5\n";
    for (train, test, label, expected) in [
        ("a,label\n1,\n", test, "", "line 2, column `label`: the class is missing"),
        (
            "a,label\n1,x\n2,y\n1o,x\n",
            "a,label\n1,x\n",
            "",
            "line 4, column `a`: `1o` is not a number",
        ),
        (
            TRAIN,
            "size,label,colour\ninf,ten,5\n",
            "",
            "line 2, column `size`: `inf` is not a number",
        ),
        ("a,label\n", test, "", "has no rows"),
        ("", test, "", "is empty"),
        ("label\nx\ny\n", test, "", "line 1 does not name columns: label"),
        ("a,a,label\n1,2,x\n", test, "", "line 1 names two columns `a`"),
        ("a,label\n1,x\n2,x\n", "a,label\n1,x\n", "", "column `label` has 1 classes"),
        (TRAIN, test, "shape", "has no column `shape`; its columns are size, label, colour"),
        (
            "a,b,label\n3,,x\n3,,y\n",
            "a,b,label\n3,5,x\n",
            "",
            "has nothing to learn from: `a` is 3 in all rows, `b` is empty",
        ),
        (
            TRAIN,
            "size,label\n1,ten\n",
            "",
            "has no column `colour`: its columns are size, label; the training part takes size, colour",
        ),
        (
            TRAIN,
            "size,label,colour,x\n1,ten,5,1\n",
            "",
            "has a column `x` too many: its columns are size, label, colour, x; the training part \
             takes size, colour",
        ),
        (
            TRAIN,
            "size,label,colour\n1,six,5\n",
            "",
            "line 2, column `label`: `six` is no class of the training part: the classes here are \
             six, those of the training part ten, two, or so",
        ),
    ] {
        assert_eq!(problem(train, test, label), expected);
    }
    assert!(problem("a,label\n1,x,3\n", test, "").contains("record 1 (line: 2"));
}

#[test]
fn a_table_has_to_be_named() {
    let error = open(&config(Path::new(""), ""), 0).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().starts_with("`data.dir` is empty"));
    assert_eq!(open(&config(Path::new("/no/such.csv"), ""), 0).unwrap_err().exit_code(), 3);
}

/// As [`config`], for columns of values or labels.
pub(super) fn with_target(dir: &Path, target: &str) -> DataConfig {
    DataConfig { target: target.into(), ..config(dir, "") }
}

fn numbers(split: &dyn Split) -> Vec<f32> {
    match split.targets().unwrap() {
        Targets::Numbers { values, .. } => values,
        classes => panic!("{classes:?} are not numbers"),
    }
}

#[test]
fn values_are_standardised_by_the_training_part() {
    let train = "x,price,rent\n1,10,7\n2,30,1\n";
    let test = "rent,x,price\n4,0,50\n";
    let folder = folder(&[("train.csv", train), ("test.csv", test)]);
    let config = with_target(folder.path(), "price, rent");
    let set = open_for(Task::Values, &config, 0, 1).unwrap();
    let Outputs::Values(values) = &set.outputs else { panic!("{:?}", set.outputs) };
    let told: Vec<_> =
        values.iter().map(|value| (&*value.name, value.mean, value.deviation)).collect();
    assert_eq!(told, [("price", 20.0, 10.0), ("rent", 4.0, 3.0)]);
    assert_eq!((set.image, numbers(&*set.train)), ([1, 1, 1], vec![-1.0, 1.0, 1.0, -1.0]));
    assert_eq!(numbers(&*set.test), [3.0, 0.0]);
    let batch = set.train.batches(Default::default()).next().unwrap().unwrap();
    assert_eq!(batch.targets.len(), 1);
}

#[test]
fn labels_are_zeros_and_ones() {
    let row = |row: i32| format!("{},{},{}\n", row * row, row % 2, row / 5);
    let rows: String = (0..10).map(row).collect();
    let folder = folder(&[("table.csv", &format!("x,odd,large\n{rows}"))]);
    let config = with_target(&folder.path().join("table.csv"), "odd,large");
    let set = open_for(Task::Labels, &config, 0, 1).unwrap();
    assert_eq!(set.outputs, Outputs::Labels(vec!["odd".into(), "large".into()]));
    assert_eq!((set.train.len(), set.test.len()), (8, 2));
    assert_eq!(numbers(&*set.test), [0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn what_does_not_suit_the_objective_is_named() {
    let problem = |task, content: &str, target| {
        let folder = folder(&[("table.csv", content)]);
        let config = with_target(&folder.path().join("table.csv"), target);
        data_problem(open_for(task, &config, 0, 1)).0
    };
    for (task, content, target, expected) in [
        (Task::Labels, "x,y\n1,0\n2,3\n5,1\n", "y", "line 3, column `y`: `3` is neither 0 nor 1"),
        (Task::Values, "x,y\n1,a\n2,0\n", "", "line 2, column `y`: `a` is not a number"),
        (Task::Values, "x,y\n1,4\n2,4\n", "y", "column `y` is 4 in all rows"),
        (Task::Values, "x,y\n1,4\n", "z", "has no column `z`; its columns are x, y"),
        (Task::Values, "x,y\n1,4\n", "y,y", "has one column `y`, which is named twice"),
        (Task::Values, "x,y\n1,4\n", "x,y", "has no column besides those of the targets"),
    ] {
        assert_eq!(problem(task, content, target), expected);
    }
    let wrong = |task, config: &DataConfig| {
        let error = open_for(task, config, 0, 1).unwrap_err();
        assert_eq!((error.exit_code(), error.hint().is_some()), (2, true));
        error.to_string()
    };
    let place = Path::new("anywhere");
    assert!(wrong(Task::Classes, &with_target(place, "y")).starts_with("`data.target` = y"));
    assert!(wrong(Task::Values, &config(place, "y")).starts_with("`data.label` = y"));
}

proptest! {
    #[test]
    fn any_bytes_are_a_table_or_an_error(bytes: Vec<u8>, text in "[a,;\t\"\n0-9.]{0,60}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            let Ok(sheet) = Sheet::parse(Path::new("fuzz"), bytes, &[]) else { continue };
            let columns = sheet.names.len();
            prop_assert!(sheet.rows.iter().all(|row| row.len() == columns));
            let rows: Vec<_> = (0..sheet.rows.len()).collect();
            let Ok(found) = Wanted::named(&[], Task::Classes).find(&sheet) else { continue };
            let Ok(outputs) = targets::outputs(&sheet, &rows, &found.columns, Task::Classes) else {
                continue;
            };
            for seen in [Numbers::Standard, Numbers::Pieces] {
                let Ok(table) = measure(&sheet, &rows, &found, seen) else { continue };
                let fit = Fit { table: &table, outputs: &outputs, whose: Whose::Model };
                let features = fit.features(&sheet, &rows).unwrap();
                prop_assert_eq!(features.len(), rows.len() * table.width());
                prop_assert!(features.iter().all(|value| value.is_finite()));
            }
        }
    }
}
