//! `autogrow report`.

use crate::args::ReportArgs;
use crate::output::Output;
use crate::reporter::{located, write};
use autogrow_core::Result;
use autogrow_report::{Report, publish};
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct One<'a> {
    run: &'a Path,
    report: PathBuf,
    tensorboard: PathBuf,
}

#[derive(Serialize)]
struct Several<'a> {
    runs: &'a [PathBuf],
    report: PathBuf,
}

pub(crate) fn run(args: &ReportArgs, output: &Output) -> Result<()> {
    if let [folder] = &args.runs[..] {
        let written = write(folder, args.out.as_deref())?;
        let one = One { run: folder, report: written.page, tensorboard: written.tensorboard };
        return output.result(&one, || {
            format!(
                "{}\n{}  (tensorboard --logdir {})",
                one.report.display(),
                one.tensorboard.display(),
                folder.display()
            )
        });
    }
    let page = args.out.clone().unwrap_or_else(|| "comparison.html".into());
    let compare = || publish(&page, Report::new().compare(&args.runs)?.as_bytes());
    compare().map_err(|error| located(&error, &page))?;
    let several = Several { runs: &args.runs, report: page };
    output.result(&several, || several.report.display().to_string())
}
