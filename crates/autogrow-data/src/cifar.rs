//! `cifar10` and `cifar100`: 50,000 and 10,000 colour images of 32x32 pixels, in the archives'
//! binary form.

use crate::error::of_file;
use crate::images::{Images, Source};
use crate::locate::{self, Places};
use crate::parts::Parts;
use crate::transform::Transform;
use autogrow_core::config::{Compat, DataConfig};
use autogrow_core::data::{DataRequest, DataSet, DataSetKind, Outputs, Statistics};
use autogrow_core::{Error, Result};
use autogrow_formats::{Input, cifar};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

autogrow_core::register! {
    DataSetKind {
        name: "cifar10",
        origin: env!("CARGO_PKG_NAME"),
        summary: "objects in 10 classes (Krizhevsky), 32x32 colour, 60,000 images",
        open: |request| CIFAR10.open(&Places::new(&request.config.dir), request),
    },
    DataSetKind {
        name: "cifar100",
        origin: env!("CARGO_PKG_NAME"),
        summary: "objects in 100 classes (Krizhevsky), 32x32 colour, 60,000 images",
        open: |request| CIFAR100.open(&Places::new(&request.config.dir), request),
    },
}

/// Bytes that an archive unpacks to at most; the published ones have less than a fifth of that.
const MOST_UNPACKED: u64 = 1 << 30;

/// What distinguishes the two sets.
struct Kind {
    name: &'static str,
    /// Folder that the archive unpacks to.
    folder: &'static str,
    /// The archive as published.
    archive: &'static str,
    /// Folder and archive of the version for Python.
    python: [&'static str; 2],
    train: &'static [&'static str],
    test: &'static str,
    /// What each byte of label before an image must be below; the last one is the class.
    labels: &'static [u8],
    classes: &'static [&'static str],
    statistics: fn(Compat) -> [Statistics; 3],
    how_to_get: &'static str,
}

const CIFAR10: Kind = Kind {
    name: "cifar10",
    folder: "cifar-10-batches-bin",
    archive: "cifar-10-binary.tar.gz",
    python: ["cifar-10-batches-py", "cifar-10-python.tar.gz"],
    train: &[
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
    ],
    test: "test_batch.bin",
    labels: &[10],
    classes: &[
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ],
    statistics: |compat| {
        let std = match compat {
            Compat::Paper => [0.2470, 0.2435, 0.2616],
            Compat::Code => [0.2023, 0.1994, 0.2010],
        };
        Statistics::channels([0.4914, 0.4822, 0.4465], std)
    },
    how_to_get: "`autogrow download cifar10`; or put the published archive of the binary version, \
                 cifar-10-binary.tar.gz, unpacked or not, into a folder and name it with `data.dir`",
};

const CIFAR100: Kind = Kind {
    name: "cifar100",
    folder: "cifar-100-binary",
    archive: "cifar-100-binary.tar.gz",
    python: ["cifar-100-python", "cifar-100-python.tar.gz"],
    train: &["train.bin"],
    test: "test.bin",
    labels: &[20, 100],
    classes: &FINE_CLASSES,
    statistics: |_| Statistics::channels([0.5071, 0.4865, 0.4409], [0.2673, 0.2564, 0.2762]),
    how_to_get: "`autogrow download cifar100`; or put the published archive of the binary version, \
                 cifar-100-binary.tar.gz, unpacked or not, into a folder and name it with `data.dir`",
};

/// The fine classes, in the order of their numbers.
#[rustfmt::skip]
const FINE_CLASSES: [&str; 100] = [
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle",
    "bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar",
    "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile",
    "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster",
    "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster",
    "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange",
    "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy",
    "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal",
    "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider", "squirrel", "streetcar",
    "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
    "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman",
    "worm",
];

impl Kind {
    fn open(&self, places: &Places, request: &DataRequest<'_>) -> Result<DataSet> {
        let folders = places.candidates(self.name, &[self.folder], &[]);
        let first: Vec<_> = self.train.iter().take(1).map(ToString::to_string).collect();
        let spellings = [first, vec![self.archive.into()]].concat();
        let folder = locate::folder(self.name, &folders, &spellings, self.how_to_get)
            .map_err(|error| self.explain(error, &folders))?;
        let archive = folder.join(self.archive);
        let files = match folder.join(&spellings[0]).is_file() {
            true => Files::Folder(folder),
            false => Files::unpack(&archive)?,
        };
        let (compat, config) = (request.compat, request.config);
        Ok(Parts {
            outputs: Outputs::Classes(self.classes.iter().map(ToString::to_string).collect()),
            train: self.read(&files, self.train, compat, config)?,
            validation: None,
            test: self.read(&files, &[self.test], compat, config)?,
        }
        .open(request))
    }

