//! The error of a model that was given a table where it takes pictures, or the other way round.

use autogrow::Error;
use autogrow::network::ModelInfo;
use std::path::Path;

/// Columns that are named one by one at most.
const NAMED: usize = 8;

/// What a model was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    Picture,
    Folder,
    Table,
}

/// What the model takes, and what it was given.
pub(super) fn refused(model: &Path, info: &ModelInfo, (path, given): (&Path, Given)) -> Error {
    let what = match given {
        Given::Picture => "is a picture",
        Given::Folder => "is a folder",
        Given::Table => "looks like a table",
    };
    let (takes, hint) = match &info.table {
        Some(table) => {
            let names: Vec<_> =
                table.columns.iter().take(NAMED).map(|column| &*column.name).collect();
            let more = if table.columns.len() > NAMED { ", ..." } else { "" };
            let takes = format!("rows of a table with the columns {}{more}", names.join(", "));
            (
                takes,
                "name a CSV file with these columns; pictures are for a model that was trained on pictures",
            )
        }
        None => {
            let [channels, height, width] = info.architecture.image;
            (
                format!("pictures, which it sees as {channels}x{height}x{width}"),
                "name pictures, or folders of them; tables are for a model that was trained on a table",
            )
        }
    };
    let path =
        if path == Path::new("-") { "standard input".into() } else { path.display().to_string() };
    Error::run(model, format!("takes {takes}; {path} {what}")).with_hint(hint)
}
