//! `autogrow plan --probe`: some steps of the seed network on the training images, at the run's step size
//! and at others, from the same weights on the same batches. They show whether it diverges or starves.

use crate::output::table;
use autogrow::config::Config;
use autogrow::data::DataSet;
use autogrow::random::{Purpose, derive};
use autogrow::ranks::Ranks;
use autogrow::training::{Epoch, Learner};
use autogrow::{Error, Job, Resolved, Result};
use burn::tensor::Device;
use serde::Serialize;
use std::ops::ControlFlow;

/// Steps at each step size.
const STEPS: usize = 60;
/// The loss after them is the mean of that before each of the last ones.
const LAST: usize = 15;
/// The step sizes, as parts of the run's.
const FACTORS: [f64; 5] = [0.1, 0.3, 1.0, 3.0, 10.0];
/// A larger step size is better where it leaves at most this part of the loss, or comes three times as far by
/// half as much: so few steps make smaller ones look better than they are, so one that is ahead is ahead.
const AHEAD: f64 = 0.9;

/// What the steps have shown.
#[derive(Serialize)]
pub(super) struct Probe {
    steps: usize,
    learning_rate: f64,
    /// Before the first step; none where it is not finite.
    loss_before: Option<f64>,
    tried: Vec<Tried>,
    verdict: Verdict,
    /// The step size that is better, where there is one.
    better: Option<f64>,
}

/// A step size that was tried.
#[derive(Serialize)]
struct Tried {
    learning_rate: f64,
    /// None where a loss or a gradient was not finite.
    loss_after: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// The loss is not finite, or higher than before.
    Diverges,
    /// A larger step size has come clearly further.
    Starves,
    /// Neither.
    Learns,
}

/// Takes the steps. Step sizes are whole ones, without warm-up, and the weights are those of the last step.
pub(super) fn probe(config: &Resolved, data: &DataSet, device: &Device) -> Result<Probe> {
    let rate = config.training.learning_rate;
    let mut config: Config = config.config().clone();
    (config.training.warmup_epochs, config.training.average) = (0, 0.0);
    let config = Resolved::of(config)?;
    let job = Job { config: &config, data, device, ranks: &Ranks::single() };
    let (mut tried, mut before) = (Vec::new(), None);
    for factor in FACTORS {
        let learning_rate = rate * factor;
        let losses = losses(job, learning_rate)?;
        if let Some(losses) = &losses {
            before = losses.first().copied();
        }
        let after = losses.map(|losses| {
            let last = &losses[losses.len().saturating_sub(LAST)..];
            last.iter().sum::<f64>() / last.len() as f64
        });
        tried.push(Tried { learning_rate, loss_after: after });
    }
    let after: Vec<_> = tried.iter().map(|tried| tried.loss_after).collect();
    let (verdict, better) = judge(before.unwrap_or(f64::INFINITY), &after);
    let better = better.map(|place| tried[place].learning_rate);
    Ok(Probe { steps: STEPS, learning_rate: rate, loss_before: before, tried, verdict, better })
}

/// What the losses after the steps say of the run's own step size, and which of the others is better.
fn judge(before: f64, after: &[Option<f64>]) -> (Verdict, Option<usize>) {
    let own = FACTORS.iter().position(|&factor| factor == 1.0).unwrap_or(0);
    let least = |places: std::ops::Range<usize>| {
        let losses = places.filter_map(|place| Some((place, after[place]?)));
        losses.min_by(|one, other| one.1.total_cmp(&other.1))
    };
    // Whether one that leaves `loss` is ahead of one that leaves `of_own`, which may not have learnt at all.
    let is_ahead = |loss: f64, of_own: f64| {
        let [progress, of_own_progress] = [loss, of_own].map(|loss| (before - loss).max(0.0));
        let is_far = progress > (1.0 - AHEAD) / 2.0 * before;
        loss < AHEAD * of_own || (is_far && progress > 3.0 * of_own_progress)
    };
    if let Some(of_own) = after[own].filter(|loss| *loss < before / AHEAD) {
        let larger = least(own + 1..after.len());
        if let Some((place, _)) = larger.filter(|(_, loss)| is_ahead(*loss, of_own.min(before))) {
            return (Verdict::Starves, Some(place));
        }
        if of_own < before {
            return (Verdict::Learns, None);
        }
    }
    let smaller = least(0..own).filter(|(_, loss)| *loss < before);
    (Verdict::Diverges, smaller.map(|(place, _)| place))
}

