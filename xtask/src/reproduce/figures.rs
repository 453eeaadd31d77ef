//! The figures of the paper, drawn by `autogrow` from the run folders of a page once all of them
//! have ended, and put beside its tables: `<out>/<suite>/...`.

use super::autogrow::Autogrow;
use super::place::{Place, Stage, publish};
use super::plan::{CellId, Page, Plan};
use super::results::setting;
use super::run::cell_name;
use super::scale::Scale;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

/// What a suite draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The ways of training through the weights, over the loss.
    Trajectory,
    /// The loss around a baseline and around the net that grew.
    Surfaces,
    /// Accuracy and loss with growths.
    Curves,
    /// Accuracy by parameters.
    Parameters,
    /// Accuracy by multiply-accumulates.
    Macs,
}

/// A file that is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Figure {
    /// What it shows, in words.
    pub(super) title: String,
    /// Its place from the page, without ending: `.svg` and `.png` are there.
    pub(super) file: String,
    /// Whether its numbers lie beside it as `.json`.
    pub(super) numbers: bool,
}

/// What one call of `autogrow` draws.
#[derive(Debug)]
pub(super) struct Panel {
    arguments: Vec<String>,
    runs: Vec<String>,
    figures: Vec<Figure>,
}

impl Kind {
    fn of(suite: &str) -> Option<Self> {
        Some(match suite {
            "figure2" | "figure3" => Self::Trajectory,
            "figure4" | "figure8" => Self::Curves,
            "figure5" => Self::Surfaces,
            "figure6" | "claims" => Self::Parameters,
            "figure7" => Self::Macs,
            _ => return None,
        })
    }

    /// Names of files and what each shows; of a [`Kind::Trajectory`] and the like, no more than one.
    fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Trajectory | Self::Surfaces => &[],
            Self::Curves => &[
                ("accuracy-epochs", "accuracy by epochs"),
                ("accuracy-time", "accuracy by time"),
                ("loss-epochs", "loss by epochs"),
                ("loss-time", "loss by time"),
            ],
            Self::Parameters => &[("accuracy-parameters", "accuracy by parameters")],
            Self::Macs => &[("accuracy-macs", "accuracy by multiply-accumulates")],
        }
    }
}

/// Places along each axis, and images, of a loss surface.
fn resolution(scale: Scale) -> [&'static str; 2] {
    match scale {
        Scale::Paper => ["51", "2000"],
        Scale::Small => ["31", "1000"],
        Scale::Smoke => ["11", "100"],
    }
}

/// The figures of a page that are there.
///
/// # Errors
/// Where a result cannot be read.
pub(super) fn drawn(
    page: &Page<'_>,
    plan: &Plan<'_>,
    place: &Place,
    scale: Scale,
) -> Result<Vec<Figure>> {
    let panels = panels(page, plan, place, scale)?;
    let figures = panels.into_iter().flat_map(|panel| panel.figures);
    Ok(figures.filter(|figure| path(place, figure, "svg").is_file()).collect())
}

/// Whether a plan has figures that take more than reading what runs have written: a loss surface
/// evaluates a net again and again.
pub(super) fn take_long(plan: &Plan<'_>) -> bool {
    let mut kinds = plan.pages.iter().filter_map(|page| Kind::of(page.suite.name));
    kinds.any(|kind| matches!(kind, Kind::Trajectory | Kind::Surfaces))
}

/// What is missing of a plan's figures, older than its runs, or of other runs.
///
/// # Errors
/// Where a result cannot be read.
pub(super) fn to_draw(plan: &Plan<'_>, place: &Place, scale: Scale) -> Result<Vec<Panel>> {
    let mut missing = Vec::new();
    for page in &plan.pages {
        for panel in panels(page, plan, place, scale)? {
            if !panel.is_fresh(place)? {
                missing.push(panel);
            }
        }
    }
    Ok(missing)
}

/// Draws figures, until a signal comes; returns what failed, and why.
///
/// # Errors
/// Where files cannot be read or written, or `autogrow` cannot be started.
pub(super) fn draw(
    panels: &[Panel],
    place: &Place,
    (autogrow, threads): (&Autogrow, usize),
) -> Result<Vec<(String, String)>> {
    let mut failed = Vec::new();
    for panel in panels {
        let Some(first) = panel.figures.first() else { continue };
        println!("drawing     {}", first.file);
        let drawn_from = path(place, first, "args");
        if let Some(folder) = drawn_from.parent() {
            fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
        }
        let mut arguments = panel.arguments.clone();
        if arguments[0] != "report" {
            arguments.extend(["--threads".into(), threads.to_string()]);
        }
        let drawn = autogrow.draw(&place.runs(), &arguments)?;
        match drawn {
            Ok(()) => publish(&drawn_from, &panel.drawn_from())?,
            Err(_) if autogrow.interrupted().is_some() => {}
            Err(why) => {
                println!("failed      {}: {why}", first.file);
                failed.push((first.file.clone(), why));
            }
        }
        if autogrow.interrupted().is_some() {
            break;
        }
    }
    Ok(failed)
}

impl Panel {
    /// What is kept beside its first figure, to tell when others are to be drawn there.
    fn drawn_from(&self) -> String {
        self.arguments.iter().map(|argument| format!("{argument}\n")).collect()
    }

