//! `folder`: a user's own images, a folder a class, as torchvision's `ImageFolder` has it.
//!
//! `data.dir` holds `train`, `test` and perhaps `val`, each with a folder a class. Without `test`,
//! `val` is the test set, as is usual for ImageNet. Where neither is there, or where `data.dir`
//! holds the folders of the classes itself, a fifth of each class is set aside for tests.
//!
//! Images are as large as the network takes them; see `pictures.rs` for how they are made. What
//! they are normalised with is measured on the training images.

use crate::archives::Store;
use crate::class_folders::{LAYOUT, classes, list};
use crate::picture_set::PictureSet;
use autogrow_core::data::{DataRequest, DataSet, DataSetKind};
use autogrow_core::{Error, Result};
use std::path::PathBuf;

autogrow_core::register! {
    DataSetKind {
        name: "folder",
        origin: env!("CARGO_PKG_NAME"),
        summary: "your own images: data.dir has a folder a class (JPEG, PNG, WebP, BMP)",
        open,
    }
}

fn open(request: &DataRequest<'_>) -> Result<DataSet> {
    let root = &request.config.dir;
    if root.as_os_str().is_empty() {
        let problem = "is empty: the data set `folder` has no folder of its own";
        return Err(Error::config("data.dir", problem).with_hint(LAYOUT));
    }
    let [train, val, test] = ["train", "val", "test"].map(|part| root.join(part));
    let train = if train.is_dir() { train } else { root.clone() };
    let published = |part: &PathBuf| train != *root && part.is_dir();
    let (validation, test) = match (published(&val), published(&test)) {
        (true, true) => (Some(val), Some(test)),
        (true, false) => (None, Some(val)),
        (false, there) => (None, there.then_some(test)),
    };
    let classes = classes(&train)?;
    let listed = |part: PathBuf| -> Result<_> { Ok((list(&part, &classes)?, Store::Folder(part))) };
    let validation = validation.map(listed).transpose()?;
    let test = test.map(listed).transpose()?;
    PictureSet { train: listed(train)?, validation, test, classes, statistics: None }.open(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::Source;
    use crate::listing::Listing;
    use crate::pictures::Pictures;
    use crate::testing::{self, bytes, data_problem, fixture, written};
    use autogrow_core::config::DataConfig;
    use autogrow_core::config::{OnBadImage, SelectOn};
    use autogrow_core::data::{Pass, Statistics};
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;
    use tempfile::TempDir;

    fn open(dir: &Path) -> Result<DataSet> {
        let config = DataConfig { name: "folder".into(), dir: dir.into(), ..DataConfig::default() };
        testing::open(&config, 0)
    }

    const STATISTICS: [Statistics; 3] = [Statistics { mean: 0.5, std: 0.2 }; 3];

    /// The files below `root` as a source of images of 32x32 pixels.
    fn read(root: &Path, files: &[&str]) -> Result<Arc<dyn Source>> {
        let mut listing = Listing::default();
        for file in files {
            listing.push(root, file, 0)?;
        }
        Pictures::new(listing, Store::Folder(root.into()), 32, STATISTICS).source(OnBadImage::Error)
    }

    /// A folder that holds copies of one image under these names, and an empty file for `.txt`.
    fn folder(names: &[&str]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        for name in names {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if name.ends_with(".txt") {
                fs::write(path, "").unwrap();
            } else {
                fs::copy(fixture("folder/train/ant/a.png"), path).unwrap();
            }
        }
        root
    }

    #[test]
    fn every_format_is_decoded_scaled_and_cut() {
        for (file, exact) in [
            ("train/ant/a.png", true),
            ("train/ant/b.bmp", true),
            ("train/ant/c.webp", true),
            ("train/bee/d.jpg", false),
            ("train/bee/e.PNG", true),
            ("train/bee/more/f.png", false),
            ("val/bee/g.png", true),
            ("test/ant/h.png", true),
            ("test/bee/i.jpeg", false),
        ] {
            let file = format!("folder/{file}");
            let source = read(&fixture(""), &[&file]).unwrap();
            let (found, expected) = (bytes(source.as_ref(), 0, STATISTICS), written(&file));
            for (plane, sum) in found.iter().zip(&expected.sums[0]) {
                let off = (plane.iter().sum::<i64>() - sum).abs();
                assert!(if exact { off == 0 } else { off < 1_024 }, "{file}: {off}");
            }
            for (value, expected) in found[0].iter().zip(expected.first_row) {
                let off = (value - expected).abs();
                assert!(if exact { off == 0 } else { off <= 3 }, "{file}: {off}");
            }
        }
    }

    #[test]
    fn published_parts_are_used_as_they_are() {
        let set = open(&fixture("folder")).unwrap();
        assert_eq!((set.image, set.outputs.names()), ([3, 32, 32], vec!["ant", "bee"]));
        assert_eq!(testing::labels(set.train.as_ref()), [0, 0, 0, 1, 1, 1]);
        assert_eq!(testing::labels(set.validation.as_ref()), [1]);
        assert_eq!(testing::labels(set.test.as_ref()), [0, 1]);
    }

    #[test]
    fn without_a_test_part_val_is_the_test_set() {
        let names = ["train/a/1.png", "train/a/2.png", "train/a/3.png", "train/b/4.png"];
        let mut names = names.to_vec();
        names.extend(["val/a/5.png", "val/b/6.png", "val/b/7.png"]);
        let set = open(folder(&names).path()).unwrap();
        assert_eq!((set.train.len(), set.validation.len(), set.test.len()), (3, 1, 3));
    }

    #[test]
    fn folders_of_classes_alone_are_divided_evenly() {
        let names: Vec<String> = (0..10)
            .map(|index| format!("a/{index}.png"))
            .chain((0..5).map(|index| format!("b/x/{index}.png")))
            .chain(["b/notes.txt".into(), ".hidden/1.png".into()])
            .collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let root = folder(&names);
        let config = DataConfig {
            name: "folder".into(),
            dir: root.path().into(),
            select_on: SelectOn::Test,
            ..DataConfig::default()
        };
        let set = testing::open(&config, 0).unwrap();
        assert_eq!(set.outputs.names(), ["a", "b"]);
        assert_eq!(testing::labels(set.test.as_ref()), [0, 0, 1]);
        assert_eq!((set.train.len(), set.validation.len()), (12, 3));
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        let error = open(Path::new("")).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().starts_with("`data.dir` is empty"));
        let problem = |names: &[&str]| {
            let root = folder(names);
            let (problem, hint) = data_problem(open(root.path()));
            assert!(!hint.is_empty());
            problem
        };
        assert_eq!(problem(&[]), "holds 0 folders of classes");
        assert_eq!(problem(&["a/1.png", "b/notes.txt"]), "holds no image");
        let classes = ["train/a/1.png", "test/b/2.png"];
        assert_eq!(problem(&classes), "is no class of the training images");
        assert!(data_problem(open(Path::new("/no/such/folder"))).0.contains("cannot be listed"));
    }

    #[test]
    fn an_undecodable_image_is_named_whatever_the_threads() {
        let root = folder(&["a/1.png", "a/2.png", "a/3.png", "a/4.png"]);
        let broken = root.path().join("a/2.png");
        fs::write(&broken, b"GIF89a").unwrap();
        let whole = fs::read(root.path().join("a/4.png")).unwrap();
        fs::write(root.path().join("a/4.png"), &whole[..whole.len() / 2]).unwrap();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let files = ["a/1.png", "a/2.png", "a/3.png", "a/4.png"];
            let error = pool.install(|| read(root.path(), &files)).err().unwrap();
            assert!(error.to_string().starts_with(&broken.display().to_string()), "{error}");
            assert_eq!(error.exit_code(), 3);
        }
    }

    #[test]
    fn images_are_normalised_with_what_is_measured_on_the_training_images() {
        let set = open(&fixture("folder")).unwrap();
        let pixels = testing::pixels(set.train.as_ref());
        let planes = |channel| pixels.chunks(32 * 32).skip(channel).step_by(3).flatten();
        for channel in 0..3 {
            let count = planes(channel).count() as f64;
            let mean = planes(channel).map(|&pixel| f64::from(pixel)).sum::<f64>() / count;
            let square = planes(channel).map(|&pixel| f64::from(pixel).powi(2)).sum::<f64>();
            let deviation = (square / count - mean * mean).sqrt();
            assert!(mean.abs() < 1e-3 && (deviation - 1.0).abs() < 1e-3, "{mean} {deviation}");
        }
        assert_eq!(set.preprocessing.unwrap().mean.len(), 3);
    }

    #[test]
    fn networks_for_large_images_get_them() {
        let dir = fixture("folder");
        let config = DataConfig { name: "folder".into(), dir, ..DataConfig::default() };
        let large = |seed| {
            let set = testing::open_at(&config, seed, 224).unwrap();
            assert_eq!(set.image, [3, 224, 224]);
            set.train
        };
        let pass = Pass { batch_size: 4, seed: Some(3), ..Pass::default() };
        let batches = |threads| -> Vec<_> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| large(0).batches(pass).map(Result::unwrap).collect())
        };
        assert_eq!(batches(1), batches(3));
        assert_eq!(batches(2).len(), 2);
        assert_eq!(batches(2)[0].images.len(), 4 * 3 * 224 * 224);
        let next: Vec<_> = large(0).batches(Pass { seed: Some(4), ..pass }).collect();
        assert_ne!(next[0].as_ref().unwrap().images, batches(1)[0].images);
    }

    #[test]
    fn bad_images_end_the_run_or_are_left_out() {
        let root = folder(&["train/a/1.png", "train/a/2.png", "train/b/3.png", "test/a/4.png"]);
        fs::write(root.path().join("train/a/2.png"), b"GIF89a").unwrap();
        for size in [32, 224] {
            let open = |on_bad_image| {
                let config = DataConfig {
                    name: "folder".into(),
                    dir: root.path().into(),
                    select_on: SelectOn::Test,
                    on_bad_image,
                    ..DataConfig::default()
                };
                testing::open_at(&config, 0, size)
            };
            let error = open(OnBadImage::Error).unwrap_err();
            assert!(error.to_string().contains("2.png: is not an image"), "{error}");
            assert_eq!(error.exit_code(), 3);
            let set = open(OnBadImage::Skip).unwrap();
            assert_eq!(set.train.len(), 3);
            for seed in [None, Some(1)] {
                let pass = Pass { batch_size: 2, seed, ..Pass::default() };
                let batches = set.train.batches(pass);
                let labels =
                    batches.flat_map(|batch| batch.unwrap().targets.classes().unwrap().to_vec());
                assert_eq!(labels.sum::<usize>(), 1);
                let batches = set.train.batches(pass).map(|batch| batch.unwrap());
                let (images, values) = batches.fold((0, 0), |(images, values), batch| {
                    (images + batch.len(), values + batch.images.len())
                });
                assert_eq!((images, values), (2, 2 * 3 * size * size));
            }
        }
    }
}
