//! `autogrow list`.

use crate::args::{ListArgs, ListKind};
use crate::device;
use crate::output::{BOLD, Output, RESET, table};
use autogrow_core::Result;
use autogrow_core::data::DataSetKind;
use autogrow_core::growth::PolicyKind;
use autogrow_core::initializer::InitializerKind;
use autogrow_core::network::{SeedNetwork, SubModuleKind};
use autogrow_core::registry::{Entry, all};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Item {
    name: String,
    #[serde(rename = "crate")]
    origin: String,
    summary: String,
}

pub(crate) fn run(args: &ListArgs, output: &Output) -> Result<()> {
    let devices = device::states().into_iter().map(|(name, state)| Item {
        name: name.into(),
        origin: "burn".into(),
        summary: state,
    });
    let sections = [
        (ListKind::Networks, "networks", items::<SeedNetwork>()?),
        (ListKind::SubModules, "sub-modules", items::<SubModuleKind>()?),
        (ListKind::Initializers, "initializers", items::<InitializerKind>()?),
        (ListKind::Policies, "policies", items::<PolicyKind>()?),
        (ListKind::Data, "data", items::<DataSetKind>()?),
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
            let row = |item: &Item| [item.name.clone(), item.origin.clone(), item.summary.clone()];
            let rows = items.iter().map(row).collect();
            format!("{BOLD}{title}{RESET}\n{}\n", table(["name", "crate", ""], rows))
        };
        sections.iter().map(section).collect()
    })
}

fn items<E: Entry>() -> Result<Vec<Item>> {
    let item = |entry: &E| Item {
        name: entry.name().into(),
        origin: entry.origin().into(),
        summary: entry.summary().into(),
    };
    Ok(all::<E>()?.into_iter().map(item).collect())
}
