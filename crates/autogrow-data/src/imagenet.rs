//! `imagenet`: the 1,000 classes of ILSVRC 2012 (Russakovsky et al. 2015), from the published tar
//! archives without unpacking them, or unpacked to a folder a class.
//!
//! `data.dir` holds `train` with a folder for each class, or `ILSVRC2012_img_train.tar`; and `val`
//! with such folders or with the published files side by side, or `ILSVRC2012_img_val.tar`. The
//! classes of files side by side are in the development kit, packed or not. The published
//! validation images are the test set, as is usual; without them a fifth of each class of the
//! training images is. What guides growth is held out of the training images.

mod devkit;

use crate::archives::{Archive, Part, Store};
use crate::class_folders::{classes, images, list};
use crate::listing::Listing;
use crate::locate::Places;
use crate::picture_set::{PictureSet, set_aside};
use autogrow_core::data::{DataRequest, DataSet, DataSetKind, Statistics};
use autogrow_core::{Error, Result};
use std::path::Path;

autogrow_core::register! {
    DataSetKind {
        name: "imagenet",
        origin: env!("CARGO_PKG_NAME"),
        summary: "ILSVRC 2012, 1,000 classes, 1.28 million photographs: folders or the tar archives",
        open: |request| open(&Places::new(&request.config.dir), request),
    }
}

const TRAIN: &str = "ILSVRC2012_img_train.tar";
const VAL: &str = "ILSVRC2012_img_val.tar";
const HOW_TO_GET: &str = "put ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar and \
                          ILSVRC2012_devkit_t12.tar.gz, which image-net.org gives to \
                          researchers, into one folder and name it with `data.dir`; or \
                          unpack them to train/<class>/ and val/<class>/";

fn open(places: &Places, request: &DataRequest<'_>) -> Result<DataSet> {
    let folders = places.candidates("imagenet", &[], &[]);
    let holds = |folder: &Path| folder.join("train").is_dir() || folder.join(TRAIN).is_file();
    let Some(root) = folders.iter().find(|folder| holds(folder)) else {
        let looked_in: Vec<_> = folders.iter().map(|path| path.display().to_string()).collect();
        let problem = format!("imagenet is not there; looked in {}", looked_in.join(", "));
        let path = folders.first().cloned().unwrap_or_default().join(TRAIN);
        return Err(Error::data(path, problem).with_hint(HOW_TO_GET));
    };
    let (classes, train) = training(root)?;
    let (train, test) = match validation(root, &classes)? {
        Some(test) => (train, test),
        None => {
            let [train, test] = set_aside(&train)?;
            (train, test)
        }
    };
    let statistics = Statistics::channels([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    PictureSet { classes, train, validation: None, test, statistics: Some(statistics) }
        .open(request)
}

/// The classes and their pictures.
fn training(root: &Path) -> Result<(Vec<String>, Part)> {
    let folder = root.join("train");
    if folder.is_dir() {
        let classes = classes(&folder)?;
        let listing = list(&folder, &classes)?;
        return Ok((classes, (listing, Store::Folder(folder))));
    }
    let archive = Archive::open(&root.join(TRAIN))?;
    let (mut classes, mut listing) = (Vec::new(), Listing::default());
    for (class, within) in archive.archives()? {
        let label = u16::try_from(classes.len())
            .map_err(|_| Error::data(archive.path(), "has too many archives of classes"))?;
        for (name, place) in archive.pictures(within)? {
            listing.push_member(archive.path(), &name, label, place)?;
        }
        classes.push(class);
    }
    if listing.len() == 0 {
        let problem = "holds no archive of a class with pictures";
        return Err(Error::data(archive.path(), problem).with_hint(HOW_TO_GET));
    }
    Ok((classes, (listing, Store::Archive(archive))))
}

/// The published validation pictures, if they are there.
fn validation(root: &Path, classes: &[String]) -> Result<Option<Part>> {
    let folder = root.join("val");
    if folder.is_dir() {
        let side_by_side = images(&folder)?;
        let listing = match side_by_side.is_empty() {
            true => list(&folder, classes)?,
            false => {
                let labels = devkit::labels(root, classes, side_by_side.len())?;
                let mut listing = Listing::default();
                for (name, label) in side_by_side.iter().zip(labels) {
                    listing.push(&folder, name, label)?;
                }
                listing
            }
        };
        return Ok(Some((listing, Store::Folder(folder))));
    }
    let path = root.join(VAL);
    if !path.is_file() {
        return Ok(None);
    }
    let archive = Archive::open(&path)?;
    let pictures = archive.pictures(archive.all()?)?;
    let labels = devkit::labels(root, classes, pictures.len())?;
    let mut listing = Listing::default();
    for ((name, place), label) in pictures.iter().zip(labels) {
        listing.push_member(&path, name, label, *place)?;
    }
    Ok(Some((listing, Store::Archive(archive))))
}

#[cfg(test)]
mod tests;
