//! Pages: one file each, with style and script inside, that opens from a disk and loads nothing
//! from the network.

mod certificate;
mod compare;
mod cost;
mod curves;
mod evaluation;
pub(crate) mod format;
mod growth;
mod index;
mod measures;
mod policy;
mod reason;
mod settings;
mod summary;
mod trials;

pub(crate) use compare::page as comparison_page;
pub(crate) use index::page as index_page;

use crate::rule::Rule;
use crate::run::{Run, Settings, Status};
use crate::words::Words;
use autogrow_run::certificate::Certificate;
use autogrow_run::config::SelectOn;
use format::date;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// Before anything is painted, so that a page never flashes in the other theme.
const THEME: &str = include_str!("theme.js");

/// What the page may load: nothing from anywhere, but itself again where a run that is running
/// serves it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      img-src data:; connect-src 'self'";

/// The page of a run, written at `now` seconds since 1970.
pub(crate) fn run_page(run: &Run, defaults: Option<&Settings>, now: f64) -> String {
    let rule = Rule::of(run);
    let title = format!("{} – {} on {}", run.name(), run.network(), run.data());
    let body = html! {
        (summary::section(run))
        (summary::optimism(run))
        (summary::peak(run))
        @if !run.damage.is_empty() { (damage(run)) }
        (reason::section(run, &rule))
        @if let Some(found) = &run.certificate { (certificate::section(found, &run.words())) }
        (growth::section(run))
        (curves::section(run))
        (cost::section(run))
        @if let Some(evaluation) = &run.evaluation { (evaluation::section(evaluation)) }
        @if let Some(measures) = &run.measures { (measures::section(measures)) }
        (settings::section(run, defaults))
        (curves::data(run))
    };
    let live = (run.status == Status::Training).then(|| {
        let typical = run.epochs.last().map_or(0.0, |epoch| epoch.record.epoch_seconds);
        Live { written: now, typical: if typical.is_finite() { typical } else { 0.0 } }
    });
    page(&title, &run.name(), &body, live.as_ref(), now)
}

/// What a depth is worth, as a section for a page of somebody else's, where the network learns `objective`.
pub(crate) fn certificate_section(certificate: &Certificate, objective: &str) -> String {
    let words = Words::of(Some(objective), SelectOn::default());
    certificate::section(certificate, &words).into_string()
}

/// A page that is written again while its run is running.
struct Live {
    /// Seconds since 1970.
    written: f64,
    /// Seconds an epoch takes.
    typical: f64,
}

fn page(title: &str, name: &str, body: &Markup, live: Option<&Live>, now: f64) -> String {
    // A run that was killed cannot say so: after this long without news the page stops asking.
    let patience = |live: &Live| (10.0 * live.typical).max(600.0);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="generator" content=(concat!("autogrow ", env!("CARGO_PKG_VERSION")));
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
                script { (PreEscaped(THEME)) }
                @if live.is_some() {
                    noscript { meta http-equiv="refresh" content="15"; }
                }
            }
            body data-written=[live.map(|live| format!("{:.0}", live.written))]
                data-patience=[live.map(|live| format!("{:.0}", patience(live)))] {
                header.top {
                    p.brand { "AutoGrow" }
                    p.name { (name) }
                    button #theme type="button" hidden aria-label="Theme: automatic" { "Auto" }
                }
                main { (body) }
                footer {
                    p {
                        "Written " time { (date(now)) } " by autogrow " (env!("CARGO_PKG_VERSION"))
                        ". Every number was measured in the run it is shown for."
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// A section with its heading in the margin.
fn section(id: &str, heading: &str, body: &Markup) -> Markup {
    html! {
        section id=(id) aria-labelledby={ (id) "-heading" } {
            h2 id={ (id) "-heading" } { (heading) }
            div.body { (body) }
        }
    }
}

/// JSON for the script. `<` is written so that no text can end the element.
fn json(id: &str, value: &serde_json::Value) -> Markup {
    let text = value.to_string().replace('<', "\\u003c");
    html! { script id=(id) type="application/json" { (PreEscaped(text)) } }
}

fn damage(run: &Run) -> Markup {
    const SHOWN: usize = 12;
    html! {
        div.note.warning role="note" {
            p { strong { "Parts of this run folder are damaged, or of another run or program, and are not shown." } }
            ul {
                @for word in run.damage.iter().take(SHOWN) { li { (word) } }
                @if run.damage.len() > SHOWN { li { "and " (run.damage.len() - SHOWN) " more" } }
            }
        }
    }
}
