//! Why growth ended where it did: the policy's window with this run's numbers, every check, and
//! whether the result is the floor.

use super::format::{exact, gain, percent, si};
use super::{policy, section as framed, trials};
use crate::rule::{Check, Rule, Window};
use crate::run::{Run, Status};
use autogrow_growth::{Depth, Kind};
use maud::{Markup, html};

/// Checks that are shown without being asked for.
const SHOWN: usize = 14;

pub(super) fn section(run: &Run, rule: &Rule) -> Markup {
    let checks = &rule.checks;
    let is_over = run.outcome.is_some() || rule.out_of_time.is_some();
    let heading = match run.grows() {
        false => "Why this depth",
        true if is_over || checks.iter().any(Check::stops) => "Why it stopped there",
        true => "What it waits for",
    };
    let body = html! {
        @if !run.grows() {
            p { "Nothing grew: the policy is " code { (rule.config.policy) }
                ", which trains the given depth." }
        } @else {
            p { (policy::sentence(rule)) }
            @if let Some(epoch) = rule.out_of_time {
                p {
                    strong { "Time ended growth after epoch " (epoch) "." }
                    " Growing may take half of " code { "run.max_minutes" }
                    ", and another epoch would have ended too late."
                }
            }
            @if !rule.is_replayed { p { (not_replayed(run)) } }
            @if rule.trials.is_empty() {
                (stopped(rule, checks))
                (floor(run, rule))
                @if !checks.is_empty() { (table(rule, checks)) }
            } @else {
                (trials::table(rule))
            }
        }
    };
    framed("why", heading, &body)
}

/// Why decisions are those that the journal tells.
fn not_replayed(run: &Run) -> &'static str {
    match run.policy() {
        None => "This program lacks that policy: its decisions are shown as they were recorded.",
        Some(_) => "Scores alone do not lead to these decisions: they are shown as recorded.",
    }
}

/// `max[20] − max[12] = 98.89 − 98.89 = 0.00 < 0.05`, at which a sub-network stopped.
fn inequality(rule: &Rule, check: &Check, window: Window) -> Markup {
    let name = if rule.is_maximum() { "max" } else { "ema" };
    let sign = if rule.config.policy == "convergent" { "≤" } else { "<" };
    html! {
        span.formula {
            (name) "[" (check.t) "] − " (name) "[" (window.from) "] = "
            (format!("{:.2} − {:.2}", check.now, window.before)) " = "
            strong { (gain(window.gained)) } " " (sign) " " (rule.config.threshold)
        }
    }
}

/// The sub-networks that have left the list, but for those that time took off it.
fn stopped(rule: &Rule, checks: &[Check]) -> Markup {
    let ended = checks.iter().flat_map(|check| {
        let ends = |kind| matches!(kind, Kind::Stop | Kind::Cap);
        let decisions = check.decisions.iter().filter(move |decision| ends(decision.kind));
        decisions.map(move |decision| (check, decision))
    });
    html! {
        ol.stops {
            @for (check, decision) in ended {
                li {
                    span.when { "epoch " (check.epoch) }
                    @if decision.kind == Kind::Stop {
                        span { "sub-network " (decision.subnet) " stopped" }
                        @if let Some(window) = check.window { (inequality(rule, check, window)) }
                    } @else {
                        span { "sub-network " (decision.subnet) " is as deep as allowed" }
                    }
                }
            }
        }
    }
}

/// Whether the result says something about the data, or about the settings alone.
fn floor(run: &Run, rule: &Rule) -> Markup {
    let Some(floor) = run.floor() else { return html! {} };
    let text = floor.to_string();
    let shown = exact("floor", &text, &text);
    let at_floor = run.outcome.as_ref().map(|outcome| outcome.at_floor);
    html! {
        @match at_floor {
            Some(true) => div.note.warning role="note" {
                p {
                    strong { "The result is the depth floor, " (shown) "." }
                    " Growth stopped as early as these settings let it, whatever the data: a \
                     shallower net may do as well."
                    (policy::lower_floor(rule))
                }
            },
            Some(false) => p {
                "The depth floor of these settings is " (shown) ": what would have been found had the \
                 score never improved. The result " (beyond(run, floor)) "."
            },
            None => p {
                "The depth floor of these settings is " (shown)
                ": what is found even if the score never improves."
            },
        }
    }
}

