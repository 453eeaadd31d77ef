//! Folders that are named after classes and hold their images.

use crate::listing::Listing;
use autogrow_core::{Error, Result};
use autogrow_formats::picture::EXTENSIONS;
use std::fs;
use std::path::Path;

/// Folders within folders of a class that are looked into: more is a loop of links.
const DEEPEST: usize = 16;
/// What to do about a folder that is laid out in another way.
pub(crate) const LAYOUT: &str = "`data.dir` holds a folder for each class, or `train`, `test` and perhaps \
                      `val` that do, with .jpg, .jpeg, .png, .webp or .bmp files";

/// Names of the folders in `part`, sorted.
///
/// # Errors
/// [`Error::Data`] where there is none, or where the folder cannot be listed.
pub(crate) fn classes(part: &Path) -> Result<Vec<String>> {
    let folders = entries(part)?.into_iter().filter(|entry| entry.is_folder);
    let classes: Vec<_> = folders.map(|folder| folder.name).collect();
    if classes.is_empty() || classes.len() > usize::from(u16::MAX) {
        let problem = format!("holds {} folders of classes", classes.len());
        return Err(Error::data(part, problem).with_hint(LAYOUT));
    }
    Ok(classes)
}

/// The images of every class in `part`, in the order of class and path; each class folder must be
/// one of `classes` and hold some.
///
/// # Errors
/// [`Error::Data`] where that is not so, or where a folder cannot be listed.
pub(crate) fn list(part: &Path, classes: &[String]) -> Result<Listing> {
    let mut listing = Listing::default();
    for folder in entries(part)?.into_iter().filter(|entry| entry.is_folder) {
        let Ok(label) = classes.binary_search(&folder.name) else {
            let error = Error::data(part.join(folder.name), "is no class of the training images");
            return Err(error.with_hint("every part has the folders that `train` has"));
        };
        let before = listing.len();
        walk(part, &folder.name, label as u16, 0, &mut listing)?;
        if listing.len() == before {
            let error = Error::data(part.join(folder.name), "holds no image");
            return Err(error.with_hint(LAYOUT));
        }
    }
    if listing.len() == 0 {
        return Err(Error::data(part, "is empty").with_hint(LAYOUT));
    }
    Ok(listing)
}

/// Names of the images that lie in a folder itself, sorted.
///
/// # Errors
/// [`Error::Data`] where the folder cannot be listed.
pub(crate) fn images(folder: &Path) -> Result<Vec<String>> {
    let images = entries(folder)?.into_iter().filter(|entry| !entry.is_folder);
    Ok(images.map(|image| image.name).filter(|name| is_image(name)).collect())
}

/// The images in and below a folder, in order of their paths.
///
/// # Errors
/// [`Error::Data`] where there is none, or where a folder cannot be listed.
pub(crate) fn images_below(folder: &Path) -> Result<Listing> {
    let mut listing = Listing::default();
    walk(folder, "", 0, 0, &mut listing)?;
    if listing.len() == 0 {
        return Err(Error::data(folder, "holds no picture")
            .with_hint("pictures end in .jpg, .jpeg, .png, .webp or .bmp"));
    }
    Ok(listing)
}

/// Whether a file's name is one of an image.
pub(crate) fn is_image(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|ending| ending.to_str());
    extension.is_some_and(|ending| {
        EXTENSIONS.iter().any(|extension| ending.eq_ignore_ascii_case(extension))
    })
}

/// Adds the images in and below `folder`, which is named by its path below `part`.
fn walk(part: &Path, folder: &str, label: u16, depth: usize, listing: &mut Listing) -> Result<()> {
    if depth > DEEPEST {
        let problem = "folders go on within folders: a loop of links?";
        return Err(Error::data(part.join(folder), problem).with_hint(LAYOUT));
    }
    for entry in entries(&part.join(folder))? {
        let path = match folder {
            "" => entry.name,
            folder => format!("{folder}/{}", entry.name),
        };
        if entry.is_folder {
            walk(part, &path, label, depth + 1, listing)?;
        } else if is_image(&path) {
            listing.push(part, &path, label)?;
        }
    }
    Ok(())
}

struct Entry {
    name: String,
    is_folder: bool,
}

/// What a folder holds, sorted by name; hidden files are left out.
fn entries(folder: &Path) -> Result<Vec<Entry>> {
    let cannot = |cause: std::io::Error| {
        Error::data(folder, format!("cannot be listed: {cause}")).with_hint(LAYOUT)
    };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let kind = entry.file_type().map_err(cannot)?;
        // Only what a link leads to has to be looked at.
        let is_folder = if kind.is_symlink() { entry.path().is_dir() } else { kind.is_dir() };
        let name = entry.file_name().into_string().map_err(|name| {
            Error::data(folder.join(name), "has a name that is not Unicode").with_hint("rename it")
        })?;
        if !name.starts_with('.') {
            entries.push(Entry { name, is_folder });
        }
    }
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}
