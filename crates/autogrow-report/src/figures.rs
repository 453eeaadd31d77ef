//! The figures of runs, each with a name of its own: what of a run's folder is worth a chart.

use crate::Words;
use crate::chart::Size;
use crate::figure::{
    Against, Family, Net, Quantity, TimeUnit, accuracy_against_macs, accuracy_against_parameters,
    accuracy_against_training, growing,
};
use crate::run::Run;
use autogrow_run::{Config, Outcome};

/// A chart and what its file is called.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Without an ending.
    pub name: &'static str,
    /// The chart.
    pub svg: String,
}

/// Of one run: accuracy and loss with its growths, by epochs and by time (Figures 4 and 8 of the
/// paper). Of any that have ended: test accuracy by parameters, by multiply-accumulates (Figures 6 and
/// 7) and by those of all training; of several seeds the mean, with its deviation as a bar.
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
        let by_training = accuracy_against_training(&title, &families);
        let charts = [
            ("accuracy-parameters", by_parameters),
            ("accuracy-macs", by_macs),
            ("accuracy-training", by_training),
        ];
        let score = Words::common(runs.iter().map(Run::words)).score();
        for (name, mut chart) in charts {
            chart.y.label = format!("test {score}, %");
            figures.push(Figure { name, svg: chart.svg(Size::FIGURE) });
        }
    }
    figures
}

/// The networks of runs that have ended, by kind of network and by how their depth came about, in
/// the order of their size. Runs that differ in nothing but their seed are one.
fn families(runs: &[Run]) -> Vec<Family> {
    let one_network = runs.iter().all(|run| run.network() == runs[0].network());
    let initializer = |run: &Run| run.config.growth.initializer.clone();
    let periodic: Vec<_> =
        runs.iter().filter(|run| run.config.growth.policy == "periodic").map(initializer).collect();
    let one_initializer = periodic.windows(2).all(|pair| pair[0] == pair[1]);
    let mut families: Vec<Family> = Vec::new();
    for runs in by_setting(runs) {
        let run = runs[0];
        let growth = &run.config.growth;
        let how = match growth.policy.as_str() {
            _ if is_deepened(run) => "deepened".into(),
            _ if !run.grows() => "depth given".into(),
            "periodic" if one_initializer => format!("p-AutoGrow, K = {}", growth.interval),
            "periodic" => format!("p-AutoGrow, K = {}, {}", growth.interval, growth.initializer),
            "convergent" => format!("c-AutoGrow, K = {}", growth.interval),
            policy => format!("{policy}, K = {}", growth.interval),
        };
        let name = if one_network { how } else { format!("{}, {how}", run.network()) };
        let Some(net) = net(&runs) else { continue };
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

/// Whether a network of given depth began with weights, as Network Morphism does.
fn is_deepened(run: &Run) -> bool {
    !run.grows() && !run.config.training.init_from.as_os_str().is_empty()
}

/// Runs that have ended, those together that differ in nothing but their seed.
fn by_setting(runs: &[Run]) -> Vec<Vec<&Run>> {
    let mut groups: Vec<(Config, Vec<&Run>)> = Vec::new();
    for run in runs.iter().filter(|run| run.outcome.is_some()) {
        let mut setting = run.config.clone();
        setting.run.seed = 0;
        // A net that was deepened begins with the weights of its own seed.
        if is_deepened(run) {
            setting.training.init_from = "a shallower one".into();
        }
        match groups.iter_mut().find(|(other, _)| *other == setting) {
            Some((_, group)) => group.push(run),
            None => groups.push((setting, vec![run])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The network of some runs of one setting; the mean of several.
fn net(runs: &[&Run]) -> Option<Net> {
    let outcomes: Vec<&Outcome> = runs.iter().filter_map(|run| run.outcome.as_ref()).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let of = |value: fn(&Outcome) -> f64| -> Vec<f64> {
        outcomes.iter().map(|outcome| value(outcome)).collect()
    };
    let accuracies = of(|outcome| outcome.test_accuracy);
    let accuracy = mean(&accuracies);
    let squares = accuracies.iter().map(|own| (own - accuracy).powi(2)).sum::<f64>();
    // What the shallower net has cost is in another run's folder.
    let whole = runs.iter().filter(|run| !is_deepened(run));
    let training: Vec<f64> = whole.filter_map(|run| run.training_macs()).collect();
    let first = outcomes.first()?;
    let is_one_depth = outcomes.iter().all(|outcome| outcome.found == first.found);
    Some(Net {
        label: if is_one_depth { first.found.to_string() } else { String::new() },
        parameters: mean(&of(|outcome| outcome.parameters as f64)),
        macs: mean(&of(|outcome| outcome.macs as f64)),
        training: if training.len() == runs.len() { mean(&training) } else { f64::NAN },
        accuracy,
        deviation: (squares / (accuracies.len() - 1).max(1) as f64).sqrt(),
    })
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
