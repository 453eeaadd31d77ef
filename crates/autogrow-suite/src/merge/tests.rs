//! Folders of several machines.

use super::*;
use crate::scale::Scale;
use crate::testing::result;
use tempfile::TempDir;

fn record(suite: &str, seeds: u64, scale: Scale) -> Record {
    let suites = [suite.to_string()].into();
    Record { scale, data: None, device: None, seeds: Some(seeds), suites }
}

/// A folder of results with runs of these accuracies.
fn folder(record: Record, runs: &[(&str, f64)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path());
    record.write(&place, &[]).unwrap();
    for (name, accuracy) in runs {
        let run = place.runs().join(name);
        fs::create_dir_all(run.join("checkpoints")).unwrap();
        fs::write(run.join("checkpoints/1"), name).unwrap();
        fs::write(place.beside(name, "toml"), "# told").unwrap();
        fs::write(run.join("result.json"), result("1-1-1", *accuracy)).unwrap();
    }
    folder
}

#[test]
fn parts_become_one() {
    let a = folder(record("table3", 1, Scale::Smoke), &[("one", 1.0), ("both", 3.0)]);
    let b = folder(record("mine", 2, Scale::Smoke), &[("two", 2.0), ("both", 3.0)]);
    fs::create_dir_all(b.path().join("runs/begun")).unwrap();
    fs::write(b.path().join("runs/begun/config.toml"), "").unwrap();
    fs::create_dir(b.path().join("suites")).unwrap();
    fs::write(file(b.path(), "mine"), "title = 'Mine'\n[[row]]").unwrap();
    let result = b.path().join("runs/both/result.json");
    let slower = fs::read_to_string(&result).unwrap().replace("seconds\":1.0", "seconds\":2.0");
    fs::write(&result, slower).unwrap();

    let out = tempfile::tempdir().unwrap();
    let place = Place::new(&out.path().join("new"));
    let from = [a.path().to_path_buf(), b.path().to_path_buf()];
    let (record, merged) = merge(&from, &place).unwrap();
    // The same result in another time is no difference; what has no result stays away.
    assert_eq!(merged, Merged { copied: 3, known: 1, differing: vec![] });
    assert_eq!((record.seeds, record.suites.len()), (Some(2), 2));
    let suites = record.suites(&place.out).unwrap();
    assert_eq!(
        suites.iter().map(|suite| suite.name.as_str()).collect::<Vec<_>>(),
        ["table3", "mine"]
    );
    assert_eq!(Record::read(&place.out).unwrap(), Some(record));
    for name in ["one", "two", "both"] {
        let copy = fs::read_to_string(place.runs().join(name).join("checkpoints/1")).unwrap();
        assert_eq!(copy, name);
        assert!(place.beside(name, "toml").is_file());
    }
    assert!(!place.runs().join("begun").exists());
    let (_, again) = merge(&from, &place).unwrap();
    assert_eq!(again, Merged { copied: 0, known: 4, differing: vec![] });
}

#[test]
fn results_that_differ_are_told_and_the_first_is_kept() {
    let a = folder(record("table3", 1, Scale::Smoke), &[("both", 3.0)]);
    let b = folder(record("table3", 1, Scale::Smoke), &[("both", 4.0)]);
    let out = tempfile::tempdir().unwrap();
    let place = Place::new(out.path());
    let (_, merged) = merge(&[a.path().into(), b.path().into()], &place).unwrap();
    assert_eq!((merged.copied, merged.differing), (1, vec!["both".to_string()]));
    let Stage::Finished(outcome) = place.stage("both").unwrap() else { panic!("no result") };
    assert_eq!(outcome.test_accuracy, 3.0);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let a = folder(record("table3", 1, Scale::Smoke), &[]);
    let b = folder(record("table3", 1, Scale::Small), &[]);
    let out = tempfile::tempdir().unwrap();
    let place = Place::new(&out.path().join("new"));
    let error = merge(&[a.path().into(), b.path().into()], &place).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(error.to_string().contains("scale small"), "{error}");
    let error = merge(&[out.path().into()], &place).unwrap_err();
    assert!(error.to_string().contains("suite.toml") && error.hint().is_some(), "{error}");
    assert!(!place.out.exists());
    // A suite in a folder of another scale is refused as well.
    let mixed = record("table3", 1, Scale::Paper).write(&Place::new(a.path()), &[]).unwrap_err();
    assert!(mixed.hint().unwrap().contains("--out"), "{mixed}");
}
