//! The gradients of one batch: forward and backward over its parts, here and on all other ranks.

use super::input::Input;
use super::objective::Objective;
use super::tally::Tally;
use crate::Error;
use crate::data::{Batch, RawBatch, Targets};
use crate::network::{DropPath, Network};
use crate::ranks::{NormSums, Ranks};
use autogrow_kernels::with_peers;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;

/// Why a step is not taken.
pub(super) enum Halt {
    /// A number is none; the same on all ranks.
    NotFinite(String),
    /// Anything else.
    Failed(Error),
}

impl Halt {
    /// What the run is told of it, at a step of an epoch.
    pub(super) fn at(self, epoch: usize, step: usize) -> Error {
        match self {
            Self::NotFinite(what) => Error::Diverged { epoch, step, what, checkpoint: None },
            Self::Failed(error) => error,
        }
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Gradients, and what was seen on the way to them.
pub(super) struct Backward {
    pub(super) gradients: GradientsParams,
    pub(super) seen: Seen,
}

/// What the passes of a batch have seen, still on the device.
pub(super) struct Seen {
    /// Of the batch, over all ranks.
    images: f64,
    passes: Vec<SeenInPass>,
}

/// What a pass has seen.
#[derive(Default)]
struct SeenInPass {
    images: usize,
    /// The mean loss, then the objective's sums; none of a rank without an image.
    numbers: Option<Tensor<1>>,
}

impl Seen {
    /// All numbers, pass by pass.
    pub(super) fn numbers(&self) -> impl Iterator<Item = Tensor<1>> {
        self.passes.iter().filter_map(|pass| pass.numbers.clone())
    }
}

/// How the passes of a batch go.
pub(super) struct Passes<'a> {
    pub(super) network: &'a Network,
    pub(super) objective: &'a dyn Objective,
    pub(super) input: &'a Input,
    pub(super) ranks: &'a Ranks,
    /// Images of one pass at most, on this rank; 0: all of its part of the batch.
    pub(super) micro_batch: usize,
    /// Images of a batch over all ranks at most.
    pub(super) batch_size: usize,
    /// Whether batch norms see the images of all ranks.
    pub(super) sync_batch_norm: bool,
    /// How often the last residual branch is left out.
    pub(super) drop_path: f64,
    /// Images that batch norms need at least to learn from: one has no variance where a channel is one
    /// value of it.
    pub(super) least: usize,
}

impl Passes<'_> {
    /// This rank's part of the gradients of the mean loss over the whole batch, of which `batch` is
    /// this rank's share; none where no rank has an image. What is random is a function of `seed`.
    /// Nothing is read from the device.
    pub(super) fn gradients(&self, batch: RawBatch, seed: u64) -> Result<Option<Backward>, Halt> {
        let own = batch.len();
        let parts = if own == 0 { Vec::new() } else { batch.parts(self.micro_batch, self.least) };
        let counts = self.ranks.gather(&[own as f64, parts.len() as f64])?;
        let images: f64 = counts.iter().map(|counts| counts[0]).sum();
        // A last batch of fewer than can be learnt from is left out.
        if images == 0.0 || images < self.least as f64 {
            return Ok(None);
        }
        if images > self.batch_size as f64 {
            return Err(Error::ranks("the data set does not yield shares of its batches").into());
        }
        // All ranks take part in each pass, those that have run out of images too.
        let passes = counts.iter().map(|counts| counts[1] as usize).max().unwrap_or(0);
        let mut accumulator = GradientsAccumulator::new();
        let mut seen = Seen { images, passes: Vec::new() };
        let mut parts = parts.into_iter();
        let before: f64 = counts[..self.ranks.rank()].iter().map(|counts| counts[0]).sum();
        let mut first = before as usize;
        for _ in 0..passes {
            let part = parts.next();
            let count = part.as_ref().map_or(0, RawBatch::len);
            let (gradients, in_pass) = self.pass(part, first, images, seed)?;
            first += count;
            seen.passes.push(in_pass);
            if let Some(gradients) = gradients {
                accumulator.accumulate(self.network, gradients);
            }
        }
        Ok(Some(Backward { gradients: accumulator.grads(), seen }))
    }

    /// What all ranks have seen in the passes of a batch, in `numbers` as [`Seen::numbers`] gives
    /// them; `tally` is told of it. Returns the mean loss and how many numbers that were.
    pub(super) fn tell(
        &self,
        seen: &Seen,
        numbers: &[f32],
        tally: &mut Tally,
    ) -> Result<(f64, usize), Halt> {
        let sums = self.objective.sum_count(self.network.blueprint().classes);
        let (mut mean_loss, mut taken) = (0.0, 0);
        for pass in &seen.passes {
            let mut own = Tally::default();
            if let SeenInPass { images, numbers: Some(_) } = pass {
                own.add(*images, &numbers[taken..taken + 1 + sums]);
                taken += 1 + sums;
            }
            let all = own.over(self.ranks, sums)?;
            if !all.loss().is_finite() {
                return Err(Halt::NotFinite(format!("the loss is {}", all.loss())));
            }
            mean_loss += all.images() as f64 / seen.images * all.loss();
            tally.join(&all);
        }
        Ok((mean_loss, taken))
    }

    /// One pass over `part`, whose first image is number `first` of so many of the batch, and what this
    /// rank has seen in it.
    fn pass(
        &self,
        part: Option<RawBatch>,
        first: usize,
        all: f64,
        seed: u64,
    ) -> Result<(Option<GradientsParams>, SeenInPass), Halt> {
        let is_absent = part.is_none();
        let sums = self.sync_batch_norm.then(|| NormSums::new(self.ranks.clone(), is_absent));
        if is_absent && sums.is_none() {
            return Ok((None, SeenInPass::default()));
        }
        let part = part.unwrap_or_else(|| self.stand_in().into());
        let count = part.len();
        let (input, targets) = self.input.take(part);
        let drops = (self.drop_path > 0.0).then(|| {
            // One that stands in for none has a place as well.
            let first = if is_absent { 0 } else { first };
            let images = first..first + count;
            DropPath { rate: self.drop_path, seed, images, of: all as usize }
        });
        let forward = || self.network.forward_training(input, drops.as_ref());
        let outputs = match &sums {
            Some(sums) => with_peers(sums.clone(), forward),
            None => forward(),
        };
        let loss = self.objective.loss(outputs.clone(), &targets);
        let mut seen = SeenInPass::default();
        if !is_absent {
            let sums = self.objective.sums(outputs.inner(), &targets.inner());
            let numbers = Tensor::cat(vec![loss.clone().inner(), sums], 0);
            seen = SeenInPass { images: count, numbers: Some(numbers) };
        }
        check(sums.as_deref())?;
        // The mean over the batch is the mean over parts weighted by their size.
        let weight = count as f64 / all;
        let loss = if weight == 1.0 { loss } else { loss * weight };
        let gradients = GradientsParams::from_grads(loss.backward(), self.network);
        check(sums.as_deref())?;
        Ok(((!is_absent).then_some(gradients), seen))
    }

    /// An image for a rank that has none.
    fn stand_in(&self) -> Batch {
        let blueprint = self.network.blueprint();
        let (pixels, width) = (blueprint.image.iter().product(), blueprint.classes);
        let targets = Targets::Numbers { width, values: vec![0.0; width] };
        Batch { images: vec![0.0; pixels], targets }
    }
}

fn check(sums: Option<&NormSums>) -> crate::Result<()> {
    sums.map_or(Ok(()), NormSums::check)
}
