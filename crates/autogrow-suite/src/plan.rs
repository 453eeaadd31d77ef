//! Which runs some suites consist of, and which of them wait for which.
//!
//! A baseline has the depth that another run finds, so its settings are not known before that run
//! has ended.

use crate::cell::{self, Cell, CellId, model_of, name};
use crate::file::{Morph, Row};
use crate::keys::{get, merge, remove, set};
use crate::scale::{Scale, Settings, Told, grows, integer};
use crate::suite::Suite;
use autogrow_base::Result;
use autogrow_growth::Depth;
use autogrow_run::Config;
use std::collections::HashMap;
use toml::{Table, Value};

/// The depth of a baseline that is to have that which its row's run finds.
const FOUND: &str = "found";

/// The step size while nothing but the depth is to change.
pub(crate) const STANDSTILL: f64 = 1e-9;

/// The cells of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeedCells {
    /// Of the row's runs, from 0.
    pub(crate) seed: u64,
    /// What the row is about.
    pub(crate) run: CellId,
    /// What it is compared with.
    pub(crate) baseline: Option<CellId>,
    /// The cell that `run` went on from, in which weights were trained as well.
    pub(crate) before: Option<CellId>,
}

/// A row of a page.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) row: Row,
    /// The row's configuration as the file has it.
    pub(crate) written: Config,
    /// That of its first run.
    pub(crate) config: Config,
    /// One for each seed.
    pub(crate) seeds: Vec<SeedCells>,
}

/// What a suite shows.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) name: String,
    pub(crate) suite: Suite,
    pub(crate) entries: Vec<Entry>,
}

/// All runs, each once, dependencies before what depends on them.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) cells: Vec<Cell>,
    pub(crate) pages: Vec<Page>,
}

impl Plan {
    /// The runs of some suites, `seeds` of each row, or as many as each suite says.
    ///
    /// # Errors
    /// Where the settings of a row are wrong: with the row that has them.
    pub(crate) fn new(
        settings: &Settings<'_>,
        suites: &[Suite],
        seeds: Option<u64>,
    ) -> Result<Self> {
        let mut cells = Cells::default();
        let mut pages = Vec::new();
        for suite in suites {
            let mut entries = Vec::new();
            for (number, row) in (1..).zip(&suite.rows) {
                // A check that it runs needs no second seed.
                let own = if settings.scale == Scale::Smoke { 1 } else { suite.seeds };
                let entry = cells.entry(settings, row, seeds.unwrap_or(own));
                let place = format!("row {number} of {}", suite.name);
                entries.push(entry.map_err(|error| match settings.data {
                    Some(_) => error,
                    None => error.with_origin(place),
                })?);
            }
            pages.push(Page { name: suite.name.clone(), suite: suite.clone(), entries });
        }
        Ok(Self { cells: cells.cells, pages })
    }
}

#[derive(Default)]
struct Cells {
    cells: Vec<Cell>,
    by_key: HashMap<String, CellId>,
}

impl Cells {
    fn entry(&mut self, settings: &Settings<'_>, row: &Row, seeds: u64) -> Result<Entry> {
        let seeds = (0..seeds).map(|seed| self.seed(settings, row, seed));
        let seeds = seeds.collect::<Result<Vec<_>>>()?;
        let written = settings.written(&row.settings)?;
        let config = seeds.first().map(|cells| self.cells[cells.run].told.config.clone());
        Ok(Entry { row: row.clone(), config: config.unwrap_or(written.clone()), written, seeds })
    }

