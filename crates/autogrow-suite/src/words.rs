//! Rows, scales and what they change, in words.

use crate::file::{Morph, Row};
use crate::keys::flat;
use crate::plan::{Entry, Page, STANDSTILL, stackings};
use crate::scale::{Scale, Settings};
use autogrow_run::Config;
use autogrow_run::config::{Compat, SelectOn};

/// Keys that the words for a row tell already, or that change no result.
const TOLD: [&str; 10] = [
    "compat",
    "data.fraction",
    "data.name",
    "growth.initializer",
    "growth.interval",
    "growth.policy",
    "network.depth",
    "network.name",
    "run.snapshots",
    "training.schedule",
];

/// What a row trains: in the paper's words, then whatever else the file sets for it.
pub(crate) fn setting(row: &Row, written: &Config) -> String {
    if let Some(label) = &row.label {
        return label.clone();
    }
    let Config { network, growth, training, data, .. } = written;
    let initializer = initializer(&growth.initializer);
    let how = match (&row.morph, growth.policy.as_str()) {
        (Some(Morph { from, initializer }), _) => {
            format!("-{from} to {}, {}", network.depth, self::initializer(initializer))
        }
        (None, "none") => format!("-{}, from scratch", network.depth),
        (None, policy) => {
            let is_smallest = network.depth.as_slice().iter().all(|&count| count == 1);
            let seed = if is_smallest { String::new() } else { format!("-{}", network.depth) };
            let (policy, schedule) = (self::policy(policy), &training.schedule);
            format!("{seed}, {policy}, K = {}, {initializer}, {schedule}", growth.interval)
        }
    };
    let compat = if written.compat == Compat::Code { ", as the released code" } else { "" };
    let part =
        if data.fraction < 1.0 { format!(" ({} %)", 100.0 * data.fraction) } else { "".into() };
    let mut words = format!("{}{how}{compat}; {}{part}", self::network(&network.name), data.name);
    for (key, value) in flat(&row.own).iter().filter(|(key, _)| !TOLD.contains(&key.as_str())) {
        words.push_str(&format!("; {key} = {value}"));
    }
    words
}

/// As the paper calls it.
pub(crate) fn network(name: &str) -> &str {
    match name.trim_end_matches("-imagenet") {
        "basic3resnet" => "Basic3ResNet",
        "basic4resnet" => "Basic4ResNet",
        "bottleneck4resnet" => "Bottleneck4ResNet",
        "plain3net" => "Plain3Net",
        "plain4net" => "Plain4Net",
        _ => name,
    }
}

fn policy(name: &str) -> &str {
    match name {
        "periodic" => "p-AutoGrow",
        "convergent" => "c-AutoGrow",
        other => other,
    }
}

fn initializer(name: &str) -> &str {
    match name {
        "zero" => "ZeroInit",
        "adam" => "AdamInit",
        "uniform" => "UniInit",
        "gaussian" => "GauInit",
        other => other,
    }
}

/// What the scale does to some pages.
pub(crate) fn rule<'a>(settings: &Settings<'_>, pages: impl Iterator<Item = &'a Page>) -> String {
    let pages: Vec<_> = pages.collect();
    let of_paper = pages.iter().all(|page| page.suite.is_of_paper);
    match settings.scale {
        Scale::Paper if of_paper => "Hyper-parameters are the paper's, and the test images guide \
             growth and choose the best epoch, so that validation and test accuracy are one number."
            .into(),
        Scale::Paper => "Settings are those of the suite's file.".into(),
        Scale::Small => "K, J and N are a tenth (rounded, at least 1), networks are narrower, \
             and fewer images are used; held-out images guide growth and choose the best epoch."
            .into(),
        Scale::Smoke => {
            let mut entries = pages.iter().flat_map(|page| &page.entries);
            let compares = entries.any(|entry| entry.row.baseline.is_some());
            let deltas = " A baseline gets a few steps and stays at chance while a net that grows \
                          gets many times as many, so deltas mean nothing either.";
            let deltas = if compares { deltas } else { "" };
            format!(
                "This is a check that everything runs, and no result: narrow networks see a few \
                 images for a few epochs, and their accuracies mean nothing.{deltas}"
            )
        }
    }
}

/// What the runs of a row have different from what its file says.
pub(crate) fn differences(entry: &Entry, settings: &Settings<'_>) -> Vec<String> {
    let Entry { row, written, config, .. } = entry;
    let mut words = Vec::new();
    if let (Some(own), was) = (settings.sets.of(config), settings.sets.of(written))
        && was.is_none_or(|was| was.name != own.name)
    {
        let was = was.map_or(written.data.name.as_str(), |was| &was.title);
        words.push(format!("{} images in place of {was}", own.title));
    }
    let part = config.data.fraction / written.data.fraction;
    if part < 1.0 {
        words.push(format!("{} % of the training images", (1e6 * part).round() / 1e4));
    }
    let mut changed = |what: &str, own: usize, written: usize| {
        if own != written {
            words.push(format!("{what} {own}, not {written}"));
        }
    };
    changed("width", config.network.width, written.network.width);
    if written.growth.policy != "none" {
        changed("K =", config.growth.interval, written.growth.interval);
    }
    if !["none", "convergent"].contains(&written.growth.policy.as_str()) {
        changed("J =", config.growth.patience, written.growth.patience);
    }
    changed("N =", config.fine_tune.epochs, written.fine_tune.epochs);
    if (written.data.select_on, config.data.select_on) == (SelectOn::Test, SelectOn::Val) {
        words.push("held-out images guide growth and choose the best epoch".into());
    }
    if let Some(morph) = &row.morph {
        let steps = match stackings(&morph.from, &written.network.depth) {
            1 => String::new(),
            steps => format!(", {steps} stackings of one sub-module on each sub-network"),
        };
        words.push(format!(
            "an epoch at step size {STANDSTILL:e} before and after each stacking{steps}"
        ));
    }
    words
}

/// What all rows of some pages have different.
pub(crate) fn common<'a>(
    settings: &Settings<'_>,
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Vec<String> {
    let mut all = entries.into_iter().map(|entry| differences(entry, settings));
    let first = all.next().unwrap_or_default();
    all.fold(first, |mut common, other| {
        common.retain(|difference| other.contains(difference));
        common
    })
}

#[cfg(test)]
mod tests;
