//! The head of a run's page: what was found, or how far the run is.

use super::format::{duration, exact, percent, si};
use crate::run::{Event, Guide, Outcome, Phase, Run, Status};
use maud::{Markup, html};

pub(super) fn section(run: &Run) -> Markup {
    html! {
        section.hero aria-label="Summary" {
            (headline(run))
            @match &run.outcome {
                Some(outcome) => (facts_of(outcome, run.guide())),
                None => (facts_so_far(run)),
            }
            @if run.status != Status::Finished { (progress(run)) }
        }
    }
}

/// What to think of the accuracy of a run that was guided by the test images.
pub(super) fn optimism(run: &Run) -> Markup {
    if run.guide() != Guide::Test {
        return html! {};
    }
    let made = if grows(run) {
        "growth and the choice of the model are made on them"
    } else {
        "the choice of the model is made on them"
    };
    html! {
        div.note role="note" {
            p {
                strong { "Guided by the test images:" } " " (made)
                ", so that the accuracy on them is optimistic."
            }
        }
    }
}

/// Whether the policy lets the network grow at all.
fn grows(run: &Run) -> bool {
    run.settings.text("growth.policy").is_none_or(|policy| policy != "none")
}

fn headline(run: &Run) -> Markup {
    let depth = run.depth().map(ToString::to_string).unwrap_or_else(|| "–".into());
    let lead = match (run.status, grows(run)) {
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

fn facts_of(outcome: &Outcome, guide: Guide) -> Markup {
    let seconds = outcome.growing_seconds + outcome.fine_tuning_seconds;
    let accuracy = |name: &str, value: f64| exact(name, value, &percent(value));
    let (guided, by) = match guide {
        Guide::Validation => ("validation accuracy", ""),
        Guide::Test => ("guiding accuracy", "test images"),
    };
    let (parameters, macs) = (si(outcome.parameters), si(outcome.macs));
    html! {
        dl.facts {
            (fact("test accuracy", &accuracy("test_accuracy", outcome.test_accuracy), ""))
            (fact(guided, &accuracy("val_accuracy", outcome.val_accuracy), by))
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
    let best = run.epochs.iter().map(|epoch| epoch.val_accuracy).filter(|a| a.is_finite());
    let best = best.fold(f64::NAN, f64::max);
    let parameters = run.events.iter().rev().find_map(|event| match event {
        Event::Grew { parameters, .. } | Event::Started { parameters, .. } => Some(*parameters),
        _ => None,
    });
    let last = run.epochs.last();
    let now = last.map_or(f64::NAN, |epoch| epoch.val_accuracy);
    let seconds = last.map_or(0.0, |epoch| epoch.elapsed);
    let guide = run.guide().name();
    html! {
        dl.facts {
            (fact(&format!("best {guide} accuracy"), &html! { (percent(best)) }, ""))
            (fact(&format!("{guide} accuracy now"), &html! { (percent(now)) }, ""))
            (fact("parameters", &html! { (parameters.map_or("–".into(), si)) }, ""))
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
    let fine_tuning = metrics.phase == Phase::FineTuning;
    let at_least = if fine_tuning { "" } else { "at least " };
    html! {
        div.progress {
            progress max=(epoch.saturating_add(left).max(1)) value=(epoch) aria-label="Progress" {}
            p {
                "Epoch " (epoch) ", " (metrics.phase.name()) "; " (at_least) (left)
                " more epochs"
                @if is_training { ", about " (duration(metrics.epoch_seconds * left as f64)) }
                "."
                @if !waiting.is_empty() { " Growth: " (waiting) "." }
                (stale)
                @if !is_training { " Nobody is at it: " code { "autogrow resume" } " goes on with it." }
            }
        }
    }
}