/// The loss before each step; none where one is not finite.
fn losses(job: Job<'_>, learning_rate: f64) -> Result<Option<Vec<f64>>> {
    let (config, autodiff) = (job.config, job.device.clone().autodiff());
    let network = job.seed_network(&autodiff)?;
    let mut learner = Learner::new(network, &config.training, &config.plugin, autodiff)?;
    let mut losses = Vec::new();
    for number in 1.. {
        let taken = losses.len();
        let trained = learner.epoch(&mut Epoch {
            split: &*job.data.train,
            number,
            seed: derive(config.run.seed, Purpose::Epoch, number),
            learning_rate,
            resumed: Default::default(),
            most_steps: Some(STEPS - taken),
            on_step: &mut |_, step| {
                losses.push(step.loss);
                Ok(ControlFlow::Continue(()))
            },
        });
        match trained {
            Ok((next, _)) => learner = next,
            Err(Error::Diverged { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
        // No batch can be trained on, or enough were.
        if losses.len() == taken || losses.len() >= STEPS {
            break;
        }
    }
    Ok(Some(losses).filter(|losses| !losses.is_empty()))
}

/// The table, and what to do.
pub(super) fn text(probe: &Probe) -> String {
    let Probe { steps, learning_rate, loss_before, tried, verdict, better } = probe;
    let rows = tried.iter().map(|Tried { learning_rate: rate, loss_after }| {
        let loss = loss_after.map_or("not finite".into(), |loss| format!("{loss:.3}"));
        let own = if rate == learning_rate { "the run's" } else { "" };
        [format!("{rate:.3e}"), loss, own.into()]
    });
    let after = format!("loss after {steps} steps");
    let rows = table(["step size", &after, ""], rows.collect());
    let start = loss_before.unwrap_or(f64::INFINITY);
    let better = better.map(|better| format!("--lr {better:.2e}"));
    let advice = match (verdict, better) {
        (Verdict::Diverges, Some(better)) => format!("The step size diverges: try {better}."),
        (Verdict::Diverges, None)
            if tried[0].loss_after.is_none_or(|loss| loss > start / AHEAD) =>
        {
            "All of these diverge: try a much smaller step size.".into()
        }
        (Verdict::Diverges, None) => {
            "No step size learns: are the targets right, and the values of the data sensible?"
                .into()
        }
        (Verdict::Starves, Some(better)) => {
            format!("The step size is small: a larger one learns clearly faster, try {better}.")
        }
        (Verdict::Starves | Verdict::Learns, _) => "The step size learns.".into(),
    };
    let before = loss_before.map_or("not finite".into(), |loss| format!("{loss:.3}"));
    format!("The loss is {before} at first, then\n\n{rows}\n{advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_size_is_judged_by_those_around_it() {
        let judged = |after: [Option<f64>; 5]| judge(2.3, &after);
        use Verdict::{Diverges, Learns, Starves};
        let some = |losses: [f64; 5]| losses.map(Some);
        assert_eq!(judged(some([2.2, 2.0, 1.5, 1.4, 2.5])), (Learns, None));
        assert_eq!(
            judged(some([1.2, 1.3, 1.5, 1.4, 2.5])),
            (Learns, None),
            "few steps like small ones"
        );
        assert_eq!(judged(some([2.3, 2.2, 2.1, 1.5, 1.2])), (Starves, Some(4)));
        assert_eq!(judged([Some(2.0), Some(1.0), None, None, None]), (Diverges, Some(1)));
        assert_eq!(judged(some([2.0, 2.1, 2.4, 3.0, 9.0])), (Diverges, Some(0)));
        // A coin toss at a tiny step size, and a larger one that learns.
        assert_eq!(judged(some([2.301, 2.3, 2.302, 2.1, 1.5])), (Starves, Some(4)));
        // Sixty steps are few for all of these, and the larger the step size, the farther they lead.
        assert_eq!(judged(some([2.293, 2.29, 2.27, 2.24, 2.17])), (Starves, Some(4)));
        assert_eq!(judged(some([2.299, 2.298, 2.297, 2.296, 2.293])), (Learns, None), "noise");
        assert_eq!(judged([None; 5]), (Diverges, None));
        assert_eq!(judged(some([2.4; 5])), (Diverges, None));
    }
}
