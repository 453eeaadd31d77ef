//! The words of whole pages, as a reader without pictures has them. `INSTA_UPDATE=always` keeps
//! what has changed; look at it first.

use crate::common::{configure, fixture, run_folder};
use autogrow_report::{Report, Run};
use autogrow_run::Config;
use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

const STARTED: u64 = 1_700_000_000;

fn report() -> Report {
    let written = UNIX_EPOCH + Duration::from_secs(STARTED + 60);
    Report::new().with_defaults(&Config::default()).written_at(written)
}

/// The page of the run in a folder, as if it had been called `digits`.
fn page(folder: &Path) -> String {
    let run = Run::read(folder).unwrap();
    text(&report().page(&Run { path: "digits".into(), started: STARTED as f64, ..run }))
}

/// What is seen of a page: a line a block, cells of a row apart.
fn text(page: &str) -> String {
    let mut text = String::new();
    let mut hidden = None;
    for part in page.split('<').skip(1) {
        // Scripts have signs of their own.
        let Some((tag, words)) = part.split_once('>') else { continue };
        let name = tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap_or_default();
        match hidden {
            Some(own) if tag == format!("/{own}") => hidden = None,
            Some(_) => continue,
            // A chart is two nested elements.
            None if tag == "/svg" => continue,
            None if ["style", "script", "svg", "title"].contains(&name) => hidden = Some(name),
            None => {}
        }
        if hidden.is_some() {
            continue;
        }
        match name {
            "td" | "th" | "dd" | "button" | "li" if !tag.starts_with('/') => text.push_str("  "),
            "span" | "strong" | "em" | "code" | "data" | "i" | "time" | "td" | "th" | "dd"
            | "dt" | "button" | "li" => {}
            _ => text.push('\n'),
        }
        text.push_str(words);
    }
    let lines = text.replace(env!("CARGO_PKG_VERSION"), "[version]");
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_finished_run() {
    insta::assert_snapshot!(page(&fixture("run")));
}

#[test]
fn an_interrupted_run_of_an_unknown_policy() {
    let folder = run_folder();
    configure(folder.path(), &[("\"periodic\"", "\"own\"")]);
    fs::remove_file(folder.path().join("result.json")).unwrap();
    let journal = fs::read_to_string(folder.path().join("journal.jsonl")).unwrap();
    let end = journal.match_indices("\"epoch\":12,").next().unwrap().0;
    fs::write(folder.path().join("journal.jsonl"), &journal[..end]).unwrap();
    fs::remove_file(folder.path().join("metrics.csv")).unwrap();
    insta::assert_snapshot!(page(folder.path()));
}

#[test]
fn a_comparison() {
    let parent = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| parent.path().join(name));
    for folder in [&first, &second] {
        fs::rename(run_folder().keep(), folder).unwrap();
    }
    configure(
        &second,
        &[("seed = 0", "seed = 41"), ("select_on = \"val\"", "select_on = \"test\"")],
    );
    insta::assert_snapshot!(text(&report().compare(&[first, second]).unwrap()));
}

#[test]
fn an_index_of_runs() {
    let parent = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second one"].map(|name| parent.path().join(name));
    for folder in [&first, &second] {
        fs::rename(run_folder().keep(), folder).unwrap();
    }
    fs::remove_file(second.join("result.json")).unwrap();
    let runs = [first, second].map(|folder| Run::read(&folder).unwrap());
    let page = report().index(Path::new("runs"), &runs, &["third: is damaged".into()]);
    assert_eq!(page.matches("<polyline").count(), 2);
    assert!(page.contains("href=\"second%20one/report.html\""));
    insta::assert_snapshot!(text(&page));
}
