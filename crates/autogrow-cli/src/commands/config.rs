//! `autogrow config`.

use crate::args::ConfigArgs;
use crate::output::{Output, table};
use crate::settings::keys;
use autogrow::{Error, Result};
use figment::value::Value;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Item {
    value: Value,
    source: String,
}

pub(crate) fn run(args: &ConfigArgs, output: &Output) -> Result<()> {
    let loaded = args.settings.load_or_quick()?;
    let config = loaded.resolve()?;
    if args.toml {
        let text = toml::to_string(config.config())
            .map_err(|error| Error::config("--toml", error.to_string()))?;
        return output.line(text.trim_end());
    }
    let (before, after) = (keys(&loaded.config)?, keys(&config)?);
    let items: BTreeMap<_, _> = after
        .into_iter()
        .map(|(key, value)| {
            // What the user left open is filled in by the network.
            let source = match before.get(&key) {
                Some(old) if text(old) == text(&value) => loaded.source(&key),
                _ => format!("default of {}", config.network.name),
            };
            (key, Item { value, source })
        })
        .collect();
    output.result(&items, || {
        let row =
            |(key, item): (&String, &Item)| [key.clone(), text(&item.value), item.source.clone()];
        table(["key", "value", "from"], items.iter().map(row).collect())
    })
}

fn text(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
