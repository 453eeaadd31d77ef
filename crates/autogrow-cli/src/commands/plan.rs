//! `autogrow plan`.

mod probe;

use super::bench::step::StepBench;
use super::sized::sized;
use super::{macs_of_one, open_data, open_device};
use crate::args::PlanArgs;
use crate::output::{BOLD, Output, RESET, duration, si, table};
use autogrow::Result;
use autogrow::config::Config;
use autogrow::data::DataSet;
use autogrow::growth::{Depth, Evidence, Growth, Replayed, floor, replay};
use autogrow::network::{self, Blueprint};
use autogrow::ranks::Ranks;
use burn::tensor::Device;
use serde::Serialize;

/// Images of the step that is timed, at least, where a whole batch takes long.
const TIMED_BATCH: usize = 32;
/// Operations of such a step at most, and of all steps about: a second or less on two cores.
const TIMED_OPERATIONS: [u64; 2] = [2_000_000_000, 4_000_000_000];
/// Steps, at least and at most: the first ones of a small network are slower than those of a run.
const TIMED_STEPS: [u64; 2] = [3, 40];
/// Intervals after which growth that never brings anything is taken not to end.
const ENOUGH: usize = 1_000;

#[derive(Serialize)]
struct Size {
    depth: Depth,
    parameters: usize,
    macs: u64,
}

/// What is to come.
#[derive(Serialize)]
pub(super) struct Report {
    preset: &'static str,
    policy: String,
    network: String,
    data: String,
    objective: String,
    /// Classes, values or labels.
    outputs: usize,
    seed: Size,
    /// None where the policy may never end.
    floor: Option<Size>,
    /// To the floor, or where no growth pays; a better depth takes more.
    growing_epochs: Option<usize>,
    fine_tuning_epochs: usize,
    seconds_to_floor: Option<f64>,
    /// Where no growth pays, of policies without a floor.
    seconds_at_least: Option<f64>,
    /// What fits into `run.max_minutes`, where that is set.
    in_time: Option<InTime>,
    /// What some steps have shown, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<probe::Probe>,
}

/// Epochs of the seed network that there is time for; of a network that costs twice as much, half as
/// many.
#[derive(Serialize)]
struct InTime {
    minutes: f64,
    growing_epochs_of_seed: usize,
    fine_tuning_epochs_of_seed: usize,
}

pub(crate) fn run(args: &PlanArgs, output: &Output) -> Result<()> {
    let loaded = args.settings.load_or_quick()?;
    let config = loaded.resolve()?;
    let device = open_device(&config, &loaded)?;
    let data = open_data(&config)?;
    let config = sized(&loaded, config, &data)?;
    if let Some(note) = &loaded.note {
        output.note(note);
    }
    let mut report = plan(&config, &data, &device).map_err(|error| loaded.locate(error))?;
    if args.probe {
        let probe = probe::probe(&config, &data, &device).map_err(|error| loaded.locate(error))?;
        report.probe = Some(probe);
    }
    output.result(&report, || text(&report))
}

/// Sizes, epochs and time of a run.
pub(super) fn plan(config: &Config, data: &DataSet, device: &Device) -> Result<Report> {
    let measure = |depth: &Depth| size(config, data, depth, device);
    let flat = floor(&config.rules())?;
    let seed = measure(&config.network.depth)?;
    let mut report = Report {
        preset: config.preset.name(),
        policy: config.growth.policy.clone(),
        network: config.network.name.clone(),
        data: config.data.name.clone(),
        objective: config.training.objective.clone(),
        outputs: data.outputs.len(),
        seed,
        floor: None,
        growing_epochs: None,
        fine_tuning_epochs: config.fine_tune.epochs,
        seconds_to_floor: None,
        seconds_at_least: None,
        in_time: None,
        probe: None,
    };
    let growth = Growth::new(&config.rules())?;
    let minutes = config.run.max_minutes;
    let flat = flat.filter(|_| minutes == 0.0);
    let least = match flat.is_none() && minutes == 0.0 {
        true => without_gain(config)?,
        false => None,
    };
    if flat.is_none() && least.is_none() && minutes == 0.0 {
        return Ok(report);
    }
    let per_operation = seconds_per_operation(config, data, &report.seed, device)?;
    if let Some(flat) = flat {
        let floor = measure(&flat.found)?;
        // Depth rises about evenly from seed to floor.
        let growing = flat.growing_epochs as f64 * (report.seed.macs + floor.macs) as f64 / 2.0;
        let fine_tuning = config.fine_tune.epochs as f64 * floor.macs as f64;
        report.seconds_to_floor = Some((growing + fine_tuning) * per_operation);
        report.growing_epochs = Some(flat.growing_epochs);
        report.floor = Some(floor);
    } else if let Some(least) = least {
        let mut operations = config.fine_tune.epochs as f64 * measure(&least.found)?.macs as f64;
        let (mut macs, mut start) = (report.seed.macs, 0);
        for event in &least.events {
            operations += (event.epoch - start) as f64 * macs as f64;
            start = event.epoch;
            if let Some(depth) = &event.depth {
                macs = measure(depth)?.macs;
            }
        }
        report.seconds_at_least = Some(operations * per_operation);
        report.growing_epochs = Some(least.growing_epochs);
    } else {
        let half = 30.0 * minutes / (per_operation * report.seed.macs as f64);
        let fine_tuning_epochs_of_seed = (half as usize).min(config.fine_tune.epochs);
        let growing_epochs_of_seed = if growth.policy().grows() { half as usize } else { 0 };
        report.in_time =
            Some(InTime { minutes, growing_epochs_of_seed, fine_tuning_epochs_of_seed });
    }
    Ok(report)
}

