//! `autogrow evaluate`.

use super::given::{Given, refused};
use super::listing::write_table;
use super::model::Model;
use super::picture::{data_url, picture, sample};
use crate::args::{EvaluateArgs, SplitName};
use crate::output::{BOLD, Output, RESET, significant, table};
use crate::settings::Settings;
use autogrow::data::{Baselines, DataSet, Split};
use autogrow::network::{ModelInfo, Network};
use autogrow::run::{ModelFile, publish};
use autogrow::training::{ClassesReport, Evaluation, LabelsReport, Report, ValuesReport, infer};
use autogrow::{Error, Result};
use autogrow_data::{Content, Pictures, Table, baselines, is_class_folder};
use autogrow_run::names;
use burn::tensor::Device;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Classes up to which each has a line of its own.
const LISTED: usize = 20;

#[derive(Serialize)]
struct Evaluated {
    network: String,
    found: String,
    data: String,
    split: &'static str,
    #[serde(flatten)]
    report: Report,
    /// Scores of simple models, where they were measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    baselines: Option<Baselines>,
    /// Images that were taken for something else, by name, where they have names.
    #[serde(skip_serializing_if = "Option::is_none")]
    mistakes: Option<Vec<Named>>,
}

/// A mistake by the names of what it is about.
#[derive(Serialize)]
struct Named {
    /// A file, or a line of one.
    name: String,
    class: String,
    predicted: String,
    /// Given to the predicted class, 0 to 1.
    probability: f64,
}

pub(crate) fn run(args: &EvaluateArgs, output: &Output) -> Result<()> {
    let mut model = Model::open(&args.model, &Settings::from(&args.settings))?;
    model.complete();
    let Images { split, data, name, loose } = images(args, &model, output)?;
    let mut evaluated =
        evaluate(&model.network, &model.info, (&*split, &data, name), &model.device)?;
    if let Some(pictures) = loose {
        pictures.bad(model.config.data.on_bad_image)?;
    }
    if args.save {
        // Of snapshots, and of weights that somebody has put there, it would be mistaken for the run's.
        let is_best = args.model.is_dir() || args.model.ends_with("model.safetensors");
        let run = model.run.as_deref().filter(|_| is_best).ok_or_else(|| {
            Error::run(&args.model, "is not the model of a run, whose folder has evaluation.json")
                .with_hint("--json prints the same")
        })?;
        // Those were measured when the run ended, and are of the test images in any case.
        evaluated.baselines = model.baselines();
        let path = save(&evaluated, &model.info, &*split, run)?;
        output.note(&format!("wrote {}", path.display()));
    }
    output.result(&evaluated, || text(&evaluated))
}

/// Evaluates the best model of a run on its test images, for its report, beside simple models, whose
/// scores are returned.
pub(super) fn keep(run: &Path, data: &DataSet, device: &Device) -> Result<Baselines> {
    let (network, info) = ModelFile::read(run)?.build(device)?;
    let mut evaluated = evaluate(&network, &info, (&*data.test, &info.data, "test"), device)?;
    let baselines = baselines(data)?;
    evaluated.baselines = Some(baselines.clone());
    save(&evaluated, &info, &*data.test, run).map(|_| baselines)
}

