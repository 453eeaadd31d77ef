//! `reproduce.toml`: what a folder of results was made with, kept beside them.

use super::place::{Place, publish};
use super::scale::Scale;
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// How a folder was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// Name of the scale.
    pub(super) scale: String,
    /// What the scale does, in words.
    pub(super) rule: String,
    /// The data set of all runs, where it is not the paper's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<String>,
    pub(super) device: String,
    /// The most runs of a row.
    pub(super) seeds: u64,
    /// Every suite that was run here.
    pub(super) suites: BTreeSet<String>,
}

impl Record {
    /// That of a folder; none where nothing was made in it.
    ///
    /// # Errors
    /// Where it is damaged.
    pub(super) fn read(out: &Path) -> Result<Option<Self>> {
        let path = out.join("reproduce.toml");
        if !path.is_file() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path);
        let text = text.with_context(|| format!("{} cannot be read", path.display()))?;
        let record = toml::from_str(&text);
        record.map(Some).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Writes this down, with the suites and seeds of before.
    ///
    /// # Errors
    /// Where it cannot be written, or the folder was made with other settings.
    pub(super) fn write(mut self, place: &Place) -> Result<()> {
        let out = &place.out;
        if let Some(before) = Self::read(out)? {
            ensure!(
                before.how() == self.how(),
                "{} was made {}, not {}\nhint: name another folder with --out",
                out.display(),
                before.how(),
                self.how()
            );
            self.seeds = self.seeds.max(before.seeds);
            self.suites.extend(before.suites);
        }
        std::fs::create_dir_all(out).with_context(|| format!("{}", out.display()))?;
        publish(&out.join("reproduce.toml"), &toml::to_string(&self)?)
    }

    /// What all runs of a folder have in common, in words.
    pub(super) fn how(&self) -> String {
        let data = self.data.as_deref().unwrap_or("the paper's data sets");
        format!("at scale {} with {data} on device {}", self.scale, self.device)
    }

    /// The scale.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub(super) fn scale(&self) -> Result<Scale> {
        Scale::from_str(&self.scale, false).map_err(|why| anyhow::anyhow!("scale: {why}"))
    }
}