    fn read(
        &self,
        files: &Files,
        names: &[&str],
        compat: Compat,
        config: &DataConfig,
    ) -> Result<Arc<dyn Source>> {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for name in names {
            let input = files.input(name, self.how_to_get)?;
            cifar::records(input, self.labels, &mut pixels, &mut labels).map_err(of_file)?;
        }
        let statistics = (self.statistics)(compat);
        let transform = Transform::new([32, 32], 255, statistics).shift([4, 4]).flip();
        let transform = transform.configured(config);
        let origin = names.first().map(|name| files.path(name)).unwrap_or_default();
        Ok(Arc::new(Images::new(&origin, pixels, labels, transform)?))
    }

    /// What to say where the version for Python is there alone, which torchvision fetches, or where `data.dir`
    /// is its folder.
    fn explain(&self, error: Error, folders: &[PathBuf]) -> Error {
        let places = folders.iter().flat_map(|folder| {
            let within = self.python.map(|name| folder.join(name));
            within.into_iter().chain(folder.ends_with(self.python[0]).then(|| folder.clone()))
        });
        let python = places.into_iter().find(|path| path.exists());
        match python {
            Some(path) => {
                Error::data(path, "is the version for Python, pickles, which are not read")
                    .with_hint(format!(
                        "the binary version has the same images: {}",
                        self.how_to_get
                    ))
            }
            None => error,
        }
    }
}

/// Where the files are.
enum Files {
    Folder(PathBuf),
    /// In an archive: its path and content, and the place of each file in it by name.
    Archive(PathBuf, Vec<u8>, BTreeMap<String, Range<usize>>),
}

impl Files {
    /// The files of an archive, unpacked in memory.
    fn unpack(path: &Path) -> Result<Self> {
        let mut input = Input::open(path).map_err(of_file)?;
        let content = input.rest(MOST_UNPACKED).map_err(of_file)?;
        let mut places = BTreeMap::new();
        let all = 0..content.len() as u64;
        let walked = autogrow_formats::tar::members(path, &content, all, |member| {
            let name = Path::new(member.name).file_name().unwrap_or_default().to_string_lossy();
            let start = member.offset as usize;
            places.insert(name.into_owned(), start..start + member.length as usize);
            Ok(())
        });
        walked.map_err(of_file)?;
        Ok(Self::Archive(path.into(), content, places))
    }

