//! Tables of every kind, whole and broken.

use super::*;
use crate::testing::{data_problem, gzip, labels, open, pixels};
use autogrow_core::config::DataConfig;
use autogrow_core::config::SelectOn;
use proptest::prelude::*;
use std::fs;
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn config(dir: &Path, label: &str) -> DataConfig {
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

const TRAIN: &str = "size,label,colour\n1,ten, 5\n2,\"two, or so\",5\n6,ten,5\n";

#[test]
fn columns_are_standardised_and_found_by_name() {
    let test = "colour,size,label\n5,3,ten\n6,1,ten\n";
    let folder = folder(&[("train.csv", TRAIN), ("test.csv", test)]);
    let set = open(&config(folder.path(), ""), 0).unwrap();
    assert_eq!(set.image, [2, 1, 1]);
    assert_eq!(set.classes, ["ten", "two, or so"]);
    assert_eq!(labels(set.train.as_ref()), [0, 1, 0]);
    assert_eq!(labels(set.test.as_ref()), [0, 0]);
    // Mean 3 and deviation sqrt(14 / 3); the colour never changes.
    let deviation = (14f32 / 3.0).sqrt();
    let close = |found: Vec<f32>, expected: &[f32]| {
        assert_eq!(found.len(), expected.len());
        let off = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs());
        assert!(off.fold(0.0, f32::max) < 1e-6, "{found:?} against {expected:?}");
    };
    let train = [-2.0 / deviation, 0.0, -1.0 / deviation, 0.0, 3.0 / deviation, 0.0];
    close(pixels(set.train.as_ref()), &train);
    close(pixels(set.test.as_ref()), &[0.0, 0.0, -2.0 / deviation, 1.0]);
}

#[test]
fn a_file_alone_is_divided_and_may_be_packed() {
    let rows: String = (0..20).map(|row| format!("{row},{}\n", 10 - row % 2 * 8)).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv.gz");
    fs::write(&path, gzip(format!("x,kind\n{rows}").as_bytes())).unwrap();
    let set = open(&config(&path, ""), 0).unwrap();
    // The last column, its classes in the order of numbers.
    assert_eq!(set.classes, ["2", "10"]);
    assert_eq!((set.train.len(), set.test.len()), (16, 4));
    assert_eq!(labels(set.test.as_ref()), [1, 0, 1, 0]);
    let other_seed = open(&config(&path, "kind"), 9).unwrap();
    assert_eq!(pixels(set.test.as_ref()), pixels(other_seed.test.as_ref()));
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_column() {
    let test = "size,label,colour\n1,ten,5\n";
    for (train, test, label, expected) in [
        ("a,label\n1,x\n,y\n", test, "", "line 3, column `a`: the value is missing"),
        ("a,label\n1,\n", test, "", "line 2, column `label`: the value is missing"),
        ("a,label\n\"1\n2\",x\n", test, "", "line 2, column `a`: `1\n2` is not a number"),
        ("a,label\ninf,x\n", test, "", "line 2, column `a`: `inf` is not a number"),
        ("a,label\n", test, "", "has no rows"),
        ("1,2\n3,4\n", test, "", "line 1 does not name columns: 1,2"),
        ("a,a,label\n1,2,x\n", test, "", "line 1 names two columns `a`"),
        ("a,label\n1,x\n2,x\n", "a,label\n1,x\n", "", "column `label` has 1 classes"),
        (TRAIN, test, "shape", "has no column `shape`; its columns are size, label, colour"),
        (TRAIN, "size,label\n1,ten\n", "", "has no column `colour`, which the training part has"),
        (
            TRAIN,
            "size,label,colour,x\n1,ten,5,1\n",
            "",
            "has a column `x`, which the training part has not",
        ),
        (
            TRAIN,
            "size,label,colour\n1,six,5\n",
            "",
            "line 2, column `label`: `six` is no class of the training part",
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

proptest! {
    #[test]
    fn any_bytes_are_a_table_or_an_error(bytes: Vec<u8>, text in "[a,\"\n0-9.]{0,60}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            if let Ok(table) = Table::parse(Path::new("fuzz"), bytes, "") {
                prop_assert_eq!(table.values.len(), table.columns.len() * table.classes.len());
            }
        }
    }
}
