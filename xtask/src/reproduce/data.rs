//! Whether the data sets are there, asked before anything is trained.

use super::autogrow::Autogrow;
use super::plan::Cell;
use anyhow::Result;
use serde::Deserialize;
use std::collections::BTreeSet;

/// What `autogrow list --json` says of data sets.
#[derive(Deserialize)]
struct List {
    data: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// A data set that cannot be trained on.
#[derive(Debug)]
pub(super) struct Missing {
    pub(super) name: String,
    /// What `autogrow` says of it; none where it cannot read such a set at all.
    pub(super) why: Option<String>,
}

impl Missing {
    /// What is missing and how to get it.
    pub(super) fn words(&self) -> String {
        let name = &self.name;
        match &self.why {
            Some(why) => format!("{name} is missing: {why}\nhint: autogrow download {name}"),
            None => format!(
                "{name} is missing: this `autogrow` has no reader for it\n\
                 hint: `--scale smoke` takes other images in its place"
            ),
        }
    }
}

/// The data sets of some cells that are not there.
///
/// # Errors
/// Where `autogrow` cannot be asked.
pub(super) fn missing<'a>(
    autogrow: &Autogrow,
    cells: impl Iterator<Item = &'a Cell>,
) -> Result<Vec<Missing>> {
    // What has a folder of its own is drawn when it is needed.
    let published = cells.filter(|cell| cell.config.data.dir.is_none());
    let names: BTreeSet<_> = published.map(|cell| cell.config.data.name.as_str()).collect();
    let known: List = autogrow.json(["list"])?;
    let mut missing = Vec::new();
    for name in names {
        if !known.data.iter().any(|known| known.name == name) {
            missing.push(Missing { name: name.into(), why: None });
            continue;
        }
        // `plan` opens the data, and otherwise does as good as nothing for a net this small.
        let plan = ["plan", "--data", name, "--policy", "none", "--set", "network.width=1"];
        if let Err(error) = autogrow.json::<serde_json::Value>(plan) {
            let said = error.to_string();
            let why = said.lines().next().unwrap_or_default();
            let why = Some(why.strip_prefix("error: ").unwrap_or(why).to_string());
            missing.push(Missing { name: name.into(), why });
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_how_to_get_it() {
        let missing = Missing { name: "svhn".into(), why: Some("no files".into()) };
        assert_eq!(missing.words(), "svhn is missing: no files\nhint: autogrow download svhn");
        let unknown = Missing { name: "imagenet".into(), why: None };
        assert!(unknown.words().contains("no reader") && !unknown.words().contains("download"));
    }
}
