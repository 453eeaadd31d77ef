//! `autogrow data`: what is in a data set, and what its images look like.

mod contents;
mod list;
mod sheet;
mod table;

use super::{open_data, open_device, samples_of};
use crate::args::DataArgs;
use crate::output::{BOLD, Output, RESET};
use autogrow::Result;
use autogrow::config::OnBadImage;
use autogrow::data::{Baselines, Linear, Preprocessing, Split, TableInput};
use autogrow_data::{Waiting, baselines};
use contents::{Contents, Count};
use serde::Serialize;
use std::path::PathBuf;

/// Images whose sizes are looked at, spread evenly.
const SIZED: usize = 1_000;

#[derive(Serialize)]
struct Report {
    data: String,
    /// `[channels, height, width]` as the network sees it.
    image: [usize; 3],
    /// Of the training images before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<Sizes>,
    images: Count,
    /// What is asked for: `classes`, `values` or `labels`.
    #[serde(flatten)]
    contents: Contents,
    /// What pixels are normalised with, for each channel.
    preprocessing: Option<Preprocessing>,
    /// What was done to a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<TableInput>,
    /// What a network has to beat.
    baselines: Baselines,
    #[serde(skip_serializing_if = "Option::is_none")]
    sheet: Option<PathBuf>,
}

/// Heights and widths: the smallest and the largest by area, and the medians of each.
#[derive(Serialize)]
struct Sizes {
    smallest: [usize; 2],
    median: [usize; 2],
    largest: [usize; 2],
}

pub(crate) fn run(args: &DataArgs, output: &Output) -> Result<()> {
    let settings = match &args.name {
        Some(name) => args.settings.decide(&[("data.name", name.as_str())]),
        None => args.settings.clone(),
    };
    let loaded = settings.load()?;
    let mut config = loaded.resolve()?.config().clone();
    // So that each sample has the same place in every pass.
    config.data.shuffle = false;
    open_device(&config, &loaded)?;
    let data = open_data(&config).map_err(|error| loaded.locate(error))?;
    if args.list {
        return list::print(&data, output);
    }
    let report = Report {
        data: config.data.name.clone(),
        image: data.image,
        stored: sizes(&*data.train, config.data.on_bad_image)?,
        images: Count {
            train: data.train.len(),
            val: data.validation.len(),
            test: data.test.len(),
        },
        contents: Contents::of(&data)?,
        preprocessing: data.preprocessing.clone(),
        table: data.table.clone(),
        baselines: baselines(&data)?,
        sheet: args.out.clone(),
    };
    if let Some(path) = &args.out {
        sheet::write(&data, path)?;
    }
    output.result(&report, || text(&report))
}

/// Sizes of some images of a split, where they are known.
fn sizes(split: &dyn Split, on_bad_image: OnBadImage) -> Result<Option<Sizes>> {
    let looked_at = split.len().min(SIZED);
    let mut sizes = Vec::new();
    let waiting = Waiting::for_pass("looking at sizes", looked_at);
    for part in 0..looked_at {
        match split.stored_size(part * split.len() / looked_at) {
            Ok(size) => sizes.extend(size),
            Err(error) if on_bad_image == OnBadImage::Error => return Err(error),
            Err(_) => {}
        }
        waiting.add(1);
    }
    drop(waiting);
    sizes.sort_unstable_by_key(|&[height, width]| (height * width, height));
    let (Some(&smallest), Some(&largest)) = (sizes.first(), sizes.last()) else {
        return Ok(None);
    };
    let median = [0, 1].map(|side| {
        let mut lengths: Vec<_> = sizes.iter().map(|size| size[side]).collect();
        lengths.sort_unstable();
        lengths[lengths.len() / 2]
    });
    Ok(Some(Sizes { smallest, median, largest }))
}

fn text(report: &Report) -> String {
    let contents = report.contents.text(report.images, samples_of(report.table.is_some()));
    if let Some(input) = &report.table {
        return format!(
            "{BOLD}{}{RESET}: {}\n{contents}{}{}",
            report.data,
            table::text(input),
            beaten(report),
            sheet(report)
        );
    }
    let [channels, height, width] = report.image;
    let preprocessing = report.preprocessing.iter();
    let statistics: Vec<_> = preprocessing
        .flat_map(|of| of.mean.iter().zip(&of.std))
        .map(|(mean, std)| format!("mean {mean:.4}, deviation {std:.4}"))
        .collect();
    let stored = match &report.stored {
        Some(Sizes { smallest, largest, .. }) if smallest == largest => {
            format!(" from {}x{}", smallest[0], smallest[1])
        }
        Some(Sizes { smallest, median, largest }) => format!(
            " from {}x{} to {}x{}, about {}x{} in the middle",
            smallest[0], smallest[1], largest[0], largest[1], median[0], median[1]
        ),
        None => String::new(),
    };
    format!(
        "{BOLD}{}{RESET}: images of {channels}x{height}x{width}{stored}\n{}\n{contents}{}{}",
        report.data,
        if statistics.is_empty() { "not normalised".into() } else { statistics.join("; ") },
        beaten(report),
        sheet(report)
    )
}

/// What simple models come to on the test images.
fn beaten(report: &Report) -> String {
    let Baselines { constant, class, linear, tested } = &report.baselines;
    let (always, simple) = match &report.contents {
        Contents::Classes(_) => {
            (format!("always `{}`", class.as_deref().unwrap_or_default()), "logistic regression")
        }
        Contents::Labels(_) => ("always the same labels".into(), "logistic regression"),
        Contents::Values(_) => ("always the mean".into(), "least squares"),
    };
    let samples = samples_of(report.table.is_some());
    let linear = linear.as_ref().map_or_else(String::new, |linear| {
        let Linear { score, trained, features } = linear;
        format!("; {simple} on {features} numbers of {trained} training {samples} {score:.1} %")
    });
    format!("\nto beat on {tested} test {samples}: {always} {constant:.1} %{linear}\n")
}

/// Where samples are shown.
fn sheet(report: &Report) -> String {
    match &report.sheet {
        Some(path) => format!("\nsamples in {}", path.display()),
        None => String::new(),
    }
}
