//! `autogrow report`.

use crate::args::ReportArgs;
use crate::output::Output;
use crate::reporter::{SHARPNESS, write};
use autogrow::{Error, Result};
use autogrow_report::chart::png;
use autogrow_report::{Figure, Report, Run, figures};
use autogrow_run::storage::publish_derived;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct One<'a> {
    run: &'a Path,
    report: PathBuf,
    tensorboard: PathBuf,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    figures: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Several<'a> {
    runs: &'a [PathBuf],
    report: PathBuf,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    figures: Vec<PathBuf>,
}

pub(crate) fn run(args: &ReportArgs, output: &Output) -> Result<()> {
    if let [folder] = &args.runs[..] {
        let written = write(folder, args.out.as_deref())?;
        let figures = draw(args)?;
        open(args, &written.page)?;
        let (report, tensorboard) = (written.page, written.tensorboard);
        let one = One { run: folder, report, tensorboard, figures };
        return output.result(&one, || {
            format!(
                "{}\n{}  (tensorboard --logdir {})\n{}",
                one.report.display(),
                one.tensorboard.display(),
                folder.display(),
                lines(&one.figures)
            )
        });
    }
    let page = args.out.clone().unwrap_or_else(|| "comparison.html".into());
    publish_derived(&page, Report::new().compare(&args.runs)?.as_bytes())?;
    open(args, &page)?;
    let several = Several { runs: &args.runs, report: page, figures: draw(args)? };
    output.result(&several, || format!("{}\n{}", several.report.display(), lines(&several.figures)))
}

/// Opens the page where that is asked for.
fn open(args: &ReportArgs, page: &Path) -> Result<()> {
    if !args.open {
        return Ok(());
    }
    open::that_detached(page).map_err(|error| {
        Error::run(page, format!("is written, and no browser opens it ({error})"))
            .with_hint("leave --open out, and open the file yourself")
    })
}

/// Writes the charts where they are asked for.
fn draw(args: &ReportArgs) -> Result<Vec<PathBuf>> {
    let Some(folder) = &args.figures else { return Ok(Vec::new()) };
    let runs = args.runs.iter().map(|run| Run::read(run)).collect::<Result<Vec<_>>>()?;
    let mut files = Vec::new();
    for Figure { name, svg } in figures(&runs) {
        let [vector, pixels] = ["svg", "png"].map(|ending| folder.join(format!("{name}.{ending}")));
        publish_derived(&vector, svg.as_bytes())?;
        publish_derived(&pixels, &png(&svg, SHARPNESS)?)?;
        files.extend([vector, pixels]);
    }
    Ok(files)
}

fn lines(files: &[PathBuf]) -> String {
    files.iter().map(|file| format!("{}\n", file.display())).collect()
}