    /// Whether all its files are there, drawn from its runs and younger than their results.
    fn is_fresh(&self, place: &Place) -> Result<bool> {
        let drawn_from = self.figures.first().map(|first| path(place, first, "args"));
        let drawn_from = drawn_from.and_then(|path| fs::read_to_string(path).ok());
        if drawn_from != Some(self.drawn_from()) {
            return Ok(false);
        }
        let modified = |path: PathBuf| -> Result<SystemTime> {
            let modified = fs::metadata(&path).and_then(|file| file.modified());
            modified.with_context(|| format!("{}", path.display()))
        };
        let mut oldest = None;
        for figure in &self.figures {
            for ending in ["svg", "png"] {
                let Ok(drawn) = modified(path(place, figure, ending)) else { return Ok(false) };
                oldest = Some(oldest.map_or(drawn, |oldest: SystemTime| oldest.min(drawn)));
            }
        }
        for run in &self.runs {
            if Some(modified(place.runs().join(run).join("result.json"))?) > oldest {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn path(place: &Place, figure: &Figure, ending: &str) -> PathBuf {
    place.out.join(format!("{}.{ending}", figure.file))
}

/// What is to be drawn for a page, as far as its runs have ended.
fn panels(page: &Page<'_>, plan: &Plan<'_>, place: &Place, scale: Scale) -> Result<Vec<Panel>> {
    let suite = page.suite.name;
    let Some(kind) = Kind::of(suite) else { return Ok(Vec::new()) };
    let finished = |cells: &[CellId]| finished(plan, place, cells);
    let mut panels = Vec::new();
    if let Kind::Parameters | Kind::Macs = kind {
        for (name, title, cells) in groups(page, kind) {
            if let Some(runs) = finished(&cells)? {
                panels.push(report(kind, &format!("{suite}/{name}"), &title, runs, true));
            }
        }
        return Ok(panels);
    }
    for (entry, letter) in page.entries.iter().zip('a'..='z') {
        for cells in &entry.seeds {
            let cell_ids = match kind {
                Kind::Trajectory => cells.before.into_iter().chain([cells.run]).collect(),
                Kind::Surfaces => cells.scratch.into_iter().chain([cells.run]).collect(),
                _ => vec![cells.run],
            };
            let Some(runs) = finished(&cell_ids)? else { continue };
            let several = entry.seeds.len() > 1;
            let seed = if several { format!("-s{}", cells.seed) } else { String::new() };
            let (name, title) = (format!("{suite}/{letter}{seed}"), setting(entry.row));
            let title = format!("({letter}) {title}");
            panels.push(match kind {
                Kind::Trajectory => surface("trajectory", &name, title, runs, scale),
                Kind::Surfaces => surface("landscape", &name, title, runs, scale),
                _ => report(kind, &name, &title, runs, false),
            });
        }
    }
    Ok(panels)
}

/// The names of the cells' run folders, each once, where all have ended.
fn finished(plan: &Plan<'_>, place: &Place, cells: &[CellId]) -> Result<Option<Vec<String>>> {
    let mut names = Vec::new();
    for &id in cells {
        match cell_name(plan, place, id)? {
            Some(name) if matches!(place.stage(&name)?, Stage::Finished(_)) => {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            _ => return Ok(None),
        }
    }
    Ok(Some(names))
}

/// The nets that are drawn into one chart: those of one network for Figure 6, all for Figure 7.
fn groups(page: &Page<'_>, kind: Kind) -> Vec<(String, String, Vec<CellId>)> {
    let mut groups: Vec<(String, String, Vec<CellId>)> = Vec::new();
    for entry in &page.entries {
        let network = match kind {
            Kind::Parameters => entry.row.network.as_str(),
            _ => "all nets",
        };
        let cells = entry.seeds.iter().map(|cells| cells.run);
        match groups.iter_mut().find(|(_, title, _)| title == network) {
            Some((_, _, group)) => group.extend(cells),
            None => {
                let name = network.to_lowercase().replace(' ', "-");
                groups.push((name, network.into(), cells.collect()));
            }
        }
    }
    groups
}

/// A call of `autogrow report` for the charts of some runs.
fn report(kind: Kind, name: &str, title: &str, runs: Vec<String>, compares: bool) -> Panel {
    let mut arguments = vec!["report".to_string()];
    arguments.extend(runs.iter().cloned());
    arguments.extend(["--figures".into(), format!("../{name}")]);
    if compares {
        arguments.extend(["--out".into(), format!("../{name}/report.html")]);
    }
    let figure = |(file, what): &(&str, &str)| Figure {
        title: format!("{title}: {what}"),
        file: format!("{name}/{file}"),
        numbers: false,
    };
    Panel { arguments, runs, figures: kind.files().iter().map(figure).collect() }
}

/// A call of a command that computes the loss over a plane.
fn surface(command: &str, name: &str, title: String, runs: Vec<String>, scale: Scale) -> Panel {
    let [grid, images] = resolution(scale);
    let mut arguments = vec![command.to_string()];
    arguments.extend(runs.iter().cloned());
    let options = ["--grid", grid, "--images", images, "--out"];
    arguments.extend(options.map(String::from));
    arguments.push(format!("../{name}"));
    Panel { arguments, runs, figures: vec![Figure { title, file: name.into(), numbers: true }] }
}

#[cfg(test)]
mod tests;
