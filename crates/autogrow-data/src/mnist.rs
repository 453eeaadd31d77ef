//! `mnist` and `fashion-mnist`: 60,000 and 10,000 grey images of 28x28 pixels in IDX files, padded
//! to 32x32 so that the networks of the paper fit.

use crate::error::of_file;
use crate::images::{Images, Source};
use crate::locate::{self, Places};
use crate::parts::Parts;
use crate::transform::Transform;
use autogrow_core::Result;
use autogrow_core::data::{DataRequest, DataSet, DataSetKind, Outputs, Statistics};
use autogrow_formats::{Input, idx};
use std::path::Path;
use std::sync::Arc;

autogrow_core::register! {
    DataSetKind {
        name: "mnist",
        origin: env!("CARGO_PKG_NAME"),
        summary: "handwritten digits (LeCun, Cortes, Burges), 28x28 grey, 70,000 images",
        open: |request| MNIST.open(&Places::new(&request.config.dir), request),
    },
    DataSetKind {
        name: "fashion-mnist",
        origin: env!("CARGO_PKG_NAME"),
        summary: "articles of clothing (Zalando), 28x28 grey, 70,000 images",
        open: |request| FASHION.open(&Places::new(&request.config.dir), request),
    },
}

/// What distinguishes the sets of this format.
struct Kind {
    name: &'static str,
    classes: [&'static str; 10],
    flip: bool,
    /// Where torchvision puts it, below the folder that it is given.
    torchvision: &'static str,
    /// Where packages of operating systems put it.
    system: &'static [&'static str],
    how_to_get: &'static str,
}

const MNIST: Kind = Kind {
    name: "mnist",
    classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    flip: false,
    torchvision: "MNIST/raw",
    system: &[],
    how_to_get: "`autogrow download mnist`; or put the four published files, plain or .gz, into one \
                 folder and name it with `data.dir`",
};

const FASHION: Kind = Kind {
    name: "fashion-mnist",
    classes: [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ],
    flip: true,
    torchvision: "FashionMNIST/raw",
    system: &["/usr/share/datasets/fashion-mnist"],
    how_to_get: "`autogrow download fashion-mnist`; or on Debian and Ubuntu: `apt-get install \
                 dataset-fashion-mnist`; or put the four published files, plain or .gz, into one \
                 folder and name it with `data.dir`",
};

impl Kind {
    fn open(&self, places: &Places, request: &DataRequest<'_>) -> Result<DataSet> {
        let folders = places.candidates(self.name, &[self.torchvision], self.system);
        let spellings = spellings("train-images", 3);
        let folder = locate::folder(self.name, &folders, &spellings, self.how_to_get)?;
        Ok(Parts {
            outputs: Outputs::Classes(self.classes.map(String::from).to_vec()),
            train: self.read(&folder, "train", request)?,
            validation: None,
            test: self.read(&folder, "t10k", request)?,
        }
        .open(request))
    }

    /// Reads the images and labels whose files start with `part`.
    fn read(
        &self,
        folder: &Path,
        part: &str,
        request: &DataRequest<'_>,
    ) -> Result<Arc<dyn Source>> {
        let file = |what, dimensions| {
            let spellings = spellings(&format!("{part}-{what}"), dimensions);
            locate::file(folder, &spellings, self.how_to_get)
        };
        let images = file("images", 3)?;
        let labels = file("labels", 1)?;
        let pixels = Input::open(&images).and_then(|input| idx::images(input, [28, 28]));
        let pixels = pixels.map_err(of_file)?;
        let classes = Input::open(&labels).and_then(|input| idx::labels(input, 10));
        let classes = classes.map_err(of_file)?;
        let mut transform =
            Transform::new([28, 28], 255, [Statistics { mean: 0.0, std: 1.0 }]).pad_to([32, 32]);
        if self.flip {
            transform = transform.flip();
        }
        let transform = transform.configured(request.config);
        Ok(Arc::new(Images::new(&labels, pixels, classes, transform)?))
    }
}

