//! The order of runs, what is left out, what fails; the program is a shell script here.
#![cfg(unix)]

use super::*;
use crate::scale::Scale;
use crate::testing::{plan, result, scripted};
use std::fs;
use std::path::Path;

/// A run that ends at once, at a depth of three or four sub-networks, and is noted in `order`.
const ENDS: &str = r#"
mkdir -p $1
touch $1/config.toml
case $1 in *4*net*) found=2-2-2-2;; *) found=3-3-3;; esac
echo '{"found":"'$found'","network":"n","data":"d","val_accuracy":1,"test_accuracy":2,
"growing_epochs":1,"fine_tuning_epochs":1,"growing_seconds":1,"fine_tuning_seconds":1,
"parameters":1,"macs":1,"floor":null,"at_floor":false}' > $1/result.json
echo $0 $1 >> order
"#;

/// Runs a suite with a script in place of the program.
fn run(out: &Path, suite: &str, script: &str, jobs: usize) -> (Summary, usize) {
    let place = Place::new(out);
    run_by(&scripted(&place, script), &place, suite, jobs)
}

fn run_by(program: &Program, place: &Place, suite: &str, jobs: usize) -> (Summary, usize) {
    let plan = plan(Scale::Small, &[suite], 1);
    let work = Work {
        plan: &plan,
        mine: &vec![true; plan.cells.len()],
        place,
        program,
        jobs,
        threads: 1,
        note: &|_| {},
        written: &|| Ok(()),
    };
    (work.run().unwrap(), plan.cells.len())
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn order(place: &Path) -> Vec<String> {
    let text = fs::read_to_string(place.join("runs/order")).unwrap_or_default();
    text.lines().map(str::to_string).collect()
}

#[test]
fn each_cell_runs_once_after_what_it_waits_for() {
    for jobs in [1, 3] {
        let folder = folder();
        let (summary, cells) = run(folder.path(), "table2", ENDS, jobs);
        assert_eq!(summary, Summary { finished: cells, ..Summary::default() });
        let ran = order(folder.path());
        assert_eq!(ran.len(), cells);
        let place = |name: &str| ran.iter().position(|line| line.ends_with(name)).unwrap();
        let plan = plan(Scale::Small, &["table2"], 1);
        for cell in &plan.cells {
            for &before in &cell.after {
                assert!(place(&plan.cells[before].key) < place(&cell.key));
            }
        }
        // What is finished is not run again.
        run(folder.path(), "table2", ENDS, jobs);
        assert_eq!(order(folder.path()), ran);
    }
}

#[test]
fn baselines_of_the_same_depth_are_one_run() {
    let folder = folder();
    // All find 3-3-3: twelve searches, and a baseline for each of the two data sets.
    let (summary, cells) = run(folder.path(), "table3", ENDS, 2);
    assert_eq!((summary.finished, cells), (24, 24));
    let order = order(folder.path());
    let baselines = order.iter().filter(|line| line.contains("-3-3-3-scratch-")).count();
    assert_eq!((order.len(), baselines), (14, 2));
}

#[test]
fn what_was_interrupted_is_resumed() {
    let folder = folder();
    let begins = "mkdir -p $1; touch $1/config.toml; exit 130";
    let (summary, _) = run(folder.path(), "figure4", begins, 1);
    assert_eq!((summary.interrupted, summary.finished), (Some(130), 0));
    assert!(summary.failed.is_empty());
    run(folder.path(), "figure4", ENDS, 1);
    let order = order(folder.path());
    assert!(order.len() == 1 && order[0].starts_with("resume "), "{order:?}");
}

/// Sends SIGTERM to this process as soon as two runs are at work, which save and end when they are
/// told of it.
const TERMINATES: &str = r#"
trap 'kill $pause; touch $1/config.toml; echo $1 >> saved; exit 143' TERM
mkdir -p $1
sleep 600 & pause=$!
echo $1 >> begun
if mkdir first 2>/dev/null; then
    until [ $(wc -l < begun) -eq 2 ]; do :; done
    kill -TERM $PPID
fi
wait $pause
"#;

#[test]
fn a_signal_is_handed_on_to_the_runs_at_work_and_nothing_more_begins() {
    let folder = folder();
    let place = Place::new(folder.path());
    let mut program = scripted(&place, TERMINATES);
    program.listen();
    let (summary, cells) = run_by(&program, &place, "table2", 2);
    assert_eq!(summary, Summary { interrupted: Some(143), ..Summary::default() });
    let lines = |file: &str| {
        let text = fs::read_to_string(place.runs().join(file)).unwrap();
        let mut lines: Vec<_> = text.lines().map(str::to_string).collect();
        lines.sort();
        lines
    };
    assert_eq!((lines("begun").len(), lines("begun")), (2, lines("saved")));
    // The same command goes on with them.
    let (summary, _) = run(folder.path(), "table2", ENDS, 2);
    assert_eq!(summary, Summary { finished: cells, ..Summary::default() });
    let resumed = order(folder.path()).iter().filter(|line| line.starts_with("resume ")).count();
    assert_eq!(resumed, 2);
}

#[test]
fn a_failed_cell_does_not_stop_the_others() {
    let folder = folder();
    let refused = r#"echo '{"error":{"code":5,"message":"no luck"}}'; exit 5"#;
    let script = format!("case $1 in *-uniform-*) {refused};; esac\n{ENDS}");
    let (summary, cells) = run(folder.path(), "table3", &script, 2);
    // UniInit fails on both data sets, so do their baselines.
    assert_eq!((summary.failed.len(), summary.skipped), (2, 2));
    assert_eq!(summary.finished, cells - 4);
    assert!(summary.failed.iter().all(|failed| failed.message == "no luck"), "{summary:?}");
    let place = Place::new(folder.path());
    assert_eq!(place.failure(&summary.failed[0].name), Some("no luck".into()));
    // Tried again, it may do better, and is no longer said to have failed.
    let (better, _) = run(folder.path(), "table3", ENDS, 2);
    assert_eq!(better.finished, cells);
    assert_eq!(place.failure(&summary.failed[0].name), None);
}

#[test]
fn a_cell_that_another_process_holds_is_waited_for() {
    let folder = folder();
    let place = Place::new(folder.path());
    let key = plan(Scale::Small, &["figure4"], 1).cells[0].key.clone();
    let cell = place.runs().join(&key);
    fs::create_dir_all(&cell).unwrap();
    assert_eq!(place.holder(&key), None);
    fs::write(cell.join("lock"), "4711").unwrap();
    assert_eq!(place.holder(&key), None);
    let lock = fs::File::open(cell.join("lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(place.holder(&key), Some("4711".into()));
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| run(folder.path(), "figure4", ENDS, 1).0);
        // It lets go when it has finished the cell, as another `autogrow` would.
        fs::write(cell.join("result.part"), result("2-2-2", 2.0)).unwrap();
        fs::rename(cell.join("result.part"), cell.join("result.json")).unwrap();
        drop(lock);
        assert_eq!(waits.join().unwrap().finished, 1);
    });
}

#[test]
fn a_cell_that_another_process_takes_first_is_tried_again() {
    let folder = folder();
    let taken = r#"echo '{"error":{"code":4,"message":"held"}}'; exit 4"#;
    let script = format!("if [ ! -e tried ]; then touch tried; {taken}; fi\n{ENDS}");
    let (summary, _) = run(folder.path(), "figure4", &script, 1);
    assert_eq!((summary.finished, summary.failed.len()), (1, 0));
}

#[test]
fn a_folder_that_cannot_be_used_is_not_tried_for_ever() {
    let folder = folder();
    let script = r#"echo $1 >> order; echo '{"error":{"code":4,"message":"damaged"}}'; exit 4"#;
    let (summary, _) = run(folder.path(), "figure4", script, 1);
    assert_eq!((summary.failed[0].code, summary.failed[0].message.as_str()), (4, "damaged"));
    assert_eq!(order(folder.path()).len(), TRIES);
}
