//! What a run cost: time and multiply-accumulates, phase by phase.

use super::format::{duration, exact, si};
use super::section as framed;
use crate::run::Run;
use autogrow_growth::Depth;
use autogrow_run::Phase;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// One phase in sum.
struct Part {
    phase: Phase,
    epochs: usize,
    seconds: f64,
    /// Smallest and greatest MACs of an image, where they are known for every epoch.
    macs: Option<[u64; 2]>,
    /// Training in epochs of the network at the end: its MACs, summed over the epochs, by those.
    equivalent: Option<f64>,
}

pub(super) fn section(run: &Run) -> Markup {
    let known = run.macs_by_depth();
    let parts: Vec<Part> =
        Phase::ALL.iter().filter_map(|phase| part(run, *phase, &known)).collect();
    if parts.is_empty() {
        return html! {};
    }
    let all: f64 = parts.iter().map(|part| part.seconds).sum();
    let share = |part: &Part| if all > 0.0 { 100.0 * part.seconds / all } else { 0.0 };
    let body = html! {
        div.shares aria-hidden="true" {
            @for part in &parts {
                @let grow = format!("flex-grow:{:.3}", share(part).max(0.5));
                div class={ "share " (part.phase.name()) } style=(grow) {}
            }
        }
        div.scroll tabindex="0" role="region" aria-label="Cost of each phase" {
            table {
                thead { tr {
                    th scope="col" { "phase" }
                    th.n scope="col" { "epochs" }
                    th.n scope="col" { "time" }
                    th.n scope="col" { "share" }
                    th.n scope="col" { "an epoch" }
                    th.n scope="col" { "MACs an image" }
                    th.n scope="col" { "in epochs of the final net" }
                } }
                tbody {
                    @for part in &parts {
                        tr {
                            th scope="row" {
                                i class={ "swatch " (part.phase.name()) } {}
                                (part.phase.name())
                            }
                            td.n { (part.epochs) }
                            td.n { (phase_time(run, part)) }
                            td.n { (format!("{:.0} %", share(part))) }
                            td.n { (duration(part.seconds / part.epochs as f64)) }
                            td.n { (range(part.macs)) }
                            td.n { @match part.equivalent {
                                Some(epochs) => { (format!("{epochs:.1}")) }
                                None => { "–" }
                            } }
                        }
                    }
                }
            }
        }
        p.caption {
            "Time of training and "
            (if run.words().is_guided_by_test() { "testing" } else { "validation" })
            ". The last column counts each epoch by its network's \
             multiply-accumulates (MACs): what the phase cost in epochs of the network it led to."
        }
    };
    framed("cost", "What it cost", &body)
}

/// Of the result where it has the phase's time, else of its epochs.
fn phase_time(run: &Run, part: &Part) -> Markup {
    match (&run.outcome, part.phase) {
        // The result counts the epochs of AdamInit as growing.
        (Some(outcome), Phase::Growing) => {
            exact("growing_seconds", outcome.growing_seconds, &duration(part.seconds))
        }
        (Some(outcome), Phase::FineTuning) => {
            exact("fine_tuning_seconds", outcome.fine_tuning_seconds, &duration(part.seconds))
        }
        _ => html! { (duration(part.seconds)) },
    }
}

fn range(macs: Option<[u64; 2]>) -> String {
    match macs {
        None => "–".into(),
        Some([low, high]) if low == high => si(low),
        Some([low, high]) => format!("{} to {}", si(low), si(high)),
    }
}

fn part(run: &Run, phase: Phase, known: &BTreeMap<Depth, u64>) -> Option<Part> {
    let epochs: Vec<_> = run.epochs.iter().filter(|epoch| epoch.record.phase == phase).collect();
    let last = known.get(run.depth()?).copied();
    let all: Option<Vec<u64>> = epochs.iter().map(|e| known.get(&e.depth).copied()).collect();
    let extremes = |all: &Vec<u64>| Some([*all.iter().min()?, *all.iter().max()?]);
    let sum = all.as_ref().map(|all| all.iter().map(|macs| *macs as f64).sum::<f64>());
    let seconds = epochs.iter().map(|epoch| epoch.record.epoch_seconds).filter(|s| s.is_finite());
    (!epochs.is_empty()).then(|| Part {
        phase,
        epochs: epochs.len(),
        seconds: seconds.sum(),
        macs: all.as_ref().and_then(extremes),
        equivalent: sum.zip(last).map(|(sum, last)| sum / last as f64),
    })
}