    /// What errors call a file.
    fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::Folder(path) | Self::Archive(path, ..) => path.join(name),
        }
    }

    fn input(&self, name: &str, how_to_get: &str) -> Result<Input<'_>> {
        match self {
            Self::Folder(folder) => {
                let file = locate::file(folder, &[name.to_string()], how_to_get)?;
                Input::open(&file).map_err(of_file)
            }
            Self::Archive(_, content, places) => {
                let path = self.path(name);
                let place = places.get(name).and_then(|place| content.get(place.clone()));
                let missing = || Error::data(&path, "is not there").with_hint(how_to_get);
                let content = place.ok_or_else(missing)?;
                Ok(Input::embedded(&path.display().to_string(), content))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, assert_as_written, data_problem, fixture, gzip};
    use autogrow_core::data::Pass;
    use std::fs;

    fn open(name: &str, dir: PathBuf) -> Result<DataSet> {
        testing::open(&DataConfig { name: name.into(), dir, ..DataConfig::default() }, 0)
    }

    #[test]
    fn every_record_is_read_as_written() {
        for (kind, test) in [(CIFAR10, "test_batch.bin"), (CIFAR100, "test.bin")] {
            let folder = Files::Folder(fixture(kind.folder));
            for names in [kind.train, &[test]] {
                let config = DataConfig::default();
                let source = kind.read(&folder, names, Compat::Paper, &config).unwrap();
                let files: Vec<_> =
                    names.iter().map(|file| format!("{}/{file}", kind.folder)).collect();
                let files: Vec<_> = files.iter().map(String::as_str).collect();
                assert_as_written(source.as_ref(), &files, (kind.statistics)(Compat::Paper));
            }
        }
    }

    #[test]
    fn the_archives_folder_is_found_and_the_classes_are_the_fine_ones() {
        let set = open("cifar10", fixture("")).unwrap();
        assert_eq!((set.image, set.train.len(), set.test.len()), ([3, 32, 32], 8, 3));
        assert_eq!(set.outputs.names()[9], "truck");
        let set = open("cifar100", fixture("cifar-100-binary")).unwrap();
        assert_eq!(set.outputs.len(), 100);
        assert!(set.outputs.names().is_sorted());
        assert_eq!(testing::labels(set.test.as_ref()), [0, 99, 42]);
        let (problem, hint) = data_problem(open("cifar100", fixture("svhn")));
        assert!(problem.starts_with("the files of cifar100 are not there"), "{problem}");
        assert!(hint.contains("cifar-100-binary.tar.gz"), "{hint}");
    }

    #[test]
    fn the_published_archive_is_read_without_unpacking_it() {
        let mut archive = tar::Builder::new(Vec::new());
        archive.append_dir_all(CIFAR10.folder, fixture(CIFAR10.folder)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let packed = gzip(&archive.into_inner().unwrap());
        fs::write(folder.path().join(CIFAR10.archive), packed).unwrap();
        let [packed, plain] =
            [folder.path().into(), fixture("")].map(|dir| open("cifar10", dir).unwrap());
        assert_eq!(testing::pixels(&*packed.test), testing::pixels(&*plain.test));
        assert_eq!(testing::labels(&*packed.train), testing::labels(&*plain.train));
    }

    #[test]
    fn the_version_for_python_is_refused_with_the_way_to_the_other() {
        let python = tempfile::tempdir().unwrap();
        let [folder, archive] = CIFAR10.python.map(|name| python.path().join(name));
        let refused = |dir: &Path| {
            let (problem, hint) = data_problem(open("cifar10", dir.into()));
            assert_eq!(problem, "is the version for Python, pickles, which are not read");
            assert!(hint.contains("cifar-10-binary.tar.gz"), "{hint}");
        };
        fs::write(&archive, "").unwrap();
        refused(python.path());
        fs::remove_file(archive).unwrap();
        fs::create_dir(&folder).unwrap();
        refused(python.path());
        refused(&folder);
    }

    #[test]
    fn the_released_code_has_other_deviations() {
        let [paper, code] = [Compat::Paper, Compat::Code].map(CIFAR10.statistics);
        assert_eq!((paper[2].mean, paper[2].std), (0.4465, 0.2616));
        assert_eq!((code[2].mean, code[2].std), (0.4465, 0.2010));
        assert_eq!((CIFAR100.statistics)(Compat::Code), (CIFAR100.statistics)(Compat::Paper));
    }

    #[test]
    fn training_images_are_shifted_and_mirrored() {
        let set = open("cifar10", fixture("")).unwrap();
        let first = |seed| {
            let mut batches = set.train.batches(Pass { batch_size: 8, seed, ..Pass::default() });
            batches.next().unwrap().unwrap()
        };
        assert_eq!(first(Some(1)), first(Some(1)));
        assert_ne!(first(Some(1)).images, first(None).images);
    }

    #[test]
    fn damage_is_named_with_its_record_and_offset() {
        let folder = tempfile::tempdir().unwrap();
        let (path, files) = (folder.path().join("test.bin"), Files::Folder(folder.path().into()));
        let whole = fs::read(fixture("cifar-100-binary/test.bin")).unwrap();
        let read = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            let config = DataConfig::default();
            data_problem(CIFAR100.read(&files, &["test.bin"], Compat::Paper, &config)).0
        };
        assert_eq!(read(&[]), "no images at all: the file is empty");
        assert_eq!(
            read(&whole[..6_140]),
            "truncated: 8 of 3074 bytes of record 1 (from offset 3074) are missing"
        );
        let mut bytes = whole.clone();
        bytes[3_075] = 100;
        assert_eq!(read(&bytes), "label 100 of record 1 at offset 3075 is not below 100");
        bytes[3_074] = 20;
        assert_eq!(read(&bytes), "label 20 of record 1 at offset 3074 is not below 20");
    }

    #[test]
    fn a_missing_batch_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for name in &CIFAR10.train[..4] {
            fs::copy(fixture(CIFAR10.folder).join(name), folder.path().join(name)).unwrap();
        }
        let error = open("cifar10", folder.path().into()).unwrap_err();
        assert!(error.to_string().ends_with("data_batch_5.bin: is not there"), "{error}");
        assert!(error.hint().unwrap().contains("cifar-10-binary.tar.gz"));
    }
}