/// Everything there is to say of a model on a split, which is that of a data set, and called so.
fn evaluate(
    network: &Network,
    info: &ModelInfo,
    (split, data, name): (&dyn Split, &str, &'static str),
    device: &Device,
) -> Result<Evaluated> {
    let mut evaluation = Evaluation::new(&info.outputs);
    infer(network, split, None, device, &mut |outputs, targets| evaluation.add(outputs, targets))?;
    Ok(Evaluated {
        network: info.architecture.network.clone(),
        found: info.architecture.depth.to_string(),
        data: data.into(),
        split: name,
        report: evaluation.report(),
        baselines: None,
        mistakes: named(&evaluation, info, split),
    })
}

/// The mistakes by name. None where images have no names, or where some were left out, so that places are
/// not those of the split.
fn named(evaluation: &Evaluation, info: &ModelInfo, split: &dyn Split) -> Option<Vec<Named>> {
    let classes = info.outputs.classes()?;
    split.name(0).filter(|_| evaluation.report().images() == split.len())?;
    let mistakes = evaluation.mistakes().iter().map(|mistake| {
        Some(Named {
            name: split.name(mistake.index)?,
            class: classes.get(mistake.truth)?.clone(),
            predicted: classes.get(mistake.predicted)?.clone(),
            probability: mistake.probability,
        })
    });
    mistakes.collect()
}

/// What to evaluate on.
struct Images {
    split: Box<dyn Split>,
    /// What the images are of.
    data: String,
    /// Which part of it they are.
    name: &'static str,
    /// The same as pictures that may not all be readable, where that shows on the way.
    loose: Option<Pictures>,
}

/// The images that were named.
fn images(args: &EvaluateArgs, model: &Model, output: &Output) -> Result<Images> {
    let outputs = &model.info.outputs;
    let file = args.settings.dir().filter(|dir| args.split.is_none() && !dir.is_dir());
    if let (Some(input), Some(file)) = (&model.info.table, file)
        && model.config.data.name == "csv"
    {
        if Content::of_file(file) == Content::Picture {
            return Err(refused(&args.model, &model.info, (file, Given::Picture)));
        }
        let rows = Table::read(file, input)?.labelled(outputs)?;
        let data = file.display().to_string();
        return Ok(Images { split: rows, data, name: "all", loose: None });
    }
    if let Some(file) = file.filter(|file| Content::of_file(file) == Content::Table)
        && model.config.data.name == "folder"
    {
        return Err(refused(&args.model, &model.info, (file, Given::Table)));
    }
    // Folders are named after classes: there is none for values and labels.
    let classes = outputs.classes().unwrap_or_default();
    let folder =
        args.settings.dir().filter(|dir| args.split.is_none() && is_class_folder(dir, classes));
    if let Some(folder) = folder {
        let [_, height, width] = model.info.architecture.image;
        let preprocessing = model.preprocessing(output)?;
        let pictures = Pictures::of_classes(folder, classes, &preprocessing, [height, width])?;
        let (data, loose) = (folder.display().to_string(), Some(pictures.clone()));
        return Ok(Images { split: Box::new(pictures), data, name: "all", loose });
    }
    let data = model.data(&model.config, &args.model)?;
    let (split, name) = match args.split.unwrap_or(SplitName::Test) {
        SplitName::Train => (data.train, "train"),
        SplitName::Val => (data.validation, "val"),
        SplitName::Test => (data.test, "test"),
    };
    Ok(Images { split, data: model.config.data.name.clone(), name, loose: None })
}

/// Writes `evaluation.json`, with pictures of the worst mistakes in it, and all mistakes by name into
/// `mistakes.csv`.
fn save(evaluated: &Evaluated, info: &ModelInfo, split: &dyn Split, run: &Path) -> Result<PathBuf> {
    if let Some(mistakes) = &evaluated.mistakes {
        let rows = mistakes.iter().map(|of| {
            let probability = format!("{:.4}", of.probability);
            [of.name.clone(), of.class.clone(), of.predicted.clone(), probability]
        });
        let header = ["file", "class", "predicted", "probability"];
        write_table(&run.join(names::MISTAKES), header, &rows.collect::<Vec<_>>())?;
    }
    let path = run.join(names::EVALUATION);
    let cannot = |error: serde_json::Error| Error::run(&path, error.to_string());
    let mut document = serde_json::to_value(evaluated).map_err(cannot)?;
    if let Some(document) = document.as_object_mut() {
        document.remove("mistakes");
    }
    let image @ [channels, height, width] = info.architecture.image;
    let are_pictures = height * width > 1 && [1, 3].contains(&channels);
    // Where images were left out, places are not those of the split.
    if let Report::Classes(report) = &evaluated.report
        && report.images == split.len()
    {
        for (place, mistake) in report.worst.iter().enumerate() {
            if let Some(name) = split.name(mistake.index) {
                document["worst"][place]["name"] = name.into();
            }
            if are_pictures && let Some(values) = sample(split, mistake.index, None)? {
                let shown = picture(&values, image, info.preprocessing.as_ref());
                document["worst"][place]["image"] = data_url(&shown).into();
            }
        }
    }
    let mut text = serde_json::to_string_pretty(&document).map_err(cannot)?;
    text.push('\n');
    publish(&path, text.as_bytes())?;
    Ok(path)
}

fn text(evaluated: &Evaluated) -> String {
    let Evaluated { network, found, data, split, report, .. } = evaluated;
    let head = format!("{network} {found} on {} {split} images of {data}\n", report.images());
    head + &match report {
        Report::Classes(report) => classes(report),
        Report::Values(report) => values(report),
        Report::Labels(report) => labels(report),
    }
}

fn classes(report: &ClassesReport) -> String {
    let mut text = format!(
        "top-1 {BOLD}{:.2} %{RESET}  top-5 {:.2} %  loss {:.4}  calibration error {:.4}\n",
        report.top1, report.top5, report.loss, report.ece
    );
    // Each class where there are few, else those that are recognised worst.
    let mut classes: Vec<_> = report.classes.iter().filter(|class| class.images > 0).collect();
    if classes.len() > LISTED {
        classes.sort_by(|a, b| {
            a.accuracy.partial_cmp(&b.accuracy).unwrap_or(std::cmp::Ordering::Equal)
        });
        classes.truncate(LISTED);
        text += "\nclasses that are recognised worst\n";
    } else {
        text.push('\n');
    }
    let rows = classes.iter().map(|class| {
        let accuracy = class.accuracy.map(|accuracy| format!("{accuracy:.2} %"));
        [class.class.clone(), class.images.to_string(), accuracy.unwrap_or_default()]
    });
    text += &table(["class", "images", "top-1"], rows.collect());
    text + &confused(report)
}

/// Errors in the units of the data.
fn values(report: &ValuesReport) -> String {
    let rows = report.values.iter().map(|value| {
        let [r2, rmse, mae] = [value.r2, value.rmse, value.mae];
        [value.value.clone(), format!("{r2:.4}"), significant(rmse, 5), significant(mae, 5)]
    });
    let table = table(["value", "R2", "RMSE", "MAE"], rows.collect());
    format!("R2 {BOLD}{:.4}{RESET}\n\n{table}", report.r2)
}

fn labels(report: &LabelsReport) -> String {
    let percent = |part: Option<f64>| part.map_or_else(String::new, |part| format!("{part:.2} %"));
    let rows = report.labels.iter().map(|label| {
        let parts = [Some(label.accuracy), label.precision, label.recall].map(percent);
        let [accuracy, precision, recall] = parts;
        [label.label.clone(), label.images.to_string(), accuracy, precision, recall]
    });
    let table = table(["label", "images", "accuracy", "precision", "recall"], rows.collect());
    format!(
        "right decisions {BOLD}{:.2} %{RESET}  images with all labels right {:.2} %  loss {:.4}\n\n\
         {table}",
        report.accuracy, report.exact, report.loss
    )
}

/// The classes that are taken for each other most often.
fn confused(report: &ClassesReport) -> String {
    let Some(confusion) = &report.confusion else { return String::new() };
    let mut pairs = Vec::new();
    for (class, row) in confusion.iter().enumerate() {
        let others = row.iter().enumerate().filter(|&(other, &count)| other != class && count > 0);
        pairs.extend(others.map(|(other, &count)| (count, class, other)));
    }
    pairs.sort_by_key(|&(count, class, other)| (std::cmp::Reverse(count), class, other));
    let name = |class: usize| report.classes[class].class.clone();
    let rows: Vec<_> = pairs
        .iter()
        .take(5)
        .map(|&(count, class, other)| [name(class), name(other), count.to_string()])
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("\n{}", table(["class", "taken for", "images"], rows))
}
