//! [`Origin`]: what a run was trained on and with.

use crate::Result;
use crate::config::Config;
use crate::data::{DataSet, Outputs, Pass, Share, Split, Targets};
use crate::registry::{Entry, find};
use blake3::Hasher;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a hash of the data begins that is not of their first images alone, as it once was.
const OF_ALL: &str = "all:";
/// Values of a split up to which all its images are hashed: more do not fit into the memory that data
/// sets keep, and to make them again takes longer than a second.
const ALL: usize = 256 << 20;
/// Height or width from which on images are parts of pictures that are decoded each time.
const LARGE: usize = 64;
/// Images of larger splits that are hashed, spread evenly.
const SAMPLE: usize = 64;

/// What must be the same for a run to go on: a hash of the data, and the crates of what is named
/// in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Hash of sizes, outputs, all targets, and all images; of large images or very many, of
    /// 64 images of each split.
    pub data: String,
    /// Crate that each named thing comes from.
    pub plugins: BTreeMap<String, String>,
}

impl Origin {
    /// Of a run of `config` on `data`.
    ///
    /// # Errors
    /// Data errors; unknown names.
    pub fn of(config: &Config, data: &DataSet) -> Result<Self> {
        let network = find::<crate::network::SeedNetwork>(&config.network.name)?;
        // Data that come from the memory of a program have no kind.
        let data_set = find::<crate::data::DataSetKind>(&config.data.name);
        let data_set = data_set.map_or("memory", |kind| kind.origin());
        let named: [(&str, &str); 5] = [
            ("network", network.origin()),
            ("sub-module", network.sub_module_kind()?.origin()),
            (
                "initializer",
                find::<crate::initializer::InitializerKind>(&config.growth.initializer)?.origin(),
            ),
            ("policy", find::<crate::growth::PolicyKind>(&config.growth.policy)?.origin()),
            ("data set", data_set),
        ];
        Ok(Self {
            data: of_all(data)?,
            plugins: named.map(|(kind, origin)| (kind.to_string(), origin.to_string())).into(),
        })
    }

    /// Whether `data` is what the run was trained on.
    ///
    /// # Errors
    /// Data errors.
    pub fn is_of(&self, data: &DataSet) -> Result<bool> {
        let now = if self.data.starts_with(OF_ALL) { of_all(data)? } else { of_first(data)? };
        Ok(self.data == now)
    }
}

/// A hash of sizes, outputs, all targets and the images of all splits.
fn of_all(data: &DataSet) -> Result<String> {
    let mut hasher = begun(data);
    for split in splits(data) {
        hasher.update(&split.len().to_le_bytes());
        add_targets(&mut hasher, &split.targets()?);
        add_images(&mut hasher, split, data.image)?;
    }
    Ok(format!("{OF_ALL}{}", hasher.finalize().to_hex()))
}

