//! The configuration of a run, with what differs from the defaults marked, and where it ran.

use super::format::date;
use super::section as framed;
use crate::run::{Run, Settings};
use autogrow_run::Event;
use maud::{Markup, html};
use std::collections::BTreeMap;

pub(super) fn section(run: &Run, defaults: Option<&Settings>) -> Markup {
    let settings = &run.settings;
    let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for key in settings.keys() {
        let name = key.rsplit_once('.').map_or("", |(section, _)| section);
        sections.entry(name).or_default().push(key);
    }
    let differs = |key: &str| {
        defaults
            .filter(|defaults| settings.differs(defaults, key))
            .map(|defaults| defaults.text(key).map_or("–".into(), |text| or_empty(&text)))
    };
    let body = html! {
        div.settings {
            @for (name, keys) in &sections {
                table {
                    caption { (if name.is_empty() { "general" } else { name }) }
                    tbody {
                        @for key in keys {
                            @let default = differs(key);
                            tr.changed[default.is_some()] {
                                th scope="row" { (key.rsplit_once('.').map_or(*key, |(_, own)| own)) }
                                td {
                                    (or_empty(&settings.text(key).unwrap_or_default()))
                                    @if let Some(default) = default { " " span.none { "default " (default) } }
                                }
                            }
                        }
                    }
                }
            }
        }
        @if defaults.is_some() { p.caption { "Marked: what differs from the defaults." } }
    };
    html! { (framed("settings", "Configuration", &body)) (environment(run)) }
}

fn or_empty(text: &str) -> String {
    if text.is_empty() { "(empty)".into() } else { text.into() }
}

fn environment(run: &Run) -> Markup {
    let count =
        |wanted: fn(&Event) -> bool| run.events.iter().filter(|event| wanted(event)).count();
    let resumed = count(|event| matches!(event, Event::Resumed { .. }));
    let went_back = count(|event| matches!(event, Event::WentBack { .. }));
    let config = &run.config.run;
    let threads = match config.threads {
        0 => "all".to_string(),
        threads => threads.to_string(),
    };
    let body = html! {
        dl.pairs {
            dt { "run folder" } dd { code { (run.path.display()) } }
            @if run.started > 0.0 { dt { "started" } dd { (date(run.started)) } }
            dt { "device" } dd { (config.device) }
            dt { "threads" } dd { (threads) }
            dt { "seed" } dd { (config.seed) }
            dt { "resumed" } dd { (times(resumed)) }
            @if went_back > 0 { dt { "went back to a checkpoint after divergence" } dd { (times(went_back)) } }
            @if let Some(origin) = &run.origin {
                @if !origin.data.is_empty() { dt { "hash of the data" } dd { code { (origin.data) } } }
                @for (kind, name) in &origin.plugins { dt { (kind) } dd { "from " code { (name) } } }
            }
        }
    };
    framed("environment", "Where it ran", &body)
}

fn times(count: usize) -> String {
    match count {
        0 => "never".into(),
        1 => "once".into(),
        count => format!("{count} times"),
    }
}
