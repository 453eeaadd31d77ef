//! Reading the files of a run folder without trusting them: bounded, and what is damaged is left
//! out and told.

use super::{Evaluation, Measures, Origin};
use autogrow_base::{Error, Result};
use autogrow_growth::{Depth, Evidence};
use autogrow_run::validation::whole_epochs;
use autogrow_run::{names, storage};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The most that is read of a file, bytes: a hundred thousand epochs.
const MAX_FILE: u64 = 64 << 20;

/// A run folder that is being read.
pub(super) struct Folder<'a> {
    path: &'a Path,
    /// What is damaged and was left out, in words.
    pub(super) damage: Vec<String>,
}

impl<'a> Folder<'a> {
    pub(super) fn of(path: &'a Path) -> Self {
        Self { path, damage: Vec::new() }
    }

    /// `config.toml`, without which there is no run.
    pub(super) fn configuration(&self) -> Result<toml::Table> {
        let text = self.text(names::CONFIG)?.ok_or_else(|| {
            Error::run(self.path, "is not a run folder: it holds no config.toml")
                .with_hint("name the folder that `autogrow train` wrote")
        })?;
        text.parse().map_err(|error: toml::de::Error| {
            Error::run(self.path.join(names::CONFIG), format!("is damaged ({})", error.message()))
        })
    }

    /// A file's text, bytes that are no text replaced; none where there is no file.
    pub(super) fn text(&self, name: impl AsRef<Path>) -> Result<Option<String>> {
        let bytes = self.bytes(name)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// A file's bytes; none where there is no file.
    fn bytes(&self, name: impl AsRef<Path>) -> Result<Option<Vec<u8>>> {
        let path = self.path.join(name);
        let read = || -> std::io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            File::open(&path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Ok(bytes) if bytes.len() as u64 > MAX_FILE => {
                Err(Error::run(path, format!("is larger than {MAX_FILE} bytes"))
                    .with_hint("no run writes such a file; name another folder"))
            }
            Ok(bytes) => Ok(Some(bytes)),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(error) => Err(storage::failed(&path, "cannot be read", &error)),
        }
    }

    /// What `validation.bin` tells of each epoch, as far as it is whole: the last one may be half
    /// written.
    pub(super) fn evidence(&mut self) -> Result<BTreeMap<usize, Evidence>> {
        let Some(bytes) = self.bytes(names::VALIDATION)? else { return Ok(BTreeMap::new()) };
        let (epochs, damage) = whole_epochs(&bytes);
        if let Some(problem) = damage {
            self.leave_out(names::VALIDATION, &format!("is damaged ({problem})"));
        }
        Ok(epochs.into_iter().map(|epoch| (epoch.epoch, epoch.evidence)).collect())
    }

    /// A file of JSON; none where there is none, or none that makes sense, which is told.
    pub(super) fn json<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let read = serde_json::from_str(&text);
        let read = read.map_err(|error| self.leave_out(name, &format!("is damaged ({error})")));
        Ok(read.ok())
    }

    /// `evaluation.json`, in the one form or the other, if it is of the model with the depth `found`
    /// as far as it says of which it is.
    pub(super) fn evaluation(
        &mut self,
        found: Option<&Depth>,
    ) -> Result<(Option<Evaluation>, Option<Measures>)> {
        let Some(document) = self.json::<Map<String, Value>>(names::EVALUATION)? else {
            return Ok((None, None));
        };
        let own = document.get("found").and_then(Value::as_str);
        if let (Some(own), Some(found)) = (own, found)
            && own != found.to_string()
        {
            self.leave_out(names::EVALUATION, &format!("is of another model ({own})"));
            return Ok((None, None));
        }
        if !document.contains_key("top1") {
            return Ok((None, Some(Measures::of(&document))));
        }
        let read = Evaluation::of(document);
        let read = read.unwrap_or_else(|problem| {
            self.leave_out(names::EVALUATION, &problem);
            None
        });
        Ok((read, None))
    }

    /// What the newest checkpoint says of the run's origin. Its manifest is signed on the first
    /// line.
    pub(super) fn origin(&self) -> Result<Option<Origin>> {
        #[derive(Deserialize)]
        struct Manifest {
            origin: Origin,
        }
        let checkpoints = PathBuf::from(names::CHECKPOINTS);
        let Ok(entries) = fs::read_dir(self.path.join(&checkpoints)) else { return Ok(None) };
        let numbers = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok());
        let Some(newest) = numbers.max().map(|number: u64| number.to_string()) else {
            return Ok(None);
        };
        let manifest = self.text(checkpoints.join(newest).join(names::MANIFEST))?;
        let body = manifest.as_deref().and_then(|text| text.split_once('\n')).map(|(_, body)| body);
        let read = body.and_then(|body| serde_json::from_str::<Manifest>(body).ok());
        Ok(read.map(|manifest| manifest.origin))
    }

    fn leave_out(&mut self, name: &str, problem: &str) {
        self.damage.push(format!("{name} {problem}; left out"));
    }
}
