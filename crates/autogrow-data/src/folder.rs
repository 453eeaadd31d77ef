//! `folder`: a user's own images, a folder a class, as torchvision's `ImageFolder` has it.
//!
//! `data.dir` holds `train`, `test` and perhaps `val`, each with a folder a class. Without `test`,
//! `val` is the test set, as is usual for ImageNet. Where neither is there, or where `data.dir`
//! holds the folders of the classes itself, a fifth of each class is set aside for tests.
//!
//! Images are decoded when the set is opened, scaled to 32x32 pixels, and kept: 3 kB an image.

use crate::class_folders::{Files, LAYOUT, classes, list};
use crate::decode::decode;
use crate::images::{Images, Source};
use crate::parts::{Parts, spread};
use crate::transform::{Statistics, Transform};
use autogrow_core::data::{DataRequest, DataSet, DataSetKind};
use autogrow_core::{Error, Result};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

autogrow_core::register! {
    DataSetKind {
        name: "folder",
        origin: env!("CARGO_PKG_NAME"),
        summary: "your own images: data.dir has a folder a class (JPEG, PNG, WebP, BMP), to 32x32",
        open,
    }
}

/// Height and width that images are scaled to.
const SIZE: usize = 32;

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
    let list = |part: &Path| list(part, &classes);
    let (train, test) = match test {
        Some(test) => (list(&train)?, list(&test)?),
        None => set_aside(list(&train)?),
    };
    Ok(Parts {
        train: read(root, train)?,
        validation: validation.map(|part| read(root, list(&part)?)).transpose()?,
        test: read(root, test)?,
        classes,
    }
    .open(request))
}

/// Divides images that nobody divided: training images, test images.
fn set_aside(files: Files) -> (Files, Files) {
    let labels: Vec<u16> = files.iter().map(|(_, label)| *label).collect();
    let mut is_test = spread(&labels, |images| images.div_ceil(5).min(images - 1)).into_iter();
    let (test, train) = files.into_iter().partition(|_| is_test.next() == Some(true));
    (train, test)
}

/// Decodes the files on the threads of the current pool. The first file that cannot be decoded is
/// the error, whatever the number of threads.
fn read(root: &Path, files: Files) -> Result<Arc<dyn Source>> {
    let mut pixels = vec![0; files.len() * 3 * SIZE * SIZE];
    let failed = pixels
        .par_chunks_exact_mut(3 * SIZE * SIZE)
        .zip(&files)
        .find_map_first(|(image, (path, _))| decode(path, SIZE as u32, image).err());
    if let Some(error) = failed {
        return Err(error);
    }
    let labels = files.into_iter().map(|(_, label)| label).collect();
    let transform = Transform::new([SIZE, SIZE], 255, statistics()).shift([4, 4]).flip();
    Ok(Arc::new(Images::new(root, pixels, labels, transform)?))
}

/// Those of ImageNet: photographs are what such folders usually hold.
fn statistics() -> [Statistics; 3] {
    Statistics::channels([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, bytes, data_problem, fixture, written};
    use autogrow_core::config::DataConfig;
    use autogrow_core::data::SelectOn;
    use std::fs;
    use tempfile::TempDir;

    fn open(dir: &Path) -> Result<DataSet> {
        let config = DataConfig { name: "folder".into(), dir: dir.into(), ..DataConfig::default() };
        testing::open(&config, 0)
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
            let source = read(Path::new(""), vec![(fixture(&file), 0)]).unwrap();
            let (found, expected) = (bytes(source.as_ref(), 0, statistics()), written(&file));
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
        assert_eq!(
            (set.image, set.classes.as_slice()),
            ([3, 32, 32], ["ant", "bee"].map(String::from).as_slice())
        );
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
        assert_eq!(set.classes, ["a", "b"]);
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
            let files = (1..5).map(|n| (root.path().join(format!("a/{n}.png")), 0)).collect();
            let error = pool.install(|| read(root.path(), files)).err().unwrap();
            assert!(error.to_string().starts_with(&broken.display().to_string()), "{error}");
            assert_eq!(error.exit_code(), 3);
        }
    }

    #[test]
    fn a_huge_image_is_refused_before_memory_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("huge.bmp");
        let mut header = fs::read(fixture("folder/train/ant/b.bmp")).unwrap();
        header[18..22].copy_from_slice(&19_999_u32.to_le_bytes());
        header[22..26].copy_from_slice(&19_999_u32.to_le_bytes());
        fs::write(&path, header).unwrap();
        let (problem, _) = data_problem(read(root.path(), vec![(path, 0)]));
        assert!(problem.contains("imit"), "{problem}");
    }
}
