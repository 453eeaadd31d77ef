//! The development kit of ILSVRC 2012: the classes of the validation pictures, whose files do not
//! tell them. One of its files has a number for each picture, another the class of each number.

use super::HOW_TO_GET;
use crate::error::of_file;
use autogrow_core::{Error, Result};
use autogrow_formats::{Input, matlab, tar};
use std::path::{Path, PathBuf};

/// The folder that the archive unpacks to.
const FOLDER: &str = "ILSVRC2012_devkit_t12";
const ARCHIVE: &str = "ILSVRC2012_devkit_t12.tar.gz";
const TRUTH: &str = "data/ILSVRC2012_validation_ground_truth.txt";
const META: &str = "data/meta.mat";
/// More bytes than the kit has, unpacked.
const LARGEST: u64 = 64 << 20;

/// The label of each validation picture, by the name of its file: its place among `classes`.
///
/// # Errors
/// [`Error::Data`] where the kit below `root` is missing or damaged, or is about other pictures.
pub(super) fn labels(root: &Path, classes: &[String], pictures: usize) -> Result<Vec<u16>> {
    let [(truth_path, truth), (meta_path, meta)] = read(root)?;
    let classes = numbered(&meta_path, &meta, classes)?;
    let text = String::from_utf8_lossy(&truth);
    let label = |(index, line): (usize, &str)| {
        let number = line.trim().parse::<usize>().ok();
        number.and_then(|number| *classes.get(number)?).ok_or_else(|| {
            let problem = format!("line {}: `{line}` is the number of no class", index + 1);
            Error::data(&truth_path, problem).with_hint(HOW_TO_GET)
        })
    };
    let labels: Vec<u16> = text.lines().enumerate().map(label).collect::<Result<_>>()?;
    if labels.len() != pictures {
        let problem = format!("has {} lines for {pictures} pictures", labels.len());
        return Err(Error::data(&truth_path, problem).with_hint(HOW_TO_GET));
    }
    Ok(labels)
}

type File = (PathBuf, Vec<u8>);

/// The two files, from the unpacked kit or its archive.
fn read(root: &Path) -> Result<[File; 2]> {
    let folder = root.join(FOLDER);
    if folder.is_dir() {
        let file = |name: &str| -> Result<File> {
            let path = folder.join(name);
            let mut input = Input::open(&path).map_err(of_file)?;
            let content = input.rest(LARGEST).map_err(of_file)?;
            Ok((path, content))
        };
        return Ok([file(TRUTH)?, file(META)?]);
    }
    let path = root.join(ARCHIVE);
    if !path.is_file() {
        let problem = "is not there: without it nobody knows the classes of the validation images";
        return Err(Error::data(path, problem).with_hint(HOW_TO_GET));
    }
    let kit = Input::open(&path).and_then(|mut input| input.rest(LARGEST)).map_err(of_file)?;
    let mut found = [None, None];
    let walked = tar::members(&path, &kit[..], 0..kit.len() as u64, |member| {
        for (found, name) in found.iter_mut().zip([TRUTH, META]) {
            if member.name.strip_suffix(name).is_some_and(|folder| folder.ends_with('/')) {
                let content = member.offset as usize..(member.offset + member.length) as usize;
                *found = Some((path.join(name), kit[content].to_vec()));
            }
        }
        Ok(())
    });
    walked.map_err(of_file)?;
    let [Some(truth), Some(meta)] = found else {
        let problem = format!("holds no {TRUTH} or no {META}");
        return Err(Error::data(path, problem).with_hint(HOW_TO_GET));
    };
    Ok([truth, meta])
}

/// The label of each number that the kit gives to a class.
fn numbered(path: &Path, meta: &[u8], classes: &[String]) -> Result<Vec<Option<u16>>> {
    let mut synsets: Vec<(usize, String)> = Vec::new();
    let input = Input::embedded(&path.to_string_lossy(), meta);
    let read = matlab::variables(input, |variable| {
        if variable.name != "synsets" {
            return Ok(());
        }
        variable.structures(|index, field, numbers| {
            synsets.resize_with(index + 1, Default::default);
            match field {
                "ILSVRC2012_ID" => synsets[index].0 = numbers.first().map_or(0, |&id| id as usize),
                "WNID" => {
                    let characters = numbers.iter().filter_map(|&code| char::from_u32(code as u32));
                    synsets[index].1 = characters.collect();
                }
                _ => {}
            }
        })
    });
    read.map_err(of_file)?;
    // Numbers beyond those of the classes are of their groups.
    let mut labels = vec![None; classes.len() + 1];
    for (number, class) in synsets {
        if let (Some(label), Ok(place)) = (labels.get_mut(number), classes.binary_search(&class)) {
            *label = Some(place as u16);
        }
    }
    Ok(labels)
}
