//! The head of a run's page: what was found, or how far the run is.

use super::format::{duration, error, exact, percent, si};
use crate::run::{Run, Status};
use autogrow_run::{Event, Outcome, Phase};
use maud::{Markup, html};

pub(super) fn section(run: &Run) -> Markup {
    html! {
        section.hero aria-label="Summary" {
            (headline(run))
            @match &run.outcome {
                Some(outcome) => (facts_of(run, outcome)),
                None => (facts_so_far(run)),
            }
            @if run.status != Status::Finished { (progress(run)) }
        }
    }
}

/// What to think of the score of a run that was guided by the test images.
pub(super) fn optimism(run: &Run) -> Markup {
    let words = run.words();
    if !words.is_guided_by_test() {
        return html! {};
    }
    let made = if run.grows() {
        "growth and the choice of the model are made on them"
    } else {
        "the choice of the model is made on them"
    };
    html! {
        div.note role="note" {
            p {
                strong { "Guided by the test images:" } " " (made)
                ", so that the " (words.score()) " on them is optimistic."
            }
        }
    }
}

/// A network that growing has passed and that was better than what was found.
pub(super) fn peak(run: &Run) -> Markup {
    let words = run.words();
    let Some(peak) = run.outcome.as_ref().and_then(|outcome| outcome.peak.as_ref()) else {
        return html! {};
    };
    html! {
        div.note.warning role="note" {
            p {
                strong { "Growing has passed a better network:" } " " (peak.depth) " after epoch "
                (peak.epoch) ", with a " (words.guide()) " " (words.score()) " of "
                (percent(peak.val_accuracy)) ". Its weights are in " code { "peak.safetensors" } "."
            }
        }
    }
}

fn headline(run: &Run) -> Markup {
    let depth = run.depth().map(ToString::to_string).unwrap_or_else(|| "–".into());
    let lead = match (run.status, run.grows()) {
        (Status::Finished, true) => "found",
        (Status::Finished, false) => "trained",
        (Status::Training, _) => "training",
        (Status::Interrupted, _) => "interrupted at",
    };
    let length = depth.len();
    html! {
        div.headline {
            p.lead.training[run.status == Status::Training] { (lead) }
            h1.long[length > 11] { (exact("found", &depth, &depth)) }
            p.of { (run.network()) " on " (run.data()) }
        }
    }
}

fn fact(label: &str, value: &Markup, note: &str) -> Markup {
    html! {
        div { dt { (label) } dd { (value) @if !note.is_empty() { span.unit { (note) } } } }
    }
}

fn facts_of(run: &Run, outcome: &Outcome) -> Markup {
    let words = run.words();
    let seconds = outcome.growing_seconds + outcome.fine_tuning_seconds;
    let score = words.score();
    let percent = |name: &str, value: f64| exact(name, value, &percent(value));
    let (test, val) = (outcome.test_accuracy, outcome.val_accuracy);
    let of_test = run.evaluation.as_ref().filter(|evaluation| evaluation.split == "test");
    let test_note = of_test.map(|evaluation| error(test, evaluation.images as usize));
    // Where right and wrong make no sense there is no such error.
    let right = run.evidence.values().next_back().and_then(|evidence| evidence.right.as_ref());
    let val_note = right.map(|right| error(val, right.len())).unwrap_or_default();
    let (guided, by) = match words.is_guided_by_test() {
        false => (format!("validation {score}"), val_note),
        true => (format!("guiding {score}"), "test images".into()),
    };
    let (parameters, macs) = (si(outcome.parameters as u64), si(outcome.macs));
    html! {
        dl.facts {
            (fact(&format!("test {score}"), &percent("test_accuracy", test), &test_note.unwrap_or_default()))
            (fact(&guided, &percent("val_accuracy", val), &by))
            (fact("parameters", &exact("parameters", outcome.parameters, &parameters), ""))
            (fact("MACs", &exact("macs", outcome.macs, &macs), "an image"))
            (fact("time", &exact("seconds", seconds, &duration(seconds)), ""))
            (fact("epochs", &html! {
                (exact("growing_epochs", outcome.growing_epochs, &outcome.growing_epochs.to_string()))
                " + "
                (exact("fine_tuning_epochs", outcome.fine_tuning_epochs,
                    &outcome.fine_tuning_epochs.to_string()))
            }, "growing + fine-tuning"))
        }
    }
}

fn facts_so_far(run: &Run) -> Markup {
    let best = run.epochs.iter().map(|epoch| epoch.record.val_accuracy).filter(|a| a.is_finite());
    let best = best.fold(f64::NAN, f64::max);
    let parameters = run.events.iter().rev().find_map(|event| match event {
        Event::Grew { parameters, .. } | Event::Started { parameters, .. } => Some(*parameters),
        _ => None,
    });
    let last = run.epochs.last();
    let now = last.map_or(f64::NAN, |epoch| epoch.record.val_accuracy);
    let seconds = last.map_or(0.0, |epoch| epoch.elapsed);
    let (guide, score) = (run.words().guide(), run.words().score());
    html! {
        dl.facts {
            (fact(&format!("best {guide} {score}"), &html! { (percent(best)) }, ""))
            (fact(&format!("{guide} {score} now"), &html! { (percent(now)) }, ""))
            (fact("parameters", &html! { (parameters.map_or("–".into(), |n| si(n as u64))) }, ""))
            (fact("time so far", &html! { (duration(seconds)) }, ""))
            (fact("epochs so far", &html! { (run.epochs.len()) }, ""))
        }
    }
}

fn progress(run: &Run) -> Markup {
    let last = run.events.iter().rev().find_map(|event| match event {
        Event::Epoch { epoch, metrics, waiting, epochs_left, .. } => {
            Some((*epoch, metrics, waiting, *epochs_left))
        }
        _ => None,
    });
    let is_training = run.status == Status::Training;
    // The script fills it once there has been no news for long, from the first epoch on or before.
    let stale = html! { @if is_training { span #stale hidden {} } };
    let Some((epoch, metrics, waiting, left)) = last else {
        return html! {
            div.progress { p { "No epoch is over yet." (stale) } }
        };
    };
    html! {
        div.progress {
            @if let Some(left) = left {
                progress max=(epoch.saturating_add(left).max(1)) value=(epoch) aria-label="Progress" {}
            }
            p {
                "Epoch " (epoch) ", " (metrics.phase.name())
                @if let Some(left) = left {
                    "; " @if metrics.phase != Phase::FineTuning { "at least " } (left)
                    " more epochs"
                    @if is_training { ", about " (duration(metrics.epoch_seconds * left as f64)) }
                }
                "."
                @if !waiting.is_empty() { " Growth: " (waiting) "." }
                (stale)
                @if !is_training { " It is not running: " code { "autogrow resume" } " resumes it." }
            }
        }
    }
}
