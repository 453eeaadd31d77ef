//! What tests of several files use.

use crate::place::Place;
use crate::plan::Plan;
use crate::program::Program;
use crate::scale::{Scale, Settings};
use crate::sets::Sets;
use crate::suite::Suite;
use autogrow_base::{Error, Result};
use autogrow_run::Config;
use serde::Deserialize;
use std::fs;
use toml::Table;

/// Turns settings into a configuration as the program does, for the networks that suites name.
pub(crate) fn resolve(settings: &Table) -> Result<Config> {
    let mut config = Config::deserialize(settings.clone())
        .map_err(|error| Error::config("settings", error.to_string()))?;
    if config.network.width == 0 {
        config.network.width = if config.network.name.contains('4') { 64 } else { 16 };
    }
    if config.training.learning_rate == 0.0 {
        config.training.learning_rate = 0.1;
    }
    config.check()?;
    Ok(config)
}

/// The plan of some built-in suites.
pub(crate) fn plan(scale: Scale, names: &[&str], seeds: u64) -> Plan {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    plan_of(scale, &Suite::chosen(&names).unwrap(), Some(seeds))
}

/// The plan of some suites.
pub(crate) fn plan_of(scale: Scale, suites: &[Suite], seeds: Option<u64>) -> Plan {
    let sets = Sets::read().unwrap();
    let settings = Settings { sets: &sets, scale, data: None, device: None, resolve: &resolve };
    Plan::new(&settings, suites, seeds).unwrap()
}

/// A `result.json`.
pub(crate) fn result(found: &str, test_accuracy: f64) -> String {
    format!(
        r#"{{"found":"{found}","network":"n","data":"d","val_accuracy":1.0,
        "test_accuracy":{test_accuracy},"growing_epochs":1,"fine_tuning_epochs":1,
        "growing_seconds":1.0,"fine_tuning_seconds":1.0,"parameters":1,"macs":1,"floor":null,
        "at_floor":false}}"#
    )
}

/// Ends a run, with a depth of as many sub-networks as its network has.
pub(crate) fn finish(place: &Place, name: &str) {
    let folder = place.runs().join(name);
    fs::create_dir_all(&folder).unwrap();
    let found = if name.contains("4resnet") || name.contains("4net") { "2-2-2-2" } else { "3-3-3" };
    fs::write(folder.join("result.json"), result(found, 2.0)).unwrap();
}

/// Ends all runs of a plan, baselines of what was found included.
pub(crate) fn finish_all(plan: &Plan, place: &Place) {
    for id in 0..plan.cells.len() {
        let name = place.name(plan, id).unwrap().unwrap();
        finish(place, &name);
    }
}

/// A program of which `train`, `resume` and `report` do what a shell script says, in the folder of
/// the runs, where `$1` is the first argument.
pub(crate) fn scripted(place: &Place, script: &str) -> Program {
    fs::create_dir_all(place.runs()).unwrap();
    for command in ["train", "resume", "report"] {
        fs::write(place.runs().join(command), script).unwrap();
    }
    // The shell takes the command's name for that of a script.
    Program::at("/bin/sh".into())
}
