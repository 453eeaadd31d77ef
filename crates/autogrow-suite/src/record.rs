//! `suite.toml`: what a folder of results was made with, kept beside them.

use crate::keys::text;
use crate::place::Place;
use crate::scale::Scale;
use crate::suite::Suite;
use autogrow_base::{Error, Result};
use autogrow_run::read;
use autogrow_run::storage::create_folder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How a folder was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(crate) scale: Scale,
    /// The data set of all runs, where it is not the rows' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) device: Option<String>,
    /// The most runs of a row, where the command said how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seeds: Option<u64>,
    /// Every suite that was run here.
    pub(crate) suites: BTreeSet<String>,
}

impl Record {
    /// That of a folder; none where nothing was made in it.
    pub(crate) fn read(out: &Path) -> Result<Option<Self>> {
        let path = out.join("suite.toml");
        if !path.is_file() {
            return Ok(None);
        }
        let record = toml::from_str(&String::from_utf8_lossy(&read(&path)?));
        record.map(Some).map_err(|error| Error::run(path, format!("is damaged ({error})")))
    }

    /// Writes this down, with the suites and seeds of before, and the files of a user's suites.
    pub(crate) fn write(mut self, place: &Place, suites: &[Suite]) -> Result<()> {
        if let Some(before) = Self::read(&place.out)? {
            self.check_like(&before, &place.out)?;
            self.seeds = self.seeds.max(before.seeds);
            self.suites.extend(before.suites);
        }
        for suite in suites {
            if let Some(text) = &suite.text {
                create_folder(&place.out.join("suites"))?;
                place.publish(&file(&place.out, &suite.name), text)?;
            }
        }
        place.publish(&place.out.join("suite.toml"), &text(&self)?)
    }

    /// Refuses a folder that was made with other settings.
    pub(crate) fn check_like(&self, other: &Self, out: &Path) -> Result<()> {
        let [own, other] = [self.how(), other.how()];
        if own == other {
            return Ok(());
        }
        Err(Error::run(out, format!("was made {other}, not {own}"))
            .with_hint("name another folder with --out"))
    }

    /// The suites that were run in a folder.
    pub(crate) fn suites(&self, out: &Path) -> Result<Vec<Suite>> {
        let (own, built_in): (Vec<_>, Vec<_>) =
            self.suites.iter().cloned().partition(|name| file(out, name).is_file());
        let mut suites = Suite::chosen(&built_in)?;
        for name in own {
            suites.push(Suite::read(&file(out, &name))?);
        }
        Ok(suites)
    }

    /// What all runs of a folder have in common, in words.
    fn how(&self) -> String {
        let data = self.data.as_deref().unwrap_or("the rows' data sets");
        let device = self.device.as_deref().unwrap_or("auto");
        format!("at scale {} with {data} on device {device}", self.scale.name())
    }
}

/// The file of a user's suite in a folder of results.
pub(crate) fn file(out: &Path, suite: &str) -> PathBuf {
    out.join("suites").join(format!("{suite}.toml"))
}
