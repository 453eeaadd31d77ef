//! From the published parts of a data set to what a run trains, selects and tests on.
//!
//! The held-out images are the first ones of a permutation that the run's seed fixes, the training
//! images its last ones: so they never overlap, the images of a small fraction are among those of
//! a larger one, and runs on different fractions are compared on the same held-out images as soon
//! as there are enough of them.

use crate::images::Source;
use crate::random::{Draws, Purpose};
use crate::subset::Subset;
use autogrow_core::config::{Augment, SelectOn};
use autogrow_core::data::{DataRequest, DataSet, Outputs, holdout};
use std::sync::Arc;

/// The parts of a data set as published.
pub struct Parts {
    /// What the network is asked for.
    pub outputs: Outputs,
    /// Images to train on; where nothing else is published, some are held out.
    pub train: Arc<dyn Source>,
    /// Images that the publisher set aside for validation.
    pub validation: Option<Arc<dyn Source>>,
    /// Images that the publisher set aside for tests.
    pub test: Arc<dyn Source>,
}

impl Parts {
    /// Divides the images as the configuration asks.
    pub fn open(self, request: &DataRequest<'_>) -> DataSet {
        let mut order: Vec<u32> = (0..self.train.targets().len() as u32).collect();
        Draws::new(request.seed, Purpose::Partition, 0).shuffle(&mut order);
        self.open_in(order, request)
    }

    /// The same with the training images in an order of the caller's: held out are the first.
    pub(crate) fn open_in(self, mut order: Vec<u32>, request: &DataRequest<'_>) -> DataSet {
        let config = request.config;
        let images = order.len();
        let asked = ((images as f64 * config.fraction).round() as usize).min(images);
        let published = match config.select_on {
            SelectOn::Test => Some(self.test.clone()),
            SelectOn::Val => self.validation,
        };
        let (validation, training) = match published {
            Some(published) => (all(published), asked),
            None => {
                let (validation, training) = holdout(images, config.fraction);
                let held_out = order[..validation].to_vec();
                (Subset::new(self.train.clone(), held_out), training.min(images - validation))
            }
        };
        order.drain(..images - training);
        DataSet {
            image: self.train.image(),
            outputs: self.outputs,
            preprocessing: self.train.preprocessing(),
            table: None,
            train: Box::new(
                Subset::new(self.train, order)
                    .training(config.shuffle, config.augment != Augment::None)
                    .erasing(config.erasing)
                    .on_bad_image(config.on_bad_image),
            ),
            validation: Box::new(validation.on_bad_image(config.on_bad_image)),
            test: Box::new(all(self.test).on_bad_image(config.on_bad_image)),
        }
    }
}

/// Every image of a source.
fn all(source: Arc<dyn Source>) -> Subset {
    let indices = (0..source.targets().len() as u32).collect();
    Subset::new(source, indices)
}

/// Which images are set aside for tests where nobody published a split: of each class as many as
/// `share` makes of its size, spread evenly over the stored order. The same for every seed.
pub(crate) fn spread(labels: &[u16], share: impl Fn(usize) -> usize) -> Vec<bool> {
    let classes = labels.iter().max().map_or(0, |&last| usize::from(last) + 1);
    let (mut totals, mut seen) = (vec![0; classes], vec![0; classes]);
    for &label in labels {
        totals[usize::from(label)] += 1;
    }
    let mut is_test = |&label: &u16| {
        let (total, seen) = (totals[usize::from(label)], &mut seen[usize::from(label)]);
        let chosen = |images: usize| images * share(total) / total;
        *seen += 1;
        chosen(*seen) > chosen(*seen - 1)
    };
    labels.iter().map(&mut is_test).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Numbers, labels};
    use autogrow_core::config::{Compat, DataConfig};
    use autogrow_core::data::Task;
    use proptest::prelude::*;

    fn open(images: u16, config: &DataConfig, seed: u64) -> DataSet {
        let source = |images| Arc::new(Numbers::new(images));
        Parts {
            outputs: Outputs::Classes(Vec::new()),
            train: source(images),
            validation: None,
            test: source(7),
        }
        .open(&DataRequest {
            config,
            compat: Compat::Paper,
            plugins: &Default::default(),
            task: Task::Classes,
            seed,
            size: 32,
        })
    }

    fn contains(outer: &[usize], inner: &[usize]) -> bool {
        inner.iter().all(|index| outer.binary_search(index).is_ok())
    }

    proptest! {
        #[test]
        fn parts_are_disjoint_and_fractions_nested(
            images in 1_u16..3_000,
            small in 0.001..1.0,
            large in 0.001..1.0,
            seed: u64,
        ) {
            let (small, large) = if small < large { (small, large) } else { (large, small) };
            let at = |fraction| {
                let set = open(images, &DataConfig { fraction, ..DataConfig::default() }, seed);
                (labels(set.validation.as_ref()), labels(set.train.as_ref()))
            };
            let ((small_val, small_train), (large_val, large_train)) = (at(small), at(large));
            prop_assert!(contains(&large_val, &small_val));
            prop_assert!(contains(&large_train, &small_train));
            prop_assert!(large_val.iter().all(|index| large_train.binary_search(index).is_err()));
            let sizes = (small_val.len(), small_train.len());
            prop_assert_eq!(sizes, holdout(usize::from(images), small));
        }
    }

    #[test]
    fn held_out_images_stay_the_same_and_depend_on_the_seed() {
        let validation = |fraction, seed| {
            let config = DataConfig { fraction, ..DataConfig::default() };
            labels(open(2_000, &config, seed).validation.as_ref())
        };
        assert_eq!(validation(0.8, 1), validation(1.0, 1));
        assert_ne!(validation(1.0, 2), validation(1.0, 1));
    }

    #[test]
    fn selecting_on_the_test_images_holds_nothing_out() {
        let config =
            DataConfig { select_on: SelectOn::Test, fraction: 0.25, ..DataConfig::default() };
        let set = open(2_000, &config, 0);
        assert_eq!((set.train.len(), set.validation.len(), set.test.len()), (500, 7, 7));
        let all = open(2_000, &DataConfig { fraction: 1.0, ..config }, 0);
        assert_eq!(labels(all.train.as_ref()), (0..2_000).collect::<Vec<_>>());
    }

    #[test]
    fn published_validation_images_are_used_as_they_are() {
        let source = |images| Arc::new(Numbers::new(images)) as Arc<dyn Source>;
        let (train, validation, test) = (source(90), Some(source(30)), source(20));
        let parts = Parts { outputs: Outputs::Classes(Vec::new()), train, validation, test };
        let config = DataConfig { fraction: 0.5, ..DataConfig::default() };
        let set = parts.open(&DataRequest {
            config: &config,
            compat: Compat::Paper,
            plugins: &Default::default(),
            task: Task::Classes,
            seed: 0,
            size: 32,
        });
        assert_eq!((set.train.len(), set.validation.len(), set.test.len()), (45, 30, 20));
    }

    #[test]
    fn test_images_are_spread_evenly_over_each_class() {
        let labels = [0, 0, 0, 0, 0, 0, 2, 2, 2, 0, 0, 0, 0];
        let test = spread(&labels, |total| total / 3);
        let found: Vec<_> = (0..labels.len()).filter(|&index| test[index]).collect();
        assert_eq!(found, [3, 8, 9, 12]);
        assert!(spread(&[], |total| total).is_empty());
    }
}
