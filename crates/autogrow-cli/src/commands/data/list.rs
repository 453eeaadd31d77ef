//! Prints which part of a data set each image is in.

use crate::commands::listing::{Listed, each};
use crate::output::Output;
use autogrow::Result;
use autogrow::data::DataSet;
use serde::Serialize;

#[derive(Serialize)]
struct List {
    images: Vec<Listed>,
}

/// Prints a line for each image: part, class and name, with tabs between them.
pub(super) fn print(data: &DataSet, output: &Output) -> Result<()> {
    let mut images = Vec::new();
    each(data, |listed| {
        if output.json {
            images.push(listed);
            return Ok(true);
        }
        let class = listed.class.as_deref().unwrap_or("-");
        let line = [listed.part, &output.shown(class), &output.shown(&listed.name)].join("\t");
        output.stream(&line)
    })?;
    match output.json {
        true => output.result(&List { images }, String::new),
        false => Ok(()),
    }
}
