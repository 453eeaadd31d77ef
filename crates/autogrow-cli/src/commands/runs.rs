//! `autogrow runs`.

use super::objective_of;
use crate::args::RunsArgs;
use crate::output::{Output, table};
use crate::run_folders::newest_first;
use autogrow::Result;
use autogrow::growth::Depth;
use autogrow_report::Run;
use autogrow_report::run::Status;
use autogrow_run::storage::publish_derived;
use serde::Serialize;
use std::path::PathBuf;

#[derive(Serialize)]
struct Item {
    run: PathBuf,
    status: &'static str,
    network: String,
    data: String,
    /// Found, or trained now.
    depth: Option<Depth>,
    epochs: usize,
    /// Percent of the guiding score on the test images.
    test_percent: Option<f64>,
    #[serde(skip)]
    score: String,
}

#[derive(Serialize)]
struct Report {
    runs: Vec<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<PathBuf>,
}

pub(crate) fn run(args: &RunsArgs, output: &Output) -> Result<()> {
    let folders = newest_first(&args.folder)?;
    let (mut runs, mut damaged) = (Vec::new(), Vec::new());
    for folder in folders {
        match Run::read(&folder) {
            Ok(run) => runs.push(run),
            Err(error) => damaged.push(error.to_string()),
        }
    }
    for error in &damaged {
        output.warn(error);
    }
    let page = args.page.then(|| args.folder.join("index.html"));
    if let Some(page) = &page {
        let index = autogrow_report::Report::new().index(&args.folder, &runs, &damaged);
        publish_derived(page, index.as_bytes())?;
    }
    let report = Report { runs: runs.iter().map(item).collect(), page };
    output.result(&report, || {
        if let Some(page) = &report.page {
            return page.display().to_string();
        }
        if report.runs.is_empty() {
            return format!("no runs in {}; `autogrow train` starts one", args.folder.display());
        }
        let row = |item: &Item| {
            let depth = item.depth.as_ref().map(ToString::to_string).unwrap_or_default();
            let run = item.run.display().to_string();
            let (network, data) = (item.network.clone(), item.data.clone());
            let epochs = item.epochs.to_string();
            [run, item.status.into(), network, data, depth, epochs, item.score.clone()]
        };
        let header = ["run", "status", "network", "data", "depth", "epochs", "test"];
        table(header, report.runs.iter().map(row).collect())
    })
}

fn item(run: &Run) -> Item {
    let test = run.outcome.as_ref().map(|outcome| outcome.test_accuracy);
    let score = test.and_then(|test| Some(objective_of(&run.config).ok()?.score_text(test)));
    Item {
        run: run.path.clone(),
        status: match run.status {
            Status::Finished => "finished",
            Status::Training => "training",
            Status::Interrupted => "interrupted",
        },
        network: run.network().into(),
        data: run.data().into(),
        depth: run.depth().cloned(),
        epochs: run.epochs.last().map_or(0, |epoch| epoch.number),
        test_percent: test,
        score: score.unwrap_or_default(),
    }
}
