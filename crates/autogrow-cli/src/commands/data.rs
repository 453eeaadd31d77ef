//! `autogrow data`: what is in a data set, and what its images look like.

mod sheet;

use super::{open_data, open_device};
use crate::args::DataArgs;
use crate::output::{BOLD, Output, RESET, table};
use autogrow_core::Result;
use autogrow_core::config::OnBadImage;
use autogrow_core::data::{DataSet, Preprocessing, Split};
use serde::Serialize;
use std::path::PathBuf;

/// Images whose sizes are looked at, spread evenly.
const SIZED: usize = 1_000;
/// Classes whose numbers are printed one by one.
const LISTED: usize = 30;

#[derive(Serialize)]
struct Report {
    data: String,
    /// `[channels, height, width]` as the network sees it.
    image: [usize; 3],
    /// Of the training images before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<Sizes>,
    images: Count,
    classes: Vec<Class>,
    /// What pixels are normalised with, for each channel.
    preprocessing: Option<Preprocessing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sheet: Option<PathBuf>,
}

/// Heights and widths, by area.
#[derive(Serialize)]
struct Sizes {
    smallest: [usize; 2],
    median: [usize; 2],
    largest: [usize; 2],
}

#[derive(Serialize)]
struct Class {
    name: String,
    #[serde(flatten)]
    images: Count,
}

/// Images of each split.
#[derive(Clone, Copy, Default, Serialize)]
struct Count {
    train: usize,
    val: usize,
    test: usize,
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
    let report = Report {
        data: config.data.name.clone(),
        image: data.image,
        stored: sizes(&*data.train, config.data.on_bad_image)?,
        images: Count {
            train: data.train.len(),
            val: data.validation.len(),
            test: data.test.len(),
        },
        classes: count(&data)?,
        preprocessing: data.preprocessing.clone(),
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
    for part in 0..looked_at {
        match split.stored_size(part * split.len() / looked_at) {
            Ok(size) => sizes.extend(size),
            Err(error) if on_bad_image == OnBadImage::Error => return Err(error),
            Err(_) => {}
        }
    }
    sizes.sort_unstable_by_key(|&[height, width]| (height * width, height));
    let (Some(&smallest), Some(&largest)) = (sizes.first(), sizes.last()) else {
        return Ok(None);
    };
    Ok(Some(Sizes { smallest, median: sizes[sizes.len() / 2], largest }))
}

/// How many images of each class there are.
fn count(data: &DataSet) -> Result<Vec<Class>> {
    let class = |name: &String| Class { name: name.clone(), images: Count::default() };
    let mut classes: Vec<_> = data.classes.iter().map(class).collect();
    type Part = fn(&mut Count) -> &mut usize;
    let splits: [(&dyn Split, Part); 3] = [
        (&*data.train, |count| &mut count.train),
        (&*data.validation, |count| &mut count.val),
        (&*data.test, |count| &mut count.test),
    ];
    for (split, of) in splits {
        for label in split.labels()? {
            if let Some(class) = classes.get_mut(label) {
                *of(&mut class.images) += 1;
            }
        }
    }
    Ok(classes)
}

fn text(report: &Report) -> String {
    let row = |name: &str, count: Count| {
        [name.into(), count.train.to_string(), count.val.to_string(), count.test.to_string()]
    };
    let mut rows: Vec<_> =
        report.classes.iter().take(LISTED).map(|class| row(&class.name, class.images)).collect();
    if report.classes.len() > LISTED {
        rows.push(row(&format!("... {} classes", report.classes.len()), report.images));
    } else {
        rows.push(row("all", report.images));
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
            " from {}x{} to {}x{}, mostly about {}x{}",
            smallest[0], smallest[1], largest[0], largest[1], median[0], median[1]
        ),
        None => String::new(),
    };
    let sheet = match &report.sheet {
        Some(path) => format!("\nsamples in {}", path.display()),
        None => String::new(),
    };
    format!(
        "{BOLD}{}{RESET}: images of {channels}x{height}x{width}{stored}\n{}\n{}{sheet}",
        report.data,
        if statistics.is_empty() { "not normalised".into() } else { statistics.join("; ") },
        table(["class", "train", "val", "test"], rows)
    )
}