fn beyond(run: &Run, floor: &Depth) -> String {
    let more =
        run.depth().map_or(0, |depth| depth.sub_modules().saturating_sub(floor.sub_modules()));
    match more {
        0 => "differs from it".into(),
        1 => "has one sub-module more".into(),
        more => format!("has {more} sub-modules more"),
    }
}

fn table(rule: &Rule, checks: &[Check]) -> Markup {
    let rows = |checks: &[Check]| html! { @for check in checks { (row(rule, check)) } };
    let head = html! {
        thead { tr {
            th.n scope="col" { "epoch" }
            th scope="col" { "decision" }
            th scope="col" { "depth" }
            th.n scope="col" { "parameters" }
            th.n scope="col" {
                (if rule.is_maximum() { "best " } else { "averaged " })
                (rule.words.guide()) " " (rule.words.score())
            }
            @match rule.length {
                Some(length) => th.n scope="col" { "last " (length) " epochs" },
                None => th scope="col" { "what the policy waits for" },
            }
            th.n scope="col" { "growth brought" }
        } }
    };
    let split = if checks.len() > SHOWN + 6 { checks.len() - SHOWN } else { 0 };
    html! {
        @if split > 0 {
            details {
                summary { "The first " (split) " checks" }
                div.scroll tabindex="0" role="region" aria-label="Earlier checks" {
                    table.checks { (head) tbody { (rows(&checks[..split])) } }
                }
            }
        }
        div.scroll tabindex="0" role="region" aria-label="Checks" {
            table.checks { (head) tbody { (rows(&checks[split..])) } }
        }
        p.caption {
            "Every check of the policy. " em { "Growth brought" } " is what the K = "
            (rule.config.interval)
            (if rule.config.interval == 1 { " epoch" } else { " epochs" })
            " after a growth added, in percentage points."
        }
    }
}

fn row(rule: &Rule, check: &Check) -> Markup {
    let depth = check.growth().and_then(|growth| growth.depth.as_ref());
    html! {
        tr.stop[check.stops()] {
            td.n { (check.epoch) }
            td {
                @for (index, decision) in check.decisions.iter().enumerate() {
                    @if index > 0 { ", " }
                    @match decision.kind {
                        Kind::Grow => { span.up aria-hidden="true" { "▲" } " grew " }
                        Kind::Stop => { span.end aria-hidden="true" { "✕" } " stopped " }
                        Kind::Keep => { span.up aria-hidden="true" { "●" } " kept it " }
                        Kind::RollBack => { span.end aria-hidden="true" { "↶" } " went back to " }
                        Kind::Restart => { span.up aria-hidden="true" { "▲" } " began anew with " }
                        Kind::Cap => { span.end aria-hidden="true" { "■" } " capped " }
                        Kind::OutOfTime => { span.end aria-hidden="true" { "■" } " no time for " }
                    }
                    @match (decision.kind, &decision.depth) {
                        (Kind::RollBack | Kind::Restart, Some(depth)) => { (depth) }
                        (Kind::Keep, _) => {}
                        _ => { (decision.subnet) }
                    }
                }
                @if check.decisions.is_empty() { span.none { "–" } }
            }
            td { @if let Some(depth) = depth { (depth) } }
            td.n { @if let Some(parameters) = check.parameters { (si(parameters as u64)) } }
            td.n { (percent(check.now)) }
            @if rule.length.is_some() {
                td.n {
                    @match check.window {
                        Some(window) => { (gain(window.gained)) }
                        None => { span.none { "–" } }
                    }
                }
            } @else {
                td { (check.waiting) }
            }
            td.n { @if let Some(brought) = check.brought { (gain(brought)) } }
        }
    }
}

/// In a few words, for a table of runs.
pub(super) fn brief(run: &Run) -> String {
    match (&run.outcome, run.status) {
        (Some(outcome), _) if outcome.at_floor && run.floor().is_some() => "at its floor".into(),
        (Some(_), _) => "finished".into(),
        (None, Status::Training) => "training".into(),
        (None, _) => "interrupted".into(),
    }
}
