//! The figures of runs, each with a name of its own: what of a run's folder is worth a chart.

use crate::Words;
use crate::chart::Size;
use crate::figure::{
    Against, Family, Net, Quantity, TimeUnit, accuracy_against_macs, accuracy_against_parameters,
    growing,
};
use crate::run::Run;

/// A chart and what its file is called.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Without an ending.
    pub name: &'static str,
    /// The chart.
    pub svg: String,
}

/// Of one run: accuracy and loss with its growths, by epochs and by time (Figures 4 and 8 of the
/// paper). Of any that have ended: test accuracy by parameters and by multiply-accumulates
/// (Figures 6 and 7).
pub fn figures(runs: &[Run]) -> Vec<Figure> {
    let mut figures = Vec::new();
    if let [run] = runs
        && let Some(last) = run.epochs.last()
    {
        let time = Against::Time(TimeUnit::of(last.elapsed));
        for (name, quantity, against) in [
            ("accuracy-epochs", Quantity::Score, Against::Epochs),
            ("accuracy-time", Quantity::Score, time),
            ("loss-epochs", Quantity::Loss, Against::Epochs),
            ("loss-time", Quantity::Loss, time),
        ] {
            figures.push(Figure { name, svg: growing(run, quantity, against).svg(Size::FIGURE) });
        }
    }
    let families = families(runs);
    if !families.is_empty() {
        let title = title(runs);
        let by_parameters = accuracy_against_parameters(&title, &families);
        let by_macs = accuracy_against_macs(&title, &families);
        let charts = [("accuracy-parameters", by_parameters), ("accuracy-macs", by_macs)];
        let score = Words::common(runs.iter().map(Run::words)).score();
        for (name, mut chart) in charts {
            chart.y.label = format!("test {score}, %");
            figures.push(Figure { name, svg: chart.svg(Size::FIGURE) });
        }
    }
    figures
}

/// The networks of runs that have ended, by kind of network and by how their depth came about, in
/// the order of their size.
fn families(runs: &[Run]) -> Vec<Family> {
    let one_network = runs.iter().all(|run| run.network() == runs[0].network());
    let mut families: Vec<Family> = Vec::new();
    for run in runs {
        let Some(outcome) = &run.outcome else { continue };
        let growth = &run.config.growth;
        let how = match growth.policy.as_str() {
            _ if !run.grows() => "depth given".into(),
            "periodic" => format!("AutoGrow, K = {}", growth.interval),
            policy => format!("{policy} growth, K = {}", growth.interval),
        };
        let name = if one_network { how } else { format!("{}, {how}", outcome.network) };
        let net = Net {
            label: outcome.found.to_string(),
            parameters: outcome.parameters as f64,
            macs: outcome.macs as f64,
            accuracy: outcome.test_accuracy,
        };
        match families.iter_mut().find(|family| family.name == name) {
            Some(family) => family.nets.push(net),
            None => families.push(Family { name, is_found: run.grows(), nets: vec![net] }),
        }
    }
    for family in &mut families {
        family.nets.sort_by(|a, b| a.parameters.total_cmp(&b.parameters));
    }
    // Those that are connected by lines lie under those that are not.
    families.sort_by_key(|family| family.is_found);
    families
}

/// Of what networks on what data: those that all runs have in common.
fn title(runs: &[Run]) -> String {
    let common = |of: fn(&Run) -> &str| {
        let first = of(&runs[0]);
        runs.iter().all(|run| of(run) == first).then_some(first)
    };
    let parts = [common(Run::network), common(Run::data)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" on ")
}
