//! What several tests of this crate share.

use crate::images::{Source, SourceTargets};
use crate::random::Draws;
use crate::transform::table;
use autogrow_core::config::{Compat, DataConfig};
use autogrow_core::data::{
    DataRequest, DataSet, Normalisation, Pass, RawBatch, RawImages, Split, Statistics, Task,
};
use autogrow_core::{Error, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Images of two pixels: their own index, and a random number above 0 where augmented. The label
/// is the index, too.
pub(crate) struct Numbers {
    labels: Vec<u16>,
    /// Images that cannot be read.
    pub(crate) unreadable: Vec<usize>,
}

impl Numbers {
    pub(crate) fn new(images: u16) -> Self {
        Self { labels: (0..images).collect(), unreadable: Vec::new() }
    }
}

impl Source for Numbers {
    fn image(&self) -> [usize; 3] {
        [1, 1, 2]
    }

    fn targets(&self) -> SourceTargets<'_> {
        SourceTargets::Classes(&self.labels)
    }

    fn stored_size(&self, _: usize) -> Result<[usize; 2]> {
        Ok([1, 2])
    }

    fn fill(&self, index: usize, draws: Option<&mut Draws>, out: &mut [f32]) -> Result<()> {
        if self.unreadable.contains(&index) {
            return Err(Error::data("numbers", format!("record {index} is unreadable")));
        }
        out[0] = index as f32;
        out[1] = draws.map_or(0.0, |draws| 1.0 + draws.below(1_000) as f32);
        Ok(())
    }
}

/// Opens the registered set that `config` names, as `train` would.
pub(crate) fn open(config: &DataConfig, seed: u64) -> Result<DataSet> {
    open_at(config, seed, 32)
}

/// As [`open`], for a network that takes images of this size.
pub(crate) fn open_at(config: &DataConfig, seed: u64, size: usize) -> Result<DataSet> {
    open_for(Task::Classes, config, seed, size)
}

/// As [`open_at`], for an objective that asks for something else than classes.
pub(crate) fn open_for(task: Task, config: &DataConfig, seed: u64, size: usize) -> Result<DataSet> {
    let plugins = &Default::default();
    DataSet::open(&DataRequest { config, compat: Compat::Paper, plugins, task, seed, size })
}

/// All labels of a split, in stored order.
pub(crate) fn labels(split: &dyn Split) -> Vec<usize> {
    let batches = split.batches(Pass { batch_size: 100, ..Pass::default() });
    batches.flat_map(|batch| batch.unwrap().targets.classes().unwrap().to_vec()).collect()
}

/// All pixels of a split, in stored order.
pub(crate) fn pixels(split: &dyn Split) -> Vec<f32> {
    let batches = split.batches(Pass { batch_size: 100, ..Pass::default() });
    batches.flat_map(|batch| batch.unwrap().images).collect()
}

/// Checks that the bytes of a pass, normalised, are what the same pass yields normalised, and says how
/// many batches come as bytes.
pub(crate) fn assert_bytes_are_the_same(split: &dyn Split, pass: Pass) -> usize {
    let (Normalisation { white, statistics }, raw) = split.raw_batches(pass).unwrap();
    let tables: Vec<_> = statistics.iter().map(|&of| table(of, white)).collect();
    let (mut raw, mut of_bytes) = (raw.map(Result::unwrap), 0);
    for batch in split.batches(pass).map(Result::unwrap) {
        let RawBatch { images, targets } = raw.next().unwrap();
        assert_eq!(targets, batch.targets);
        let images = match images {
            RawImages::Normalised(images) => images,
            RawImages::Bytes(bytes) => {
                of_bytes += 1;
                let plane = bytes.len() / batch.len() / tables.len();
                let planes = bytes.chunks(plane).zip(tables.iter().cycle());
                let look_up = |(plane, table): (&[u8], &[f32; 256])| {
                    plane.iter().map(|&byte| table[usize::from(byte)]).collect::<Vec<_>>()
                };
                planes.flat_map(look_up).collect()
            }
        };
        assert!(images == batch.images, "other pictures");
    }
    assert!(raw.next().is_none());
    of_bytes
}

