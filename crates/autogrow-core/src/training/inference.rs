//! Forward passes in evaluation mode: scores of a split, what they say of each image, outputs; and
//! batch norms measured anew for weights that were averaged.

use super::objective::{Objective, TargetTensor};
use super::tally::{Scores, Tally};
use crate::Result;
use crate::data::{Batch, Pass, Split, Targets};
use crate::growth::Bits;
use crate::network::Network;
use crate::ranks::Ranks;
use autogrow_kernels::recalibrate as with_batch_statistics;
use burn::tensor::{Device, Tensor, TensorData};

/// Images of one forward pass of an evaluation at most, and values that they hold together.
const EVALUATION_BATCH: usize = 500;
const EVALUATION_VALUES: usize = 16 << 20;

/// Training batches that batch norms are measured on: a sixteenth of an epoch, within these.
const RECALIBRATION_PART: usize = 16;
const RECALIBRATION_BATCHES: std::ops::RangeInclusive<usize> = 2..=8;

/// What an evaluation says of a split.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Validation {
    /// Of all its images together.
    pub scores: Scores,
    /// Which images were right, in stored order; none where the objective does not know right from
    /// wrong. Images that could not be read are left out.
    pub right: Option<Bits>,
    /// The loss of each image, in the same order.
    pub losses: Vec<f32>,
}

/// Evaluates a network in evaluation mode (see [`Learner::evaluated`](super::Learner::evaluated)) on a
/// split, each rank looking at its part. `on_batch` is called after each batch; an error from it ends
/// the evaluation.
///
/// # Errors
/// Data errors; [`Error::Ranks`](crate::Error::Ranks) where a rank is lost.
pub fn evaluate(
    network: &Network,
    objective: &dyn Objective,
    split: &dyn Split,
    device: &Device,
    ranks: &Ranks,
    on_batch: &mut dyn FnMut() -> Result<()>,
) -> Result<Validation> {
    let mut tally = Tally::default();
    let mut each = Each::default();
    let batch_size = evaluation_batch(network);
    let pass = Pass { batch_size, share: ranks.share(), ..Pass::default() };
    for batch in split.batches(pass) {
        let batch = batch.and_then(|batch| checked(batch, network, objective, batch_size));
        let batch = ranks.agree(batch)?;
        let count = batch.len();
        if count > 0 {
            let outputs = outputs(network, batch.images, count, device);
            let targets = TargetTensor::new(&batch.targets, device);
            let losses = objective.losses(outputs.clone(), &targets);
            let right = objective.right(outputs.clone(), &targets);
            let numbers = vec![losses.clone().mean(), objective.sums(outputs, &targets), losses];
            // Everything of the batch is read from the device at once.
            let knows_right = right.is_some();
            let numbers = Tensor::cat(numbers.into_iter().chain(right).collect(), 0).into_data();
            let numbers: Vec<f32> = numbers.iter::<f32>().collect();
            let images = count * (1 + usize::from(knows_right));
            let (sums, images) = numbers.split_at(numbers.len() - images);
            tally.add(count, sums);
            each.add(count, images);
        } else {
            each.add(0, &[]);
        }
        on_batch()?;
    }
    let count = objective.sum_count(network.blueprint().classes);
    let scores = tally.over(ranks, count)?.scores(objective);
    let (right, losses) = each.over(ranks, batch_size)?.in_order();
    Ok(Validation { scores, right, losses })
}

/// What is known of each image, batch by batch.
#[derive(Default)]
struct Each {
    /// Of each batch the losses and, where right and wrong make sense, as many numbers 0 or 1.
    batches: Vec<(Vec<f32>, Vec<f32>)>,
}

impl Each {
    /// Adds a batch of so many images: their losses, then which are right, if that is known.
    fn add(&mut self, count: usize, numbers: &[f32]) {
        let (losses, right) = numbers.split_at(count);
        self.batches.push((losses.to_vec(), right.to_vec()));
    }

