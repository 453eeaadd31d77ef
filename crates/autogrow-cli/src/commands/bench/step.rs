//! `autogrow bench step`: what a training step, an evaluation and a growth cost.

use crate::args::BenchStepArgs;
use crate::commands::{objective_of, open_device_of};
use crate::output::{Output, si};
use autogrow::config::{Config, TrainingConfig};
use autogrow::data::{
    Batch, Normalisation, Pass, RawBatch, RawBatches, RawImages, Split, Statistics, Targets, Task,
};
use autogrow::initializer::InitializerKind;
use autogrow::network::{Blueprint, Network};
use autogrow::random::{Purpose, generator};
use autogrow::ranks::Ranks;
use autogrow::registry::find;
use autogrow::training::{Epoch, Learner, Transfers, evaluate};
use autogrow::{Error, Launches, Result};
use burn::tensor::Device;
use serde::Serialize;
use std::io::Write;
use std::ops::{ControlFlow, Range};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Steps that are not timed: they warm up caches and pools.
const WARM_UP: usize = 2;

/// Sub-modules stacked to time a growth; the fastest counts.
const GROWTHS: usize = 5;

/// Times what the arguments ask for.
pub(super) fn run(args: &BenchStepArgs, output: &Output, ranks: &Ranks) -> Result<()> {
    let loaded = args.settings.load()?;
    let config = loaded.resolve()?;
    let device = open_device_of(ranks.rank(), &config, &loaded)?;
    ranks.set_patience(Duration::from_secs_f64(config.run.patience));
    let bench = StepBench {
        batch: args.batch as usize,
        steps: args.steps as usize,
        image: args.image,
        classes: args.classes as usize,
        task: objective_of(&config)?.task(),
        evaluate: args.evaluate,
    };
    if args.serve {
        output.refuse_json("--serve")?;
        return bench.serve(&config, &device).map_err(|error| loaded.locate(error));
    }
    let report = bench.report(&config, &device, ranks).map_err(|error| loaded.locate(error))?;
    output.result(&report, || {
        format!(
            "{} {}, {} of {}: {:.1} images a second, {:.1} ms (median {:.1}), {} parameters",
            report.network,
            report.depth,
            if bench.evaluate { "evaluation" } else { "training step" },
            report.batch,
            report.images_per_second,
            report.step_ms.min,
            report.step_ms.median,
            si(report.parameters as u64)
        )
    })
}

/// What to time, on made-up images.
pub(crate) struct StepBench {
    pub(crate) batch: usize,
    pub(crate) steps: usize,
    pub(crate) image: [usize; 3],
    /// Outputs: classes, values or labels.
    pub(crate) classes: usize,
    /// What the objective asks for.
    pub(crate) task: Task,
    /// Evaluations in place of training steps, of as many images at once as the evaluations of a
    /// run have.
    pub(crate) evaluate: bool,
}

#[derive(Serialize)]
pub(crate) struct StepReport {
    /// By the fastest step.
    pub(crate) images_per_second: f64,
    pub(crate) step_ms: Spread,
    /// Stacking one sub-module on the first sub-network and initialising it, the fastest of some.
    growth_ms: f64,
    parameters: usize,
    macs: u64,
    network: String,
    depth: String,
    /// Images a step.
    batch: usize,
    steps: usize,
    /// Processes that share a batch.
    ranks: usize,
    /// Bytes that the first of them sends to others in a step.
    bytes_sent_per_step: u64,
    /// How often a step, or an evaluation of a batch, waits for numbers of the device.
    reads_per_step: f64,
    /// How often it takes an array there, and the bytes of all of them.
    uploads_per_step: f64,
    uploaded_bytes_per_step: f64,
    /// Programs that it asks a GPU to run, where a backend for GPUs is built in.
    launches_per_step: Option<f64>,
    /// Most memory that the process ever had, where the system tells.
    peak_memory_mb: Option<f64>,
}

#[derive(Serialize)]
pub(crate) struct Spread {
    min: f64,
    pub(crate) median: f64,
}

