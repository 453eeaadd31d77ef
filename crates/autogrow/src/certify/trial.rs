//! [`Trial`]: the networks of a certificate, trained by whoever keeps them, and compared here.

use autogrow_core::config::Config;
use autogrow_core::growth::{Comparison, Depth, Evidence, disagreements, mcnemar};
use autogrow_core::network::{Network, SeedNetwork};
use autogrow_core::run::certificate::{Certificate, Contender, Rival, Verdict, pooled};
use autogrow_core::run::{Checkpoint, Origin, Outcome};
use autogrow_core::training::evaluate;
use autogrow_core::{Error, Job, Resolved, Result, at_depth, registry};
use std::path::Path;

/// What all networks of a certificate share.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// The run: its settings, its data, where it is computed.
    pub job: Job<'a>,
    /// The network as growth left it.
    pub grown: &'a Checkpoint,
    /// What the run came to: each network is fine-tuned for as many epochs.
    pub outcome: &'a Outcome,
    /// Percentage points that a doubling of the multiply-accumulate operations has to bring.
    pub price: f64,
    /// In how many orders of the images each network is trained, at least 1.
    pub orders: usize,
}

/// A network on the test images, for each order.
struct Judged {
    depth: Depth,
    evidence: Vec<Evidence>,
}

impl Trial<'_> {
    /// The found network beside one level less and one more. `train` gives the network at a depth,
    /// trained to the end in an order of the images, counted from 0; [`Trial::begin`] is where that
    /// training begins.
    ///
    /// # Errors
    /// Those of `train`, and of the data.
    pub fn certificate(
        &self,
        found: &Depth,
        train: &mut dyn FnMut(&Depth, usize) -> Result<Network>,
    ) -> Result<Certificate> {
        let (shallower, deeper) = (self.shallower(found), self.deeper(found));
        if deeper == *found {
            let problem = "freezes every sub-network: there is no other depth to compare with";
            return Err(Error::config("training.stage_rates", problem)
                .with_hint("a certificate is of runs in which a sub-network trains"));
        }
        let shallower = shallower.map(|depth| self.judged(depth, train)).transpose()?;
        let found = self.judged(found.clone(), train)?;
        let deeper = self.judged(deeper, train)?;
        Ok(Certificate {
            schema: 1,
            price: self.price,
            images: found.evidence.first().map_or(0, |evidence| evidence.losses.len()),
            shallower: shallower.map(|shallower| self.rival(&found, &shallower)),
            deeper: self.rival(&found, &deeper),
            found: contender(&found),
        })
    }

    /// The depths that are compared, from the shallowest; `found` is that of the run.
    pub fn depths(&self, found: &Depth) -> Vec<Depth> {
        let shallower = self.shallower(found).into_iter();
        shallower.chain([found.clone(), self.deeper(found)]).collect()
    }

    /// Whether the run itself has trained its network as a network of the certificate is trained in this
    /// order: what a clock did to its training has to be on record for that.
    pub fn is_the_run(&self, order: usize) -> bool {
        order == 0 && self.follows_the_run()
    }

    /// Whether all networks get the step sizes and steps that the run had. Else, where the run had a clock
    /// that nothing is known of, they get as many epochs and a schedule of that length.
    pub fn follows_the_run(&self) -> bool {
        self.outcome.tells_fine_tuning(self.job.config.run.max_minutes)
    }

    /// Settings and checkpoint from which the network at `depth` is trained to its end, in an order of the
    /// images of its own.
    ///
    /// # Errors
    /// [`Error::Run`] where the checkpoint does not suit the settings; data errors.
    pub fn begin(&self, depth: &Depth, order: usize) -> Result<(Resolved, Checkpoint)> {
        let mut config: Config = self.job.config.config().clone();
        config.growth.policy = "none".into();
        config.network.depth = depth.clone();
        config.growth.max_depth = None;
        (config.growth.max_macs, config.growth.max_parameters) = (0, 0);
        // All have the training that the run had time for.
        config.run.max_minutes = 0.0;
        let timed = &self.outcome.timed;
        if timed.is_empty() || !self.follows_the_run() {
            config.fine_tune.epochs = self.outcome.fine_tuning_epochs;
        }
        let config = Resolved::of(config)?;
        let job = Job { config: &config, ..self.job };
        let mut checkpoint = at_depth(job, self.grown, depth, order)?;
        if self.follows_the_run() {
            checkpoint.state.follows.clone_from(timed);
        }
        checkpoint.origin = Origin::of(&config, self.job.data)?;
        Ok((config, checkpoint))
    }

    /// Whether the data are those that the run was trained on.
    ///
    /// # Errors
    /// [`Error::Run`], naming `run`, where they are not; data errors.
    pub fn check_data(&self, run: &Path) -> Result<()> {
        if self.grown.origin.is_of(self.job.data)? {
            return Ok(());
        }
        Err(Error::run(run, "was trained on other images than the data set holds now")
            .with_hint("bring the data back as it was"))
    }

    /// One level more than the found depth. What is frozen stays as it is: nothing could adapt to a change.
    fn deeper(&self, found: &Depth) -> Depth {
        found.deeper().with_first_of(found, self.job.config.training.frozen_sub_networks())
    }

    /// One level less, where that can be.
    fn shallower(&self, found: &Depth) -> Option<Depth> {
        let frozen = self.job.config.training.frozen_sub_networks();
        let shallower = found.shallower()?.with_first_of(found, frozen);
        Some(shallower).filter(|less| less != found && self.can_lose_sub_modules())
    }

    /// Whether the network can be made shallower. Not where what follows a sub-network reads channels of
    /// each of its sub-modules (DenseNet).
    fn can_lose_sub_modules(&self) -> bool {
        let kind = registry::find::<SeedNetwork>(&self.job.config.network.name)
            .and_then(SeedNetwork::sub_module_kind);
        kind.is_ok_and(|kind| (kind.channels)(8, 1) == (kind.channels)(8, 2))
    }

    fn rival(&self, found: &Judged, rival: &Judged) -> Rival {
        let is_deeper = rival.depth.covers(&found.depth);
        let pairs = || found.evidence.iter().zip(&rival.evidence);
        let comparisons: Vec<Comparison> = pairs()
            .map(|(found, rival)| {
                let [deep, shallow] = if is_deeper { [rival, found] } else { [found, rival] };
                let one = std::slice::from_ref;
                Comparison::of(one(deep), one(shallow), 1, self.price)
            })
            .collect();
        let compared = pooled(&comparisons);
        let alone: Option<Vec<_>> = pairs()
            .map(|(found, rival)| Some(disagreements(found.right.as_ref()?, rival.right.as_ref()?)))
            .collect();
        Rival {
            contender: contender(rival),
            gain: compared.gain,
            error: compared.error,
            asked: compared.price,
            p: alone.as_ref().map(|alone| alone.iter().copied().map(mcnemar).collect()),
            alone,
            verdict: Verdict::of(&compared),
        }
    }

    fn judged(
        &self,
        depth: Depth,
        train: &mut dyn FnMut(&Depth, usize) -> Result<Network>,
    ) -> Result<Judged> {
        let orders = (0..self.orders).map(|order| self.evidence(&train(&depth, order)?));
        let evidence = orders.collect::<Result<_>>()?;
        Ok(Judged { depth, evidence })
    }

    /// What a network says of the test images.
    fn evidence(&self, network: &Network) -> Result<Evidence> {
        let Job { data, device, ranks, .. } = self.job;
        let objective = self.job.objective()?;
        let judged = evaluate(network, &*objective, &*data.test, device, ranks, &mut || Ok(()))?;
        Ok(Evidence {
            score: judged.scores.score,
            chance: None,
            train_score: None,
            macs: network.macs()?,
            right: judged.right,
            losses: judged.losses.into(),
        })
    }
}

fn contender(judged: &Judged) -> Contender {
    Contender {
        depth: judged.depth.clone(),
        macs: judged.evidence.first().map_or(0, |evidence| evidence.macs),
        test_percent: judged.evidence.iter().map(|evidence| evidence.score).collect(),
    }
}
