//! The figures of `docs/algorithm.md`, drawn by the report's charts from the run whose files lie
//! beside them: `autogrow train` without settings.

use crate::pages::root;
use autogrow_report::Run;
use autogrow_report::chart::{Axis, Dot, LineChart, Series, Size, Stroke};
use autogrow_report::figure::{Against, Quantity, growing};
use autogrow_report::rule::Rule;
use std::fs;

const WIDE: Size = Size { width: 720.0, height: 360.0 };
const FLAT: Size = Size { width: 720.0, height: 260.0 };

fn run() -> Run {
    let run = Run::read(&root().join("docs/figures/run")).unwrap();
    assert!(run.damage.is_empty(), "{:?}", run.damage);
    run
}

/// Compares with a committed figure. With `AUTOGROW_BLESS` set, writes it instead.
fn assert_drawn(name: &str, chart: &LineChart, size: Size) {
    let path = root().join("docs/figures").join(name);
    let drawn = chart.svg(size);
    if std::env::var_os("AUTOGROW_BLESS").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    let same = fs::read_to_string(&path).is_ok_and(|kept| kept == drawn);
    assert!(same, "{name} has changed; look at it, then keep it with AUTOGROW_BLESS=1");
}

#[test]
fn accuracy_with_growths_beneath() {
    let chart = growing(&run(), Quantity::Score, Against::Epochs);
    assert_drawn("accuracy.svg", &chart, WIDE);
}

#[test]
fn depth_of_each_sub_network() {
    let run = run();
    let end = run.epochs.last().unwrap().number as f64;
    let count = run.depth().unwrap().sub_networks();
    let series = (0..count).map(|subnet| {
        // Steps: an epoch is trained at one depth from its beginning to its end. Lines that would
        // hide each other are moved apart by a little.
        let shift = 0.06 * subnet as f64;
        let points = run.epochs.iter().flat_map(|epoch| {
            let depth = epoch.depth.as_slice()[subnet] as f64 + shift;
            let end = epoch.number as f64;
            [[end - 1.0, depth], [end, depth]]
        });
        Series::line(format!("sub-network {subnet}"), points.collect())
    });
    let chart = LineChart {
        description: "Sub-modules of each sub-network against epochs".into(),
        x: Axis::new("epochs").from_to(0.0, end),
        y: Axis::new("sub-modules").from_to(0.0, 5.0),
        series: series.collect(),
        ..LineChart::default()
    };
    assert_drawn("depth.svg", &chart, FLAT);
}

#[test]
fn what_the_stopping_rule_looks_at() {
    let run = run();
    let rule = Rule::of(&run);
    let measured = run.epochs.iter().take(rule.guiding.len());
    let measured = measured.map(|epoch| [epoch.number as f64, epoch.record.val_accuracy]);
    let guiding = rule.guiding.iter().map(|&(epoch, best)| [epoch as f64, best]);
    let first = rule.checks.iter().find(|check| check.stops()).unwrap();
    let window = first.window.unwrap();
    assert!(window.gained < rule.config.threshold);
    let window = vec![[window.from as f64, window.before], [first.t as f64, first.now]];
    let chart = LineChart {
        description: "Validation accuracy and its running maximum while growing".into(),
        x: Axis::new("epochs").from_to(0.0, rule.guiding.len() as f64 + 0.5),
        y: Axis::new("validation accuracy, %").from_to(84.0, 100.0),
        series: vec![
            Series::line("running maximum", guiding.collect()),
            Series::scatter("measured", measured.collect()).coloured(6),
            Series::line("J epochs that brought less than tau", window)
                .coloured(1)
                .stroked(Stroke::Dashed)
                .dotted(Dot::Ring),
        ],
        ..LineChart::default()
    };
    assert_drawn("rule.svg", &chart, FLAT);
}
