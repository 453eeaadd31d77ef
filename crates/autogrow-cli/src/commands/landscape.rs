//! `autogrow landscape`: the loss around models (the paper's Figure 5).

use super::model::Model;
use super::objective_of;
use super::surface::{Grid, training_loss, write};
use crate::args::LandscapeArgs;
use crate::output::{Output, table};
use autogrow::Result;
use autogrow::landscape::{Plane, filter_normalised};
use autogrow::network::StateDict;
use autogrow::random::{Purpose, generator};
use autogrow_report::figure::loss_surfaces;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// How far it is looked, in lengths of the filters.
const FAR: [f64; 2] = [-1.0, 1.0];

#[derive(Serialize)]
struct Report {
    models: Vec<Surroundings>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Surroundings {
    model: PathBuf,
    network: String,
    found: String,
    /// Growing policy of its run.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    /// Guiding score of its run, percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_accuracy: Option<f64>,
    /// The same as people read it.
    #[serde(skip)]
    test_score: Option<String>,
    data: String,
    /// Training images that the loss is the mean over.
    images: usize,
    seed: u64,
    /// The loss of the model itself, in the middle.
    at_model: f64,
    #[serde(flatten)]
    grid: Grid,
}

pub(crate) fn run(args: &LandscapeArgs, output: &Output) -> Result<()> {
    let around = |model: &PathBuf| around(model, args, output);
    let models = args.models.iter().map(around).collect::<Result<Vec<_>>>()?;
    let out = match (&args.surface.out, &args.models[..]) {
        (Some(out), _) => out.clone(),
        (None, [model]) if model.is_dir() => model.join("landscape"),
        (None, [model]) => model.with_file_name("landscape"),
        (None, _) => "landscape".into(),
    };
    let mut report = Report { models, files: Vec::new() };
    let surfaces: Vec<_> =
        report.models.iter().map(|model| (model.title(), model.grid.surface())).collect();
    report.files = write(&out, &report, &loss_surfaces(&surfaces))?;
    output.result(&report, || text(&report))
}

/// The loss around a model, along two random directions.
fn around(path: &Path, args: &LandscapeArgs, output: &Output) -> Result<Surroundings> {
    let model = Model::open(path, &args.settings)?;
    let loss = training_loss(&model, path, &args.surface)?;
    let origin = loss.space().point(&StateDict::of(&model.network)?, path)?;
    let seed = model.config.run.seed;
    let directions = [1, 2].map(|number| {
        let mut rng = generator(seed, Purpose::Landscape, number);
        filter_normalised(loss.space(), &origin, &mut rng)
    });
    let at_model = loss.at(&origin)?;
    let plane = Plane { origin, directions };
    let grid = Grid::compute(&loss, &plane, [FAR, FAR], &args.surface, output)?;
    let (outcome, objective) = (model.outcome(), objective_of(&model.config)?);
    Ok(Surroundings {
        model: path.into(),
        network: model.info.architecture.network.clone(),
        found: model.info.architecture.depth.to_string(),
        policy: model.run.is_some().then(|| model.config.growth.policy.clone()),
        test_accuracy: outcome.as_ref().map(|outcome| outcome.test_accuracy),
        test_score: outcome.map(|outcome| objective.score_text(outcome.test_accuracy)),
        data: model.config.data.name.clone(),
        images: loss.images(),
        seed,
        at_model,
        grid,
    })
}

impl Surroundings {
    /// Such as `plain3net 5-5-5, grown: 93.13 %`.
    fn title(&self) -> String {
        let how = match self.policy.as_deref() {
            Some("none") => ", depth given",
            Some(_) => ", grown",
            None => "",
        };
        let score = self.test_score.as_ref().map(|score| format!(": {score}"));
        format!("{} {}{how}{}", self.network, self.found, score.unwrap_or_default())
    }
}

fn text(report: &Report) -> String {
    let rows = report.models.iter().map(|model| {
        let highest = model.grid.loss.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        [model.title(), format!("{:.4}", model.at_model), format!("{highest:.3}")]
    });
    let losses = table(["model", "loss", "highest around it"], rows.collect());
    let files = report.files.iter().map(|file| format!("{}\n", file.display()));
    format!("{losses}\n{}", files.collect::<String>())
}
