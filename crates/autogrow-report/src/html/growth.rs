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

/// A sub-network's sub-modules, those that were given up among them.
struct Row {
    boxes: Vec<SubModule>,
    stopped: Option<usize>,
}

/// A sub-module, from an epoch until another.
struct SubModule {
    /// The epoch after which it was stacked; 0: in the seed.
    stacked: usize,
    /// Since when it is there: later, where it was taken back and came back.
    from: usize,
    /// Until when, where it was taken back.
    until: Option<usize>,
}

impl SubModule {
    fn stacked(epoch: usize) -> Self {
        Self { stacked: epoch, from: epoch, until: None }
    }
}

impl Row {
    /// How many sub-modules there are now.
    fn depth(&self) -> usize {
        self.boxes.iter().filter(|own| own.until.is_none()).count()
    }

    /// Goes back to another depth after `epoch`: the topmost are taken back, or those that were taken back
    /// last return.
    fn go_back(&mut self, depth: usize, epoch: usize) {
        let now = self.depth();
        let present = self.boxes.iter_mut().rev().filter(|own| own.until.is_none());
        present.take(now.saturating_sub(depth)).for_each(|own| own.until = Some(epoch));
        let back = self.boxes.iter().filter(|own| own.until.is_some());
        let back: Vec<usize> = back.map(|own| own.stacked).collect();
        let missing = depth.saturating_sub(now).min(back.len());
        let back = back[back.len() - missing..].iter();
        self.boxes.extend(back.map(|&stacked| SubModule { stacked, from: epoch, until: None }));
    }

    /// All are given up after `epoch`, for new ones.
    fn begin_anew(&mut self, depth: usize, epoch: usize) {
        let present = self.boxes.iter_mut().filter(|own| own.until.is_none());
        present.for_each(|own| own.until = Some(epoch));
        self.boxes.extend((0..depth.min(MOST)).map(|_| SubModule::stacked(epoch)));
    }
}

pub(super) fn section(run: &Run) -> Markup {
    let rows = rows(run);
    let last = run.epochs.last().map_or(0, |epoch| epoch.number);
    let growing =
        rows.iter().flat_map(|row| row.boxes.iter().map(|own| own.stacked).chain(row.stopped));
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
    let row = |&count: &usize| {
        let boxes = (0..count.min(MOST)).map(|_| SubModule::stacked(0)).collect();
        Row { boxes, stopped: None }
    };
    let mut rows: Vec<Row> = seed.as_slice().iter().take(MOST_SUB_NETWORKS).map(row).collect();
    for event in &run.events {
        match event {
            Event::Grew { epoch, subnet, .. } => {
                if let Some(row) = rows.get_mut(*subnet).filter(|row| row.boxes.len() < MOST) {
                    row.boxes.push(SubModule::stacked(*epoch));
                }
            }
            Event::RolledBack { epoch, depth, .. } => {
                let depths = depth.as_slice().iter();
                rows.iter_mut().zip(depths).for_each(|(row, &depth)| row.go_back(depth, *epoch));
            }
            Event::Restarted { epoch, depth, .. } => {
                let depths = depth.as_slice().iter();
                rows.iter_mut().zip(depths).for_each(|(row, &depth)| row.begin_anew(depth, *epoch));
            }
            Event::Stopped { epoch, subnet, .. }
            | Event::Capped { epoch, subnet, .. }
            | Event::OutOfTime { epoch, subnet, .. } => {
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
            p.label { "sub-network " (index) span.count { (row.depth()) } }
            ol.modules aria-label={ "Sub-modules of sub-network " (index) } {
                @for own in &row.boxes {
                    @if own.stacked == 0 {
                        li.seed data-epoch="0" title="in the seed network" { "·" }
                    } @else {
                        @let (colour, dark) = sequential(own.stacked as f64 / end as f64);
                        li.dark[dark].gone[own.until.is_some()] data-epoch=(own.from)
                            data-until=[own.until] title={ "stacked after epoch " (own.stacked) }
                            style={ "background:" (colour) } { (own.stacked) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_back_may_return() {
        let mut row = Row { boxes: vec![SubModule::stacked(0)], stopped: None };
        row.boxes.push(SubModule::stacked(3));
        row.boxes.push(SubModule::stacked(3));
        row.go_back(1, 6);
        assert_eq!(row.depth(), 1);
        row.go_back(3, 9);
        let told = |own: &SubModule| (own.stacked, own.from, own.until);
        let told: Vec<_> = row.boxes.iter().map(told).collect();
        let gone = (3, 3, Some(6));
        assert_eq!(told, [(0, 0, None), gone, gone, (3, 9, None), (3, 9, None)]);
        row.go_back(3, 12);
        assert_eq!(row.depth(), 3);
    }
}
