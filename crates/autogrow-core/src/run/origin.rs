//! [`Origin`]: what a run was trained on and with.

use crate::Result;
use crate::config::Config;
use crate::data::{DataSet, Outputs, Pass, Split, Targets};
use crate::registry::{Entry, find};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What must be the same for a run to go on: a hash of the data, and the crates of what is named
/// in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Hash of sizes, classes and first images.
    pub data: String,
    /// Crate that each named thing comes from.
    pub plugins: BTreeMap<String, String>,
}

impl Origin {
    /// Of a run of `config` on `data`.
    ///
    /// # Errors
    /// Data errors; unknown names.
    pub fn of(config: &Config, data: &DataSet) -> Result<Self> {
        let mut hasher = blake3::Hasher::new();
        let asked_for = match &data.outputs {
            // As runs of before there were other objectives have it.
            Outputs::Classes(classes) => format!("{classes:?}"),
            outputs => format!("{outputs:?}"),
        };
        hasher.update(format!("{:?}{asked_for}", data.image).as_bytes());
        let splits: [&dyn Split; 3] = [&*data.train, &*data.validation, &*data.test];
        for split in splits {
            hasher.update(&split.len().to_le_bytes());
            if let Some(batch) = split.batches(Pass { batch_size: 64, ..Pass::default() }).next() {
                let batch = batch?;
                match &batch.targets {
                    Targets::Classes(classes) => {
                        for class in classes {
                            hasher.update(&class.to_le_bytes());
                        }
                    }
                    Targets::Numbers { values, .. } => {
                        for value in values {
                            hasher.update(&value.to_le_bytes());
                        }
                    }
                }
                for pixel in &batch.images {
                    hasher.update(&pixel.to_le_bytes());
                }
            }
        }
        let network = find::<crate::network::SeedNetwork>(&config.network.name)?;
        // Data that come from the memory of a program have no kind.
        let data_set = find::<crate::data::DataSetKind>(&config.data.name);
        let data_set = data_set.map_or("memory", |kind| kind.origin());
        let named: [(&str, &str); 5] = [
            ("network", network.origin()),
            ("sub-module", network.sub_module_kind()?.origin()),
            (
                "initializer",
                find::<crate::initializer::InitializerKind>(&config.growth.initializer)?.origin(),
            ),
            ("policy", find::<crate::growth::PolicyKind>(&config.growth.policy)?.origin()),
            ("data set", data_set),
        ];
        Ok(Self {
            data: hasher.finalize().to_hex().to_string(),
            plugins: named.map(|(kind, origin)| (kind.to_string(), origin.to_string())).into(),
        })
    }
}
