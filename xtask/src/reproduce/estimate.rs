//! What a plan will cost, before anything is trained: epochs, operations, time, memory.
//!
//! A run is taken to end at its floor, at scale `paper` at the depth that the paper found. A step
//! of each kind of network is timed at the depth 1-1-..-1, and others are taken to cost what their
//! operations cost. Memory is measured in the same steps: what an image takes, what a sub-module
//! adds to that, and what does not depend on images.

use super::autogrow::Autogrow;
use super::depth::Depth;
use super::paper::{Paper, Set};
use super::place::publish;
use super::plan::{Cell, Plan};
use anyhow::Result;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::PathBuf;

/// Images of 32x32 in the step that is timed.
const BATCH: u32 = 32;

/// The fewest images in it: the memory of fewer says little of that of many.
const FEWEST: u32 = 4;

/// Bytes that training holds for a parameter: its weight, gradient and momentum, the best model's,
/// and one that is being changed.
const BYTES_OF_PARAMETER: f64 = 20.0;

/// Sub-modules of a sub-network, two numbers, whose steps tell what one costs: the first to be
/// added also brings what is there once whatever their number, such as room to compute in.
const DEPTHS: [u32; 2] = [2, 4];

/// Images of more pixels a side than this are decoded when a batch asks for them; smaller ones are
/// all in memory.
const KEPT: u32 = 64;

/// Epochs without improvement after which every policy of the plan has ended.
const FLAT: usize = 2_000;

/// What a cell will cost.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cost {
    pub(super) growing_epochs: u32,
    pub(super) fine_tuning_epochs: u32,
    /// The depth it is taken to end at.
    pub(super) depth: Depth,
    /// Multiply-accumulate operations of that depth for one image.
    pub(super) macs: f64,
    pub(super) seconds: f64,
    /// Bytes that its process will have.
    pub(super) memory: f64,
}

/// Asks `autogrow`, each question once.
pub(super) struct Estimator<'a> {
    autogrow: &'a Autogrow,
    paper: &'a Paper,
    threads: usize,
    /// An accuracy that never improves.
    curve: PathBuf,
    floors: HashMap<Vec<String>, (u32, Depth)>,
    networks: HashMap<String, Kind>,
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

#[derive(Deserialize)]
struct Step {
    images_per_second: f64,
    parameters: f64,
    macs: f64,
    /// None where the system does not tell.
    peak_memory_mb: Option<f64>,
}

#[derive(Deserialize)]
struct Replayed {
    found: Depth,
    growing_epochs: u32,
}

impl<'a> Estimator<'a> {
    /// An estimator for runs of so many threads.
    ///
    /// # Errors
    /// Where the system's folder for temporary files cannot be written.
    pub(super) fn new(autogrow: &'a Autogrow, paper: &'a Paper, threads: usize) -> Result<Self> {
        let curve = std::env::temp_dir().join(format!("autogrow-flat-{}.csv", std::process::id()));
        let rows = (1..=FLAT).map(|epoch| format!("{epoch},0\n")).collect::<String>();
        publish(&curve, &format!("epoch,accuracy\n{rows}"))?;
        let (floors, networks) = (HashMap::new(), HashMap::new());
        Ok(Self { autogrow, paper, threads, curve, floors, networks })
    }

    /// The costs of all cells.
    ///
    /// # Errors
    /// Where `autogrow` does not answer.
    pub(super) fn costs(&mut self, plan: &Plan<'_>) -> Result<Vec<Cost>> {
        let mut costs: Vec<Cost> = Vec::with_capacity(plan.cells.len());
        for cell in &plan.cells {
            let found = cell.found_by.map(|finder| costs[finder].depth.clone());
            costs.push(self.cost(cell, found)?);
        }
        Ok(costs)
    }

    fn cost(&mut self, cell: &Cell, found: Option<Depth>) -> Result<Cost> {
        let config = &cell.config;
        let (growing_epochs, depth) = match (found, config.growth.interval) {
            (Some(found), _) => (0, found),
            (None, None) => (0, config.network.depth.clone()),
            (None, Some(interval)) => {
                let (epochs, floor) = self.floor(cell)?;
                let depth = cell.expected.clone().unwrap_or_else(|| floor.clone());
                let more = depth.sub_modules().saturating_sub(floor.sub_modules());
                (epochs + interval * more, depth)
            }
        };
        let kind = self.kind(cell)?;
        let (start, macs) = (kind.macs.of(&config.network.depth), kind.macs.of(&depth));
        let set = self.paper.set(&config.data.name)?;
        let fine_tuning_epochs = config.fine_tune.epochs;
        // Depth rises about evenly while it grows.
        let growing = f64::from(growing_epochs) * (start + macs) / 2.0;
        let work = growing + f64::from(fine_tuning_epochs) * macs;
        let images = images(set, config.data.fraction, config.data.select_on);
        let seconds = work * images * kind.seconds_each;
        let batch = f64::from(config.training.batch_size);
        let memory = kind.of_network.of(&depth) + batch * kind.of_image.of(&depth) + bytes(set);
        Ok(Cost { growing_epochs, fine_tuning_epochs, depth, macs, seconds, memory })
    }

    /// Growing epochs and depth if accuracy never improves.
    fn floor(&mut self, cell: &Cell) -> Result<(u32, Depth)> {
        let (network, growth) = (&cell.config.network, &cell.config.growth);
        let number = |number: Option<u32>| number.map(|n| n.to_string()).unwrap_or_default();
        let mut arguments = vec![
            "replay".to_string(),
            self.curve.display().to_string(),
            format!("--policy={}", growth.policy),
            format!("--depth={}", network.depth),
            format!("--interval={}", number(growth.interval)),
            format!("--patience={}", number(growth.patience)),
            format!("--set=growth.mode={}", growth.mode.unwrap_or("turn")),
        ];
        arguments
            .extend(growth.max_depth.iter().map(|max| format!("--set=growth.max_depth={max}")));
        if let Some(known) = self.floors.get(&arguments) {
            return Ok(known.clone());
        }
        let Replayed { found, growing_epochs } = self.autogrow.json(&arguments)?;
        self.floors.insert(arguments, (growing_epochs, found.clone()));
        Ok((growing_epochs, found))
    }

