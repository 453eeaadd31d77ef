//! `folder`: a user's own images, a folder a class, as torchvision's `ImageFolder` has it.
//!
//! `data.dir` holds folders for training, tests and perhaps validation (see `layout.rs`), each with a
//! folder a class. Without tests, the validation pictures are the test set, as is usual for ImageNet.
//! Where neither is there, or where `data.dir` holds the folders of the classes itself, about a fifth
//! of each class is set aside for tests, by the content of the files. So is what guides growth.
//!
//! Images are as large as the network takes them; see `pictures.rs` for how they are made. What
//! they are normalised with is measured on the training images.

use crate::archives::{Part, Store};
use crate::by_content;
use crate::class_folders::{classes, list, list_some, some};
use crate::entries::LAYOUT;
use crate::layout::{Layout, layout};
use crate::picture_set::PictureSet;
use autogrow_core::data::{DataRequest, DataSet, DataSetKind};
use autogrow_core::{Error, Result};
use std::path::Path;

/// Pictures of a published set that are compared with each other at most.
const COMPARED: usize = 20_000;

autogrow_core::register! {
    DataSetKind {
        name: "folder",
        origin: env!("CARGO_PKG_NAME"),
        summary: "your own images: data.dir has a folder a class (JPEG, PNG, WebP, BMP, GIF, TIFF)",
        open,
    }
}

fn open(request: &DataRequest<'_>) -> Result<DataSet> {
    let root = &request.config.dir;
    if root.as_os_str().is_empty() {
        let problem = "is empty: the data set `folder` has no folder of its own";
        return Err(Error::config("data.dir", problem).with_hint(LAYOUT));
    }
    let Layout { train, validation, test } = layout(root)?;
    let classes = classes(&train)?;
    let training: Part = (list(&train, &classes)?, Store::Folder(train));
    let training = by_content::mark(training);
    let published = |part: &Path| -> Result<Part> {
        let (listing, without) = list_some(part, &classes)?;
        if !without.is_empty() {
            tracing::warn!("{}: holds no pictures of {}", part.display(), some(&without));
        }
        Ok((listing, Store::Folder(part.into())))
    };
    let validation = validation.as_deref().map(published).transpose()?;
    let test = test.as_deref().map(published).transpose()?;
    let (train, validation, test) = match (validation, test) {
        (validation, Some(test)) => (training, validation, test),
        (Some(validation), None) => (training, None, validation),
        (None, None) => {
            let [train, test] = by_content::set_aside(root, &training, &classes)?;
            (train, None, test)
        }
    };
    say_copies([Some(&train), validation.as_ref(), Some(&test)].into_iter().flatten());
    PictureSet { train, validation, test, classes, statistics: None }.open(request)
}

