//! The paper's numbers: `xtask/paper/*.toml`, a table or figure a file.

use super::depth::Depth;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Name of a suite and what its file says.
const FILES: &[(&str, &str)] = &[
    ("table2", include_str!("../../paper/table2.toml")),
    ("table3", include_str!("../../paper/table3.toml")),
    ("table4", include_str!("../../paper/table4.toml")),
    ("table5", include_str!("../../paper/table5.toml")),
    ("table6", include_str!("../../paper/table6.toml")),
    ("table7", include_str!("../../paper/table7.toml")),
    ("table8", include_str!("../../paper/table8.toml")),
    ("table9", include_str!("../../paper/table9.toml")),
    ("table10", include_str!("../../paper/table10.toml")),
    ("table11", include_str!("../../paper/table11.toml")),
    ("figure2", include_str!("../../paper/figure2.toml")),
    ("figure3", include_str!("../../paper/figure3.toml")),
    ("figure4", include_str!("../../paper/figure4.toml")),
    ("figure5", include_str!("../../paper/figure5.toml")),
    ("figure6", include_str!("../../paper/figure6.toml")),
    ("figure7", include_str!("../../paper/figure7.toml")),
    ("figure8", include_str!("../../paper/figure8.toml")),
    ("claims", include_str!("../../paper/claims.toml")),
];

const SETS: &str = include_str!("../../paper/sets.toml");

/// A table or figure of the paper.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    /// The suite's name; not in the file.
    #[serde(skip)]
    pub(super) name: &'static str,
    /// Such as `Table 3`.
    pub(super) number: String,
    pub(super) title: String,
    pub(super) note: String,
    #[serde(rename = "row")]
    pub(super) rows: Vec<Row>,
}

/// What is trained in a row, and what the paper says came of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    /// As the paper calls it.
    pub(super) network: String,
    /// As `autogrow` calls it.
    pub(super) data: String,
    /// Part of the training images.
    #[serde(default = "whole")]
    pub(super) fraction: f64,
    pub(super) method: Method,
    #[serde(default)]
    pub(super) paper: Numbers,
    /// `code` where the authors' released code is followed where it differs from the paper.
    #[serde(default = "paper")]
    pub(super) compat: String,
    /// Epochs between two weights that are kept for a trajectory; 0: none are.
    #[serde(default)]
    pub(super) snapshots: u32,
    /// What is not certain about the row.
    pub(super) uncertain: Option<String>,
}

/// How a row's network comes about.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Method {
    /// AutoGrow.
    Grow(Grow),
    /// Training a given depth from scratch.
    Scratch(Scratch),
    /// Network Morphism: deepening a net that has converged.
    Morph(Morph),
}

/// AutoGrow's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Grow {
    /// `periodic` or `convergent`.
    pub(super) policy: String,
    /// K, epochs.
    pub(super) interval: u32,
    pub(super) initializer: String,
    /// The step size while growing: `constant` or `staircase`.
    pub(super) schedule: String,
    /// The seed network's depth where it is not one sub-module a sub-network.
    pub(super) seed: Option<Depth>,
}

/// A baseline.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scratch {
    pub(super) depth: Depth,
}

/// Network Morphism's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Morph {
    pub(super) shallow: Depth,
    pub(super) deep: Depth,
    pub(super) initializer: String,
}

/// What the paper prints.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Numbers {
    pub(super) found: Option<Depth>,
    /// Top-1, percent.
    pub(super) accuracy: Option<f64>,
    /// Against training from scratch, percentage points.
    pub(super) delta: Option<f64>,
    /// Top-5, percent.
    pub(super) top5: Option<f64>,
}

/// A data set and how the paper trains on it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Set {
    /// As `autogrow` calls it.
    pub(super) name: String,
    /// As the paper calls it.
    pub(super) title: String,
    /// Channels, height, width of what a network sees.
    pub(super) image: [u32; 3],
    pub(super) classes: u32,
    /// Published training images.
    pub(super) train: u32,
    /// Published test images.
    pub(super) test: u32,
    /// The set in its place where nothing may be downloaded.
    pub(super) stand_in: String,
    /// Which [`Recipe`] it is trained by.
    pub(super) recipe: String,
}

/// Hyper-parameters that depend on the data set (section 3 of the paper).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipe {
    /// N.
    pub(super) epochs: u32,
    /// T, and so J.
    pub(super) patience: u32,
    /// Parts of N at which the step size is divided by ten.
    pub(super) milestones: Vec<f64>,
    pub(super) batch_size: u32,
    pub(super) weight_decay: f64,
}

impl Set {
    /// Whether its images are as large as ImageNet's, and so need its networks.
    pub(super) fn is_large(&self) -> bool {
        self.image[1] >= 224
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sets {
    set: Vec<Set>,
    recipe: BTreeMap<String, Recipe>,
}

/// All that the data files say.
#[derive(Debug)]
pub(super) struct Paper {
    pub(super) tables: Vec<Table>,
    sets: Vec<Set>,
    recipes: BTreeMap<String, Recipe>,
}

fn paper() -> String {
    "paper".into()
}

fn whole() -> f64 {
    1.0
}

impl Paper {
    /// Reads the data files.
    ///
    /// # Errors
    /// Where one is not as it should be.
    pub(super) fn read() -> Result<Self> {
        let tables = FILES.iter().map(|&(name, text)| {
            let table = toml::from_str(text).with_context(|| format!("xtask/paper/{name}.toml"))?;
            Ok(Table { name, ..table })
        });
        let Sets { set, recipe } = toml::from_str(SETS).context("xtask/paper/sets.toml")?;
        Ok(Self { tables: tables.collect::<Result<_>>()?, sets: set, recipes: recipe })
    }

    /// The data set that `autogrow` calls so.
    ///
    /// # Errors
    /// Where no file names it.
    pub(super) fn set(&self, name: &str) -> Result<&Set> {
        let found = self.sets.iter().find(|set| set.name == name);
        found.with_context(|| {
            let valid: Vec<_> = self.sets.iter().map(|set| set.name.as_str()).collect();
            format!("no data set is called `{name}`\nhint: valid: {}", valid.join(", "))
        })
    }

    /// How the paper trains on a data set.
    ///
    /// # Errors
    /// Where no file names it.
    pub(super) fn recipe(&self, set: &Set) -> Result<&Recipe> {
        let found = self.recipes.get(&set.recipe);
        found.with_context(|| format!("xtask/paper/sets.toml has no recipe {}", set.recipe))
    }
}

impl Row {
    /// Three or four, as the paper's names say.
    pub(super) fn sub_networks(&self) -> usize {
        if self.network.contains('3') { 3 } else { 4 }
    }
}

#[cfg(test)]
mod tests;
