//! What a plan will cost, before anything is trained: epochs, operations, time, memory.
//!
//! A run is taken to end at its floor, or where the paper's did. A step of each kind of network is
//! timed at the depth 1-1-..-1, and others are taken to cost what their operations cost. Memory is
//! measured in the same steps: what an image takes, what a sub-module adds to that, and what does
//! not depend on images.

use crate::cell::Cell;
use crate::plan::Plan;
use crate::program::Program;
use crate::scale::{Told, grows};
use crate::sets::{Set, Sets};
use autogrow_base::Result;
use autogrow_growth::{Depth, floor};
use autogrow_run::Config;
use autogrow_run::config::{NetworkConfig, SelectOn};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Images of 32x32 in the step that is timed.
const BATCH: usize = 32;

/// The fewest images in it: the memory of fewer says little of that of many.
const FEWEST: usize = 4;

/// Bytes that training holds for a parameter: its weight, gradient and momentum, the best model's,
/// and one that is being changed.
const BYTES_OF_PARAMETER: f64 = 20.0;

/// Sub-modules of a sub-network, two numbers, whose steps tell what one costs: the first to be
/// added also brings what is there once whatever their number, such as room to compute in.
const DEPTHS: [usize; 2] = [2, 4];

/// Images of more pixels a side than this are decoded when a batch asks for them; smaller ones are
/// all in memory.
const KEPT: usize = 64;

/// What a cell will cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Cost {
    pub(crate) growing_epochs: usize,
    pub(crate) fine_tuning_epochs: usize,
    /// The depth it is taken to end at.
    pub(crate) depth: Depth,
    /// Multiply-accumulate operations of that depth for one image.
    pub(crate) macs: f64,
    pub(crate) seconds: f64,
    /// Bytes that its process will have.
    pub(crate) memory_bytes: f64,
}

/// Asks the program, each question once.
pub(crate) struct Estimator<'a> {
    program: &'a Program,
    sets: &'a Sets,
    threads: usize,
    /// Sets that only their files can tell of.
    found: HashMap<String, Set>,
    kinds: HashMap<String, Kind>,
}

/// What a kind of network costs.
#[derive(Clone, Debug)]
struct Kind {
    /// Multiply-accumulate operations for an image.
    macs: Parts,
    /// Of a training step.
    seconds_each: f64,
    /// Bytes for each image of a batch.
    of_image: Parts,
    /// Bytes whatever the batch.
    of_network: Parts,
}

/// A quantity that is a sum over sub-modules.
#[derive(Clone, Debug)]
struct Parts {
    /// Of 1-1-..-1.
    seed: f64,
    /// Of one more sub-module on each sub-network.
    sub_modules: Vec<f64>,
}

/// What `bench step` says.
#[derive(Deserialize)]
struct Step {
    images_per_second: f64,
    parameters: f64,
    macs: f64,
    /// None where the system does not tell.
    peak_memory_mb: Option<f64>,
}

/// What `data` says.
#[derive(Deserialize)]
struct Found {
    image: [usize; 3],
    images: Splits,
    classes: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Splits {
    train: usize,
    test: usize,
}

impl<'a> Estimator<'a> {
    /// An estimator for runs of so many threads.
    pub(crate) fn new(program: &'a Program, sets: &'a Sets, threads: usize) -> Self {
        Self { program, sets, threads, found: HashMap::new(), kinds: HashMap::new() }
    }

    /// The costs of all cells.
    pub(crate) fn costs(&mut self, plan: &Plan) -> Result<Vec<Cost>> {
        let mut costs: Vec<Cost> = Vec::with_capacity(plan.cells.len());
        for cell in &plan.cells {
            let found = cell.found_by.map(|finder| costs[finder].depth.clone());
            costs.push(self.cost(cell, found)?);
        }
        Ok(costs)
    }