impl StepBench {
    /// Times steps of the seed network: forward, backward, update; or evaluations.
    pub(crate) fn report(
        &self,
        config: &Config,
        device: &Device,
        ranks: &Ranks,
    ) -> Result<StepReport> {
        let learner = self.learner(config, device)?.with_ranks(ranks);
        let (parameters, macs) = (learner.network().parameters(), learner.network().macs()?);
        let waves = Waves::new(self, device, Some(self.steps));
        let sent_before = ranks.sent();
        let mut learner = self.walk(config, learner, device, &waves, ranks)?;
        let sent = ranks.sent() - sent_before;
        let Clock { batch, seconds, asked, .. } = waves.into_clock();
        let mut milliseconds: Vec<_> = seconds.into_iter().map(|seconds| 1e3 * seconds).collect();
        milliseconds.sort_by(f64::total_cmp);
        let per_step = |count: u64| count as f64 / self.steps as f64;
        let (min, median) = (milliseconds[0], milliseconds[milliseconds.len() / 2]);
        Ok(StepReport {
            images_per_second: 1e3 * batch as f64 / min,
            step_ms: Spread { min, median },
            growth_ms: time_growth(config, &mut learner)?,
            parameters,
            macs,
            network: config.network.name.clone(),
            depth: config.network.depth.to_string(),
            batch,
            steps: self.steps,
            ranks: ranks.size(),
            bytes_sent_per_step: sent / (WARM_UP + self.steps) as u64,
            reads_per_step: per_step(asked.transfers.reads),
            uploads_per_step: per_step(asked.transfers.uploads),
            uploaded_bytes_per_step: per_step(asked.transfers.uploaded_bytes),
            launches_per_step: asked.launches.map(per_step),
            peak_memory_mb: peak_memory_mb(),
        })
    }

    /// Takes one step for every line of stdin and prints its seconds, so that another program's
    /// steps can be taken in between; at the end of stdin, the peak memory.
    fn serve(&self, config: &Config, device: &Device) -> Result<()> {
        let learner = self.learner(config, device)?;
        let (waves, ranks) = (Waves::new(self, device, None), Ranks::single());
        self.walk(config, learner, device, &waves, &ranks)?;
        say(&format!(r#"{{"peak_memory_mb": {}}}"#, peak_memory_mb().unwrap_or(0.0)));
        Ok(())
    }

    fn learner(&self, config: &Config, device: &Device) -> Result<Learner> {
        let device = device.clone().autodiff();
        let blueprint = Blueprint::seed(&config.network, config.compat, self.image, self.classes);
        let mut rng = generator(config.run.seed, Purpose::Seed, 0);
        let network = Network::new(blueprint, &mut rng, &device)?;
        let training = TrainingConfig { batch_size: self.batch, ..config.training.clone() };
        Learner::new(network, &training, &config.plugin, device)
    }

    /// Trains or evaluates on each batch.
    fn walk(
        &self,
        config: &Config,
        learner: Learner,
        device: &Device,
        waves: &Waves<'_>,
        ranks: &Ranks,
    ) -> Result<Learner> {
        if self.evaluate {
            let network = learner.evaluated();
            evaluate(&network, learner.objective(), waves, device, ranks, &mut || Ok(()))?;
            return Ok(learner);
        }
        let (learner, _) = learner.epoch(&mut Epoch {
            split: waves,
            number: 1,
            seed: config.run.seed,
            // So small that no network diverges on images that mean nothing.
            learning_rate: 1e-6,
            resumed: Default::default(),
            most_steps: None,
            on_step: &mut |_, _| Ok(ControlFlow::Continue(())),
        })?;
        Ok(learner)
    }
}

/// Milliseconds of stacking a sub-module and initialising it: the least of some.
fn time_growth(config: &Config, learner: &mut Learner) -> Result<f64> {
    let initializer = find::<InitializerKind>(&config.growth.initializer)?;
    let initializer = (initializer.build)(config.compat, &config.plugin)?;
    let mut least = f64::INFINITY;
    for growth in 0..GROWTHS {
        let mut rng = generator(config.run.seed, Purpose::Growth, growth);
        let started = Instant::now();
        learner.stack(0, &*initializer, &mut rng)?;
        least = least.min(1e3 * started.elapsed().as_secs_f64());
    }
    Ok(least)
}

fn peak_memory_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}

/// Prints a line at once. Where nobody reads any more, stdin ends as well.
fn say(line: &str) {
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// Made-up images: the same batch again and again. A step is over when the next batch is asked for.
struct Waves<'a> {
    bench: &'a StepBench,
    device: &'a Device,
    /// Batches that are timed; without, one for every line of stdin.
    steps: Option<usize>,
    clock: Mutex<Clock>,
    launches: Launches,
}

struct Clock {
    /// Images a batch, as asked for.
    batch: usize,
    /// Batches given out, and since when the last one is.
    given: usize,
    since: Instant,
    /// Those of each timed step, where they are not printed.
    seconds: Vec<f64>,
    /// What the timed steps have asked of the device; before they begin, what was asked before.
    asked: Asked,
}

/// What is asked of a device.
#[derive(Clone, Copy)]
struct Asked {
    transfers: Transfers,
    launches: Option<u64>,
}

impl<'a> Waves<'a> {
    fn new(bench: &'a StepBench, device: &'a Device, steps: Option<usize>) -> Self {
        let asked = Asked { transfers: Transfers::default(), launches: None };
        let (since, seconds) = (Instant::now(), Vec::new());
        let clock = Mutex::new(Clock { batch: 0, given: 0, since, seconds, asked });
        Self { bench, device, steps, clock, launches: Launches::begin() }
    }

