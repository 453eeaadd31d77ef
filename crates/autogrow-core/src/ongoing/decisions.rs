//! What growth decides, carried into the run: told, kept, and AdamInit begun where a growth asks for
//! it.

use super::{Run, restored};
use crate::Result;
use crate::growth::{Decision, Growth, Kind, Place};
use crate::network::{Adapt, Network};
use crate::run::{AdaptingState, Event, Kept, Phase};
use crate::training::Learner;

impl Run<'_> {
    /// Tells a decision that was carried out.
    pub(crate) fn tell_decision(
        &mut self,
        decision: &Decision,
        network: &Network,
        growth: &Growth,
    ) -> Result<()> {
        let (epoch, depth) = (self.state.epochs, network.depth().clone());
        let seconds = self.clock.seconds();
        let subnet = decision.subnet;
        let event = match decision.kind {
            Kind::Grow => {
                self.watch.architecture(network)?;
                let (parameters, macs) = (network.parameters(), network.macs()?);
                Event::Grew { epoch, depth, seconds, subnet, parameters, macs }
            }
            Kind::Stop => Event::Stopped { epoch, depth, seconds, subnet },
            Kind::Cap => Event::Capped { epoch, depth, seconds, subnet },
            Kind::OutOfTime => Event::OutOfTime { epoch, depth, seconds, subnet },
            Kind::Keep if decision.place == Some(Place::Root) => return Ok(()),
            Kind::Keep => Event::Kept { epoch, depth, seconds, why: growth.reason().into() },
            Kind::RollBack => {
                self.watch.architecture(network)?;
                let (parameters, macs) = (network.parameters(), network.macs()?);
                let why = growth.reason().into();
                let place = decision.place;
                Event::RolledBack { epoch, depth, seconds, place, parameters, macs, why }
            }
            Kind::Restart => {
                self.watch.architecture(network)?;
                let (parameters, macs) = (network.parameters(), network.macs()?);
                let why = growth.reason().into();
                Event::Restarted { epoch, depth, seconds, parameters, macs, why }
            }
        };
        self.watch.event(&event)
    }

    /// Keeps the network as it is, to go back to.
    pub(crate) fn keep(&mut self, decision: &Decision, learner: &Learner) -> Result<()> {
        if let Some(place) = decision.place {
            let blueprint = learner.network().blueprint().clone();
            self.kept.insert(place, Kept { blueprint, learner: learner.record()? });
        }
        Ok(())
    }

    /// The network that is kept in the place that the decision names.
    pub(crate) fn go_back(&mut self, decision: &Decision, learner: Learner) -> Result<Learner> {
        match decision.place.and_then(|place| self.kept.get(&place)) {
            Some(Kept { blueprint, learner }) => {
                self.state.gone_back = true;
                restored(self.job, blueprint, learner.clone(), None)
            }
            None => Ok(learner),
        }
    }

    /// A learner of the seed network of the depth that the decision names, drawn as the first one was.
    pub(crate) fn restart(&mut self, decision: &Decision, learner: Learner) -> Result<Learner> {
        let Some(depth) = decision.depth.clone() else { return Ok(learner) };
        drop(learner);
        self.state.gone_back = true;
        let job = self.job;
        let device = job.device.clone().autodiff();
        let network = job.drawn(depth, &device)?;
        let network = job.ranks.with_parameters_of_first(network)?;
        let learner = Learner::new(network, &job.training(), &job.config.plugin, device)?;
        Ok(learner.with_ranks(job.ranks))
    }

    /// Saves the run where any decision of an epoch was carried out. With `adapts`, AdamInit begins
    /// on the sub-networks that were grown.
    pub(crate) fn save_decisions(
        &mut self,
        decisions: &[Decision],
        learner: &Learner,
        adapts: bool,
    ) -> Result<()> {
        self.state.decided = self.state.guiding.len();
        let grown = decisions.iter().filter(|decision| decision.kind == Kind::Grow);
        let grown: Vec<_> = grown.map(|decision| decision.subnet).collect();
        if adapts && !grown.is_empty() {
            let accuracy_before = self.state.last.map_or(0.0, |(train, _)| train.score);
            self.state.adapting = Some(AdaptingState { grown, accuracy_before, epochs: 0 });
        }
        if decisions.is_empty() { Ok(()) } else { self.save(learner) }
    }

    /// The sub-networks on which AdamInit is in progress.
    pub(crate) fn adapting(&self) -> Option<Vec<usize>> {
        self.state.adapting.as_ref().map(|adapting| adapting.grown.clone())
    }

    /// Whether AdamInit goes on: at least one epoch is trained, at most `max_epochs`, until the
    /// training accuracy is as good as before the growth.
    pub(crate) fn continues_adapting(&self, adapt: Adapt) -> bool {
        let Some(adapting) = &self.state.adapting else { return false };
        let aim = adapting.accuracy_before - adapt.tolerance;
        let reached = self.state.last.is_some_and(|(train, _)| train.score >= aim);
        adapting.epochs == 0 || (adapting.epochs < adapt.max_epochs && !reached)
    }

    /// One epoch of AdamInit, after which the run is saved.
    pub(crate) fn adapting_epoch(&mut self, learner: Learner, rate: f64) -> Result<Learner> {
        let mut growth = self.job.growth()?;
        self.replay(&mut growth);
        self.epoch(learner, Phase::Adapting, rate, &growth)
    }

    /// Ends AdamInit and saves the run.
    pub(crate) fn end_adapting(&mut self, learner: &Learner) -> Result<()> {
        self.state.adapting = None;
        self.save(learner)
    }
}
