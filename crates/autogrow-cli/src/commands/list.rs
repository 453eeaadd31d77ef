//! `autogrow list`.

use crate::args::{ListArgs, ListKind};
use crate::output::{BOLD, Output, RESET, table};
use autogrow::data::DataSetKind;
use autogrow::device;
use autogrow::growth::PolicyKind;
use autogrow::initializer::InitializerKind;
use autogrow::network::{HeadKind, SeedNetwork, StemKind, SubModuleKind};
use autogrow::registry::{Entry, all};
use autogrow::training::{ObjectiveKind, OptimizerKind, ScheduleKind};
use autogrow::{Error, Result};
use autogrow_fetch::{Catalogue, Places, Presence, State, states};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Item {
    name: String,
    #[serde(rename = "crate")]
    origin: String,
    summary: String,
    /// Whether the files of a data set are here; none where it has no files of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
}

pub(crate) fn run(args: &ListArgs, output: &Output) -> Result<()> {
    let devices = device::states().into_iter().map(|(name, state)| Item {
        name: name.into(),
        origin: "burn".into(),
        summary: state,
        state: None,
    });
    let mut data = items::<DataSetKind>()?;
    let catalogue =
        Catalogue::built_in().map_err(|error| Error::data("catalogue", error.problem()))?;
    for state in states(&catalogue, &Places::from_environment()) {
        if let Some(item) = data.iter_mut().find(|item| item.name == state.set) {
            item.state = Some(state);
        }
    }
    let sections = [
        (ListKind::Networks, "networks", items::<SeedNetwork>()?),
        (ListKind::SubModules, "sub-modules", items::<SubModuleKind>()?),
        (ListKind::Stems, "stems", items::<StemKind>()?),
        (ListKind::Heads, "heads", items::<HeadKind>()?),
        (ListKind::Initializers, "initializers", items::<InitializerKind>()?),
        (ListKind::Policies, "policies", items::<PolicyKind>()?),
        (ListKind::Objectives, "objectives", items::<ObjectiveKind>()?),
        (ListKind::Optimizers, "optimizers", items::<OptimizerKind>()?),
        (ListKind::Schedules, "schedules", items::<ScheduleKind>()?),
        (ListKind::Data, "data", data),
        (ListKind::Devices, "devices", devices.collect()),
    ];
    let sections: Vec<_> = sections
        .into_iter()
        .filter(|(kind, ..)| args.kind.is_none_or(|wanted| wanted == *kind))
        .map(|(_, title, items)| (title, items))
        .collect();
    let json: BTreeMap<_, _> = sections.iter().map(|(title, items)| (*title, items)).collect();
    output.result(&json, || {
        let section = |(title, items): &(&str, Vec<Item>)| {
            let row = |item: &Item| {
                let files = item.state.as_ref().map(files).unwrap_or_default();
                [item.name.clone(), item.origin.clone(), item.summary.clone(), files]
            };
            let rows: Vec<_> = items.iter().map(row).collect();
            let files = if *title == "data" { "files" } else { "" };
            format!("{BOLD}{title}{RESET}\n{}\n", table(["name", "crate", "", files], rows))
        };
        sections.iter().map(section).collect()
    })
}

/// Where the files of a set are, or what to do about it.
fn files(state: &State) -> String {
    let folder = state.folder.as_ref().map(|folder| folder.display().to_string());
    let folder = folder.unwrap_or_default();
    match state.presence {
        Presence::Here => folder,
        Presence::Partly => format!("{folder} lacks {}", state.missing.join(", ")),
        Presence::Missing => format!("missing: `autogrow download {}`", state.set),
    }
}

fn items<E: Entry>() -> Result<Vec<Item>> {
    let item = |entry: &E| Item {
        name: entry.name().into(),
        origin: entry.origin().into(),
        summary: entry.summary().into(),
        state: None,
    };
    Ok(all::<E>()?.into_iter().map(item).collect())
}