    fn cost(&mut self, cell: &Cell, found: Option<Depth>) -> Result<Cost> {
        let config = &cell.told.config;
        let (growing_epochs, depth) = match found {
            Some(found) => (0, found),
            None => growing(cell)?,
        };
        let set = self.set(&cell.told)?;
        let kind = self.kind(&cell.told, &set)?;
        let (start, macs) = (kind.macs.of(&config.network.depth), kind.macs.of(&depth));
        let fine_tuning_epochs = config.fine_tune.epochs;
        // Depth rises about evenly while it grows.
        let growing = growing_epochs as f64 * (start + macs) / 2.0;
        let work = growing + fine_tuning_epochs as f64 * macs;
        let seconds = work * images(&set, config) * kind.seconds_each;
        let batch = config.training.batch_size as f64;
        let network = kind.of_network.of(&depth) + batch * kind.of_image.of(&depth);
        let memory_bytes = network + bytes(&set);
        Ok(Cost { growing_epochs, fine_tuning_epochs, depth, macs, seconds, memory_bytes })
    }

    fn set(&mut self, Told { settings, config }: &Told) -> Result<Set> {
        let key = format!("{:?}", config.data);
        if let Some(known) = self.sets.of(config).or_else(|| self.found.get(&key)) {
            return Ok(known.clone());
        }
        let Found { image, images, classes } =
            self.program.ask_about(settings, &["data".into()])?;
        let set = Set {
            name: config.data.name.clone(),
            title: config.data.name.clone(),
            image,
            classes: classes.len(),
            train: (images.train as f64 / config.data.fraction).round() as usize,
            test: images.test,
            stand_in: config.data.name.clone(),
        };
        Ok(self.found.entry(key).or_insert(set).clone())
    }

