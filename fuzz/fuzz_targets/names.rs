//! Folders of pictures with files, folders and links of any name: looked at, listed, opened.
#![no_main]

use autogrow_core::config::{DataConfig, OnBadImage};
use autogrow_core::data::{DataRequest, DataSet};
use autogrow_data::{is_class_folder, pictures_in, survey};
use libfuzzer_sys::fuzz_target;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Component, Path};

/// A BMP file of one pixel.
fn pixel(colour: u8) -> Vec<u8> {
    let words: [u32; 12] = [58, 0, 54, 40, 1, 1, 1 | 24 << 16, 0, 4, 0, 0, 0];
    let words = words.iter().flat_map(|word| word.to_le_bytes());
    b"BM".iter().copied().chain(words).chain([0, 0, 0, 0, colour, 7, 9, 0]).collect()
}

/// Makes what a line asks for: `/` at its end a folder, `>` within it a link, else a file. What the
/// system does not take is not there.
fn make(root: &Path, line: &[u8], colour: u8) -> std::io::Result<()> {
    let stays = |path: &Path| {
        !path.as_os_str().is_empty()
            && path.components().all(|part| matches!(part, Component::Normal(_)))
    };
    let parts: Vec<_> = line.splitn(2, |&byte| byte == b'>').map(OsStr::from_bytes).collect();
    if parts[0].as_bytes().contains(&0) || !stays(Path::new(parts[0])) {
        return Ok(());
    }
    let path = root.join(parts[0]);
    fs::create_dir_all(path.parent().unwrap_or(root))?;
    match parts.get(1) {
        Some(target) if stays(Path::new(target)) || *target == ".." || *target == "." => {
            symlink(target, path)
        }
        Some(_) => Ok(()),
        None if line.ends_with(b"/") => fs::create_dir(path),
        None => fs::write(path, pixel(colour)),
    }
}

fuzz_target!(|content: &[u8]| {
    let root = std::env::temp_dir().join(format!("autogrow-fuzz-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    if fs::create_dir(&root).is_err() {
        return;
    }
    for (number, line) in content.split(|&byte| byte == b'\n').take(40).enumerate() {
        // A name that is too long, or of something that is there already.
        let _ = make(&root, line, number as u8);
    }
    let looked_at = survey(&root);
    let _ = is_class_folder(&root, &["a".into()]);
    if let Ok(pictures) = pictures_in(&root) {
        assert!(pictures.iter().all(|path| path.starts_with(&root) && path.is_file()));
    }
    let on_bad_image = OnBadImage::Skip;
    let dir = root.clone();
    let config = DataConfig { name: "folder".into(), dir, on_bad_image, ..DataConfig::default() };
    let request = DataRequest {
        config: &config,
        compat: Default::default(),
        plugins: &Default::default(),
        task: autogrow_core::data::Task::Classes,
        seed: 0,
        size: 8,
    };
    if let Ok(set) = DataSet::open(&request) {
        let parts = [&set.train, &set.validation, &set.test];
        let names = parts.iter().flat_map(|part| (0..part.len()).map(|place| part.name(place)));
        assert!(names.flatten().all(|name| Path::new(&name).is_file()));
        assert!(looked_at.is_ok_and(|looked_at| looked_at.pictures >= set.train.len()));
    }
    let _ = fs::remove_dir_all(&root);
});