    /// The whole batches, of which this is one rank's share.
    fn over(self, ranks: &Ranks, batch_size: usize) -> Result<Self> {
        if !ranks.are_several() {
            return Ok(self);
        }
        // As many numbers from every rank: of each batch a count and room for the largest share.
        let room = batch_size.div_ceil(ranks.size());
        let mut own = Vec::new();
        for (losses, right) in &self.batches {
            own.extend([losses.len() as f64, right.len() as f64]);
            for numbers in [losses, right] {
                own.extend(numbers.iter().copied().map(f64::from));
                own.resize(own.len() + room.saturating_sub(numbers.len()), 0.0);
            }
        }
        let mut whole = vec![<(Vec<f32>, Vec<f32>)>::default(); self.batches.len()];
        for numbers in ranks.gather(&own)? {
            for ((losses, right), part) in whole.iter_mut().zip(numbers.chunks(2 + 2 * room)) {
                let (counts, part) = part.split_at(2);
                let (first, second) = part.split_at(room);
                let narrow = |numbers: &[f64], count: f64| -> Vec<f32> {
                    numbers[..count as usize].iter().map(|&number| number as f32).collect()
                };
                losses.extend(narrow(first, counts[0]));
                right.extend(narrow(second, counts[1]));
            }
        }
        Ok(Self { batches: whole })
    }

    fn in_order(self) -> (Option<Bits>, Vec<f32>) {
        let losses: Vec<f32> = self.batches.iter().flat_map(|batch| &batch.0).copied().collect();
        let right: Bits =
            self.batches.iter().flat_map(|batch| &batch.1).map(|&right| right > 0.5).collect();
        ((right.len() == losses.len() && !right.is_empty()).then_some(right), losses)
    }
}

/// Measures the running statistics of all batch norms of `network`, which is in evaluation mode, anew:
/// they become the mean over some batches of training images, drawn and augmented by `seed` as in
/// training. Every rank that calls it looks at whole batches.
///
/// # Errors
/// Data errors.
pub fn recalibrate(
    network: &Network,
    objective: &dyn Objective,
    split: &dyn Split,
    batch_size: usize,
    seed: u64,
    device: &Device,
) -> Result<()> {
    let all = split.len().div_ceil(batch_size);
    let (least, most) = RECALIBRATION_BATCHES.into_inner();
    let batches = (all / RECALIBRATION_PART).clamp(least, most);
    let pass = Pass { batch_size, seed: Some(seed), ..Pass::default() };
    let mut taken = 0;
    for batch in split.batches(pass).take(batches) {
        let batch = checked(batch?, network, objective, batch_size)?;
        let count = batch.len();
        if count > 0 {
            taken += 1;
            let any = with_batch_statistics(1.0 / f64::from(taken), || {
                outputs(network, batch.images, count, device);
            });
            if !any {
                break;
            }
        }
    }
    Ok(())
}

/// A batch that may hold so many images, if a network can be trained and judged on it.
pub(super) fn checked(
    batch: Batch,
    network: &Network,
    objective: &dyn Objective,
    asked_for: usize,
) -> Result<Batch> {
    let blueprint = network.blueprint();
    batch.check_images(blueprint.image, asked_for)?;
    batch.targets.check(objective.task(), blueprint.classes)?;
    Ok(batch)
}

/// Told the outputs `[batch, outputs]` of a batch, row-major, and its targets.
pub type OnOutputs<'a> = dyn FnMut(&[f32], &Targets) -> Result<()> + 'a;

/// Outputs of a network in evaluation mode for each image of a split, in stored order, `batch_size`
/// images at a time or a default of its own: `on_batch` is given `[batch, outputs]` numbers,
/// row-major, and the targets, which need not suit the network; an error from it ends the pass.
///
/// # Errors
/// Data errors.
pub fn infer(
    network: &Network,
    split: &dyn Split,
    batch_size: Option<usize>,
    device: &Device,
    on_batch: &mut OnOutputs<'_>,
) -> Result<()> {
    let batch_size = batch_size.unwrap_or_else(|| evaluation_batch(network));
    for batch in split.batches(Pass { batch_size, ..Pass::default() }) {
        let batch = batch?;
        batch.check_images(network.blueprint().image, batch_size)?;
        let count = batch.len();
        if count == 0 {
            continue;
        }
        let outputs = outputs(network, batch.images, count, device).into_data();
        on_batch(&outputs.iter::<f32>().collect::<Vec<_>>(), &batch.targets)?;
    }
    Ok(())
}

/// Images of one forward pass: fewer of large ones.
fn evaluation_batch(network: &Network) -> usize {
    let values: usize = network.blueprint().image.iter().product();
    (EVALUATION_VALUES / values.max(1)).clamp(1, EVALUATION_BATCH)
}

fn outputs(network: &Network, images: Vec<f32>, count: usize, device: &Device) -> Tensor<2> {
    let [channels, height, width] = network.blueprint().image;
    let shape = [count, channels, height, width];
    network.forward(Tensor::from_data(TensorData::new(images, shape), device))
}