    fn seed(&mut self, settings: &Settings<'_>, row: &Row, seed: u64) -> Result<SeedCells> {
        let told = settings.told(&row.settings, seed)?;
        let (run, before) = match &row.morph {
            None => (self.given(told, &[]), None),
            Some(morph) => {
                let (run, before) = self.morphed(settings, row, morph, told, seed)?;
                (run, Some(before))
            }
        };
        let is_grown = grows(&row.settings);
        if settings.scale == Scale::Paper && is_grown && self.cells[run].expected.is_none() {
            self.cells[run].expected = row.paper.found.clone();
        }
        let baseline = row.baseline.as_ref().map(|baseline| {
            let own = with_baseline(&row.settings, baseline);
            let told = settings.told(&own, seed)?;
            if !is_grown || get(baseline, "network.depth").and_then(Value::as_str) != Some(FOUND) {
                return Ok(self.given(told, &[]));
            }
            let key = cell::baseline_of(&self.cells[run].key, &told);
            Ok(self.add(key, told, Some(run), &[run]))
        });
        Ok(SeedCells { seed, run, baseline: baseline.transpose()?, before })
    }

    /// Network Morphism (section 3.2 of the paper): a shallow net is trained, deepened while it
    /// hardly trains, all sub-networks at once, and trained on. The last of these runs and the first.
    fn morphed(
        &mut self,
        settings: &Settings<'_>,
        row: &Row,
        morph: &Morph,
        mut deep: Told,
        seed: u64,
    ) -> Result<(CellId, CellId)> {
        let mut own = row.settings.clone();
        set(&mut own, "network.depth", morph.from.to_string());
        let shallow = settings.told(&own, seed)?;
        let mut deepen = shallow.settings.clone();
        let shallow = self.given(shallow, &[]);
        for (key, value) in [
            ("growth.policy", Value::from("periodic")),
            ("growth.mode", "all".into()),
            ("growth.interval", 1.into()),
            // Longer than it takes: the depth allowed ends it.
            ("growth.patience", integer(10 * deep.config.network.depth.sub_modules()).into()),
            ("growth.initializer", morph.initializer.as_str().into()),
            ("growth.max_depth", deep.config.network.depth.to_string().into()),
            ("training.learning_rate", STANDSTILL.into()),
            ("training.schedule", "constant".into()),
            ("training.init_from", model_of(&self.cells[shallow].key).into()),
            ("fine_tune.epochs", 0.into()),
        ] {
            set(&mut deepen, key, value);
        }
        let deepen = self.given(settings.complete(deepen)?, &[shallow]);
        set(&mut deep.settings, "training.init_from", model_of(&self.cells[deepen].key));
        Ok((self.given(settings.complete(deep.settings)?, &[deepen]), shallow))
    }

    fn given(&mut self, told: Told, after: &[CellId]) -> CellId {
        self.add(name(&told), told, None, after)
    }

    /// The cell of this key; a new one where there is none. It keeps its weights as often as the
    /// suite wants that wants it most often.
    fn add(
        &mut self,
        key: String,
        told: Told,
        found_by: Option<CellId>,
        after: &[CellId],
    ) -> CellId {
        let next = self.cells.len();
        let id = *self.by_key.entry(key.clone()).or_insert(next);
        if id == next {
            let after = after.to_vec();
            self.cells.push(Cell { key, told, found_by, after, expected: None });
            return id;
        }
        let kept = &mut self.cells[id].told;
        let (own, other) = (kept.config.run.snapshots, told.config.run.snapshots);
        if other > 0 && (own == 0 || other < own) {
            kept.config.run.snapshots = other;
            set(&mut kept.settings, "run.snapshots", integer(other));
        }
        id
    }
}

/// The settings of what a row is compared with. As long as its depth is to be found it has the row's.
fn with_baseline(row: &Table, baseline: &Table) -> Table {
    let mut own = row.clone();
    let mut baseline = baseline.clone();
    if get(&baseline, "network.depth").and_then(Value::as_str) == Some(FOUND) {
        remove(&mut baseline, "network.depth");
    }
    merge(&mut own, &baseline);
    own
}

/// More sub-modules of the sub-network that has most more than in `shallow`.
pub(crate) fn stackings(shallow: &Depth, deep: &Depth) -> usize {
    let pairs = deep.as_slice().iter().zip(shallow.as_slice());
    pairs.map(|(deep, shallow)| deep.saturating_sub(*shallow)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