    fn kind(&mut self, cell: &Cell) -> Result<Kind> {
        let network = &cell.config.network;
        let set = self.paper.set(&cell.config.data.name)?;
        let [channels, height, width] = set.image;
        let image = format!("{channels}x{height}x{width}");
        let key = format!("{} {} {image} {}", network.name, network.width, set.classes);
        if let Some(known) = self.networks.get(&key) {
            return Ok(known.clone());
        }
        let step = |depth: &Depth, batch: u32, steps: u32| -> Result<Step> {
            self.autogrow.json([
                "bench".into(),
                "step".into(),
                format!("--network={}", network.name),
                format!("--depth={depth}"),
                format!("--set=network.width={}", network.width),
                format!("--image={image}"),
                format!("--classes={}", set.classes),
                format!("--batch={batch}"),
                format!("--steps={steps}"),
                format!("--threads={}", self.threads),
                format!("--device={}", cell.config.run.device),
            ])
        };
        let seed = Depth::seed(network.depth.0.len());
        let batch = (BATCH * 32 * 32 / (height * width)).clamp(FEWEST, BATCH);
        let (timed, single) = (step(&seed, batch, 3)?, step(&seed, 1, 1)?);
        let mut deeper = Vec::new();
        for sub_network in 0..seed.0.len() {
            let with = |count| {
                let mut depth = seed.clone();
                depth.0[sub_network] = count;
                step(&depth, batch, 1)
            };
            deeper.push([with(DEPTHS[0])?, with(DEPTHS[1])?]);
        }
        let kind = Kind::measured(batch, &timed, &single, &deeper);
        self.networks.insert(key, kind.clone());
        Ok(kind)
    }
}

impl Kind {
    /// From steps at the seed's depth of `batch` images and of one, and of `batch` images with
    /// either of two numbers of sub-modules on each sub-network.
    fn measured(batch: u32, timed: &Step, single: &Step, deeper: &[[Step; 2]]) -> Self {
        let batch = f64::from(batch);
        let more = f64::from(DEPTHS[1] - DEPTHS[0]);
        let each = |of: &dyn Fn(&Step) -> f64| -> Vec<f64> {
            deeper.iter().map(|[less, deep]| (of(deep) - of(less)) / more).collect()
        };
        let peak = |step: &Step| 1e6 * step.peak_memory_mb.unwrap_or(0.0);
        let of_image = ((peak(timed) - peak(single)) / (batch - 1.0)).max(0.0);
        let weights = |step: &Step| BYTES_OF_PARAMETER * step.parameters;
        let images = |step: &Step| (peak(step) - weights(step)) / batch;
        Self {
            macs: Parts { seed: timed.macs, sub_modules: each(&|step| step.macs) },
            seconds_each: 1.0 / (timed.images_per_second * timed.macs),
            of_image: Parts {
                seed: of_image,
                sub_modules: each(&images).into_iter().map(|bytes| bytes.max(0.0)).collect(),
            },
            of_network: Parts {
                seed: (peak(single) - of_image).max(0.0),
                sub_modules: each(&weights),
            },
        }
    }
}

impl Drop for Estimator<'_> {
    fn drop(&mut self) {
        // It lies in the system's folder for what is temporary.
        let _ = std::fs::remove_file(&self.curve);
    }
}

impl Parts {
    /// Of a depth: all sub-modules of a sub-network but its first cost the same.
    fn of(&self, depth: &Depth) -> f64 {
        let more = depth.0.iter().zip(&self.sub_modules);
        self.seed + more.map(|(count, each)| f64::from(count - 1) * each).sum::<f64>()
    }
}

/// Training images of an epoch, validation counted as the third of a training step that it costs.
fn images(set: &Set, fraction: f64, select_on: &str) -> f64 {
    let (train, test) = (f64::from(set.train), f64::from(set.test));
    let validation = if select_on == "test" { test } else { test.min(train * fraction / 3.0) };
    train * fraction + validation / 3.0
}

/// What a data set holds in memory.
fn bytes(set: &Set) -> f64 {
    let [channels, height, width] = set.image;
    let kept = height.max(width) <= KEPT;
    let images = if kept { f64::from(set.train) + f64::from(set.test) } else { 0.0 };
    images * f64::from(channels * height * width)
}

/// `95 s`, `12 min`, `3.4 h`, `21 d`.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6_000.0 => format!("{:.0} min", s / 60.0),
        s if s < 100.0 * 3_600.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.0} d", s / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_over_sub_modules() {
        let parts = Parts { seed: 10.0, sub_modules: vec![1.0, 2.0, 3.0] };
        assert_eq!(parts.of(&Depth::seed(3)), 10.0);
        assert_eq!(parts.of(&"3-1-2".parse().unwrap()), 15.0);
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
        let paper = Paper::read().unwrap();
        let of = |name| bytes(paper.set(name).unwrap());
        assert_eq!(of("cifar10"), 60_000.0 * 3_072.0);
        assert_eq!(of("imagenet"), 0.0);
    }

    #[test]
    fn durations() {
        let cases = [(0.4, "0 s"), (99.0, "99 s"), (600.0, "10 min"), (7_200.0, "2.0 h")];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text);
        }
        assert_eq!(duration(20.0 * 86_400.0), "20 d");
    }
}
