//! What is said of a network that is no better than what can be had without one.

use autogrow::data::{Baselines, Task};
use autogrow::training::Objective;
use autogrow_run::names;
use serde::Deserialize;
use std::path::Path;

/// The scores of simple models on the test images, as a run's `evaluation.json` has them.
pub(super) fn baselines_of(run: &Path) -> Option<Baselines> {
    #[derive(Deserialize)]
    struct Evaluation {
        baselines: Option<Baselines>,
    }
    let bytes = std::fs::read(run.join(names::EVALUATION)).ok()?;
    serde_json::from_slice::<Evaluation>(&bytes).ok()?.baselines
}

/// A line on a network of this score on the test images, where it is no better than these.
pub(super) fn no_better(
    score: f64,
    baselines: &Baselines,
    objective: &dyn Objective,
) -> Option<String> {
    let Baselines { constant, class, linear, .. } = baselines;
    let (always, least, simple) = match (objective.task(), class) {
        (Task::Classes, Some(class)) => {
            (format!("always `{class}`"), *constant, "logistic regression")
        }
        (Task::Classes, None) => {
            ("always the biggest class".into(), *constant, "logistic regression")
        }
        (Task::Labels, _) => ("always the same labels".into(), *constant, "logistic regression"),
        // What the mean of the training images explains of the test images is nothing, or less.
        (Task::Values, _) => ("always the mean".into(), constant.max(0.0), "least squares"),
    };
    // What is not a number is no better than anything.
    if score.is_nan() || score <= least {
        let least = objective.score_text(least);
        return Some(format!("no better than {always}, {least}: it has learnt nothing of use"));
    }
    let linear = linear.as_ref().filter(|linear| score <= linear.score)?;
    Some(format!("no better than {simple}, {}", objective.score_text(linear.score)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use autogrow::config::TrainingConfig;
    use autogrow::data::Linear;
    use autogrow::settings::PluginSettings;
    use autogrow::training::objective;

    #[test]
    fn a_network_that_has_learnt_nothing_is_told() {
        let said = |name: &str, score: f64, constant: f64, class: Option<&str>| {
            let config = TrainingConfig { objective: name.into(), ..TrainingConfig::default() };
            let objective = objective(&config, &PluginSettings::default()).unwrap();
            let linear = Some(Linear { score: 80.0, trained: 10, features: 2 });
            let class = class.map(String::from);
            no_better(score, &Baselines { constant, class, linear, tested: 9 }, &*objective)
        };
        let classes = |score| said("classes", score, 52.0, Some("yes"));
        let nothing = "no better than always `yes`, 52.00 %: it has learnt nothing of use";
        assert_eq!(classes(52.0).as_deref(), Some(nothing));
        assert_eq!(classes(80.0).as_deref(), Some("no better than logistic regression, 80.00 %"));
        assert_eq!(classes(80.1), None);
        let values = |score| said("values", score, -3.0, None);
        let nothing = "no better than always the mean, R2 0.0000: it has learnt nothing of use";
        assert_eq!(values(-1.0).as_deref(), Some(nothing));
        assert_eq!(values(12.0).as_deref(), Some("no better than least squares, R2 0.8000"));
        assert!(said("labels", f64::NAN, 50.0, None).is_some());
    }
}
