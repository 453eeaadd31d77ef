//! `autogrow plan`.

use super::bench::step::StepBench;
use super::{open_data, open_device};
use crate::args::PlanArgs;
use crate::output::{BOLD, Output, RESET, duration, si, table};
use autogrow_core::Result;
use autogrow_core::config::Config;
use autogrow_core::data::DataSet;
use autogrow_core::growth::{Depth, Replayed, floor};
use autogrow_core::network::{Blueprint, Network};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::ranks::Ranks;
use burn::tensor::Device;
use serde::Serialize;

/// Images of the step that is timed: enough to be typical, few enough to be quick.
const TIMED_BATCH: usize = 32;

#[derive(Serialize)]
struct Size {
    depth: Depth,
    parameters: usize,
    macs: u64,
}

#[derive(Serialize)]
struct Report {
    network: String,
    data: String,
    objective: String,
    /// Classes, values or labels.
    outputs: usize,
    seed: Size,
    /// None where the policy may never end.
    floor: Option<Size>,
    /// To the floor; a better depth takes more.
    growing_epochs: Option<usize>,
    fine_tuning_epochs: usize,
    seconds_to_floor: Option<f64>,
}

pub(crate) fn run(args: &PlanArgs, output: &Output) -> Result<()> {
    let loaded = args.settings.load()?;
    let config = loaded.resolve()?;
    let device = open_device(&config, &loaded)?;
    let data = open_data(&config)?;
    let measure = |depth: &Depth| size(&config, &data, depth, &device);

    let flat = floor(&config.rules())?;
    let seed = measure(&config.network.depth).map_err(|error| loaded.locate(error))?;
    let mut report = Report {
        network: config.network.name.clone(),
        data: config.data.name.clone(),
        objective: config.training.objective.clone(),
        outputs: data.outputs.len(),
        seed,
        floor: None,
        growing_epochs: None,
        fine_tuning_epochs: config.fine_tune.epochs,
        seconds_to_floor: None,
    };
    if let Some(flat) = flat {
        let floor = measure(&flat.found)?;
        report.seconds_to_floor =
            Some(seconds(&config, &data, &report.seed, &flat, &floor, &device)?);
        report.growing_epochs = Some(flat.growing_epochs);
        report.floor = Some(floor);
    }
    output.result(&report, || text(&report))
}

/// Parameters and operations at a depth.
fn size(config: &Config, data: &DataSet, depth: &Depth, device: &Device) -> Result<Size> {
    let seed = Blueprint::seed(&config.network, config.compat, data.image, data.outputs.len());
    let blueprint = Blueprint { depth: depth.clone(), ..seed };
    let mut rng = generator(config.run.seed, Purpose::Seed, 0);
    let network = Network::new(blueprint, &mut rng, &device.clone().autodiff())?;
    Ok(Size { depth: depth.clone(), parameters: network.parameters(), macs: network.macs()? })
}

/// Time of a run that ends at the floor: a step of the seed is timed, and a step is taken to cost
/// what its operations cost.
fn seconds(
    config: &Config,
    data: &DataSet,
    seed: &Size,
    flat: &Replayed,
    floor: &Size,
    device: &Device,
) -> Result<f64> {
    let bench = StepBench {
        batch: TIMED_BATCH.min(config.training.batch_size),
        steps: 3,
        image: data.image,
        classes: data.outputs.len(),
        task: data.outputs.task(),
        evaluate: false,
    };
    let timed = bench.report(config, device, &Ranks::single())?;
    let per_operation = 1.0 / (timed.images_per_second * seed.macs as f64);
    // Validation is a forward pass, about a third of a training step.
    let images = data.train.len() as f64 + data.validation.len() as f64 / 3.0;
    // Depth rises about evenly from seed to floor.
    let growing = flat.growing_epochs as f64 * (seed.macs + floor.macs) as f64 / 2.0;
    let fine_tuning = config.fine_tune.epochs as f64 * floor.macs as f64;
    Ok((growing + fine_tuning) * images * per_operation)
}

fn text(report: &Report) -> String {
    let row = |what: &str, size: &Size| {
        let (parameters, macs) = (si(size.parameters as u64), si(size.macs));
        [what.into(), size.depth.to_string(), parameters, macs]
    };
    let rows = std::iter::once(row("seed", &report.seed))
        .chain(report.floor.as_ref().map(|floor| row("floor", floor)));
    let sizes = table(["", "depth", "parameters", "MACs an image"], rows.collect());
    let asked_for = match report.objective.as_str() {
        "classes" => String::new(),
        objective => format!(" ({objective}: {})", report.outputs),
    };
    let Report { network, data, .. } = report;
    let head = format!("{BOLD}{network}{RESET} on {data}{asked_for}\n\n{sizes}\n");
    let rest = match (&report.floor, report.growing_epochs, report.seconds_to_floor) {
        (Some(floor), Some(growing), Some(seconds)) => format!(
            "The floor {} is what this configuration finds even if accuracy never improves: no\n\
             shallower net can be found. Reaching it takes {growing} growing epochs and {} of\n\
             fine-tuning, about {} here; a deeper net takes longer.",
            floor.depth,
            report.fine_tuning_epochs,
            duration(seconds)
        ),
        _ => "This policy need not come to an end: set growth.max_depth.".into(),
    };
    head + &rest
}
