//! Figures of a suite, drawn by the program from the run folders of a page once all of them have
//! ended, and put beside its tables: `<out>/<suite>/...`.

use crate::cell::CellId;
use crate::file::Figure;
use crate::place::{Place, Stage};
use crate::plan::{Page, Plan};
use crate::program::{Ending, Program};
use crate::run::Failed;
use crate::scale::Scale;
use crate::words;
use autogrow_base::Result;
use autogrow_run::names;
use autogrow_run::storage::{create_folder, failed};
use serde::Serialize;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

/// A picture that is drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Drawing {
    /// What it shows, in words.
    pub(crate) title: String,
    /// Its place from the page, without ending: `.svg` and `.png` are there.
    pub(crate) file: String,
    /// Whether its numbers lie beside it as `.json`.
    pub(crate) numbers: bool,
}

/// What one call of the program draws.
#[derive(Debug)]
pub(crate) struct Panel {
    arguments: Vec<String>,
    runs: Vec<String>,
    drawings: Vec<Drawing>,
}

impl Figure {
    /// Names of files and what each shows; of a [`Figure::Trajectory`] and the like, no more than one.
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
            Self::Compute => &[
                ("accuracy-macs", "accuracy by multiply-accumulates"),
                ("accuracy-training", "accuracy by the cost of training"),
            ],
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
pub(crate) fn drawn(page: &Page, plan: &Plan, place: &Place, scale: Scale) -> Result<Vec<Drawing>> {
    let panels = panels(page, plan, place, scale)?;
    let drawings = panels.into_iter().flat_map(|panel| panel.drawings);
    Ok(drawings.filter(|drawing| path(place, drawing, "svg").is_file()).collect())
}

/// Whether a plan has figures that take more than reading what runs have written: a loss surface
/// evaluates a net again and again.
pub(crate) fn take_long(plan: &Plan) -> bool {
    let mut figures = plan.pages.iter().filter_map(|page| page.suite.figure);
    figures.any(|figure| matches!(figure, Figure::Trajectory | Figure::Surfaces))
}

/// What is missing of a plan's figures, older than its runs, or of other runs.
pub(crate) fn to_draw(plan: &Plan, place: &Place, scale: Scale) -> Result<Vec<Panel>> {
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
/// Where files cannot be read or written, or the program cannot be started.
pub(crate) fn draw(
    panels: &[Panel],
    place: &Place,
    (program, threads): (&Program, usize),
    note: &dyn Fn(&str),
) -> Result<Vec<Failed>> {
    let mut lost = Vec::new();
    for panel in panels {
        let Some(first) = panel.drawings.first() else { continue };
        note(&format!("drawing     {}", first.file));
        let drawn_from = path(place, first, "args");
        if let Some(folder) = drawn_from.parent() {
            create_folder(folder)?;
        }
        let mut arguments = panel.arguments.clone();
        if arguments[0] != "report" {
            arguments.extend(["--threads".into(), threads.to_string()]);
        }
        match program.work(&place.runs(), &arguments, &path(place, first, "log"))? {
            Ending::Finished => place.publish(&drawn_from, &panel.drawn_from())?,
            Ending::Interrupted(_) => {}
            Ending::Failed(_) if program.interrupted().is_some() => {}
            Ending::Failed(why) => {
                note(&format!("failed      {}: {}", first.file, why.message));
                let (name, code) = (first.file.clone(), why.code);
                lost.push(Failed { name, code, message: why.message });
            }
        }
        if program.interrupted().is_some() {
            break;
        }
    }
    Ok(lost)
}

impl Panel {
    /// What is kept beside its first figure, to tell when others are to be drawn there.
    fn drawn_from(&self) -> String {
        self.arguments.iter().map(|argument| format!("{argument}\n")).collect()
    }

    /// Whether all its files are there, drawn from its runs and younger than their results.
    fn is_fresh(&self, place: &Place) -> Result<bool> {
        let drawn_from = self.drawings.first().map(|first| path(place, first, "args"));
        let drawn_from = drawn_from.and_then(|path| fs::read_to_string(path).ok());
        if drawn_from != Some(self.drawn_from()) {
            return Ok(false);
        }
        let mut oldest = None;
        for drawing in &self.drawings {
            for ending in ["svg", "png"] {
                let path = path(place, drawing, ending);
                let Ok(drawn) = fs::metadata(path).and_then(|file| file.modified()) else {
                    return Ok(false);
                };
                oldest = Some(oldest.map_or(drawn, |oldest: SystemTime| oldest.min(drawn)));
            }
        }
        for run in &self.runs {
            let result = place.runs().join(run).join(names::RESULT);
            let modified = fs::metadata(&result).and_then(|file| file.modified());
            let modified = modified.map_err(|error| failed(&result, "cannot be read", &error))?;
            if Some(modified) > oldest {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn path(place: &Place, drawing: &Drawing, ending: &str) -> PathBuf {
    place.out.join(format!("{}.{ending}", drawing.file))
}

/// What is to be drawn for a page, as far as its runs have ended.
fn panels(page: &Page, plan: &Plan, place: &Place, scale: Scale) -> Result<Vec<Panel>> {
    let suite = &page.name;
    let Some(figure) = page.suite.figure else { return Ok(Vec::new()) };
    let finished = |cells: &[CellId]| finished(plan, place, cells);
    let mut panels = Vec::new();
    if let Figure::Parameters | Figure::Macs | Figure::Compute = figure {
        for (name, title, cells) in groups(page, figure) {
            if let Some(runs) = finished(&cells)? {
                panels.push(report(figure, &format!("{suite}/{name}"), &title, runs, true));
            }
        }
        return Ok(panels);
    }
    for (number, entry) in (1..).zip(&page.entries) {
        for cells in &entry.seeds {
            let ids = match figure {
                Figure::Trajectory => cells.before.into_iter().chain([cells.run]).collect(),
                Figure::Surfaces => cells.baseline.into_iter().chain([cells.run]).collect(),
                _ => vec![cells.run],
            };
            let Some(runs) = finished(&ids)? else { continue };
            let several = entry.seeds.len() > 1;
            let seed = if several { format!("-s{}", cells.seed) } else { String::new() };
            let letter = letter(number);
            let name = format!("{suite}/{letter}{seed}");
            let title = format!("({letter}) {}", words::setting(&entry.row, &entry.written));
            panels.push(match figure {
                Figure::Trajectory => surface("trajectory", &name, title, runs, scale),
                Figure::Surfaces => surface("landscape", &name, title, runs, scale),
                _ => report(figure, &name, &title, runs, false),
            });
        }
    }
    Ok(panels)
}

/// `a` to `z` for the first rows, numbers from there on.
fn letter(number: u32) -> String {
    match char::from_digit(number + 9, 36).filter(|_| number <= 26) {
        Some(letter) => letter.into(),
        None => number.to_string(),
    }
}

/// The names of the cells' run folders, each once, where all have ended.
fn finished(plan: &Plan, place: &Place, cells: &[CellId]) -> Result<Option<Vec<String>>> {
    let mut names = Vec::new();
    for &id in cells {
        match place.name(plan, id)? {
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

/// The nets that are drawn into one chart: those of one network by parameters, all by operations.
fn groups(page: &Page, figure: Figure) -> Vec<(String, String, Vec<CellId>)> {
    let mut groups: Vec<(String, String, Vec<CellId>)> = Vec::new();
    for entry in &page.entries {
        let network = match figure {
            Figure::Parameters => words::network(&entry.written.network.name),
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
fn report(figure: Figure, name: &str, title: &str, runs: Vec<String>, compares: bool) -> Panel {
    let mut arguments = vec!["report".to_string()];
    arguments.extend(runs.iter().cloned());
    arguments.extend(["--figures".into(), format!("../{name}")]);
    if compares {
        arguments.extend(["--out".into(), format!("../{name}/report.html")]);
    }
    let drawing = |(file, what): &(&str, &str)| Drawing {
        title: format!("{title}: {what}"),
        file: format!("{name}/{file}"),
        numbers: false,
    };
    Panel { arguments, runs, drawings: figure.files().iter().map(drawing).collect() }
}

/// A call of a command that computes the loss over a plane.
fn surface(command: &str, name: &str, title: String, runs: Vec<String>, scale: Scale) -> Panel {
    let [grid, images] = resolution(scale);
    let mut arguments = vec![command.to_string()];
    arguments.extend(runs.iter().cloned());
    let options = ["--grid", grid, "--images", images, "--out"];
    arguments.extend(options.map(String::from));
    arguments.push(format!("../{name}"));
    Panel { arguments, runs, drawings: vec![Drawing { title, file: name.into(), numbers: true }] }
}

#[cfg(test)]
mod tests;
