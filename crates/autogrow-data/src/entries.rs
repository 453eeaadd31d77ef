//! What a folder holds, as far as data sets care: no hidden files, no traces of operating systems and
//! archives, links followed unless they go in a circle.

use autogrow_core::{Error, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Names that systems and archives leave in folders, in lower case; hidden ones begin with a dot.
const JUNK: [&str; 8] = [
    "__macosx",
    "@eadir",
    "#recycle",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "thumbs.db",
    "desktop.ini",
];

/// What to do about a folder that is laid out in another way.
pub(crate) const LAYOUT: &str = "`data.dir` holds a folder for each class, or `train`, `test` and \
                                 perhaps `val` that do, with JPEG, PNG, WebP, BMP, GIF or TIFF files";

/// A file or folder.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) is_folder: bool,
}

/// Files that were left out, by the ending of their names.
#[derive(Debug, Default)]
pub(crate) struct Skipped(BTreeMap<String, usize>);

impl Skipped {
    /// A file that is no picture.
    pub(crate) fn file(&mut self, name: &str) {
        let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
        self.count(&ending.map_or_else(
            || "without an ending".into(),
            |ending| format!(".{}", ending.to_lowercase()),
        ));
    }

    fn count(&mut self, what: &str) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    /// In a line, if there are any.
    pub(crate) fn text(&self) -> Option<String> {
        let all: usize = self.0.values().sum();
        let kinds: Vec<_> = self.0.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let files = if all == 1 { "1 file that is" } else { &format!("{all} files that are") };
        (all > 0).then(|| format!("left out {files} no pictures: {}", kinds.join(", ")))
    }
}

/// What a folder holds, sorted by name. Links that lead nowhere or in a circle, and what is neither
/// file nor folder, are counted in `skipped`.
///
/// # Errors
/// [`Error::Data`] where it cannot be listed, or a name is not Unicode.
pub(crate) fn entries(folder: &Path, skipped: &mut Skipped) -> Result<Vec<Entry>> {
    let cannot = |cause: std::io::Error| {
        Error::data(folder, format!("cannot be listed: {cause}")).with_hint(advice(folder, &cause))
    };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name().into_string().map_err(|name| {
            Error::data(folder.join(name), "has a name that is not Unicode").with_hint("rename it")
        })?;
        if name.starts_with('.') || JUNK.contains(&name.to_lowercase().as_str()) {
            continue;
        }
        let is_link = entry.file_type().map_err(cannot)?.is_symlink();
        // Of links, what they lead to.
        match fs::metadata(entry.path()) {
            Ok(of) if of.is_dir() => {
                if is_link && leads_back(folder, &entry.path()) {
                    skipped.count("links in a circle");
                } else {
                    entries.push(Entry { name, is_folder: true });
                }
            }
            Ok(of) if of.is_file() => entries.push(Entry { name, is_folder: false }),
            // A pipe would be waited for.
            Ok(_) => skipped.count("devices or pipes"),
            Err(_) if is_link => skipped.count("broken links"),
            Err(cause) => return Err(cannot(cause)),
        }
    }
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// Whether a link in `folder` leads to that folder or to one that it is in.
fn leads_back(folder: &Path, link: &Path) -> bool {
    match (folder.canonicalize(), link.canonicalize()) {
        (Ok(folder), Ok(target)) => folder.starts_with(target),
        _ => false,
    }
}

/// Whether a file is called as tables are.
fn is_table(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    [".csv", ".csv.gz", ".tsv", ".txt"].iter().any(|ending| name.ends_with(ending))
}

fn advice(folder: &Path, cause: &std::io::Error) -> String {
    match cause.kind() {
        std::io::ErrorKind::NotFound if folder.is_relative() => {
            "the path is relative to where the program was started: name the whole of it with --dir"
                .into()
        }
        std::io::ErrorKind::NotADirectory if is_table(folder) => {
            "a table is read with --data csv".into()
        }
        std::io::ErrorKind::NotADirectory => {
            "unpack it, if it is an archive, and name its folder".into()
        }
        std::io::ErrorKind::PermissionDenied => {
            "make it readable for this user, or take it out of the data".into()
        }
        _ => LAYOUT.into(),
    }
}
