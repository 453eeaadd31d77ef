//! Folders of several machines.

use super::*;
use crate::reproduce::testing::TestFolder;

fn record(suite: &str, seeds: u64, scale: &str) -> Record {
    Record {
        scale: scale.into(),
        rule: "a rule".into(),
        data: None,
        device: "auto".into(),
        seeds,
        suites: [suite.to_string()].into(),
    }
}

/// A folder of results with a cell of this accuracy.
fn folder(name: &str, record: Record, cells: &[(&str, f64)]) -> TestFolder {
    let folder = TestFolder::new(name);
    let place = Place { out: folder.path.clone() };
    record.write(&place).unwrap();
    for (cell, accuracy) in cells {
        let run = place.runs().join(cell);
        fs::create_dir_all(run.join("checkpoints")).unwrap();
        fs::write(run.join("checkpoints/1"), cell).unwrap();
        fs::write(place.beside(cell, "toml"), "# told").unwrap();
        let result = format!(
            r#"{{"found":"1-1-1","val_accuracy":1,"test_accuracy":{accuracy},"growing_epochs":1,
            "growing_seconds":{},"fine_tuning_seconds":1,"parameters":1,"macs":1,"floor":null,
            "at_floor":false}}"#,
            name.len()
        );
        fs::write(run.join("result.json"), result).unwrap();
    }
    folder
}

#[test]
fn parts_become_one() {
    let a = folder("a", record("table3", 1, "smoke"), &[("one", 1.0), ("both", 3.0)]);
    let bb = folder("bb", record("table4", 2, "smoke"), &[("two", 2.0), ("both", 3.0)]);
    fs::create_dir_all(bb.path.join("runs/begun")).unwrap();
    fs::write(bb.path.join("runs/begun/config.toml"), "").unwrap();
    let out = TestFolder::new("merged");
    let place = Place { out: out.path.join("new") };
    let from = [a.path.clone(), bb.path.clone()];
    let (record, merged) = merge(&from, &place).unwrap();
    // The same result in another time is no difference; what has no result stays away.
    assert_eq!(merged, Merged { copied: 3, known: 1, differing: vec![] });
    assert_eq!((record.seeds, record.suites.len()), (2, 2));
    assert_eq!(Record::read(&place.out).unwrap(), Some(record));
    for cell in ["one", "two", "both"] {
        let copy = fs::read_to_string(place.runs().join(cell).join("checkpoints/1")).unwrap();
        assert_eq!(copy, cell);
        assert!(place.beside(cell, "toml").is_file());
    }
    assert!(!place.runs().join("begun").exists());
    let (_, again) = merge(&from, &place).unwrap();
    assert_eq!(again, Merged { copied: 0, known: 4, differing: vec![] });
}

#[test]
fn results_that_differ_are_told_and_the_first_is_kept() {
    let a = folder("a", record("table3", 1, "smoke"), &[("both", 3.0)]);
    let b = folder("b", record("table3", 1, "smoke"), &[("both", 4.0)]);
    let out = TestFolder::new("differing");
    let place = Place { out: out.path.clone() };
    let (_, merged) = merge(&[a.path.clone(), b.path.clone()], &place).unwrap();
    assert_eq!((merged.copied, merged.differing), (1, vec!["both".to_string()]));
    let Stage::Finished(outcome) = place.stage("both").unwrap() else { panic!("no result") };
    assert_eq!(outcome.test_accuracy, 3.0);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let a = folder("a", record("table3", 1, "smoke"), &[]);
    let b = folder("b", record("table3", 1, "small"), &[]);
    let out = TestFolder::new("refused");
    let place = Place { out: out.path.join("new") };
    let error = merge(&[a.path.clone(), b.path.clone()], &place).unwrap_err().to_string();
    assert!(error.contains("scale small"), "{error}");
    let error = merge(std::slice::from_ref(&out.path), &place).unwrap_err().to_string();
    assert!(error.contains("reproduce.toml"), "{error}");
    assert!(!place.out.exists());
    // A reproduction in a folder of another scale is refused as well.
    let mixed = record("table3", 1, "paper").write(&Place { out: a.path.clone() }).unwrap_err();
    assert!(mixed.to_string().contains("--out"), "{mixed}");
}

#[cfg(unix)]
#[test]
fn what_was_merged_is_drawn() {
    use crate::reproduce::autogrow::scripted;
    use crate::reproduce::scale::Scale;
    use crate::reproduce::testing::with_plan;
    let run = with_plan(Scale::Smoke, &["figure4"], 1, |plan| plan.cells[0].key.clone());
    let from = folder("from", record("figure4", 1, "smoke"), &[(&run, 3.0)]);
    let out = TestFolder::new("drawn");
    let place = Place { out: out.path.join("new") };
    fs::create_dir_all(place.runs()).unwrap();
    let paper = Paper::read().unwrap();
    let tree = Tree::here().unwrap();
    let merged = |script: &str| {
        let autogrow = scripted(&place.runs(), script).program().to_path_buf();
        let args = MergeArgs {
            folders: vec![from.path.clone()],
            out: Some(place.out.clone()),
            threads: Some(1),
            autogrow: Some(autogrow),
        };
        format!("{:?}", super::run(&tree, &paper, &args).unwrap())
    };
    let [well, failed] = [ExitCode::SUCCESS, FAILED.into()].map(|code| format!("{code:?}"));
    let page = || fs::read_to_string(place.out.join("figure4.md")).unwrap();
    assert_eq!(merged("echo 'error: no room' >&2; exit 4"), failed);
    assert!(!page().contains(".png"));
    let draws = "for name in accuracy-epochs accuracy-time loss-epochs loss-time; do \
                 touch ../figure4/a/$name.svg ../figure4/a/$name.png; done";
    assert_eq!(merged(draws), well);
    assert!(page().contains("figure4/a/accuracy-epochs.png"));
    // What is drawn needs no program.
    assert_eq!(merged("exit 4"), well);
}
