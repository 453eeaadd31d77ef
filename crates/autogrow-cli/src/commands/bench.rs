//! `autogrow bench`.

use super::{open_data, open_device};
use crate::args::{BenchArgs, BenchDataArgs, BenchStepArgs, BenchWhat, SplitName};
use crate::output::{Output, si};
use autogrow_core::Result;
use autogrow_core::config::Config;
use autogrow_core::data::{Batch, Pass, Split};
use autogrow_core::network::{Blueprint, Network};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::training::{Epoch, Learner};
use burn::tensor::Device;
use serde::Serialize;
use std::time::Instant;

/// Steps that are not timed: they warm up caches and pools.
const WARM_UP: usize = 2;

pub(crate) fn run(args: &BenchArgs, output: &Output) -> Result<()> {
    match &args.what {
        BenchWhat::Step(args) => step(args, output),
        BenchWhat::Data(args) => data(args, output),
    }
}

fn step(args: &BenchStepArgs, output: &Output) -> Result<()> {
    let loaded = args.settings.load()?;
    let config = loaded.resolve()?;
    let device = open_device(&config, &loaded)?;
    let bench = StepBench {
        batch: args.batch as usize,
        steps: args.steps as usize,
        image: args.image,
        classes: args.classes as usize,
    };
    let report = time_steps(&config, &bench, &device).map_err(|error| loaded.locate(error))?;
    output.result(&report, || {
        format!(
            "{} {}, batch {}: {:.1} images a second, step {:.1} ms (median {:.1}), {} parameters",
            report.network,
            report.depth,
            bench.batch,
            report.images_per_second,
            report.step_ms.min,
            report.step_ms.median,
            si(report.parameters as u64)
        )
    })
}

/// A training step to time.
pub(crate) struct StepBench {
    pub(crate) batch: usize,
    pub(crate) steps: usize,
    pub(crate) image: [usize; 3],
    pub(crate) classes: usize,
}

#[derive(Serialize)]
pub(crate) struct StepReport {
    /// By the fastest step.
    pub(crate) images_per_second: f64,
    step_ms: Spread,
    parameters: usize,
    macs: u64,
    network: String,
    depth: String,
    batch: usize,
    steps: usize,
}

#[derive(Serialize)]
struct Spread {
    min: f64,
    median: f64,
}

/// Times whole training steps of the seed network on made-up images: forward, backward, update.
pub(crate) fn time_steps(
    config: &Config,
    bench: &StepBench,
    device: &Device,
) -> Result<StepReport> {
    let device = device.clone().autodiff();
    let blueprint = Blueprint::seed(&config.network, config.compat, bench.image, bench.classes);
    let mut rng = generator(config.run.seed, Purpose::Seed, 0);
    let network = Network::new(blueprint, &mut rng, &device)?;
    let (parameters, macs) = (network.parameters(), network.macs()?);
    let training = autogrow_core::config::TrainingConfig {
        batch_size: bench.batch,
        ..config.training.clone()
    };
    let mut milliseconds = Vec::new();
    let mut last = Instant::now();
    Learner::new(network, &training, device).epoch(&mut Epoch {
        split: &Waves { bench },
        number: 1,
        seed: config.run.seed,
        // So small that no network diverges on images that mean nothing.
        learning_rate: 1e-6,
        resumed: Default::default(),
        on_step: &mut |_, step| {
            if step.number > WARM_UP {
                milliseconds.push(1e3 * last.elapsed().as_secs_f64());
            }
            last = Instant::now();
            Ok(())
        },
    })?;
    milliseconds.sort_by(f64::total_cmp);
    let (min, median) = (milliseconds[0], milliseconds[milliseconds.len() / 2]);
    Ok(StepReport {
        images_per_second: 1e3 * bench.batch as f64 / min,
        step_ms: Spread { min, median },
        parameters,
        macs,
        network: config.network.name.clone(),
        depth: config.network.depth.to_string(),
        batch: bench.batch,
        steps: bench.steps,
    })
}

/// Made-up images: the same batch again and again.
struct Waves<'a> {
    bench: &'a StepBench,
}

impl Split for Waves<'_> {
    fn len(&self) -> usize {
        self.bench.batch * (self.bench.steps + WARM_UP)
    }

    fn batches(&self, pass: Pass) -> Box<dyn Iterator<Item = Result<Batch>> + '_> {
        let numbers = pass.batch_size * self.bench.image.iter().product::<usize>();
        let batch = Batch {
            images: (0..numbers).map(|i| (0.37 * i as f32).sin()).collect(),
            labels: (0..pass.batch_size).map(|i| i % self.bench.classes).collect(),
        };
        Box::new(std::iter::repeat_n(batch, self.bench.steps + WARM_UP).map(Ok))
    }
}

#[derive(Serialize)]
struct DataReport {
    images_per_second: f64,
    images: usize,
    seconds: f64,
    data: String,
}

fn data(args: &BenchDataArgs, output: &Output) -> Result<()> {
    let loaded = args.settings.load()?;
    let config = loaded.resolve()?;
    open_device(&config, &loaded)?;
    let data = open_data(&config)?;
    let (split, seed) = match args.split {
        SplitName::Train => (&data.train, Some(config.run.seed)),
        SplitName::Val => (&data.validation, None),
        SplitName::Test => (&data.test, None),
    };
    let pass = Pass { batch_size: config.training.batch_size, seed, skip: 0 };
    // Once to warm up, once to time.
    let mut seconds = 0.0;
    for _ in 0..2 {
        let started = Instant::now();
        for batch in split.batches(pass) {
            batch?;
        }
        seconds = started.elapsed().as_secs_f64();
    }
    let report = DataReport {
        images_per_second: split.len() as f64 / seconds.max(1e-9),
        images: split.len(),
        seconds,
        data: config.data.name.clone(),
    };
    output.result(&report, || {
        format!("{}: {:.0} images a second", report.data, report.images_per_second)
    })
}
