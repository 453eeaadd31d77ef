//! Forward passes in evaluation mode: scores of a split, what they say of each image, outputs; and
//! batch norms measured anew for weights that were averaged.

use super::input::Input;
use super::objective::Objective;
use super::tally::{Scores, Tally};
use crate::Result;
use crate::data::{Pass, RawBatch, Split, Targets};
use crate::growth::Bits;
use crate::network::Network;
use crate::ranks::Ranks;
use crate::transfer::{Readback, read};
use autogrow_kernels::{is_flex, recalibrate as with_batch_statistics};
use burn::tensor::{Device, Tensor};

/// Images of one forward pass of an evaluation at most, and values that they hold together.
const EVALUATION_BATCH: usize = 500;
const EVALUATION_VALUES: usize = 16 << 20;

/// Forward passes of an evaluation that a device may be asked for before their numbers are read: more
/// than most splits take, and not so many that their images fill the memory.
const UNREAD_PASSES: usize = 64;

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
    let sums = objective.sum_count(network.blueprint().classes);
    let mut tally = Tally::default();
    let mut each = Each::default();
    let mut unread = Vec::new();
    let most_unread = if is_flex(device) { 1 } else { UNREAD_PASSES };
    let batch_size = evaluation_batch(network);
    let pass = Pass { batch_size, share: ranks.share(), ..Pass::default() };
    let (batches, input) = Input::of(split, pass, network.blueprint().image, device, false);
    for batch in batches {
        let batch = batch.and_then(|batch| checked(batch, network, objective, batch_size));
        let batch = ranks.agree(batch)?;
        let count = batch.len();
        let numbers = match count {
            0 => Vec::new(),
            _ => {
                let (images, targets) = input.take(batch);
                let outputs = network.forward(images);
                let losses = objective.losses(outputs.clone(), &targets);
                let right = objective.right(outputs.clone(), &targets);
                let sums = vec![losses.clone().mean(), objective.sums(outputs, &targets), losses];
                sums.into_iter().chain(right).collect()
            }
        };
        unread.push((count, numbers));
        if unread.len() >= most_unread {
            add(std::mem::take(&mut unread), sums, &mut tally, &mut each)?;
        }
        on_batch()?;
    }
    add(unread, sums, &mut tally, &mut each)?;
    let scores = tally.over(ranks, sums)?.scores(objective);
    let (right, losses) = each.over(ranks, batch_size)?.in_order();
    Ok(Validation { scores, right, losses })
}

/// Reads what is known of some batches at once, and adds it up. Of each batch, how many images it has
/// and, if there are any: the mean loss, `sums` sums of the objective, what is known of each image.
///
/// # Errors
/// [`Error::Device`](crate::Error::Device) where the device has failed.
fn add(
    unread: Vec<(usize, Vec<Tensor<1>>)>,
    sums: usize,
    tally: &mut Tally,
    each: &mut Each,
) -> Result<()> {
    let length = |parts: &[Tensor<1>]| parts.iter().map(|part| part.dims()[0]).sum::<usize>();
    let lengths: Vec<_> = unread.iter().map(|(count, parts)| (*count, length(parts))).collect();
    let mut readback = Readback::of(unread.into_iter().flat_map(|(_, parts)| parts).collect());
    let mut numbers = readback.numbers()?;
    for (count, length) in lengths {
        let (own, rest) = numbers.split_at(length);
        numbers = rest;
        let (of_all, of_each) = own.split_at(length.min(1 + sums));
        if count > 0 {
            tally.add(count, of_all);
        }
        each.add(count, of_each);
    }
    Ok(())
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
    let (of_pass, input) = Input::of(split, pass, network.blueprint().image, device, false);
    for batch in of_pass.take(batches) {
        let batch = checked(batch?, network, objective, batch_size)?;
        if !batch.is_empty() {
            taken += 1;
            let any = with_batch_statistics(1.0 / f64::from(taken), || {
                network.forward(input.take(batch).0);
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
    batch: RawBatch,
    network: &Network,
    objective: &dyn Objective,
    asked_for: usize,
) -> Result<RawBatch> {
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
    let image = network.blueprint().image;
    let pass = Pass { batch_size, ..Pass::default() };
    let (batches, input) = Input::of(split, pass, image, device, false);
    for batch in batches {
        let batch = batch?;
        batch.check_images(image, batch_size)?;
        if batch.is_empty() {
            continue;
        }
        let targets = batch.targets.clone();
        let outputs = read(network.forward(input.take(batch).0));
        on_batch(&outputs.iter::<f32>().collect::<Vec<_>>(), &targets)?;
    }
    Ok(())
}

/// Images of one forward pass: fewer of large ones.
fn evaluation_batch(network: &Network) -> usize {
    let values: usize = network.blueprint().image.iter().product();
    (EVALUATION_VALUES / values.max(1)).clamp(1, EVALUATION_BATCH)
}
