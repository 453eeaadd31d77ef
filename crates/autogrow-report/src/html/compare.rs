//! Several runs beside each other: their results, the settings in which they differ, their curves.

use super::curves::{figure, key, series, switch, unit};
use super::format::{duration, exact, percent, si};
use super::{json, page as whole, reason, section as framed};
use crate::Words;
use crate::figure::{Quantity, overlaid};
use crate::run::Run;
use maud::{Markup, html};
use serde_json::json;
use std::collections::BTreeSet;

/// Colours there are; further runs repeat them.
const COLOURS: usize = 7;

/// A page that compares runs.
pub(crate) fn page(runs: &[Run], now: f64) -> String {
    let names = names(runs);
    let named: Vec<(String, &Run)> = names.iter().cloned().zip(runs).collect();
    let body = html! {
        section.hero aria-label="Summary" {
            div.headline {
                p.lead { "comparing" }
                h1.long { (runs.len()) (if runs.len() == 1 { " run" } else { " runs" }) }
                p.of { (names.join(", ")) }
            }
        }
        (framed("results", "Results", &results(&named)))
        (framed("curves", "Curves", &curves(&named)))
        (framed("settings", "Differing settings", &settings(&named)))
        (data(&named))
    };
    whole("Comparison of runs", "comparison", &body, None, now)
}

/// The folders' names, with as much of their paths as tells them apart.
fn names(runs: &[Run]) -> Vec<String> {
    let short: Vec<String> = runs.iter().map(Run::name).collect();
    let is_unique = |name: &String| short.iter().filter(|other| *other == name).count() == 1;
    let names = runs.iter().zip(&short).map(|(run, name)| {
        if is_unique(name) { name.clone() } else { run.path.display().to_string() }
    });
    names.collect()
}

fn words(runs: &[(String, &Run)]) -> Words {
    Words::common(runs.iter().map(|(_, run)| run.words()))
}

fn results(runs: &[(String, &Run)]) -> Markup {
    let best = runs.iter().filter_map(|(_, run)| Some(run.outcome.as_ref()?.test_accuracy));
    let best = best.fold(f64::NEG_INFINITY, f64::max);
    let by_test = runs.iter().filter(|(_, run)| run.words().is_guided_by_test());
    let by_test: Vec<&str> = by_test.map(|(name, _)| name.as_str()).collect();
    let score = words(runs).score();
    html! {
        div.scroll tabindex="0" role="region" aria-label="Results" {
            table {
                thead { tr {
                    th scope="col" { "run" }
                    th scope="col" { "found" }
                    th.n scope="col" { "test " (score) }
                    th.n scope="col" { (if by_test.is_empty() { "validation" } else { "guiding" }) }
                    th.n scope="col" { "parameters" }
                    th.n scope="col" { "MACs" }
                    th.n scope="col" { "epochs" }
                    th.n scope="col" { "time" }
                    th scope="col" { "floor" }
                    th scope="col" { "state" }
                } }
                tbody {
                    @for (index, (name, run)) in runs.iter().enumerate() {
                        tr { (row(index, name, run, best)) }
                    }
                }
            }
        }
        @if !by_test.is_empty() {
            p.caption {
                "Guided by the test images, so that the " (score) " on them is optimistic: "
                (by_test.join(", ")) "."
            }
        }
    }
}

fn row(index: usize, name: &str, run: &Run, best: f64) -> Markup {
    let of = |key: &str| format!("{index}.{key}");
    let depth = run.depth().map_or("–".into(), ToString::to_string);
    let seconds = run.epochs.last().map_or(0.0, |epoch| epoch.elapsed);
    html! {
        th scope="row" { i class={ "swatch s" (index % COLOURS) } {} (name) }
        td { strong { (exact(&of("found"), &depth, &depth)) } }
        @match &run.outcome {
            Some(result) => {
                @let (test, val) = (result.test_accuracy, result.val_accuracy);
                td.n.best[test == best] { (exact(&of("test_accuracy"), test, &percent(test))) }
                td.n { (exact(&of("val_accuracy"), val, &percent(val))) }
                td.n { (exact(&of("parameters"), result.parameters, &si(result.parameters as u64))) }
                td.n { (exact(&of("macs"), result.macs, &si(result.macs))) }
                td.n { (result.growing_epochs) " + " (result.fine_tuning_epochs) }
                td.n { (duration(result.growing_seconds + result.fine_tuning_seconds)) }
            }
            None => {
                @let best = run.epochs.iter().map(|e| e.record.val_accuracy).fold(f64::NAN, f64::max);
                td.n { "–" } td.n { (percent(best)) } td.n { "–" } td.n { "–" }
                td.n { (run.epochs.len()) } td.n { (duration(seconds)) }
            }
        }
        td { (run.floor().map_or("–".into(), ToString::to_string)) }
        td { (reason::brief(run)) }
    }
}

fn curves(runs: &[(String, &Run)]) -> Markup {
    let all: Vec<&Run> = runs.iter().map(|(_, run)| *run).collect();
    html! {
        (switch())
        div.charts {
            @for quantity in Quantity::ALL {
                (figure((quantity, words(runs)), unit(&all), |against| overlaid(runs, quantity, against)))
            }
        }
    }
}

fn settings(runs: &[(String, &Run)]) -> Markup {
    let keys: BTreeSet<&str> = runs.iter().flat_map(|(_, run)| run.settings.keys()).collect();
    let differs = |key: &&str| {
        runs.windows(2).any(|pair| pair[0].1.settings.differs(&pair[1].1.settings, key))
    };
    let keys: Vec<&str> = keys.into_iter().filter(differs).collect();
    if keys.is_empty() {
        return html! { p { "None: all have the same configuration." } };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label="Differing settings" {
            table {
                thead { tr {
                    th scope="col" { "key" }
                    @for (index, (name, _)) in runs.iter().enumerate() {
                        th scope="col" { i class={ "swatch s" (index % COLOURS) } {} (name) }
                    }
                } }
                tbody {
                    @for key in keys {
                        tr {
                            th scope="row" { code { (key) } }
                            @for (_, run) in runs {
                                td { (run.settings.text(key).unwrap_or_else(|| "–".into())) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn data(runs: &[(String, &Run)]) -> Markup {
    let all: Vec<&Run> = runs.iter().map(|(_, run)| *run).collect();
    let unit = unit(&all);
    let mut charts = serde_json::Map::new();
    for quantity in Quantity::ALL {
        let curves = runs.iter().enumerate().map(|(index, (name, run))| {
            series(name, index % COLOURS, run, unit, |epoch| quantity.of(epoch)[1])
        });
        charts.insert(key(quantity).into(), curves.collect());
    }
    json("data", &json!({ "unit": unit.symbol(), "charts": charts, "states": [] }))
}
