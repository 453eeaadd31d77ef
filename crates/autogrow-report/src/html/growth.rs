//! The network as it grew: a row of sub-modules for each sub-network, each in the colour of the
//! epoch after which it was stacked (the paper's Figure 1, with a run's own history).

use super::section as framed;
use crate::chart::sequential;
use crate::run::{MOST_SUB_NETWORKS, Run};
use autogrow_growth::Depth;
use autogrow_run::Event;
use maud::{Markup, html};

/// Most sub-modules that are drawn of a sub-network.
const MOST: usize = 1000;

/// A sub-network's sub-modules, by the epochs after which they were stacked; 0: in the seed.
struct Row {
    stacked: Vec<usize>,
    stopped: Option<usize>,
}

pub(super) fn section(run: &Run) -> Markup {
    let rows = rows(run);
    let last = run.epochs.last().map_or(0, |epoch| epoch.number);
    let growing = rows.iter().flat_map(|row| row.stacked.iter().chain(&row.stopped)).copied();
    let end = growing.max().unwrap_or(0).max(1);
    let body = html! {
        div #growth.growth data-end=(end) data-last=(last) {
            div.player hidden {
                button #play type="button" aria-label="Play the growth" { "▶" }
                input #scrub type="range" min="0" max=(last) value=(last) step="1"
                    aria-label="Epoch" aria-describedby="now";
                output #now for="scrub" {}
            }
            div.net {
                p.terminal { (input(run)) " → stem" }
                @for (index, row) in rows.iter().enumerate() { (draw(index, row, end)) }
                p.terminal { "pooling, linear → " (outputs(run)) }
            }
            (key(end))
        }
    };
    framed("growth", "How it grew", &body)
}

fn rows(run: &Run) -> Vec<Row> {
    let started = run.events.iter().find_map(|event| match event {
        Event::Started { depth, .. } => Some(depth),
        _ => None,
    });
    let seed: &Depth = started
        .or(run.epochs.first().map(|epoch| &epoch.depth))
        .unwrap_or(&run.config.network.depth);
    let row = |&count: &usize| Row { stacked: vec![0; count.min(MOST)], stopped: None };
    let mut rows: Vec<Row> = seed.as_slice().iter().take(MOST_SUB_NETWORKS).map(row).collect();
    for event in &run.events {
        match event {
            Event::Grew { epoch, subnet, .. } => {
                if let Some(row) = rows.get_mut(*subnet).filter(|row| row.stacked.len() < MOST) {
                    row.stacked.push(*epoch);
                }
            }
            Event::Stopped { epoch, subnet, .. } | Event::Capped { epoch, subnet, .. } => {
                if let Some(row) = rows.get_mut(*subnet) {
                    row.stopped = Some(*epoch);
                }
            }
            _ => {}
        }
    }
    rows
}

fn draw(index: usize, row: &Row, end: usize) -> Markup {
    html! {
        div.subnet {
            p.label { "sub-network " (index) span.count { (row.stacked.len()) } }
            ol.modules aria-label={ "Sub-modules of sub-network " (index) } {
                @for &epoch in &row.stacked {
                    @if epoch == 0 {
                        li.seed data-epoch="0" title="in the seed network" { "·" }
                    } @else {
                        @let (colour, dark) = sequential(epoch as f64 / end as f64);
                        li.dark[dark] data-epoch=(epoch) title={ "stacked after epoch " (epoch) }
                            style={ "background:" (colour) } { (epoch) }
                    }
                }
                @if let Some(epoch) = row.stopped {
                    li.stopped data-epoch=(epoch) title={ "growth stopped after epoch " (epoch) } {
                        span aria-hidden="true" { "✕" } " " (epoch)
                    }
                }
            }
        }
    }
}

fn key(end: usize) -> Markup {
    html! {
        p.key {
            "A row is a sub-network (a stage), a box in it a sub-module (a block): "
            span.seed-key { "·" } " in the seed "
            span.ramp aria-hidden="true" {
                @for step in 0..24 {
                    i style={ "background:" (sequential(f64::from(step) / 23.0).0) } {}
                }
            }
            " stacked after epoch 1 to " (end) " "
            span.end aria-hidden="true" { "✕" } " growth stopped"
        }
    }
}

/// What the network takes: pictures, width by height, or rows of a table.
fn input(run: &Run) -> String {
    let Some(architecture) = &run.architecture else { return "image".into() };
    match architecture.image {
        [1, 1, 1] => "1 column".into(),
        [columns, 1, 1] => format!("{columns} columns"),
        [1, height, width] => format!("image {width}×{height}, 1 channel"),
        [channels, height, width] => format!("image {width}×{height}, {channels} channels"),
    }
}

fn outputs(run: &Run) -> String {
    let words = run.words().outputs();
    run.architecture.as_ref().map_or(words.into(), |net| format!("{} {words}", net.classes))
}
