//! What each growth on trial has brought, and what became of it.

use crate::rule::Rule;
use autogrow_growth::{Comparison, Depth, Kind, Trial};
use maud::{Markup, html};

/// The trials of a policy that goes back, with a sentence on how they ended.
pub(super) fn table(rule: &Rule) -> Markup {
    html! {
        @for (epoch, seed) in begun_anew(rule) {
            p {
                "After epoch " (epoch) " the seed had learnt nothing, so growth began anew with "
                (seed) "."
            }
        }
        @if let Some(sentence) = sentence(&rule.trials) { p { (sentence) } }
        div.scroll tabindex="0" role="region" aria-label="Trials" {
            table.checks {
                thead { tr {
                    th.n scope="col" { "growing epoch" }
                    th scope="col" { "champion" }
                    th scope="col" { "grown" }
                    th.n scope="col" { "brought" }
                    th.n scope="col" { "counts as" }
                    th.n scope="col" { "its price" }
                    th scope="col" { "result" }
                } }
                tbody { @for trial in &rule.trials { (row(trial)) } }
            }
        }
        p.caption {
            em { "Brought" } " is what the grown network is ahead by on the images that guide the run, in \
            percentage points, with its standard error; of that less counts, the larger the error is \
            beside a point for each doubling of the cost; " em { "its price" } " is "
            (rule.config.price) " points for each doubling of the cost. Each network has been grown from \
            the same early one and trained for as many epochs in all as the champion."
        }
    }
}

/// The epochs after which growth began anew, and the depths of the seeds.
fn begun_anew(rule: &Rule) -> impl Iterator<Item = (usize, &Depth)> {
    rule.checks.iter().flat_map(|check| {
        let restarts = check.decisions.iter().filter(|decision| decision.kind == Kind::Restart);
        restarts.filter_map(|decision| Some((check.epoch, decision.depth.as_ref()?)))
    })
}

fn row(trial: &Trial) -> Markup {
    let Comparison { gain, error, price, .. } = trial.comparison;
    html! {
        tr.stop[trial.kept == Some(false)] {
            td.n { (trial.epoch) }
            td { (trial.before) }
            td { (trial.grown) }
            td.n { (format!("{gain:+.2} ± {error:.2}")) }
            td.n { (format!("{:+.2}", trial.comparison.counted())) }
            td.n { (format!("{price:.2}")) }
            td {
                @match trial.kept {
                    Some(true) => { span.up aria-hidden="true" { "▲" } " kept" },
                    Some(false) => { span.end aria-hidden="true" { "↶" } " given up" },
                    None => "under way",
                }
            }
        }
    }
}

/// How growth ended, in words.
fn sentence(trials: &[Trial]) -> Option<String> {
    let last = trials.last()?;
    let kept = trials.iter().filter(|trial| trial.kept == Some(true)).count();
    let back = trials.iter().filter(|trial| trial.kept == Some(false)).count();
    last.kept?;
    Some(format!(
        "Of {} growths {kept} brought their price and were kept; {back} did not and were given up.",
        trials.len()
    ))
}