/// As runs of before have it: of sizes, outputs and the first images of each split.
fn of_first(data: &DataSet) -> Result<String> {
    let mut hasher = begun(data);
    for split in splits(data) {
        hasher.update(&split.len().to_le_bytes());
        if let Some(batch) = split.batches(Pass { batch_size: 64, ..Pass::default() }).next() {
            let batch = batch?;
            add_targets(&mut hasher, &batch.targets);
            add_values(&mut hasher, &batch.images);
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn begun(data: &DataSet) -> Hasher {
    let mut hasher = Hasher::new();
    let asked_for = match &data.outputs {
        // As runs of before there were other objectives have it.
        Outputs::Classes(classes) => format!("{classes:?}"),
        outputs => format!("{outputs:?}"),
    };
    hasher.update(format!("{:?}{asked_for}", data.image).as_bytes());
    hasher
}

fn splits(data: &DataSet) -> [&dyn Split; 3] {
    [&*data.train, &*data.validation, &*data.test]
}

fn add_targets(hasher: &mut Hasher, targets: &Targets) {
    match targets {
        Targets::Classes(classes) => {
            let bytes: Vec<u8> = classes.iter().flat_map(|class| class.to_le_bytes()).collect();
            hasher.update(&bytes);
        }
        Targets::Numbers { values, .. } => add_values(hasher, values),
    }
}

fn add_values(hasher: &mut Hasher, values: &[f32]) {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    hasher.update(&bytes);
}

/// Adds all images of a split, or a sample.
fn add_images(hasher: &mut Hasher, split: &dyn Split, image: [usize; 3]) -> Result<()> {
    let [_, height, width] = image;
    let values = split.len().saturating_mul(image.iter().product());
    let pass = match height.max(width) < LARGE && values <= ALL {
        true => Pass { batch_size: 500, ..Pass::default() },
        // One image of each batch.
        false => {
            let of = split.len().div_ceil(SAMPLE).max(1);
            Pass { batch_size: of, share: Share { index: 0, of }, ..Pass::default() }
        }
    };
    for batch in split.batches(pass) {
        add_values(hasher, &batch?.images);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Batch;

    /// Images of two pixels, all the same, with labels.
    #[derive(Clone)]
    struct Labelled(Vec<usize>, Vec<f32>);

    impl Split for Labelled {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn batches(&self, pass: Pass) -> Box<dyn Iterator<Item = Result<Batch>> + '_> {
            let starts = (0..self.len()).step_by(pass.batch_size);
            Box::new(starts.map(move |start| {
                let size = pass.batch_size.min(self.len() - start);
                let range = pass.share.range(size);
                let range = start + range.start..start + range.end;
                let images = range.clone().flat_map(|image| [self.1[image]; 2]).collect();
                Ok(Batch { images, targets: Targets::Classes(self.0[range].to_vec()) })
            }))
        }
    }

    fn set(train: &Labelled, image: [usize; 3]) -> DataSet {
        let split = |of: &Labelled| -> Box<dyn Split> { Box::new(of.clone()) };
        DataSet {
            image,
            outputs: Outputs::Classes(vec!["a".into(), "b".into()]),
            preprocessing: None,
            table: None,
            train: split(train),
            validation: split(train),
            test: split(train),
        }
    }

    #[test]
    fn a_label_or_a_pixel_anywhere_is_noticed() {
        let before = Labelled(vec![0; 2_000], vec![0.5; 2_000]);
        let origin = |of: &Labelled| Origin {
            data: of_all(&set(of, [1, 1, 2])).unwrap(),
            plugins: BTreeMap::new(),
        };
        let kept = origin(&before);
        assert!(kept.is_of(&set(&before, [1, 1, 2])).unwrap());
        for place in [0, 64, 1_234, 1_999] {
            let mut changed = before.clone();
            changed.0[place] = 1;
            assert!(!kept.is_of(&set(&changed, [1, 1, 2])).unwrap(), "label {place}");
            let mut changed = before.clone();
            changed.1[place] = 0.25;
            assert!(!kept.is_of(&set(&changed, [1, 1, 2])).unwrap(), "pixel {place}");
        }
        let shorter = Labelled(vec![0; 1_999], vec![0.5; 1_999]);
        assert!(!kept.is_of(&set(&shorter, [1, 1, 2])).unwrap());
    }

    #[test]
    fn a_run_of_before_is_known_by_its_first_images() {
        let data = Labelled((0..200).map(|image| image % 2).collect(), vec![0.5; 200]);
        let kept =
            Origin { data: of_first(&set(&data, [1, 1, 2])).unwrap(), plugins: BTreeMap::new() };
        assert!(kept.is_of(&set(&data, [1, 1, 2])).unwrap());
        let mut changed = data.clone();
        changed.0[3] = 0;
        assert!(!kept.is_of(&set(&changed, [1, 1, 2])).unwrap());
    }

    #[test]
    fn of_large_images_a_sample_is_looked_at() {
        let data = Labelled(vec![0; 1_000], vec![0.5; 1_000]);
        let mut hasher = Hasher::new();
        add_images(&mut hasher, &data, [3, 224, 224]).unwrap();
        assert_eq!(hasher.count(), 62 * 2 * 4);
    }
}
