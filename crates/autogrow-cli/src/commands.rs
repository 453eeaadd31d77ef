//! The commands, a file each.

pub(crate) mod bench;
pub(crate) mod certify;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod cooldown;
pub(crate) mod data;
pub(crate) mod download;
pub(crate) mod evaluate;
pub(crate) mod export;
mod given;
pub(crate) mod landscape;
pub(crate) mod list;
mod listing;
pub(crate) mod man;
mod model;
pub(crate) mod morph;
mod no_better;
mod picture;
pub(crate) mod plan;
pub(crate) mod predict;
mod relabelled;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod resume;
pub(crate) mod runs;
mod sized;
pub(crate) mod suite;
mod surface;
pub(crate) mod sweep;
mod threads;
pub(crate) mod train;
pub(crate) mod trajectory;

use crate::settings::Loaded;
use autogrow::config::Config;
use autogrow::data::{DataRequest, DataSet};
use autogrow::device;
use autogrow::network::{ModelInfo, SeedNetwork};
use autogrow::registry::find;
use autogrow::training::{Objective, objective, precision_on, set_precision, use_convolution};
use autogrow::{Error, Result};
use autogrow_data::open_table;
use burn::tensor::Device;

/// Starts the threads and opens the device that the configuration asks for.
fn open_device(config: &Config, loaded: &Loaded) -> Result<Device> {
    open_device_of(0, config, loaded)
}

/// The same for one of several ranks, where each may have a device of its own.
fn open_device_of(rank: usize, config: &Config, loaded: &Loaded) -> Result<Device> {
    use_convolution(config.training.convolution);
    let run = &config.run;
    threads::start(run.threads);
    let device = device::of_rank(&run.device, rank).map_err(|error| loaded.locate(error))?;
    let precision = precision_on(&device, config.training.precision);
    set_precision(precision.map_err(|error| loaded.locate(error))?);
    Ok(device)
}

/// What training minimises, and by what score networks are judged.
fn objective_of(config: &Config) -> Result<Box<dyn Objective>> {
    objective(&config.training, &config.plugin)
}

fn open_data(config: &Config) -> Result<DataSet> {
    request_data(config, DataSet::open)
}

/// What the samples of a data set are called.
fn samples_of(is_table: bool) -> &'static str {
    if is_table { "rows" } else { "images" }
}

/// What an operation count is one of.
fn macs_of_one(is_table: bool) -> &'static str {
    if is_table { "MACs a row" } else { "MACs an image" }
}

/// The data set that the configuration names, for a model: of tables, as the model was trained on.
fn open_data_of(info: &ModelInfo, config: &Config) -> Result<DataSet> {
    match &info.table {
        Some(table) if config.data.name == "csv" => {
            request_data(config, |request| open_table(request, table, &info.outputs))
        }
        _ => open_data(config),
    }
}

fn request_data(
    config: &Config,
    open: impl FnOnce(&DataRequest<'_>) -> Result<DataSet>,
) -> Result<DataSet> {
    let task = objective_of(config)?.task();
    let seed = config.run.seed;
    let size = find::<SeedNetwork>(&config.network.name)?.picture_size(&config.data);
    let (compat, plugins) = (config.compat, &config.plugin);
    open(&DataRequest { config: &config.data, compat, plugins, task, seed, size })
}

/// Turns what the operating system says of a file into a data error.
fn unreadable(path: &std::path::Path, error: &std::io::Error) -> Error {
    Error::data(path, format!("cannot be read ({error})")).with_hint("check the path")
}
