//! `autogrow bench step`: what a training step, an evaluation and a growth cost.

use crate::args::BenchStepArgs;
use crate::commands::{objective_of, open_device_of};
use crate::output::{Output, si};
use autogrow::Result;
use autogrow::config::{Config, TrainingConfig};
use autogrow::data::{Batch, Pass, Split, Targets, Task};
use autogrow::initializer::InitializerKind;
use autogrow::network::{Blueprint, Network};
use autogrow::random::{Purpose, generator};
use autogrow::ranks::Ranks;
use autogrow::registry::find;
use autogrow::training::{Epoch, Learner, evaluate};
use burn::tensor::Device;
use serde::Serialize;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
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
        let waves = Waves::new(self, Some(self.steps));
        let mut milliseconds = Vec::new();
        let sent_before = ranks.sent();
        let mut learner = self.walk(config, learner, device, &waves, ranks, &mut |seconds| {
            milliseconds.push(1e3 * seconds);
        })?;
        let sent = ranks.sent() - sent_before;
        milliseconds.sort_by(f64::total_cmp);
        let (min, median) = (milliseconds[0], milliseconds[milliseconds.len() / 2]);
        let batch = waves.batch.into_inner();
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
            peak_memory_mb: peak_memory_mb(),
        })
    }

    /// Takes one step for every line of stdin and prints its seconds, so that another program's
    /// steps can be taken in between; at the end of stdin, the peak memory.
    fn serve(&self, config: &Config, device: &Device) -> Result<()> {
        let learner = self.learner(config, device)?;
        let (waves, ranks) = (Waves::new(self, None), Ranks::single());
        self.walk(config, learner, device, &waves, &ranks, &mut |seconds| {
            say(&format!(r#"{{"seconds": {seconds}}}"#));
        })?;
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

    /// Trains or evaluates on each batch; `on_step` is told the seconds of all but the first.
    fn walk(
        &self,
        config: &Config,
        learner: Learner,
        device: &Device,
        waves: &Waves<'_>,
        ranks: &Ranks,
        on_step: &mut dyn FnMut(f64),
    ) -> Result<Learner> {
        let mut after = || {
            if let Some(seconds) = waves.finished() {
                on_step(seconds);
            }
            Ok(())
        };
        if self.evaluate {
            evaluate(&learner.evaluated(), learner.objective(), waves, device, ranks, &mut after)?;
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
            on_step: &mut |_, _| after().map(ControlFlow::Continue),
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

/// Made-up images: the same batch again and again.
struct Waves<'a> {
    bench: &'a StepBench,
    /// Batches that are timed; without, one for every line of stdin.
    steps: Option<usize>,
    /// Images a batch, as asked for.
    batch: AtomicUsize,
    /// Number of the batch at work, from 1, and since when.
    at_work: Mutex<(usize, Instant)>,
}

impl<'a> Waves<'a> {
    fn new(bench: &'a StepBench, steps: Option<usize>) -> Self {
        let at_work = Mutex::new((0, Instant::now()));
        Self { bench, steps, batch: AtomicUsize::new(0), at_work }
    }

    /// Whether another batch is wanted after `done`.
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

    /// Seconds of the step that ends now, unless it was to warm up.
    fn finished(&self) -> Option<f64> {
        let (number, since) = *self.at_work.lock().ok()?;
        (number > WARM_UP).then(|| since.elapsed().as_secs_f64())
    }
}

impl Split for Waves<'_> {
    fn len(&self) -> usize {
        self.bench.batch * self.steps.map_or(1, |steps| steps + WARM_UP)
    }

    fn batches(&self, pass: Pass) -> Box<dyn Iterator<Item = Result<Batch>> + '_> {
        self.batch.store(pass.batch_size, Ordering::Relaxed);
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
        let images = numbers.map(|i| (0.37 * i as f32).sin()).collect();
        let batch = Batch { images, targets };
        let numbers = (0..).take_while(|&done| self.wanted(done));
        Box::new(numbers.map(move |done| {
            let batch = batch.clone();
            if let Ok(mut at_work) = self.at_work.lock() {
                *at_work = (done + 1, Instant::now());
            }
            Ok(batch)
        }))
    }
}