    fn kind(&mut self, Told { settings, config }: &Told, set: &Set) -> Result<Kind> {
        let Set { image: [channels, height, width], classes, .. } = *set;
        let image = format!("{channels}x{height}x{width}");
        let seed = Depth::uniform(config.network.depth.sub_networks(), 1);
        let network = NetworkConfig { depth: seed.clone(), ..config.network.clone() };
        let key = format!("{network:?} {:?} {image} {classes}", config.plugin);
        if let Some(known) = self.kinds.get(&key) {
            return Ok(known.clone());
        }
        let step = |depth: &Depth, batch: usize, steps: usize| -> Result<Step> {
            let arguments = [
                "bench".into(),
                "step".into(),
                format!("--depth={depth}"),
                format!("--image={image}"),
                format!("--classes={classes}"),
                format!("--batch={batch}"),
                format!("--steps={steps}"),
                format!("--threads={}", self.threads),
            ];
            self.program.ask_about(settings, &arguments)
        };
        let batch = (BATCH * 32 * 32 / (height * width).max(1)).clamp(FEWEST, BATCH);
        let (timed, single) = (step(&seed, batch, 3)?, step(&seed, 1, 1)?);
        let mut deeper = Vec::new();
        for sub_network in 0..seed.sub_networks() {
            let with = |count| {
                let mut depth = seed.clone();
                (1..count).for_each(|_| depth.stack(sub_network));
                step(&depth, batch, 1)
            };
            deeper.push([with(DEPTHS[0])?, with(DEPTHS[1])?]);
        }
        let kind = Kind::measured(batch, &timed, &single, &deeper);
        self.kinds.insert(key, kind.clone());
        Ok(kind)
    }
}

/// Growing epochs of a cell, and the depth it is taken to end at.
fn growing(cell: &Cell) -> Result<(usize, Depth)> {
    let config = &cell.told.config;
    let Config { network, growth, .. } = config;
    if !grows(&cell.told.settings) {
        return Ok((0, network.depth.clone()));
    }
    let Some(floor) = floor(&config.rules())? else {
        // At least as long as it takes to see that growth no longer pays.
        return Ok((growth.patience, network.depth.clone()));
    };
    let depth = cell.expected.clone().unwrap_or_else(|| floor.found.clone());
    let more = depth.sub_modules().saturating_sub(floor.found.sub_modules());
    Ok((floor.growing_epochs + growth.interval * more, depth))
}

impl Kind {
    /// From steps at the depth 1-1-..-1 of `batch` images and of one, and of `batch` images with
    /// either of two numbers of sub-modules on each sub-network.
    fn measured(batch: usize, timed: &Step, single: &Step, deeper: &[[Step; 2]]) -> Self {
        let batch = batch as f64;
        let more = (DEPTHS[1] - DEPTHS[0]) as f64;
        let each = |of: &dyn Fn(&Step) -> f64| -> Vec<f64> {
            deeper.iter().map(|[less, deep]| (of(deep) - of(less)) / more).collect()
        };
        let peak = |step: &Step| 1e6 * step.peak_memory_mb.unwrap_or(0.0);
        let of_image = ((peak(timed) - peak(single)) / (batch - 1.0)).max(0.0);
        let weights = |step: &Step| BYTES_OF_PARAMETER * step.parameters;
        let images = |step: &Step| (peak(step) - weights(step)) / batch;
        let parts = |seed, sub_modules| Parts { seed, sub_modules };
        let of_images = each(&images).into_iter().map(|bytes| bytes.max(0.0)).collect();
        Self {
            macs: parts(timed.macs, each(&|step| step.macs)),
            seconds_each: 1.0 / (timed.images_per_second * timed.macs),
            of_image: parts(of_image, of_images),
            of_network: parts((peak(single) - of_image).max(0.0), each(&weights)),
        }
    }
}

impl Parts {
    /// Of a depth: all sub-modules of a sub-network but its first cost the same.
    fn of(&self, depth: &Depth) -> f64 {
        let more = depth.as_slice().iter().zip(&self.sub_modules);
        self.seed + more.map(|(count, each)| (*count as f64 - 1.0) * each).sum::<f64>()
    }
}

/// Training images of an epoch, validation counted as the third of a training step that it costs.
fn images(set: &Set, config: &Config) -> f64 {
    let (train, test) = (set.train as f64 * config.data.fraction, set.test as f64);
    let validation = match config.data.select_on {
        SelectOn::Test => test,
        SelectOn::Val => test.min(train / 3.0),
    };
    train + validation / 3.0
}

/// What a data set holds in memory.
fn bytes(set: &Set) -> f64 {
    let kept = set.image[1].max(set.image[2]) <= KEPT;
    let images = if kept { set.train + set.test } else { 0 };
    (images * set.image.iter().product::<usize>()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::Scale;
    use crate::testing::plan;

    fn depth(text: &str) -> Depth {
        text.parse().unwrap()
    }

    #[test]
    fn a_sum_over_sub_modules() {
        let parts = Parts { seed: 10.0, sub_modules: vec![1.0, 2.0, 3.0] };
        assert_eq!(parts.of(&depth("1-1-1")), 10.0);
        assert_eq!(parts.of(&depth("3-1-2")), 15.0);
    }

    #[test]
    fn memory_is_divided_among_images_and_weights() {
        let step = |parameters, macs, peak| Step {
            images_per_second: 100.0,
            parameters,
            macs,
            peak_memory_mb: Some(peak),
        };
        // 20 MB and 2 for each image; a sub-module takes half a MB an image and 10 for weights, and
        // the first of them 5 more.
        let (timed, single) = (step(1e6, 10.0, 60.0), step(1e6, 10.0, 22.0));
        let deep = |more: f64| step(1e6 + 5e5 * more, 10.0 + 2.0 * more, 65.0 + 20.0 * more);
        let kind = Kind::measured(20, &timed, &single, &[[deep(1.0), deep(3.0)]]);
        assert_eq!((kind.of_image.seed, kind.of_network.seed), (2e6, 20e6));
        assert_eq!(kind.of_image.sub_modules, [0.5e6]);
        assert_eq!(kind.of_network.sub_modules, [10e6]);
        assert_eq!((kind.macs.sub_modules[0], kind.seconds_each), (2.0, 1e-3));
    }

    #[test]
    fn large_images_are_not_kept() {
        let sets = Sets::read().unwrap();
        let bytes = |name| bytes(sets.named(name).unwrap());
        assert_eq!((bytes("cifar10"), bytes("imagenet")), (6e4 * 3_072.0, 0.0));
    }

    #[test]
    fn a_run_is_taken_to_end_at_its_floor_or_where_the_papers_did() {
        let of = |scale, suite| growing(&plan(scale, &[suite], 1).cells[0]).unwrap();
        // 42-42-42 with K = 3: (126 - 3 + 1) checks.
        assert_eq!(of(Scale::Paper, "figure4"), (124 * 3, depth("42-42-42")));
        // K = 1, J = 10: a growth at each of 10 checks, and one more for each of the three.
        let (epochs, floor) = of(Scale::Small, "figure4");
        assert_eq!(epochs, floor.sub_modules() - 3 + 1);
        assert_eq!(of(Scale::Paper, "figure6"), (0, depth("3-3-3")));
    }
}
