//! `autogrow bench`.

pub(crate) mod step;

use super::{open_data, open_device};
use crate::args::{BenchArgs, BenchDataArgs, BenchWhat, SplitName};
use crate::output::Output;
use autogrow::Result;
use autogrow::data::Pass;
use autogrow::ranks::Ranks;
use serde::Serialize;
use std::time::Instant;

pub(crate) fn run(args: &BenchArgs, output: &Output, ranks: &Ranks) -> Result<()> {
    match &args.what {
        BenchWhat::Step(args) => step::run(args, output, ranks),
        BenchWhat::Data(args) => data(args, output),
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
    let pass = Pass { batch_size: config.training.batch_size, seed, ..Pass::default() };
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
