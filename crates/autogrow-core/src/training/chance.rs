//! What a network scores that has learnt nothing: the best constant answer.

use super::objective::{Objective, TargetTensor};
use super::tally::Tally;
use crate::Result;
use crate::data::{Split, Targets, Task};
use burn::tensor::{Device, Tensor, TensorData};

/// Images that are judged at once.
const BATCH: usize = 500;

/// The score, in percent, of the best answer for the images of a split that is the same for all of them:
/// the commonest class, the mean of each value, what holds for most images of each label. None where
/// there are no images. `outputs` is how many outputs a network has.
///
/// # Errors
/// Data errors.
pub(crate) fn chance(
    objective: &dyn Objective,
    split: &dyn Split,
    outputs: usize,
    device: &Device,
) -> Result<Option<f64>> {
    let targets = split.targets()?;
    targets.check(objective.task(), outputs)?;
    let images = targets.len();
    if images == 0 {
        return Ok(None);
    }
    let answer = constant(objective.task(), &targets, outputs);
    let mut tally = Tally::default();
    for start in (0..images).step_by(BATCH) {
        let part = targets.part(start..images.min(start + BATCH));
        let shape = [part.len(), outputs];
        let answers = Tensor::from_data(TensorData::new(answer.repeat(shape[0]), shape), device);
        let targets = TargetTensor::new(&part, device);
        let loss = objective.loss(answers.clone(), &targets);
        let numbers = Tensor::cat(vec![loss, objective.sums(answers, &targets)], 0).into_data();
        tally.add(shape[0], &numbers.iter::<f32>().collect::<Vec<_>>());
    }
    Ok(Some(tally.scores(objective).score))
}

/// The answer, as a network gives it.
fn constant(task: Task, targets: &Targets, outputs: usize) -> Vec<f32> {
    let mut means = vec![0.0; outputs];
    let part = 1.0 / targets.len() as f64;
    match targets {
        Targets::Classes(classes) => classes.iter().for_each(|&class| means[class] += part),
        Targets::Numbers { values, .. } => {
            for row in values.chunks_exact(outputs) {
                means
                    .iter_mut()
                    .zip(row)
                    .for_each(|(mean, &value)| *mean += part * f64::from(value));
            }
        }
    }
    // A label is given where its log odds are above 0.
    let from = if task == Task::Labels { 0.5 } else { 0.0 };
    means.into_iter().map(|mean| (mean - from) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrainingConfig;
    use crate::data::{Batch, Pass};
    use crate::settings::PluginSettings;
    use crate::training::objective;

    struct Given(Targets);

    impl Split for Given {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn batches(&self, _: Pass) -> Box<dyn Iterator<Item = Result<Batch>> + '_> {
            Box::new(std::iter::empty())
        }

        fn targets(&self) -> Result<Targets> {
            Ok(self.0.clone())
        }
    }

    fn of(name: &str, outputs: usize, targets: Targets) -> Option<f64> {
        let training = TrainingConfig { objective: name.into(), ..TrainingConfig::default() };
        let objective = objective(&training, &PluginSettings::default()).unwrap();
        chance(&*objective, &Given(targets), outputs, &Device::flex()).unwrap()
    }

    #[test]
    fn the_commonest_class_the_mean_and_what_holds_for_most() {
        let classes = (0..1_000).map(|image| if image % 10 < 6 { 2 } else { 1 }).collect();
        let score = of("classes", 4, Targets::Classes(classes)).unwrap();
        assert!((score - 60.0).abs() < 1e-4, "{score}");
        let values = Targets::Numbers { width: 1, values: vec![-1.0, 0.5, 2.0, 3.5] };
        assert!(of("values", 1, values).unwrap().abs() < 1e-4);
        // Of the first label most images have it, of the second most do not: 3 and 2 of 3 are right.
        let labels = Targets::Numbers { width: 2, values: vec![1.0, 0.0, 1.0, 1.0, 1.0, 0.0] };
        assert!((of("labels", 2, labels).unwrap() - 100.0 * 5.0 / 6.0).abs() < 1e-3);
        assert_eq!(of("classes", 4, Targets::Classes(Vec::new())), None);
    }
}
