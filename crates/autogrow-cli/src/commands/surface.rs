//! What `landscape` and `trajectory` have in common: the loss of a model over a grid, and figures.

use super::model::Model;
use super::objective_of;
use crate::args::SurfaceArgs;
use crate::output::Output;
use crate::reporter::SHARPNESS;
use autogrow::config::Augment;
use autogrow::landscape::{Plane, TrainingLoss};
use autogrow::network::StateDict;
use autogrow::random::{Purpose, derive};
use autogrow::run::publish;
use autogrow::{Error, Result};
use autogrow_report::chart::{Surface, png};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// The loss over a plane, as it is written.
#[derive(Serialize)]
pub(super) struct Grid {
    /// Coordinates of the columns, rising.
    pub(super) x: Vec<f64>,
    /// Coordinates of the rows, rising.
    pub(super) y: Vec<f64>,
    /// Row after row; null where the loss is not finite.
    pub(super) loss: Vec<Vec<f64>>,
}

impl Grid {
    /// Computes the loss of `plane` at `grid` x `grid` places between `x` and `y`'s ends.
    pub(super) fn compute(
        loss: &TrainingLoss,
        plane: &Plane,
        [x, y]: [[f64; 2]; 2],
        args: &SurfaceArgs,
        output: &Output,
    ) -> Result<Self> {
        let count = args.grid;
        let place = |[from, to]: [f64; 2], step: u32| {
            from + (to - from) * f64::from(step) / f64::from(count - 1)
        };
        let [x, y] =
            [x, y].map(|ends| (0..count).map(|step| place(ends, step)).collect::<Vec<_>>());
        let bar = bar(u64::from(count) * u64::from(count), output);
        let values = plane.values(&x, &y, &mut |point| {
            let value = loss.at(point);
            bar.inc(1);
            value
        })?;
        bar.finish_and_clear();
        let loss = values.chunks_exact(x.len()).map(<[f64]>::to_vec).collect();
        Ok(Self { x, y, loss })
    }

    /// For a chart.
    pub(super) fn surface(&self) -> Surface {
        Surface { x: self.x.clone(), y: self.y.clone(), z: self.loss.concat() }
    }
}

fn bar(length: u64, output: &Output) -> ProgressBar {
    let visible = !output.quiet && std::io::stderr().is_terminal();
    let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    match ProgressStyle::with_template("loss {bar:24} {pos}/{len}  {eta} left") {
        Ok(style) => bar.with_style(style.progress_chars("━╸─")),
        Err(_) => bar,
    }
}

/// The loss of a model on training images as they are, not augmented, drawn with its run's seed.
pub(super) fn training_loss(
    model: &Model,
    path: &Path,
    args: &SurfaceArgs,
) -> Result<TrainingLoss> {
    let mut config = model.config.config().clone();
    config.data.augment = Augment::None;
    config.data.shuffle = true;
    let data = model.data(&config, path)?;
    let state = StateDict::of(&model.network)?;
    let seed = derive(config.run.seed, Purpose::Landscape, 0);
    let images = (args.images as usize, config.training.batch_size, seed);
    let network = (&model.info.architecture, state, path);
    TrainingLoss::new(network, objective_of(&config)?, &*data.train, images, &model.device)
}

/// Writes `<out>.json`, `<out>.svg` and `<out>.png`; returns where they are.
pub(super) fn write(out: &Path, numbers: &impl Serialize, svg: &str) -> Result<Vec<PathBuf>> {
    let named = |ending: &str| {
        let mut name = OsString::from(out);
        name.push(ending);
        PathBuf::from(name)
    };
    let files = [".json", ".svg", ".png"].map(named);
    let mut json = serde_json::to_string_pretty(numbers)
        .map_err(|error| Error::run(&files[0], error.to_string()))?;
    json.push('\n');
    let pixels = png(svg, SHARPNESS)?;
    publish(&files[0], json.as_bytes())?;
    publish(&files[1], svg.as_bytes())?;
    publish(&files[2], &pixels)?;
    Ok(files.into())
}
