//! What a plan will cost, before anything is trained: epochs, operations, time.
//!
//! A run is taken to end at its floor, at scale `paper` at the depth that the paper found. A step
//! of each kind of network is timed at the depth 1-1-..-1, and others are taken to cost what their
//! operations cost.

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
}

/// Asks `autogrow`, each question once.
pub(super) struct Estimator<'a> {
    autogrow: &'a Autogrow,
    paper: &'a Paper,
    threads: usize,
    /// An accuracy that never improves.
    curve: PathBuf,
    floors: HashMap<Vec<String>, (u32, Depth)>,
    networks: HashMap<String, Operations>,
}

/// How many operations a kind of network takes, and how long one takes.
#[derive(Clone, Debug)]
struct Operations {
    /// Of 1-1-..-1.
    seed: f64,
    /// Of one more sub-module on each sub-network.
    sub_modules: Vec<f64>,
    /// Of a training step.
    seconds_each: f64,
}

#[derive(Deserialize)]
struct Step {
    images_per_second: f64,
    macs: f64,
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
        let operations = self.operations(cell)?;
        let (start, macs) = (operations.of(&config.network.depth), operations.of(&depth));
        let set = self.paper.set(&config.data.name)?;
        let fine_tuning_epochs = config.fine_tune.epochs;
        // Depth rises about evenly while it grows.
        let growing = f64::from(growing_epochs) * (start + macs) / 2.0;
        let work = growing + f64::from(fine_tuning_epochs) * macs;
        let images = images(set, config.data.fraction, config.data.select_on);
        let seconds = work * images * operations.seconds_each;
        Ok(Cost { growing_epochs, fine_tuning_epochs, depth, macs, seconds })
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

    fn operations(&mut self, cell: &Cell) -> Result<Operations> {
        let network = &cell.config.network;
        let set = self.paper.set(&cell.config.data.name)?;
        let [channels, height, width] = set.image;
        let image = format!("{channels}x{height}x{width}");
        let key = format!("{} {} {image} {}", network.name, network.width, set.classes);
        if let Some(known) = self.networks.get(&key) {
            return Ok(known.clone());
        }
        let step = |depth: &Depth, batch: u32| -> Result<Step> {
            self.autogrow.json([
                "bench".into(),
                "step".into(),
                format!("--network={}", network.name),
                format!("--depth={depth}"),
                format!("--set=network.width={}", network.width),
                format!("--image={image}"),
                format!("--classes={}", set.classes),
                format!("--batch={batch}"),
                format!("--steps={}", if batch == 1 { 1 } else { 3 }),
                format!("--threads={}", self.threads),
                format!("--device={}", cell.config.run.device),
            ])
        };
        let seed = Depth::seed(network.depth.0.len());
        let timed = step(&seed, (BATCH * 32 * 32 / (height * width)).clamp(2, BATCH))?;
        let mut sub_modules = Vec::new();
        for sub_network in 0..seed.0.len() {
            let mut deeper = seed.clone();
            deeper.0[sub_network] += 1;
            sub_modules.push(step(&deeper, 1)?.macs - timed.macs);
        }
        let seconds_each = 1.0 / (timed.images_per_second * timed.macs);
        let operations = Operations { seed: timed.macs, sub_modules, seconds_each };
        self.networks.insert(key, operations.clone());
        Ok(operations)
    }
}

impl Drop for Estimator<'_> {
    fn drop(&mut self) {
        // It lies in the system's folder for what is temporary.
        let _ = std::fs::remove_file(&self.curve);
    }
}

impl Operations {
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
    fn operations_of_a_depth() {
        let operations =
            Operations { seed: 10.0, sub_modules: vec![1.0, 2.0, 3.0], seconds_each: 1.0 };
        assert_eq!(operations.of(&Depth::seed(3)), 10.0);
        assert_eq!(operations.of(&"3-1-2".parse().unwrap()), 15.0);
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
