//! Why growth ended where it did: the accuracy window with this run's numbers, every check, and
//! whether the result sits on the floor.

use super::format::{exact, gain, percent, si};
use super::{policy, section as framed};
use crate::rule::{Check, Decision, Growth, Rule, Window};
use crate::run::{Depth, Guide, Run, Status};
use maud::{Markup, html};

/// Checks that are shown without being asked for.
const SHOWN: usize = 14;

pub(super) fn section(run: &Run, rule: &Rule) -> Markup {
    let checks = rule.checks(run);
    let growths = rule.growths(run);
    let stops = checks.iter().any(|check| check.decisions.iter().any(is_stop));
    let heading = if stops { "Why it stopped there" } else { "What it waits for" };
    let body = html! {
        @if rule.policy == "none" {
            p { "Nothing grew: the policy is " code { "none" } ", a baseline of the given depth." }
        } @else {
            p { (policy::sentence(rule)) }
            (stopped(rule, &checks))
            (floor(run, rule))
            @if !checks.is_empty() { (table(rule, &checks, &growths)) }
        }
    };
    framed("why", heading, &body)
}

fn is_stop(decision: &Decision) -> bool {
    matches!(decision, Decision::Stopped(_))
}

/// `max[20] − max[12] = 98.89 − 98.89 = 0.00 < 0.05`
fn inequality(rule: &Rule, check: &Check, window: Window) -> Markup {
    let name = if rule.is_maximum { "max" } else { "ema" };
    let sign = match rule.policy.as_str() {
        "convergent" if window.gained <= rule.threshold => "≤",
        _ if window.gained < rule.threshold => "<",
        _ => "≥",
    };
    html! {
        span.formula {
            (name) "[" (check.t) "] − " (name) "[" (window.from) "] = "
            (format!("{:.2} − {:.2}", check.now, window.before)) " = "
            strong { (gain(window.gained)) } " " (sign) " " (rule.threshold)
        }
    }
}

fn stopped(rule: &Rule, checks: &[Check]) -> Markup {
    let ended = checks.iter().filter(|check| {
        check.decisions.iter().any(|d| matches!(d, Decision::Stopped(_) | Decision::Capped(_)))
    });
    html! {
        ol.stops {
            @for check in ended {
                @for decision in &check.decisions {
                    @match decision {
                        Decision::Stopped(subnet) => li {
                            span.when { "epoch " (check.epoch) }
                            span { "sub-network " (subnet) " stopped" }
                            @if let Some(window) = check.window { (inequality(rule, check, window)) }
                        },
                        Decision::Capped(subnet) => li {
                            span.when { "epoch " (check.epoch) }
                            span {
                                "sub-network " (subnet) " is as deep as "
                                code { "growth.max_depth" } " allows"
                            }
                        },
                        Decision::Grew(..) => {}
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
                "The depth floor of these settings is " (shown) ": what would have been found had \
                 accuracy never improved. The result " (beyond(run, floor)) "."
            },
            None => p {
                "The depth floor of these settings is " (shown)
                ": what is found even if accuracy never improves."
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

fn table(rule: &Rule, checks: &[Check], growths: &[Growth]) -> Markup {
    let rows = |checks: &[Check]| html! { @for check in checks { (row(check, growths)) } };
    let head = html! {
        thead { tr {
            th.n scope="col" { "epoch" }
            th scope="col" { "decision" }
            th scope="col" { "depth" }
            th.n scope="col" { "parameters" }
            th.n scope="col" {
                (if rule.is_maximum { "best" } else { "averaged" })
                (match rule.guide { Guide::Validation => " val.", Guide::Test => " test" })
                " accuracy"
            }
            th.n scope="col" {
                @match rule.length {
                    Some(length) => { "last " (length) " epochs" }
                    None => { "window" }
                }
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
            "Every check of the policy. " em { "Growth brought" } " is what the K = " (rule.interval)
            (if rule.interval == 1 { " epoch" } else { " epochs" })
            " after a growth added, in percentage points."
        }
    }
}

fn row(check: &Check, growths: &[Growth]) -> Markup {
    let grown: Vec<&Growth> = growths.iter().filter(|g| g.epoch == check.epoch).collect();
    let last = grown.last();
    html! {
        tr.stop[check.decisions.iter().any(is_stop)] {
            td.n { (check.epoch) }
            td {
                @for (index, decision) in check.decisions.iter().enumerate() {
                    @if index > 0 { ", " }
                    @match decision {
                        Decision::Grew(subnet, _) => {
                            span.up aria-hidden="true" { "▲" } " grew " (subnet)
                        }
                        Decision::Stopped(subnet) => {
                            span.end aria-hidden="true" { "✕" } " stopped " (subnet)
                        }
                        Decision::Capped(subnet) => {
                            span.end aria-hidden="true" { "■" } " capped " (subnet)
                        }
                    }
                }
                @if check.decisions.is_empty() { span.none { "–" } }
            }
            td { @if let Some(growth) = last { (growth.depth) } }
            td.n { @if let Some(growth) = last { (si(growth.parameters)) } }
            td.n { (percent(check.now)) }
            td.n {
                @match check.window {
                    Some(window) => { (gain(window.gained)) }
                    None => { span.none { "–" } }
                }
            }
            td.n {
                @if let Some(brought) = last.and_then(|growth| growth.brought) { (gain(brought)) }
            }
        }
    }
}

/// In a few words, for a table of runs.
pub(super) fn brief(run: &Run) -> String {
    match (&run.outcome, run.status) {
        (Some(outcome), _) if outcome.at_floor => "on its floor".into(),
        (Some(_), _) => "finished".into(),
        (None, Status::Training) => "training".into(),
        (None, _) => "interrupted".into(),
    }
}