/// Warns of pictures that are in several classes or parts.
fn say_copies<'a>(parts: impl Iterator<Item = &'a Part> + Clone) {
    if parts.clone().map(|(listing, _)| listing.len()).sum::<usize>() > COMPARED {
        return;
    }
    let marked: Vec<Part> = parts.map(by_content::marked).collect();
    for text in by_content::copies(&marked.iter().collect::<Vec<_>>()) {
        tracing::warn!("{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::Source;
    use crate::listing::Listing;
    use crate::pictures::Pictures;
    use crate::testing::{self, bytes, data_problem, distinct, fixture, pictures, written};
    use autogrow_core::config::DataConfig;
    use autogrow_core::config::{OnBadImage, SelectOn};
    use autogrow_core::data::{Pass, Statistics};
    use std::fs;
    use std::sync::Arc;

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
        let (part, config) = ((listing, Store::Folder(root.into())), DataConfig::default());
        let mut bad = crate::bad::Bad::default();
        let (source, _) = Pictures::new(part, 32, STATISTICS, &config).source(&mut bad)?;
        bad.error().map_or(Ok(source), Err)
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
        let set = open(pictures(&names).path()).unwrap();
        assert_eq!((set.train.len(), set.validation.len(), set.test.len()), (3, 1, 3));
    }

    #[test]
    fn folders_of_classes_alone_are_divided() {
        let root = distinct(&[("a", 60), ("b/x", 40)]);
        fs::write(root.path().join("b/notes.txt"), "").unwrap();
        let open = |seed| {
            let dir = root.path().into();
            let config = DataConfig { name: "folder".into(), dir, ..DataConfig::default() };
            testing::open(&config, seed).unwrap()
        };
        let set = open(0);
        assert_eq!(set.outputs.names(), ["a", "b"]);
        let counts = |split: &dyn autogrow_core::data::Split| {
            let labels = testing::labels(split);
            let ones: usize = labels.iter().sum();
            [labels.len() - ones, ones]
        };
        let [test, validation, train] =
            [&set.test, &set.validation, &set.train].map(|split| counts(&**split));
        assert!((5..=20).contains(&test[0]) && (3..=15).contains(&test[1]), "{test:?}");
        // A quarter of each class.
        assert!((3..=5).contains(&(4 * validation[0] / test[0].max(1)).max(3)));
        assert_eq!(test[0] + validation[0] + train[0], 60);
        assert_eq!(test[1] + validation[1] + train[1], 40);
        let names = |set: &DataSet| -> Vec<_> {
            (0..set.test.len()).map(|place| set.test.name(place).unwrap()).collect()
        };
        assert_eq!(names(&set), names(&open(1)));
        assert!(names(&set)[0].starts_with(&root.path().display().to_string()));
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        let error = open(Path::new("")).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().starts_with("`data.dir` is empty"));
        let problem = |names: &[&str]| {
            let root = pictures(names);
            let (problem, hint) = data_problem(open(root.path()));
            assert!(!hint.is_empty());
            problem
        };
        assert_eq!(problem(&[]), "holds 0 folders of classes");
        assert_eq!(problem(&["a/1.png", "b/notes.txt"]), "holds no picture");
        let nothing = ["a/1.png", "b/notes.txt", "c/notes.txt"];
        assert_eq!(problem(&nothing), "holds no pictures of b, c");
        let classes = ["train/a/1.png", "train/c/3.png", "test/b/2.png"];
        assert_eq!(problem(&classes), "is no class of the training images");
        assert!(data_problem(open(Path::new("/no/such/folder"))).0.contains("cannot be listed"));
        let few = ["train/a/1.png", "train/b/2.png", "test/a/3.png"];
        assert!(problem(&few).starts_with("no validation images are left"));
    }

    /// Endings that cameras and browsers use, files without one, and links.
    #[test]
    fn pictures_are_known_by_ending_or_content() {
        let root = pictures(&["a/1.PNG", "a/2.jfif", "a/3", "a/4.dat", "b/1.gif", "b/2.tiff"]);
        pictures_elsewhere(root.path());
        let listing = list(root.path(), &["a".into(), "b".into()]).unwrap();
        let names: Vec<_> = (0..listing.len()).map(|index| listing.name(index)).collect();
        let expected = ["a/1.PNG", "a/2.jfif", "a/3", "a/4.dat", "b/1.gif", "b/2.tiff"];
        #[cfg(unix)]
        let expected =
            [&expected[..], &["b/linked/1.PNG", "b/linked/2.jfif", "b/linked/3"]].concat();
        #[cfg(unix)]
        assert_eq!(names[..expected.len()], expected);
        #[cfg(not(unix))]
        assert_eq!(names, expected);
    }

    /// What systems and archives leave behind, copies, links that lead nowhere, in a circle, elsewhere.
    fn pictures_elsewhere(root: &Path) {
        for name in ["a/@eaDir/1.png", "b/.hidden.png", "b/Thumbs.db", "__MACOSX/a/1.png"] {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::copy(fixture("folder/train/ant/a.png"), path).unwrap();
        }
        fs::copy(root.join("a/3"), root.join("b/copy.bak")).unwrap();
        fs::write(root.join("b/notes"), "text").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink(root.join("a"), root.join("b/linked")).unwrap();
            symlink(root, root.join("b/circle")).unwrap();
            symlink("nowhere", root.join("b/broken.png")).unwrap();
        }
    }

    #[test]
    fn an_undecodable_image_is_named_whatever_the_threads() {
        let root = pictures(&["a/1.png", "a/2.png", "a/3.png", "a/4.png"]);
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
        let root = pictures(&["train/a/1.png", "train/a/2.png", "train/b/3.png", "test/a/4.png"]);
        fs::write(root.path().join("train/a/2.png"), b"GIF89a").unwrap();
        fs::write(root.path().join("test/a/5.png"), b"").unwrap();
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
            assert!(error.to_string().contains("nor can") && error.to_string().contains("5.png"));
            assert_eq!(error.exit_code(), 3);
            let set = open(OnBadImage::Skip).unwrap();
            // Of small images, which are kept, it is known from the beginning.
            assert_eq!(set.train.len(), if size == 32 { 2 } else { 3 });
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
