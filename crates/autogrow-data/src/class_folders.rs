//! Folders that are named after classes and hold their pictures, at any depth.

use crate::entries::{Entry, LAYOUT, Skipped, entries};
use crate::listing::Listing;
use autogrow_core::{Error, Result};
use autogrow_formats::picture::{EXTENSIONS, SIGNATURE, is_picture};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Folders within folders of a class that are looked into.
const DEEPEST: usize = 64;
/// Endings of files that are left out without a look at them: copies and parts of other files.
const COPIES: [&str; 5] = ["bak", "tmp", "part", "crdownload", "old"];
/// Names of the folders in `part`, sorted.
///
/// # Errors
/// [`Error::Data`] where there is none, or where the folder cannot be listed.
pub(crate) fn classes(part: &Path) -> Result<Vec<String>> {
    let all = entries(part, &mut Skipped::default())?;
    let has_pictures = all.iter().any(|entry| is_image(&entry.name) && !entry.is_folder);
    let classes: Vec<_> =
        all.into_iter().filter(|entry| entry.is_folder).map(|entry| entry.name).collect();
    match classes.len() {
        0 if has_pictures => {
            Err(Error::data(part, "holds pictures and no folders of classes").with_hint(LAYOUT))
        }
        1..=0xffff => Ok(classes),
        count => {
            let problem = format!("holds {count} folders of classes");
            Err(Error::data(part, problem).with_hint(LAYOUT))
        }
    }
}

/// The pictures of every class in `part`, in the order of class and path.
///
/// # Errors
/// [`Error::Data`] where a folder is none of `classes`, a class has no picture, or a folder cannot be
/// listed.
pub(crate) fn list(part: &Path, classes: &[String]) -> Result<Listing> {
    let (listing, without) = list_some(part, classes)?;
    match &without[..] {
        [] => Ok(listing),
        [class] if part.join(class).is_dir() => {
            Err(Error::data(part.join(class), "holds no picture")
                .with_hint("put pictures of that class into it, or take the folder away"))
        }
        classes => {
            let problem = format!("holds no pictures of {}", classes.join(", "));
            Err(Error::data(part, problem)
                .with_hint("put pictures of these classes into their folders, or take those away"))
        }
    }
}

/// As [`list`], with the names of classes that have no picture.
///
/// # Errors
/// As [`list`] for the others; where there is no picture at all.
pub(crate) fn list_some(part: &Path, classes: &[String]) -> Result<(Listing, Vec<String>)> {
    let mut walk = Walk { part, listing: Listing::default(), skipped: Skipped::default() };
    let mut with = vec![false; classes.len()];
    for Entry { name, is_folder } in entries(part, &mut walk.skipped)? {
        if !is_folder {
            walk.skipped.file(&name);
            continue;
        }
        let Ok(label) = classes.binary_search(&name) else {
            let problem = "is no class of the training images";
            return Err(Error::data(part.join(name), problem)
                .with_hint(format!("the classes are {}", some(classes))));
        };
        let before = walk.listing.len();
        walk.folder(&name, label as u16, 0)?;
        with[label] |= walk.listing.len() > before;
    }
    if let Some(text) = walk.skipped.text() {
        tracing::warn!("{}: {text}", part.display());
    }
    if walk.listing.len() == 0 {
        return Err(Error::data(part, "holds no picture").with_hint(LAYOUT));
    }
    let without = classes.iter().zip(&with).filter(|(_, with)| !**with);
    Ok((walk.listing, without.map(|(class, _)| class.clone()).collect()))
}

/// Names, the first of many.
pub(crate) fn some(names: &[String]) -> String {
    const NAMED: usize = 20;
    let first = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        ..=NAMED => first,
        count => format!("{first}, ... {count} in all"),
    }
}

/// Names of the images that lie in a folder itself, sorted.
///
/// # Errors
/// [`Error::Data`] where the folder cannot be listed.
pub(crate) fn images(folder: &Path) -> Result<Vec<String>> {
    let all = entries(folder, &mut Skipped::default())?;
    let images = all.into_iter().filter(|entry| !entry.is_folder);
    Ok(images.map(|image| image.name).filter(|name| is_image(name)).collect())
}

/// The pictures in and below a folder, in order of their paths.
///
/// # Errors
/// [`Error::Data`] where there is none, or where a folder cannot be listed.
pub(crate) fn images_below(folder: &Path) -> Result<Listing> {
    let mut walk = Walk { part: folder, listing: Listing::default(), skipped: Skipped::default() };
    walk.folder("", 0, 0)?;
    if walk.listing.len() == 0 {
        let skipped = walk.skipped.text().map_or_else(String::new, |text| format!(": {text}"));
        return Err(Error::data(folder, format!("holds no picture{skipped}"))
            .with_hint("pictures are JPEG, PNG, WebP, BMP, GIF or TIFF files"));
    }
    if let Some(text) = walk.skipped.text() {
        tracing::warn!("{}: {text}", folder.display());
    }
    Ok(walk.listing)
}

/// Whether there is a picture in or below a folder.
///
/// # Errors
/// [`Error::Data`] where a folder cannot be listed.
pub(crate) fn holds_pictures(folder: &Path) -> Result<bool> {
    holds_pictures_at(folder, 0)
}

fn holds_pictures_at(folder: &Path, depth: usize) -> Result<bool> {
    let all = entries(folder, &mut Skipped::default())?;
    if all.iter().any(|entry| !entry.is_folder && is_picture_file(folder, &entry.name)) {
        return Ok(true);
    }
    for entry in all.iter().filter(|entry| entry.is_folder && depth < DEEPEST) {
        if holds_pictures_at(&folder.join(&entry.name), depth + 1)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a file's name is one of an image.
pub(crate) fn is_image(name: &str) -> bool {
    ending(name).is_some_and(|ending| EXTENSIONS.contains(&ending.as_str()))
}

/// The ending of a name, in lower case.
fn ending(name: &str) -> Option<String> {
    Some(Path::new(name).extension()?.to_str()?.to_lowercase())
}

/// Whether a file is a picture, by its ending or, where that says nothing, by its content.
fn is_picture_file(folder: &Path, name: &str) -> bool {
    if is_image(name) {
        return true;
    }
    if name.ends_with('~') || ending(name).is_some_and(|ending| COPIES.contains(&ending.as_str())) {
        return false;
    }
    let mut start = Vec::new();
    let read = File::open(folder.join(name))
        .and_then(|file| file.take(SIGNATURE as u64).read_to_end(&mut start));
    read.is_ok() && is_picture(&start)
}

/// A walk through the folders of a part.
struct Walk<'a> {
    part: &'a Path,
    listing: Listing,
    skipped: Skipped,
}

impl Walk<'_> {
    /// Adds the pictures in and below `folder`, which is named by its path below the part.
    fn folder(&mut self, folder: &str, label: u16, depth: usize) -> Result<()> {
        let place = self.part.join(folder);
        if depth > DEEPEST {
            let problem = "folders go on within folders: a loop of links?";
            return Err(Error::data(place, problem).with_hint(LAYOUT));
        }
        for Entry { name, is_folder } in entries(&place, &mut self.skipped)? {
            let path = match folder {
                "" => name.clone(),
                folder => format!("{folder}/{name}"),
            };
            if is_folder {
                self.folder(&path, label, depth + 1)?;
            } else if is_picture_file(&place, &name) {
                self.listing.push(self.part, &path, label)?;
            } else {
                self.skipped.file(&name);
            }
        }
        Ok(())
    }
}
