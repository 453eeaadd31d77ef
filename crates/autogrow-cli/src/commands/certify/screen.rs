//! What `autogrow certify` says while it trains: which network, which order of the images, of how many,
//! and what the clock of the run has to do with it.

use crate::output::{BOLD, Output, RESET};
use autogrow::Trial;
use autogrow::growth::Depth;
use autogrow::run::TimedEpoch;

/// How far the training of a network has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It begins now.
    New,
    /// It was interrupted.
    Begun,
    /// It was trained for a certificate before.
    Done,
}

/// Tells of one training after the other.
pub(super) struct Screen<'a> {
    trial: &'a Trial<'a>,
    output: &'a Output,
    told: usize,
}

impl<'a> Screen<'a> {
    pub(super) fn new(trial: &'a Trial<'a>, output: &'a Output) -> Self {
        Self { trial, output, told: 0 }
    }

    /// What the run's clock has done to its training is done to all, or said where it is not known.
    pub(super) fn tell_clock(&self) {
        let (trial, outcome) = (self.trial, self.trial.outcome);
        let epochs = outcome.fine_tuning_epochs;
        if !trial.follows_the_run() {
            self.output.warn(&format!(
                "how the clock cut the {epochs} epochs of fine-tuning of this run short is not on record: all \
                 networks, the found one too, get as many with a whole schedule, so that its score here is \
                 another than the run's"
            ));
            return;
        }
        let whole = (0..trial.job.config.fine_tune.epochs)
            .map(|position| TimedEpoch { position, steps: None });
        if outcome.timed.is_empty() && epochs > 0 || whole.eq(outcome.timed.iter().copied()) {
            return;
        }
        self.output.note(&match epochs {
            0 => "time left the run no fine-tuning: the networks are compared as growth left them".into(),
            _ => format!(
                "time ended the run: each network is fine-tuned as it was, epoch by epoch ({epochs}), at the \
                 same step sizes"
            ),
        });
    }

    /// Before a network is trained.
    pub(super) fn tell_training(&mut self, depth: &Depth, order: usize, state: State) {
        self.told += 1;
        let (trial, found) = (self.trial, &self.trial.outcome.found);
        let own = usize::from(trial.is_the_run(0));
        let of = trial.depths(found).len() * trial.orders - own;
        let line = line([self.told, of], depth, found, [order, trial.orders], state);
        self.output.note(&line);
    }
}

/// Which training it is, of which network, on the images in which order; places and orders are told of how
/// many.
fn line(
    [number, of]: [usize; 2],
    depth: &Depth,
    found: &Depth,
    [order, orders]: [usize; 2],
    state: State,
) -> String {
    let which = if depth == found {
        "the found depth"
    } else if depth.covers(found) {
        "one level deeper"
    } else {
        "one level shallower"
    };
    let order = match orders {
        1 => String::new(),
        _ => format!(", the images in order {} of {orders}", order + 1),
    };
    let state = match state {
        State::New => "",
        State::Begun => ": goes on where it was interrupted",
        State::Done => ": trained before",
    };
    format!("training {number} of {of}: {BOLD}{depth}{RESET}, {which}{order}{state}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_training_is_told_by_depth_order_and_number() {
        let depth = |text: &str| text.parse::<Depth>().unwrap();
        let found = &depth("2-2-1");
        let plain = |line: String| line.replace(BOLD, "").replace(RESET, "");
        let alone = line([1, 2], &depth("1-1-1"), found, [0, 1], State::New);
        assert_eq!(plain(alone), "training 1 of 2: 1-1-1, one level shallower");
        let again = line([5, 8], found, found, [2, 3], State::Begun);
        let expected = "training 5 of 8: 2-2-1, the found depth, the images in order 3 of 3: goes on \
                        where it was interrupted";
        assert_eq!(plain(again), expected);
        let done = line([2, 2], &depth("3-3-2"), found, [0, 1], State::Done);
        assert_eq!(plain(done), "training 2 of 2: 3-3-2, one level deeper: trained before");
    }
}
