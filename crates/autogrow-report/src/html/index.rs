//! An index of the runs in a folder: a line each, with its curve and a link to its page.

use super::format::{duration, percent, si};
use super::{page as whole, reason, section as framed};
use crate::Words;
use crate::run::{Run, Status};
use autogrow_run::names;
use maud::{Markup, html};
use std::path::Path;

/// Width and height of a curve.
const CURVE: [f64; 2] = [132.0, 30.0];

/// Most points of a curve.
const POINTS: usize = 120;

/// The index of `runs`, in this order. `unreadable` are those that are damaged, a sentence each.
pub(crate) fn page(folder: &Path, runs: &[Run], unreadable: &[String], now: f64) -> String {
    let name = folder.display().to_string();
    let is_running = |run: &&Run| run.status == Status::Training;
    let running = runs.iter().filter(is_running).count();
    let body = html! {
        section.hero aria-label="Summary" {
            div.headline {
                p.lead { "in " (name) }
                h1.long { (runs.len()) (if runs.len() == 1 { " run" } else { " runs" }) }
                @if running > 0 { p.of { (running) " of them training" } }
            }
        }
        @if !unreadable.is_empty() {
            div.note.warning role="note" {
                p { strong { "These cannot be read." } }
                ul { @for sentence in unreadable { li { (sentence) } } }
            }
        }
        (framed("runs", "Runs", &table(runs)))
    };
    whole(&format!("Runs in {name}"), &name, &body, None, now)
}

fn table(runs: &[Run]) -> Markup {
    if runs.is_empty() {
        return html! { p { "None yet: " code { "autogrow train" } " starts one." } };
    }
    let words = Words::common(runs.iter().map(Run::words));
    html! {
        div.scroll tabindex="0" role="region" aria-label="Runs" {
            table {
                thead { tr {
                    th scope="col" { "run" }
                    th scope="col" { (words.guide()) " " (words.score()) }
                    th scope="col" { "network" }
                    th scope="col" { "data" }
                    th scope="col" { "depth" }
                    th.n scope="col" { "test " (words.score()) }
                    th.n scope="col" { "MACs" }
                    th.n scope="col" { "epochs" }
                    th.n scope="col" { "time" }
                    th scope="col" { "state" }
                } }
                tbody { @for run in runs { tr { (row(run)) } } }
            }
        }
    }
}

fn row(run: &Run) -> Markup {
    let depth = run.depth().map_or("–".into(), ToString::to_string);
    let seconds = run.epochs.last().map_or(0.0, |epoch| epoch.elapsed);
    let outcome = run.outcome.as_ref();
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".into());
    html! {
        th scope="row" { a href=(address(&run.path)) { (run.name()) } }
        td { (curve(run)) }
        td { (run.network()) }
        td { (run.data()) }
        td { strong { (depth) } }
        td.n { (or_none(outcome.map(|outcome| percent(outcome.test_accuracy)))) }
        td.n { (or_none(outcome.map(|outcome| si(outcome.macs)))) }
        td.n { (run.epochs.len()) }
        td.n { (duration(seconds)) }
        td { (reason::brief(run)) }
    }
}

/// The score of every epoch, without axes.
fn curve(run: &Run) -> Markup {
    let every = run.epochs.len().div_ceil(POINTS).max(1);
    let scores = run.epochs.iter().step_by(every).map(|epoch| epoch.record.val_accuracy);
    let scores: Vec<f64> = scores.filter(|score| score.is_finite()).collect();
    let (low, top) = scores
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, top), &s| (low.min(s), top.max(s)));
    if scores.len() < 2 {
        return html! {};
    }
    let [width, height] = CURVE;
    let place = |(number, score): (usize, &f64)| {
        let x = 1.0 + (width - 2.0) * number as f64 / (scores.len() - 1) as f64;
        let y = 2.0 + (height - 4.0) * (top - score) / (top - low).max(1e-9);
        format!("{x:.1},{y:.1}")
    };
    let points: Vec<_> = scores.iter().enumerate().map(place).collect();
    let title = format!("from {} to {} %", percent(low), percent(top));
    html! {
        svg.spark viewBox=(format!("0 0 {width} {height}")) width=(width) height=(height) role="img" {
            title { (title) }
            polyline points=(points.join(" ")) {}
        }
    }
}

/// Where its page is, from the folder of the runs.
fn address(run: &Path) -> String {
    let name = run.file_name().unwrap_or_default().to_string_lossy();
    let escaped = name.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    format!("{}/{}", escaped.collect::<String>(), names::REPORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_a_run_is_found_whatever_its_name() {
        let address = |name: &str| address(&Path::new("runs").join(name));
        assert_eq!(address("digits-1"), "digits-1/report.html");
        assert_eq!(address("a b?c#d%é"), "a%20b%3Fc%23d%25%C3%A9/report.html");
    }
}
