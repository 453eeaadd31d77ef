//! The archives and the folders they unpack to are the same data set.

use super::*;
use crate::testing::{self, data_problem, fixture};
use autogrow_core::config::DataConfig;
use autogrow_core::data::{Pass, Split};
use autogrow_formats::{ReadAt, tar};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

fn open_at(dir: &Path, size: usize) -> Result<DataSet> {
    let config = DataConfig { name: "imagenet".into(), dir: dir.into(), ..DataConfig::default() };
    testing::open_at(&config, 0, size)
}

/// Unpacks an archive into a folder.
fn unpack(archive: &Path, into: &Path) {
    let file = fs::File::open(archive).unwrap();
    fs::create_dir_all(into).unwrap();
    let length = file.metadata().unwrap().len();
    tar::members(archive, &file, 0..length, |member| {
        let mut content = vec![0; member.length as usize];
        file.read_exact_at(member.offset, &mut content).unwrap();
        let path = into.join(member.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        Ok(())
    })
    .unwrap();
}

/// The set unpacked: the training pictures to folders, the others side by side.
fn unpacked() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let archives = root.path().join("archives");
    unpack(&fixture("imagenet").join(TRAIN), &archives);
    for class in ["n01440764", "n02119789"] {
        unpack(&archives.join(format!("{class}.tar")), &root.path().join("train").join(class));
    }
    unpack(&fixture("imagenet").join(VAL), &root.path().join("val"));
    let kit = "ILSVRC2012_devkit_t12.tar.gz";
    fs::copy(fixture("imagenet").join(kit), root.path().join(kit)).unwrap();
    root
}

fn pixels(split: &dyn Split, seed: Option<u64>) -> Vec<f32> {
    let batches = split.batches(Pass { batch_size: 2, seed, ..Pass::default() });
    batches.flat_map(|batch| batch.unwrap().images).collect()
}

#[test]
fn archives_are_the_folders_they_unpack_to() {
    let folders = unpacked();
    for size in [32, 224] {
        let archives = open_at(&fixture("imagenet"), size).unwrap();
        let folders = open_at(folders.path(), size).unwrap();
        assert_eq!(archives.outputs.names(), ["n01440764", "n02119789"]);
        assert_eq!(archives.image, [3, size, size]);
        assert_eq!(
            (archives.train.len(), archives.validation.len(), archives.test.len()),
            (6, 2, 3)
        );
        for seed in [None, Some(1)] {
            for (a, b) in [(&archives.train, &folders.train), (&archives.test, &folders.test)] {
                assert_eq!(pixels(a.as_ref(), seed), pixels(b.as_ref(), seed));
            }
        }
        // By the names of the files, not by their order in the archive: class 1 has the number 2.
        for set in [archives, folders] {
            assert_eq!(testing::labels(set.test.as_ref()), [1, 0, 1]);
        }
    }
}

#[test]
fn validation_pictures_may_lie_in_folders_or_be_missing() {
    let root = unpacked();
    let val = root.path().join("val");
    let file = |number| format!("ILSVRC2012_val_0000000{number}.JPEG");
    for (number, class) in [(1, "n01440764"), (2, "n01440764"), (3, "n02119789")] {
        fs::create_dir_all(val.join(class)).unwrap();
        fs::rename(val.join(file(number)), val.join(class).join(file(number))).unwrap();
    }
    fs::remove_file(root.path().join("ILSVRC2012_devkit_t12.tar.gz")).unwrap();
    let set = open_at(root.path(), 32).unwrap();
    assert_eq!(testing::labels(set.test.as_ref()), [0, 0, 1]);
    fs::remove_dir_all(val).unwrap();
    let set = open_at(root.path(), 32).unwrap();
    assert_eq!((set.train.len() + set.validation.len(), set.test.len()), (6, 2));
    assert_eq!(testing::labels(set.test.as_ref()), [0, 1]);
}

#[test]
fn what_is_missing_is_named() {
    let root = tempfile::tempdir().unwrap();
    let (problem, hint) = data_problem(open_at(root.path(), 224));
    assert!(problem.starts_with("imagenet is not there; looked in "), "{problem}");
    assert!(hint.contains("image-net.org"));
    for name in [TRAIN, VAL] {
        fs::copy(fixture("imagenet").join(name), root.path().join(name)).unwrap();
    }
    let (problem, _) = data_problem(open_at(root.path(), 224));
    assert!(problem.starts_with("is not there: without it nobody knows"), "{problem}");
    let archive = root.path().join(TRAIN);
    let whole = fs::read(&archive).unwrap();
    fs::write(&archive, &whole[..whole.len() / 2]).unwrap();
    let error = open_at(root.path(), 224).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("truncated: "), "{error}");
}

#[test]
fn a_broken_picture_is_named_by_its_archive() {
    let root: PathBuf = fixture("imagenet");
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    let path = copy.path().join(VAL);
    let mut bytes = fs::read(&path).unwrap();
    bytes[512] = 0;
    fs::write(&path, bytes).unwrap();
    let set = open_at(copy.path(), 224).unwrap();
    let error = set.test.batches(Pass { batch_size: 9, ..Pass::default() }).next().unwrap();
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("ILSVRC2012_img_val.tar/ILSVRC2012_val_00000001.JPEG: is not"),
        "{error}"
    );
}
