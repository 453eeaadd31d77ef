//! What was measured for the rows of a page, read from the run folders.

use crate::cell::CellId;
use crate::figures::{self, Drawing};
use crate::file::Printed;
use crate::place::{Place, Stage};
use crate::plan::{Entry, Page, Plan};
use crate::scale::{Scale, Settings};
use crate::words;
use autogrow_base::Result;
use autogrow_run::Outcome;
use serde::Serialize;

/// A page as it is written.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    pub(crate) suite: String,
    pub(crate) title: String,
    /// What holds for the whole page, a paragraph each.
    pub(crate) notes: Vec<String>,
    pub(crate) rows: Vec<Line>,
    /// Figures that are drawn.
    pub(crate) figures: Vec<Drawing>,
}

/// A row of a page.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    /// The suite that it is of.
    pub(crate) of: String,
    /// What was trained, in words.
    pub(crate) setting: String,
    /// Where the scale is one of results, and the paper prints any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) paper: Option<Printed>,
    pub(crate) seeds: Vec<Measured>,
    /// What differs from the file's settings, beyond what the page's notes say.
    pub(crate) differences: Vec<String>,
    /// Whether top-5 accuracy is of interest.
    #[serde(skip)]
    pub(crate) has_top5: bool,
}

/// What one of a row's runs came to.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) seed: u64,
    #[serde(flatten)]
    pub(crate) run: Run,
    /// What it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) baseline: Option<Run>,
    /// Test accuracy against that, percentage points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delta: Option<f64>,
    /// Whether the net was found by growing, so that it can sit on a floor.
    #[serde(skip)]
    pub(crate) grown: bool,
}

/// A run folder and what is in it.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    /// None as long as its depth is to be found.
    pub(crate) run: Option<String>,
    pub(crate) outcome: Option<Outcome>,
    /// On the test images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top5_percent: Option<f64>,
    /// Why there is no outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
}

impl Results {
    /// Reads what there is so far.
    pub(crate) fn read(
        page: &Page,
        plan: &Plan,
        place: &Place,
        settings: &Settings<'_>,
    ) -> Result<Self> {
        let common = words::common(settings, &page.entries);
        let mut rows = Vec::new();
        for entry in &page.entries {
            let mut line = Line::read(entry, plan, place, settings)?;
            line.differences.retain(|difference| !common.contains(difference));
            rows.push(line);
        }
        let rule = words::rule(settings, std::iter::once(page));
        let mut notes = vec![page.suite.note.clone()];
        notes.push(format!("Scale `{}`. {rule}", settings.scale.name()));
        if !common.is_empty() {
            let than = if page.suite.is_of_paper { "the paper" } else { "the file" };
            notes.push(format!("In all rows, unlike in {than}: {}.", common.join("; ")));
        }
        notes.retain(|note| !note.is_empty());
        let figures = figures::drawn(page, plan, place, settings.scale)?;
        let (suite, title) = (page.name.clone(), page.suite.title.clone());
        Ok(Self { suite, title, notes, rows, figures })
    }
}

impl Line {
    fn read(entry: &Entry, plan: &Plan, place: &Place, settings: &Settings<'_>) -> Result<Self> {
        let Entry { row, written, seeds, .. } = entry;
        let grown = written.growth.policy != "none";
        let seeds = seeds.iter().map(|cells| {
            let run = Run::read(plan, place, cells.run)?;
            let baseline = cells.baseline.map(|id| Run::read(plan, place, id)).transpose()?;
            let accuracy = |run: &Run| Some(run.outcome.as_ref()?.test_accuracy);
            let delta =
                baseline.as_ref().and_then(|baseline| Some(accuracy(&run)? - accuracy(baseline)?));
            Ok(Measured { seed: cells.seed, run, baseline, delta, grown })
        });
        let paper = &row.paper;
        let has_paper = paper.accuracy.is_some() || paper.uncertain.is_some();
        Ok(Self {
            of: row.of.clone(),
            setting: words::setting(row, written),
            paper: (settings.scale != Scale::Smoke && has_paper).then(|| paper.clone()),
            seeds: seeds.collect::<Result<_>>()?,
            differences: words::differences(entry, settings),
            has_top5: paper.top5.is_some(),
        })
    }
}

impl Run {
    fn read(plan: &Plan, place: &Place, id: CellId) -> Result<Self> {
        let Some(name) = place.name(plan, id)? else {
            let problem = Some("not run yet".into());
            return Ok(Self { run: None, outcome: None, top5_percent: None, problem });
        };
        let (outcome, problem) = match (place.stage(&name)?, place.failure(&name)) {
            (Stage::Finished(outcome), _) => (Some(outcome), None),
            (_, Some(why)) => (None, Some(format!("failed: {why}"))),
            (Stage::Begun, None) => (None, Some("not finished".into())),
            (Stage::Missing, None) => (None, Some("not run yet".into())),
        };
        let top5_percent = outcome.is_some().then(|| place.top5(&name)).flatten();
        Ok(Self { run: Some(name), outcome, top5_percent, problem })
    }
}