/// A file or folder of `fixtures`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// What was written into a fixture file.
pub(crate) struct Written {
    pub(crate) labels: Vec<u16>,
    /// Sum of the bytes of each channel, for each image.
    pub(crate) sums: Vec<Vec<i64>>,
    /// First row of the first channel of the first image.
    pub(crate) first_row: Vec<i64>,
}

pub(crate) fn written(file: &str) -> Written {
    let text = std::fs::read_to_string(fixture("expected.json")).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let numbers = |value: &serde_json::Value| -> Vec<i64> {
        value.as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).collect()
    };
    let file = &all[file];
    Written {
        labels: numbers(&file["labels"]).into_iter().map(|label| label as u16).collect(),
        sums: file["sums"].as_array().unwrap().iter().map(numbers).collect(),
        first_row: numbers(&file["first_row"]),
    }
}

/// The bytes of an image of 32x32 pixels that were normalised with `statistics`, by channel.
pub(crate) fn bytes(
    source: &dyn Source,
    index: usize,
    statistics: [Statistics; 3],
) -> Vec<Vec<i64>> {
    let mut pixels = vec![0.0; source.image().iter().product()];
    source.fill(index, None, &mut pixels).unwrap();
    let byte = |of: Statistics, pixel: f32| ((pixel * of.std + of.mean) * 255.0).round() as i64;
    let planes = pixels.chunks(32 * 32).zip(statistics);
    planes.map(|(plane, of)| plane.iter().map(|&pixel| byte(of, pixel)).collect()).collect()
}

/// Checks that a source holds the labels and pixels that were written into fixture files, one
/// after the other; `statistics` are those that its pixels were normalised with.
pub(crate) fn assert_as_written(source: &dyn Source, files: &[&str], statistics: [Statistics; 3]) {
    let mut index = 0;
    for file in files {
        let Written { labels, sums, first_row } = written(file);
        for (image, (label, sums)) in labels.into_iter().zip(sums).enumerate() {
            let own = source.targets().of(&[index as u32]);
            assert_eq!(own.classes().unwrap(), [usize::from(label)], "{file} {image}");
            let bytes = bytes(source, index, statistics);
            let found: Vec<i64> = bytes.iter().map(|plane| plane.iter().sum()).collect();
            assert_eq!(found, sums, "{file} {image}");
            if image == 0 {
                assert_eq!(bytes[0][..32], first_row, "{file}");
            }
            index += 1;
        }
    }
    assert_eq!(source.targets().len(), index);
}

/// The bytes as a gzip file.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The problem of a data error, without its path, and its hint.
pub(crate) fn data_problem<T>(result: Result<T>) -> (String, String) {
    match result.err() {
        Some(Error::Data { problem, hint, .. }) => (problem, hint.unwrap()),
        other => panic!("{other:?} is not an error about data"),
    }
}

/// A folder that holds copies of one picture under these names, and an empty file for `.txt`.
pub(crate) fn pictures(names: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for name in names {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        if name.ends_with(".txt") {
            std::fs::write(path, "").unwrap();
        } else {
            std::fs::copy(fixture("folder/train/ant/a.png"), path).unwrap();
        }
    }
    root
}

/// A folder with so many pictures of each class, `<class>/<number>.png`, each with a content of its own.
pub(crate) fn distinct(classes: &[(&str, usize)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let picture = std::fs::read(fixture("folder/train/ant/a.png")).unwrap();
    for (place, (class, count)) in classes.iter().enumerate() {
        std::fs::create_dir_all(root.path().join(class)).unwrap();
        for index in 0..*count {
            // What is behind the end of a PNG file is no part of the picture.
            let content = [&picture[..], &[place as u8, index as u8]].concat();
            std::fs::write(root.path().join(format!("{class}/{index}.png")), content).unwrap();
        }
    }
    root
}