/// The names that a file goes by, with and without compression.
fn spellings(stem: &str, dimensions: usize) -> [String; 4] {
    [
        format!("{stem}-idx{dimensions}-ubyte"),
        format!("{stem}-idx{dimensions}-ubyte.gz"),
        format!("{stem}.idx{dimensions}-ubyte"),
        format!("{stem}.idx{dimensions}-ubyte.gz"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, data_problem, gzip};
    use autogrow_core::config::DataConfig;
    use std::fs;
    use tempfile::TempDir;

    /// Images whose pixels count up, with labels that do, in the names given for the four files.
    fn write(names: [&str; 4], images: [u32; 4], pack: bool) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (index, (name, count)) in names.into_iter().zip(images).enumerate() {
            let mut bytes = if index % 2 == 0 { vec![0, 0, 8, 3] } else { vec![0, 0, 8, 1] };
            bytes.extend(count.to_be_bytes());
            if index % 2 == 0 {
                bytes.extend([0, 0, 0, 28, 0, 0, 0, 28]);
                bytes.extend((0..count * 784).map(|pixel| (pixel % 251) as u8));
            } else {
                bytes.extend((0..count).map(|label| (label % 10) as u8));
            }
            let bytes = if pack { gzip(&bytes) } else { bytes };
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    const NAMES: [&str; 4] = [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ];

    fn open(name: &str, folder: &TempDir) -> Result<DataSet> {
        let config =
            DataConfig { name: name.into(), dir: folder.path().into(), ..DataConfig::default() };
        testing::open(&config, 0)
    }

    #[test]
    fn every_spelling_reads_the_same() {
        let packed = [
            "train-images.idx3-ubyte.gz",
            "train-labels.idx1-ubyte",
            "t10k-images-idx3-ubyte.gz",
            "t10k-labels.idx1-ubyte.gz",
        ];
        let counts = [30, 30, 10, 10];
        let plain = open("mnist", &write(NAMES, counts, false)).unwrap();
        let other = open("fashion-mnist", &write(packed, counts, true)).unwrap();
        assert_eq!((plain.image, plain.train.len(), plain.test.len()), ([1, 32, 32], 23, 10));
        assert_eq!(other.outputs.names()[9], "Ankle boot");
        let pixels = testing::pixels(plain.test.as_ref());
        assert_eq!(pixels, testing::pixels(other.test.as_ref()));
        assert_eq!(testing::labels(plain.test.as_ref()), (0..10).collect::<Vec<_>>());
        // Two rows of black, two columns, then the first pixels.
        assert_eq!(pixels[..66], [0.0; 66]);
        assert_eq!(pixels[66..69], [0.0, 1.0 / 255.0, 2.0 / 255.0]);
    }

    #[test]
    fn the_folder_that_torchvision_was_given_is_enough() {
        let raw = write(NAMES, [30, 30, 10, 10], false);
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("FashionMNIST")).unwrap();
        fs::rename(raw.path(), root.path().join("FashionMNIST/raw")).unwrap();
        assert_eq!(open("fashion-mnist", &root).unwrap().test.len(), 10);
        assert!(open("mnist", &root).is_err());
    }

    #[test]
    fn a_subfolder_named_after_the_set_is_found() {
        let folder = write(NAMES, [30, 30, 10, 10], false);
        let outer = tempfile::tempdir().unwrap();
        fs::rename(folder.path(), outer.path().join("mnist")).unwrap();
        assert_eq!(open("mnist", &outer).unwrap().test.len(), 10);
        let (problem, hint) = data_problem(open("fashion-mnist", &outer));
        assert!(problem.starts_with("the files of fashion-mnist are not there"), "{problem}");
        assert!(hint.contains("dataset-fashion-mnist"), "{hint}");
    }

    #[test]
    fn an_empty_folder_and_a_missing_file_are_named() {
        let error = open("mnist", &tempfile::tempdir().unwrap()).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("train-images-idx3-ubyte"));
        let folder = write(NAMES, [30, 30, 10, 10], false);
        fs::remove_file(folder.path().join(NAMES[3])).unwrap();
        let error = open("mnist", &folder).unwrap_err().to_string();
        assert!(error.contains("t10k-labels-idx1-ubyte: is not there"), "{error}");
    }

    #[test]
    fn as_many_labels_as_images() {
        let error = open("mnist", &write(NAMES, [30, 29, 10, 10], false)).unwrap_err();
        assert!(error.to_string().ends_with("train-labels-idx1-ubyte: 29 labels for 30 images"));
        assert!(error.hint().unwrap().contains("both files"));
    }
}