/// Growth where no epoch is better than another. None where that does not end.
fn without_gain(config: &Config) -> Result<Option<Replayed>> {
    let flat = std::iter::repeat_n(Evidence::of_score(0.0), ENOUGH * config.growth.interval);
    let played = replay(&config.rules(), flat)?;
    Ok(played.finished.then_some(played))
}

/// Parameters and operations at a depth.
fn size(config: &Config, data: &DataSet, depth: &Depth, device: &Device) -> Result<Size> {
    let seed = Blueprint::seed(&config.network, config.compat, data.image, data.outputs.len());
    let size = network::Size::of(Blueprint { depth: depth.clone(), ..seed }, device)?;
    Ok(Size { depth: depth.clone(), parameters: size.parameters, macs: size.macs })
}

/// Seconds that an operation of an image adds to an epoch: a step of the seed is timed, and a step is
/// taken to cost what its operations cost.
fn seconds_per_operation(
    config: &Config,
    data: &DataSet,
    seed: &Size,
    device: &Device,
) -> Result<f64> {
    // A small batch is slower, image for image.
    let most = config.training.batch_size;
    let quick = usize::try_from(TIMED_OPERATIONS[0] / seed.macs.max(1)).unwrap_or(most);
    let batch = quick.clamp(TIMED_BATCH.min(most), most);
    let steps = TIMED_OPERATIONS[1] / (seed.macs * batch as u64).max(1);
    let bench = StepBench {
        batch,
        steps: steps.clamp(TIMED_STEPS[0], TIMED_STEPS[1]) as usize,
        image: data.image,
        classes: data.outputs.len(),
        task: data.outputs.task(),
        evaluate: false,
    };
    let timed = bench.report(config, device, &Ranks::single())?;
    // The usual step, not the fastest one.
    let per_operation = 1e-3 * timed.step_ms.median / (batch as f64 * seed.macs as f64);
    // Validation is a forward pass, about a third of a training step.
    let images = data.train.len() as f64 + data.validation.len() as f64 / 3.0;
    Ok(images * per_operation)
}

fn text(report: &Report) -> String {
    let row = |what: &str, size: &Size| {
        let (parameters, macs) = (si(size.parameters as u64), si(size.macs));
        [what.into(), size.depth.to_string(), parameters, macs]
    };
    let rows = std::iter::once(row("seed", &report.seed))
        .chain(report.floor.as_ref().map(|floor| row("floor", floor)));
    let header = ["", "depth", "parameters", macs_of_one(report.data == "csv")];
    let sizes = table(header, rows.collect());
    let asked_for = match report.objective.as_str() {
        "classes" => String::new(),
        objective => format!(" ({objective}: {})", report.outputs),
    };
    let Report { preset, policy, network, data, .. } = report;
    let head = format!(
        "{BOLD}{network}{RESET} on {data}{asked_for}; preset {preset}, policy {policy}\n\n{sizes}\n"
    );
    let probe = report
        .probe
        .as_ref()
        .map_or(String::new(), |probe| "\n\n".to_string() + &probe::text(probe));
    head + &time(report) + &probe
}

/// How long it takes, as far as that can be told.
pub(super) fn time(report: &Report) -> String {
    if let Some(in_time) = &report.in_time {
        let InTime { minutes, growing_epochs_of_seed: growing, fine_tuning_epochs_of_seed: tuning } =
            in_time;
        let unit = if *minutes == 1.0 { "minute" } else { "minutes" };
        return format!(
            "In {minutes} {unit} there is time for about {growing} growing epochs of the seed and \
             {tuning} of\nfine-tuning; of a network that costs twice as much, for half as many."
        );
    }
    let tuning = report.fine_tuning_epochs;
    match (&report.floor, report.growing_epochs, report.seconds_to_floor, report.seconds_at_least) {
        (Some(floor), Some(growing), Some(seconds), _) => format!(
            "The floor {} is what this configuration finds even if accuracy never improves: no\n\
             shallower net can be found. Reaching it takes {growing} growing epochs and {tuning} of\n\
             fine-tuning, about {} here; a deeper net takes longer.",
            floor.depth,
            duration(seconds)
        ),
        (_, Some(growing), _, Some(seconds)) => format!(
            "Where no growth pays, this takes {growing} growing epochs and {tuning} of fine-tuning, \
             about {}\nhere; a deeper net takes longer. --minutes says how long it may take.",
            duration(seconds)
        ),
        _ => "How long this takes depends on the data; --minutes says how long it may take.".into(),
    }
}
