//! `autogrow export`.

mod foreign;

use super::model::Model;
use crate::args::{ExportArgs, Format};
use crate::output::{Output, si};
use crate::settings::Settings;
use autogrow::data::{Cells, Column, TableInput};
use autogrow::network::{Graph, StateDict};
use autogrow::run::publish;
use autogrow::{Error, Result};
use autogrow_export::{Facts, card, fold_batch_norms, onnx, pytorch};
use autogrow_run::is_stream;
use burn::module::Module;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A mean of so many deviations costs a thousandth of a deviation in single precision.
const MOST_DEVIATIONS: f64 = 10_000.0;

#[derive(Serialize)]
struct Report {
    format: &'static str,
    network: String,
    found: String,
    parameters: usize,
    macs: u64,
    /// What was written: the model first.
    files: Vec<PathBuf>,
    bytes: usize,
}

pub(crate) fn run(args: &ExportArgs, output: &Output) -> Result<()> {
    let format = format(args)?;
    let mut model = Model::open(&args.model, &Settings::from(&args.settings))?;
    model.complete();
    let state = StateDict::of(&model.network)?;
    let parameters = state.parameters();
    let macs = model.network.macs()?;
    let out = &args.out;
    refuse_files_of_runs(out)?;
    let beside = match format {
        Format::Safetensors if args.pytorch => Some("py"),
        Format::Burnpack => Some("json"),
        Format::Safetensors | Format::Onnx => None,
    };
    let beside = ["md"].into_iter().chain(beside).map(|ending| out.with_extension(ending));
    if !args.force {
        foreign::refuse(&[out.clone()].into_iter().chain(beside).collect::<Vec<_>>())?;
    }
    let mut files = vec![out.clone()];
    let bytes = match format {
        Format::Safetensors => {
            if args.pytorch {
                let script = out.with_extension("py");
                let name = out.file_name().unwrap_or_default().to_string_lossy();
                publish(&script, pytorch(&graph(&model)?, &model.info, &name).as_bytes())?;
                files.push(script);
            }
            state.to_safetensors_with(&model.info)?
        }
        Format::Onnx => {
            if let Some(coarse) = model.info.table.as_ref().and_then(coarse) {
                tracing::warn!("{coarse}");
            }
            let graph = graph(&model)?;
            let (graph, state) =
                if args.fold_bn { fold_batch_norms(&graph, state) } else { (graph, state) };
            onnx(&graph, &state, &model.info, out)?
        }
        Format::Burnpack => {
            let architecture = out.with_extension("json");
            let json = serde_json::to_vec_pretty(&model.info.architecture)
                .map_err(|error| Error::run(&architecture, error.to_string()))?;
            publish(&architecture, &json)?;
            files.push(architecture);
            let record = model.network.clone().into_record().into_bytes();
            record.map_err(|error| Error::run(out, error.to_string()))?.to_vec()
        }
    };
    publish(out, &bytes)?;
    let outcome = model.outcome();
    let run = outcome.as_ref().map(|outcome| (model.config.config(), outcome));
    let file = &*out.file_name().unwrap_or_default().to_string_lossy();
    let (info, format_name) = (&model.info, name(format));
    let baselines = model.baselines();
    let baselines = baselines.as_ref();
    let facts = Facts { info, parameters, macs, file, format: format_name, run, baselines };
    let text = card(&facts);
    // Beside a device or a pipe is no place for a card.
    if !is_stream(out) {
        let card = out.with_extension("md");
        publish(&card, text.as_bytes())?;
        files.push(card);
    }
    let report = Report {
        format: name(format),
        network: model.info.architecture.network.clone(),
        found: model.info.architecture.depth.to_string(),
        parameters,
        macs,
        files,
        bytes: bytes.len(),
    };
    output.result(&report, || {
        let files: String =
            report.files.iter().map(|file| format!("\n  {}", file.display())).collect();
        format!(
            "{} {} as {}: {} parameters, {:.1} MB{files}",
            report.network,
            report.found,
            report.format,
            si(report.parameters as u64),
            1e-6 * report.bytes as f64
        )
    })
}

/// What single precision, which ONNX takes, makes of a table: numbers that differ by little beside
/// their mean come out rounded.
fn coarse(table: &TableInput) -> Option<String> {
    let is_coarse = |column: &&Column| match column.cells {
        Cells::Numbers { mean, deviation, .. } => mean.abs() > MOST_DEVIATIONS * deviation,
        Cells::Words { .. } => false,
    };
    let columns = table.columns.iter().filter(is_coarse);
    let columns: Vec<_> = columns.map(|column| format!("`{}`", column.name)).collect();
    (!columns.is_empty()).then(|| {
        format!(
            "{} {} further from 0 than {MOST_DEVIATIONS} deviations: the float32 that ONNX takes rounds such \
             numbers. Take their mean off before training, or use `predict` or generated Python",
            columns.join(", "),
            if columns.len() == 1 { "is" } else { "are" }
        )
    })
}

/// In a run folder, what is written beside a model may have the name of something else.
fn refuse_files_of_runs(out: &Path) -> Result<()> {
    let is_run = out.parent().is_some_and(|folder| folder.join("config.toml").is_file());
    let beside = ["md", "py", "json"].map(|ending| out.with_extension(ending));
    let mut files = beside.iter().map(PathBuf::as_path).chain([out]);
    match files.find(|file| is_run && file.exists()) {
        Some(file) => {
            Err(Error::config("OUT", format!("would replace the run's {}", file.display()))
                .with_hint("export into another folder"))
        }
        None => Ok(()),
    }
}

/// The computation, which not every network tells.
fn graph(model: &Model) -> Result<Graph> {
    model.network.graph()
}

/// What to write, and whether the options suit it.
fn format(args: &ExportArgs) -> Result<Format> {
    let ending = args.out.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let by_ending = match ending.as_deref() {
        Some("safetensors") => Some(Format::Safetensors),
        Some("onnx") => Some(Format::Onnx),
        Some("bpk") => Some(Format::Burnpack),
        _ => None,
    };
    let Some(format) = args.format.or(by_ending) else {
        return Err(Error::config("--format", "is needed: the file's ending does not tell it")
            .with_hint("endings that do: .safetensors, .onnx, .bpk"));
    };
    if matches!(ending.as_deref(), Some("md" | "py" | "json")) {
        return Err(Error::config(
            "OUT",
            format!("{} is a name for what is written beside it", args.out.display()),
        )
        .with_hint("choose another ending, such as .safetensors, .onnx, .bpk"));
    }
    let only = |option: &str, wanted: Format| {
        Err(Error::config(option, format!("is for {} alone", name(wanted)))
            .with_hint(format!("--format {}", name(wanted))))
    };
    match format {
        Format::Onnx if args.pytorch => only("--pytorch", Format::Safetensors),
        Format::Burnpack if args.pytorch => only("--pytorch", Format::Safetensors),
        Format::Safetensors | Format::Burnpack if args.fold_bn => only("--fold-bn", Format::Onnx),
        format => Ok(format),
    }
}

fn name(format: Format) -> &'static str {
    match format {
        Format::Safetensors => "safetensors",
        Format::Onnx => "onnx",
        Format::Burnpack => "burnpack",
    }
}
