//! Which part of a data set each image is in.

use crate::output::Output;
use autogrow::Result;
use autogrow::data::{DataSet, Outputs, Split, Targets};
use serde::Serialize;

/// An image, or a row of a table.
#[derive(Serialize)]
struct Listed {
    /// `train`, `val` or `test`.
    part: &'static str,
    /// Its class, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    /// Its file, or its line in one; else its place in the part.
    name: String,
}

#[derive(Serialize)]
struct List {
    images: Vec<Listed>,
}

/// Prints a line for each image: part, class and name, with tabs between them.
pub(super) fn print(data: &DataSet, output: &Output) -> Result<()> {
    let parts: [(&str, &dyn Split); 3] =
        [("train", &*data.train), ("val", &*data.validation), ("test", &*data.test)];
    let mut all = Vec::new();
    for (part, split) in parts {
        let targets = split.targets()?;
        for place in 0..split.len() {
            let class = match (&targets, &data.outputs) {
                (Targets::Classes(classes), Outputs::Classes(names)) => {
                    classes.get(place).and_then(|&class| names.get(class)).cloned()
                }
                _ => None,
            };
            let name = split.name(place).unwrap_or_else(|| place.to_string());
            let listed = Listed { part, class, name };
            if output.json {
                all.push(listed);
                continue;
            }
            let class = listed.class.as_deref().unwrap_or("-");
            let line = [part, &output.shown(class), &output.shown(&listed.name)].join("\t");
            if !output.stream(&line)? {
                return Ok(());
            }
        }
    }
    match output.json {
        true => output.result(&List { images: all }, String::new),
        false => Ok(()),
    }
}
