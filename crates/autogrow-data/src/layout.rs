//! Which folders of `data.dir` are classes, and which are parts that hold classes: training,
//! validation, test. What could be either is refused with the reason.

use crate::class_folders::{classes, holds_pictures, is_image};
use crate::entries::{LAYOUT, Skipped, entries};
use autogrow_core::{Error, Result};
use std::path::{Path, PathBuf};

/// The folders of a data set's parts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) train: PathBuf,
    pub(crate) validation: Option<PathBuf>,
    pub(crate) test: Option<PathBuf>,
}

/// A part of a data set, as folders are named after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Train,
    Validation,
    Test,
}

impl Part {
    /// The part that a folder of this name is, if it holds folders of classes.
    fn named(name: &str) -> Option<Self> {
        let plain: String = name.to_lowercase().replace(['_', '-', ' '], "");
        let plain = ["set", "data", "images"].iter().find_map(|ending| plain.strip_suffix(ending));
        let lower = name.to_lowercase();
        match plain.unwrap_or(&lower) {
            "train" | "training" => Some(Self::Train),
            "val" | "valid" | "validation" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Train => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// A folder with pictures in or below it.
struct Folder {
    path: PathBuf,
    name: String,
    part: Option<Part>,
    /// Whether the pictures are in folders of it, and none in itself.
    holds_classes: bool,
}

/// Finds the parts of the data set in `root`.
///
/// # Errors
/// [`Error::Data`] where there are none, or where they cannot be told from classes.
pub(crate) fn layout(root: &Path) -> Result<Layout> {
    let mut folders = Vec::new();
    let mut empty = Vec::new();
    for name in classes(root)? {
        let path = root.join(&name);
        let part = Part::named(&name);
        if holds_pictures(&path)? {
            let inside = entries(&path, &mut Skipped::default())?;
            let holds_classes =
                !inside.iter().any(|entry| !entry.is_folder && is_image(&entry.name));
            folders.push(Folder { path, name, part, holds_classes });
        } else if part.is_some() {
            empty.push(path);
        }
    }
    let parts = || folders.iter().filter(|folder| folder.holds_classes && folder.part.is_some());
    let found = |part| -> Result<Option<PathBuf>> {
        let mut found = parts().filter(|folder| folder.part == Some(part));
        match (found.next(), found.next()) {
            (Some(first), Some(second)) => {
                let problem = format!(
                    "holds `{}` and `{}`, which are both named after {} pictures",
                    first.name,
                    second.name,
                    part.name()
                );
                Err(Error::data(root, problem).with_hint("leave one of them in `data.dir`"))
            }
            (first, _) => Ok(first.map(|folder| folder.path.clone())),
        }
    };
    let (train, validation, test) =
        (found(Part::Train)?, found(Part::Validation)?, found(Part::Test)?);
    let flat = folders.iter().find(|folder| !folder.holds_classes && folder.part.is_some());
    let others: Vec<_> = folders.iter().filter(|folder| folder.part.is_none()).collect();
    let Some(train) = train else {
        refuse_parts_without_training(root, &folders)?;
        refuse_one_class(root)?;
        return Ok(Layout { train: root.into(), validation: None, test: None });
    };
    if let Some(flat) = flat {
        return Err(without_classes(flat));
    }
    if let Some(empty) = empty.first() {
        return Err(Error::data(empty, "holds no picture")
            .with_hint("take it out of `data.dir`, or put folders of classes into it"));
    }
    match &others[..] {
        [] => {}
        [first, ..] if validation.is_none() && test.is_none() => {
            let problem = format!(
                "holds `{}`, which holds folders as a part of the data does, and `{}`, which is no \
                 part: is that a class?",
                file_name(&train),
                first.name
            );
            return Err(Error::data(root, problem).with_hint(
                "put the folders of all classes into a folder `train`, or take the others away",
            ));
        }
        others => {
            let names: Vec<_> = others.iter().map(|folder| folder.name.as_str()).collect();
            tracing::warn!(
                "{}: passed over, as they are not named train, val or test: {}",
                root.display(),
                names.join(", ")
            );
        }
    }
    refuse_one_class(&train)?;
    Ok(Layout { train, validation, test })
}

/// Refuses folders that are named after parts where none of them holds training pictures.
fn refuse_parts_without_training(root: &Path, folders: &[Folder]) -> Result<()> {
    let looks_like_part = |folder: &Folder| {
        let lower = folder.name.to_lowercase();
        folder.part.is_some()
            || lower.split(['_', '-', ' ']).any(|word| Part::named(word).is_some())
    };
    if let Some(part) = folders.iter().find(|folder| folder.part.is_some() && folder.holds_classes)
    {
        let problem = format!(
            "holds `{}`, which holds folders as a part of the data does, but no `train` that does",
            part.name
        );
        return Err(Error::data(root, problem)
            .with_hint("put the folders of the classes to train on into a folder `train`"));
    }
    if folders.is_empty() || !folders.iter().all(looks_like_part) {
        return Ok(());
    }
    if let Some(train) = folders.iter().find(|folder| folder.part == Some(Part::Train)) {
        return Err(without_classes(train));
    }
    let names: Vec<_> = folders.iter().map(|folder| folder.name.as_str()).collect();
    let problem =
        format!("holds {}: these look like parts of the data, not like classes", names.join(", "));
    Err(Error::data(root, problem)
        .with_hint("name them `train`, `val` and `test`, each with a folder for each class in it"))
}

/// Refuses a folder with a single class, which is often a folder too many.
fn refuse_one_class(part: &Path) -> Result<()> {
    let classes = classes(part)?;
    let [class] = &classes[..] else { return Ok(()) };
    let folder = part.join(class);
    let inside = entries(&folder, &mut Skipped::default())?;
    if inside.iter().any(|entry| entry.is_folder) {
        let problem = format!("holds one class, `{class}`, whose folder holds folders");
        return Err(Error::data(part, problem)
            .with_hint(format!("did you mean --dir {}?", folder.display())));
    }
    Err(Error::data(part, format!("holds one class, `{class}`; two are the least"))
        .with_hint(LAYOUT))
}

/// Of a folder that is named after a part and holds pictures of no class.
fn without_classes(folder: &Folder) -> Error {
    let hint = match folder.part {
        Some(Part::Train) => {
            "sort them into a folder for each class; pictures whose class is in their \
                              name or in a table cannot be trained on as they are"
        }
        _ => "leave it out of `data.dir`, and give it to `autogrow predict` once there is a model",
    };
    Error::data(&folder.path, "holds pictures and no folders of classes").with_hint(hint)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{data_problem, pictures};

    /// The layout of a folder with pictures of these names, by name.
    fn found(names: &[&str]) -> std::result::Result<[String; 3], (String, String)> {
        let root = pictures(names);
        let found = layout(root.path());
        if found.is_err() {
            return Err(data_problem(found));
        }
        let Layout { train, validation, test } = found.unwrap();
        let name = |path: PathBuf| match path == root.path() {
            true => ".".to_string(),
            false => file_name(&path),
        };
        Ok([name(train), validation.map_or(String::new(), name), test.map_or(String::new(), name)])
    }

    #[test]
    fn parts_are_known_by_their_usual_names() {
        for (train, val, test) in [
            ("train", "val", "test"),
            ("Training", "valid", "Testing"),
            ("TRAIN", "Validation", "TEST"),
            ("train_set", "valid-set", "test set"),
        ] {
            let names = [train, val, test]
                .map(|part| [format!("{part}/a/1.png"), format!("{part}/b/2.png")]);
            let names: Vec<_> = names.iter().flatten().map(String::as_str).collect();
            assert_eq!(found(&names).unwrap(), [train, val, test]);
            assert_eq!(found(&names[..2]).unwrap(), [train, "", ""]);
            assert_eq!(found(&names[..4]).unwrap(), [train, val, ""]);
        }
        assert_eq!(found(&["a/1.png", "b/2.png", "__MACOSX/a/1.png"]).unwrap()[0], ".");
    }

    #[test]
    fn a_class_may_be_called_train() {
        assert_eq!(found(&["train/1.png", "bus/2.png", "car/3.png"]).unwrap(), [".", "", ""]);
        assert_eq!(found(&["test/1.png", "control/2.png"]).unwrap(), [".", "", ""]);
        let (problem, _) = found(&["train/steam/1.png", "bus/2.png"]).unwrap_err();
        assert!(problem.contains("`bus`, which is no part: is that a class?"), "{problem}");
    }

    #[test]
    fn what_is_no_layout_is_refused_with_the_way_out() {
        let (problem, hint) =
            found(&["pets/cat/1.png", "pets/dog/2.png", "__MACOSX/x.png"]).unwrap_err();
        assert_eq!(problem, "holds one class, `pets`, whose folder holds folders");
        assert!(hint.ends_with("pets?"), "{hint}");
        assert_eq!(found(&["a/1.png"]).unwrap_err().0, "holds one class, `a`; two are the least");
        let classes = ["train/a/1.png", "train/b/2.png"];
        let (problem, hint) = found(&[&classes[..], &["test/3.png"]].concat()).unwrap_err();
        assert_eq!(problem, "holds pictures and no folders of classes");
        assert!(hint.contains("autogrow predict"));
        assert!(found(&["train/1.png", "test/2.png"]).unwrap_err().1.contains("sort them"));
        assert!(found(&["1.png", "2.png"]).unwrap_err().0.contains("no folders of classes"));
        let (problem, _) = found(&["seg_train/a/1.png", "seg_test/b/2.png"]).unwrap_err();
        assert!(problem.contains("look like parts"), "{problem}");
        let (problem, _) = found(&["a/1.png", "b/2.png", "test/a/3.png"]).unwrap_err();
        assert!(problem.contains("no `train`"), "{problem}");
        let both = ["train/a/1.png", "train/b/2.png", "Training/a/1.png"];
        assert!(found(&both).unwrap_err().0.contains("both named after training"));
        assert_eq!(
            found(&[&classes[..], &["test/notes.txt"]].concat()).unwrap_err().0,
            "holds no picture"
        );
    }
}