    fn into_clock(self) -> Clock {
        self.clock.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) -> Asked {
        Asked { transfers: Transfers::so_far(), launches: self.launches.so_far() }
    }

    /// Ends the step on the batch that was given out last. One that is timed alone, and any evaluation,
    /// which nothing else would wait for, is over when the device has done its work. Training steps one
    /// after the other wait for each other: what is timed is from one to the next.
    fn end_step(&self) -> Result<()> {
        if self.steps.is_none() || self.bench.evaluate {
            self.device.sync().map_err(|error| Error::Device {
                device: format!("{:?}", self.device),
                problem: error.to_string(),
                origin: None,
                hint: None,
            })?;
        }
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        if clock.given > WARM_UP {
            let seconds = clock.since.elapsed().as_secs_f64();
            match self.steps {
                Some(_) => clock.seconds.push(seconds),
                None => say(&format!(r#"{{"seconds": {seconds}}}"#)),
            }
        }
        let now = self.asked();
        if clock.given == WARM_UP {
            clock.asked = now;
        } else if self.steps.is_some_and(|steps| clock.given == WARM_UP + steps) {
            let before = clock.asked;
            let launches = now.launches.zip(before.launches).map(|(now, before)| now - before);
            clock.asked = Asked { transfers: Transfers::since(before.transfers), launches };
        }
        Ok(())
    }

    /// Whether another batch is wanted.
    fn wanted(&self, done: usize) -> bool {
        if done < WARM_UP {
            return true;
        }
        if let Some(steps) = self.steps {
            return done < WARM_UP + steps;
        }
        if done == WARM_UP {
            say("ready");
        }
        std::io::stdin().read_line(&mut String::new()).is_ok_and(|bytes| bytes > 0)
    }

    /// Begins the next step.
    fn begin_step(&self, since: Instant) {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        clock.given += 1;
        clock.since = since;
    }
}

impl Split for Waves<'_> {
    fn len(&self) -> usize {
        self.bench.batch * self.steps.map_or(1, |steps| steps + WARM_UP)
    }

    fn batches(&self, pass: Pass) -> Box<dyn Iterator<Item = Result<Batch>> + '_> {
        let (numbers, targets) = self.made_up(pass);
        let images = numbers.map(|i| (0.37 * i as f32).sin()).collect();
        self.again(Batch { images, targets })
    }

    /// Bytes, as those of pictures are.
    fn raw_batches(&self, pass: Pass) -> Option<(Normalisation, RawBatches<'_>)> {
        let (numbers, targets) = self.made_up(pass);
        let images = RawImages::Bytes(numbers.map(|i| (37 * i % 251) as u8).collect());
        let of = Statistics { mean: 0.5, std: 0.25 };
        let normalisation = Normalisation { white: 255, statistics: vec![of; self.bench.image[0]] };
        Some((normalisation, self.again(RawBatch { images, targets })))
    }
}

impl Waves<'_> {
    /// The numbers of the pixels of this rank's share of a batch, and targets.
    fn made_up(&self, pass: Pass) -> (Range<usize>, Targets) {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner).batch = pass.batch_size;
        let values = self.bench.image.iter().product::<usize>();
        let share = pass.share.range(pass.batch_size);
        let numbers = share.start * values..share.end * values;
        let width = self.bench.classes;
        let targets = match self.bench.task {
            Task::Classes => Targets::Classes(share.map(|i| i % width).collect()),
            Task::Values | Task::Labels => {
                let values = share.flat_map(|i| (0..width).map(move |output| (i + output) % 2));
                Targets::Numbers { width, values: values.map(|bit| bit as f32).collect() }
            }
        };
        (numbers, targets)
    }

    /// The same batch, as often as one is wanted.
    fn again<T: Clone + 'static>(&self, batch: T) -> Box<dyn Iterator<Item = Result<T>> + '_> {
        let mut next = 0..;
        Box::new(std::iter::from_fn(move || {
            if let Err(error) = self.end_step() {
                return Some(Err(error));
            }
            let ended = Instant::now();
            if !next.next().is_some_and(|done| self.wanted(done)) {
                return None;
            }
            // On a device that computes meanwhile, the copy takes no time of its own.
            let copy = batch.clone();
            let alone = self.steps.is_none() || self.bench.evaluate;
            self.begin_step(if alone { Instant::now() } else { ended });
            Some(Ok(copy))
        }))
    }
}
