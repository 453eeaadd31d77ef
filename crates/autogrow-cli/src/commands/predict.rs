//! `autogrow predict`.

use super::model::Model;
use crate::args::PredictArgs;
use crate::output::{BOLD, Output, RESET};
use autogrow_core::training::{infer, softmax};
use autogrow_core::{Error, Result};
use autogrow_data::{Picture, Pictures, pictures_in};
use serde::Serialize;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes of the largest picture on standard input.
const LARGEST: u64 = 256 << 20;
/// Classes that are named for a picture, where nobody says how many.
const TOP: usize = 5;

#[derive(Serialize)]
struct Report {
    network: String,
    found: String,
    classes: Vec<String>,
    images: Vec<Prediction>,
}

/// A picture with its classes, best first.
#[derive(Serialize)]
struct Prediction {
    image: String,
    class: String,
    index: usize,
    probability: f64,
    top: Vec<Candidate>,
    /// Of all classes, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    probabilities: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logits: Option<Vec<f32>>,
}

#[derive(Serialize)]
struct Candidate {
    class: String,
    index: usize,
    probability: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    logit: Option<f32>,
}

pub(crate) fn run(args: &PredictArgs, output: &Output) -> Result<()> {
    if args.csv {
        output.refuse_json("--csv")?;
    }
    let mut model = Model::open(&args.model, &args.settings)?;
    model.complete();
    let preprocessing = model.preprocessing(output)?;
    let (pictures, names): (Vec<_>, Vec<_>) = gather(&args.images)?.into_iter().unzip();
    let [_, height, width] = model.info.architecture.image;
    // Nobody asks for labels.
    let labelled = pictures.into_iter().map(|picture| (picture, 0)).collect();
    let split = Pictures::new(labelled, &preprocessing, [height, width]);

    let classes = &model.info.classes;
    let mut lines = Lines { args, output, all: Vec::new() };
    lines.begin()?;
    let mut names = names.into_iter();
    let batch = args.batch.map(|batch| batch as usize);
    infer(&model.network, &split, batch, &model.device, &mut |logits, labels| {
        let rows = logits.chunks_exact(classes.len()).take(labels.len());
        rows.zip(&mut names)
            .try_for_each(|(row, name)| lines.add(predict(name, row, classes, args)))
    })?;
    let Lines { all, .. } = lines;
    if !output.json {
        return Ok(());
    }
    let report = Report {
        network: model.info.architecture.network.clone(),
        found: model.info.architecture.depth.to_string(),
        classes: classes.clone(),
        images: all,
    };
    output.result(&report, String::new)
}

/// The pictures that were named, and what they are called.
fn gather(images: &[PathBuf]) -> Result<Vec<(Picture, String)>> {
    let name = |path: &Path| path.display().to_string();
    let mut pictures = Vec::new();
    for path in images {
        if path == Path::new("-") {
            let mut bytes = Vec::new();
            let read = std::io::stdin().take(LARGEST + 1).read_to_end(&mut bytes);
            let origin = PathBuf::from("standard input");
            read.map_err(|error| super::unreadable(&origin, &error))?;
            if bytes.len() as u64 > LARGEST {
                return Err(Error::data(&origin, format!("is larger than {} MiB", LARGEST >> 20))
                    .with_hint("a picture is expected"));
            }
            pictures.push((Picture::Bytes(bytes.into(), origin), "-".into()));
        } else if path.is_dir() {
            let files = pictures_in(path)?;
            pictures
                .extend(files.into_iter().map(|path| (Picture::File(path.clone()), name(&path))));
        } else {
            pictures.push((Picture::File(path.clone()), name(path)));
        }
    }
    Ok(pictures)
}

fn predict(image: String, logits: &[f32], classes: &[String], args: &PredictArgs) -> Prediction {
    let probabilities = softmax(logits);
    let mut order: Vec<usize> = (0..classes.len()).collect();
    // Of equal ones the first; what is no number comes last.
    let key = |class: usize| if logits[class].is_nan() { f32::NEG_INFINITY } else { logits[class] };
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
    let candidate = |&index: &usize| Candidate {
        class: classes[index].clone(),
        index,
        probability: probabilities[index],
        logit: args.logits.then(|| logits[index]),
    };
    let top = args.top.map_or(TOP, |top| top as usize);
    let top: Vec<_> = order.iter().take(top).map(candidate).collect();
    let best = order.first().copied().unwrap_or(0);
    Prediction {
        image,
        class: classes[best].clone(),
        index: best,
        probability: probabilities[best],
        top,
        logits: args.logits.then(|| logits.to_vec()),
        probabilities: (args.top.is_none() && !args.logits).then_some(probabilities),
    }
}

/// Predictions on their way out: lines are printed as they come, JSON waits for all of them.
struct Lines<'a> {
    args: &'a PredictArgs,
    output: &'a Output,
    all: Vec<Prediction>,
}

impl Lines<'_> {
    fn begin(&self) -> Result<()> {
        let number = if self.args.logits { "logit" } else { "probability" };
        if self.args.csv {
            self.row(&["image", "rank", "class", number])?;
        }
        Ok(())
    }

    fn add(&mut self, prediction: Prediction) -> Result<()> {
        if self.output.json {
            self.all.push(prediction);
        } else if self.args.csv {
            for (rank, candidate) in (1..).zip(&prediction.top) {
                let number = candidate
                    .logit
                    .map_or_else(|| candidate.probability.to_string(), |logit| logit.to_string());
                let rank = format!("{rank}");
                self.row(&[&prediction.image, &rank, &candidate.class, &number])?;
            }
        } else {
            self.output.line(&text(&prediction))?;
        }
        Ok(())
    }

    fn row(&self, cells: &[&str]) -> Result<()> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let written = writer.write_record(cells).map_err(|error| error.to_string());
        let row = written.and_then(|()| writer.into_inner().map_err(|error| error.to_string()));
        let row = row.map_err(|error| Error::config("--csv", error))?;
        self.output.line(String::from_utf8_lossy(&row).trim_end())
    }
}

fn text(prediction: &Prediction) -> String {
    let candidate = |candidate: &Candidate| match candidate.logit {
        Some(logit) => format!("{} {logit:.4}", candidate.class),
        None => format!("{} {:.2} %", candidate.class, 100.0 * candidate.probability),
    };
    let mut candidates = prediction.top.iter().map(candidate);
    let first = candidates.next().unwrap_or_default();
    let rest: String = candidates.map(|text| format!("  {text}")).collect();
    format!("{}: {BOLD}{first}{RESET}{rest}", prediction.image)
}
