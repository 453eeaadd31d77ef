//! `autogrow trajectory`: the way that training took through the weights, in the plane of its two
//! principal components, over the loss (the paper's Figures 2 and 3).

use super::model::Model;
use super::surface::{Grid, training_loss, write};
use crate::args::TrajectoryArgs;
use crate::output::Output;
use autogrow::landscape::pca::Principal;
use autogrow::landscape::{Plane, Space, TrainingLoss};
use autogrow::network::StateDict;
use autogrow::run::Phase;
use autogrow::run::{Snapshot, snapshots};
use autogrow::{Error, Result};
use autogrow_report::Run;
use autogrow_report::chart::{Size, Trajectory};
use autogrow_report::figure::trajectories;
use serde::Serialize;
use std::path::PathBuf;

/// Room around the way, as a part of its extent.
const MARGIN: f64 = 0.15;
/// Growths up to which each is marked with the depth after it, and up to which it is marked at all.
const NAMED: usize = 6;
const MARKED: usize = 30;

#[derive(Serialize)]
struct Report {
    runs: Vec<PathBuf>,
    network: String,
    found: String,
    data: String,
    /// Training images that the loss is the mean over.
    images: usize,
    /// Parts of the variance along the two components, 0 to 1.
    explained: [f64; 2],
    points: Vec<Point>,
    #[serde(flatten)]
    grid: Grid,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<PathBuf>,
}

/// A snapshot.
#[derive(Serialize)]
struct Point {
    /// Its run, counted from 0.
    run: usize,
    epoch: usize,
    phase: &'static str,
    depth: String,
    x: f64,
    y: f64,
}

/// A snapshot and what its run's journal says of it.
struct Kept {
    run: usize,
    phase: Phase,
    snapshot: Snapshot,
}

pub(crate) fn run(args: &TrajectoryArgs, output: &Output) -> Result<()> {
    let kept = kept(&args.runs)?;
    let Some(Kept { snapshot: last, .. }) = kept.last() else {
        return Err(Error::config("RUN", "names no run"));
    };
    let path = &last.path;
    let model = Model::open(path, &args.settings)?;
    let loss = training_loss(&model, path, &args.surface)?;
    let origin = loss.space().point(&StateDict::of(&model.network)?, path)?;
    let (principal, depths) = principal(&kept, &loss, &origin)?;
    let points = kept.iter().zip(depths).zip(&principal.points).map(|((kept, depth), &[x, y])| {
        let (run, epoch, phase) = (kept.run, kept.snapshot.epoch, kept.phase.name());
        Point { run, epoch, phase, depth, x, y }
    });
    let points: Vec<_> = points.collect();
    let ends = [|point: &Point| point.x, |point: &Point| point.y].map(|of| extent(&points, of));
    let plane = Plane { origin, directions: principal.directions };
    let grid = Grid::compute(&loss, &plane, ends, &args.surface, output)?;
    let mut report = Report {
        runs: args.runs.clone(),
        network: model.info.architecture.network.clone(),
        found: model.info.architecture.depth.to_string(),
        data: model.config.data.name.clone(),
        images: loss.images(),
        explained: principal.explained,
        points,
        grid,
        files: Vec::new(),
    };
    let out = match (&args.surface.out, &args.runs[..]) {
        (Some(out), _) => out.clone(),
        (None, [run]) => run.join("trajectory"),
        (None, _) => "trajectory".into(),
    };
    report.files = write(&out, &report, &svg(&report))?;
    output.result(&report, || text(&report))
}

/// The snapshots of all runs, one after the other.
fn kept(runs: &[PathBuf]) -> Result<Vec<Kept>> {
    let mut kept = Vec::new();
    for (number, folder) in runs.iter().enumerate() {
        let found = snapshots(folder)?;
        let run = Run::read(folder)?;
        kept.extend(found.into_iter().map(|snapshot| {
            let epoch = run.epochs.iter().find(|epoch| epoch.number >= snapshot.epoch);
            let phase =
                epoch.or(run.epochs.last()).map_or(Phase::Growing, |epoch| epoch.record.phase);
            // AdamInit is a part of growing.
            let phase = if phase == Phase::Adapting { Phase::Growing } else { phase };
            Kept { run: number, phase, snapshot }
        }));
    }
    Ok(kept)
}

/// The principal components of the differences to the last weights, and the depth of each snapshot.
fn principal(
    kept: &[Kept],
    loss: &TrainingLoss,
    origin: &[f32],
) -> Result<(Principal, Vec<String>)> {
    let space: &Space = loss.space();
    let mut depths = vec![String::new(); kept.len()];
    let principal = Principal::of(kept.len(), space.dimension(), &mut |number| {
        let snapshot = &kept[number].snapshot;
        let (info, state) = snapshot.read()?;
        depths[number] = info.architecture.depth.to_string();
        let mut point = space.point(&state, &snapshot.path)?;
        point.iter_mut().zip(origin).for_each(|(value, last)| *value -= last);
        Ok(point)
    })?;
    Ok((principal, depths))
}

/// From where to where the points go along an axis, with a margin.
fn extent(points: &[Point], of: fn(&Point) -> f64) -> [f64; 2] {
    let low = points.iter().map(of).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
    let margin = MARGIN * (high - low);
    [low - margin, high + margin]
}

/// A line for each run and phase, each from where the one before ended; rings where the net grew.
fn svg(report: &Report) -> String {
    let Report { points, .. } = report;
    let mut ways: Vec<Trajectory> = Vec::new();
    let grown = |index: usize| index > 0 && points[index - 1].depth != points[index].depth;
    let growths = (0..points.len()).filter(|&index| grown(index)).count();
    for (index, point) in points.iter().enumerate() {
        let place = [point.x, point.y];
        let part = (point.run, point.phase);
        let before = index.checked_sub(1).map(|before| &points[before]);
        if before.is_none_or(|before| (before.run, before.phase) != part) {
            let mut way = Trajectory { name: name(point, report), ..Trajectory::default() };
            way.points.extend(before.map(|before| [before.x, before.y]));
            ways.push(way);
        }
        let is_end = index == 0 || index + 1 == points.len();
        if let Some(way) = ways.last_mut() {
            way.points.push(place);
            if is_end || (grown(index) && growths <= MARKED) {
                let named = is_end || growths <= NAMED;
                let text = if named { point.depth.clone() } else { String::new() };
                way.marks.push((way.points.len() - 1, text));
            }
        }
    }
    let title = format!("{} {} on {}", report.network, report.found, report.data);
    trajectories(&title, report.grid.surface(), ways, report.explained).svg(Size::FIGURE)
}

/// Of the part of the way that begins at a point. A run that never grows is trained, not fine-tuned.
fn name(point: &Point, report: &Report) -> String {
    let grows = |other: &Point| other.run == point.run && other.phase == Phase::Growing.name();
    let phase = match point.phase {
        "growing" => "growing (ring: grown since the point before)",
        phase if report.points.iter().any(grows) => phase,
        _ => "training",
    };
    match report.runs.len() {
        1 => phase.into(),
        _ => format!("run {}, {phase}", point.run + 1),
    }
}

fn text(report: &Report) -> String {
    let [first, second] = report.explained.map(|part| 100.0 * part);
    let files = report.files.iter().map(|file| format!("{}\n", file.display()));
    format!(
        "{} snapshots of {} up to {}; the plane holds {first:.0} % + {second:.0} % of the variance\n{}",
        report.points.len(),
        report.network,
        report.found,
        files.collect::<String>()
    )
}
