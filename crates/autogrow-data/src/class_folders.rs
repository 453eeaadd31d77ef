//! Folders that are named after classes and hold their images.

use crate::decode::EXTENSIONS;
use autogrow_core::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Folders within folders of a class that are looked into: more is a loop of links.
const DEEPEST: usize = 16;
/// What to do about a folder that is laid out in another way.
pub(crate) const LAYOUT: &str = "`data.dir` holds a folder for each class, or `train`, `test` and perhaps \
                      `val` that do, with .jpg, .jpeg, .png, .webp or .bmp files";

/// Image files with their classes, in the order of class and path.
pub(crate) type Files = Vec<(PathBuf, u16)>;

/// Names of the folders in `part`, sorted.
///
/// # Errors
/// [`Error::Data`] where there is none, or where the folder cannot be listed.
pub(crate) fn classes(part: &Path) -> Result<Vec<String>> {
    let classes: Vec<_> =
        entries(part)?.into_iter().filter(|path| path.is_dir()).map(|path| name(&path)).collect();
    if classes.is_empty() || classes.len() > usize::from(u16::MAX) {
        let problem = format!("holds {} folders of classes", classes.len());
        return Err(Error::data(part, problem).with_hint(LAYOUT));
    }
    Ok(classes)
}

/// The images of every class in `part`; each class folder must be one of `classes` and hold some.
///
/// # Errors
/// [`Error::Data`] where that is not so, or where a folder cannot be listed.
pub(crate) fn list(part: &Path, classes: &[String]) -> Result<Files> {
    let mut files = Vec::new();
    for folder in entries(part)?.into_iter().filter(|path| path.is_dir()) {
        let Ok(label) = classes.binary_search(&name(&folder)) else {
            return Err(Error::data(folder, "is no class of the training images")
                .with_hint("every part has the folders that `train` has"));
        };
        let before = files.len();
        walk(&folder, label as u16, 0, &mut files)?;
        if files.len() == before {
            return Err(Error::data(folder, "holds no image").with_hint(LAYOUT));
        }
    }
    if files.is_empty() {
        return Err(Error::data(part, "is empty").with_hint(LAYOUT));
    }
    Ok(files)
}

/// Adds the images in and below a folder.
pub(crate) fn walk(folder: &Path, label: u16, depth: usize, files: &mut Files) -> Result<()> {
    if depth > DEEPEST {
        return Err(
            Error::data(folder, "folders go on within folders: a loop of links?").with_hint(LAYOUT)
        );
    }
    for path in entries(folder)? {
        let extension = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        if path.is_dir() {
            walk(&path, label, depth + 1, files)?;
        } else if extension.is_some_and(|ending| EXTENSIONS.contains(&ending.as_str())) {
            files.push((path, label));
        }
    }
    Ok(())
}

/// What a folder holds, sorted by name; hidden files are left out.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
    };
    let mut paths = read().map_err(|cause| {
        Error::data(folder, format!("cannot be listed: {cause}")).with_hint(LAYOUT)
    })?;
    paths.retain(|path| !name(path).starts_with('.'));
    paths.sort_by_cached_key(|path| name(path));
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
