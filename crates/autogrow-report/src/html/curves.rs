//! Curves of score and loss against epochs and against time, and their numbers for the script
//! that shows them under the pointer.

use super::{json, section as framed};
use crate::Words;
use crate::chart::{LineChart, Size};
use crate::figure::{Against, Quantity, TimeUnit, growing};
use crate::run::{Epoch, Run};
use maud::{Markup, PreEscaped, html};
use serde_json::{Value, json};

/// Beside each other on a desk, and alone on a telephone: text has the same size on both.
const WIDE: Size = Size { width: 470.0, height: 320.0 };
const NARROW: Size = Size { width: 358.0, height: 290.0 };

/// Most epochs whose numbers are shown under the pointer.
const MOST: usize = 3000;

pub(super) fn section(run: &Run) -> Markup {
    let body = html! {
        @if run.epochs.is_empty() {
            p { "No epoch is over yet." }
        } @else {
            (switch())
            div.charts {
                @for quantity in Quantity::ALL {
                    (figure((quantity, run.words()), unit(&[run]), |against| growing(run, quantity, against)))
                }
            }
        }
    };
    framed("curves", "Curves", &body)
}

/// The unit of time that suits the longest of `runs`.
pub(super) fn unit(runs: &[&Run]) -> TimeUnit {
    let seconds = runs.iter().filter_map(|run| Some(run.epochs.last()?.elapsed));
    TimeUnit::of(seconds.fold(0.0, f64::max))
}

/// Between epochs and time.
pub(super) fn switch() -> Markup {
    html! {
        div.switch role="group" aria-label="Horizontal axis" hidden {
            button type="button" data-against="epochs" aria-pressed="true" { "epochs" }
            button type="button" data-against="time" aria-pressed="false" { "time" }
        }
    }
}

/// A chart in all its forms; the style sheet shows the one that fits.
pub(super) fn figure(
    (quantity, words): (Quantity, Words),
    unit: TimeUnit,
    chart: impl Fn(Against) -> LineChart,
) -> Markup {
    let heading = quantity.heading(words);
    html! {
        figure.chart data-chart=(key(quantity)) tabindex="0"
            aria-label={ (heading) " curves; arrow keys read values" } {
            figcaption { (heading) }
            @for (against, class) in [(Against::Epochs, "epochs"), (Against::Time(unit), "time")] {
                @let chart = chart(against);
                div class={ "against-" (class) } {
                    div.wide { (PreEscaped(chart.svg(WIDE))) }
                    div.narrow { (PreEscaped(chart.svg(NARROW))) }
                }
            }
            div.tip hidden role="status" {}
        }
    }
}

/// A quantity's name for the script.
pub(super) fn key(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Score => "score",
        Quantity::Loss => "loss",
    }
}

/// A curve as the script reads it.
pub(super) fn series(
    name: &str,
    colour: usize,
    run: &Run,
    unit: TimeUnit,
    value: impl Fn(&Epoch) -> f64,
) -> Value {
    let every = run.epochs.len().div_ceil(MOST).max(1);
    let epochs = || run.epochs.iter().step_by(every);
    let time = |epoch: &Epoch| rounded(epoch.elapsed / unit.seconds());
    json!({
        "name": name,
        "colour": colour,
        "epochs": epochs().map(|epoch| epoch.number).collect::<Vec<_>>(),
        "time": epochs().map(time).collect::<Vec<_>>(),
        "values": epochs().map(|epoch| rounded(value(epoch))).collect::<Vec<_>>(),
    })
}

/// Five digits are more than anyone reads under a pointer. What is not finite becomes null.
fn rounded(value: f64) -> Value {
    format!("{value:.4e}").parse::<f64>().map_or(Value::Null, Value::from)
}

/// All that the script needs to know of a run.
pub(super) fn data(run: &Run) -> Markup {
    let unit = unit(&[run]);
    let guide = run.words().guide();
    let curves = |quantity: Quantity| {
        let names = [("training", 1), (guide, 0)];
        let series = names.iter().enumerate().map(|(which, (name, colour))| {
            series(name, *colour, run, unit, |epoch| quantity.of(epoch)[which])
        });
        series.collect::<Vec<_>>()
    };
    let states = run.epochs.iter().map(|epoch| {
        json!([
            epoch.number,
            epoch.depth.to_string(),
            epoch.record.phase.name(),
            rounded(epoch.record.val_accuracy)
        ])
    });
    let value = json!({
        "unit": unit.symbol(),
        "guide": guide,
        "charts": { "score": curves(Quantity::Score), "loss": curves(Quantity::Loss) },
        "states": states.collect::<Vec<_>>(),
    });
    json("data", &value)
}
