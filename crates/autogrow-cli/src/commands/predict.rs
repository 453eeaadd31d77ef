//! `autogrow predict`.

mod answer;

use super::given::{Given, refused};
use super::model::Model;
use crate::args::PredictArgs;
use crate::output::{BOLD, Output, RESET};
use crate::settings::Settings;
use answer::{Answer, TOP};
use autogrow::config::OnBadImage;
use autogrow::data::{Outputs, Split, TableInput, Targets};
use autogrow::network::ModelInfo;
use autogrow::training::infer;
use autogrow::{Error, Result};
use autogrow_data::{Content, Picture, Pictures, Table, pictures_in};
use serde::Serialize;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes of the largest picture or table on standard input.
const LARGEST: u64 = 256 << 20;

#[derive(Serialize)]
struct Report {
    network: String,
    found: String,
    /// What the network gives: `classes`, `values` or `labels`.
    #[serde(flatten)]
    outputs: Outputs,
    images: Vec<Prediction>,
}

/// A picture, or a row of a table, with what the network says of it.
#[derive(Serialize)]
struct Prediction {
    image: String,
    #[serde(flatten)]
    answer: Answer,
}

pub(crate) fn run(args: &PredictArgs, output: &Output) -> Result<()> {
    if args.csv {
        output.refuse_json("--csv")?;
    }
    let mut model = Model::open(&args.model, &Settings::from(&args.settings))?;
    model.complete();
    let outputs = &model.info.outputs;
    let (sources, called, top) = match &model.info.table {
        Some(input) => {
            let rows = args.images.iter().map(|path| rows(args, path, input, &model.info));
            // A row of CSV for each row of the table.
            (rows.collect::<Result<Vec<_>>>()?, "row", if args.csv { 1 } else { TOP })
        }
        None => (vec![pictures(args, &model, output)?], "image", TOP),
    };
    let top = args.top.map_or(top, |top| top as usize);
    let mut lines = Lines { args, output, all: Vec::new(), is_closed: false };
    let begun = lines.begin(called, outputs);
    if lines.is_closed {
        return Ok(());
    }
    begun?;
    let batch = args.batch.map(|batch| batch as usize);
    for Named { source, names } in &sources {
        let mut next = 0;
        let predicted =
            infer(&model.network, source.split(), batch, &model.device, &mut |numbers, targets| {
                let places = match (source, targets) {
                    // Of pictures, those that cannot be read are missing.
                    (Source::Pictures(_), Targets::Classes(places)) => places.clone(),
                    _ => (next..next + targets.len()).collect(),
                };
                next += targets.len();
                let rows = numbers.chunks_exact(outputs.len());
                rows.zip(places).try_for_each(|(row, place)| {
                    let image = names.get(place).cloned().unwrap_or_default();
                    lines.add(Prediction { image, answer: Answer::new(row, outputs, top, args) })
                })
            });
        if lines.is_closed {
            return Ok(());
        }
        predicted?;
        if let Source::Pictures(pictures) = source {
            // What was typed and is not there is no picture that cannot be read.
            let is_missing = |path: &PathBuf| path != Path::new("-") && !path.exists();
            let on_bad_image = match args.images.iter().any(is_missing) {
                true => OnBadImage::Error,
                false => model.config.data.on_bad_image,
            };
            pictures.bad(on_bad_image)?;
        }
    }
    let Lines { all, .. } = lines;
    if !output.json {
        return Ok(());
    }
    let report = Report {
        network: model.info.architecture.network.clone(),
        found: model.info.architecture.depth.to_string(),
        outputs: outputs.clone(),
        images: all,
    };
    output.result(&report, String::new)
}

/// What to look at.
enum Source {
    Rows(Box<dyn Split>),
    /// With their places as labels.
    Pictures(Pictures),
}

impl Source {
    fn split(&self) -> &dyn Split {
        match self {
            Self::Rows(rows) => &**rows,
            Self::Pictures(pictures) => pictures,
        }
    }
}

/// What to look at, and what each image is called.
struct Named {
    source: Source,
    names: Vec<String>,
}

/// The rows of a table, called by its name and their lines.
fn rows(args: &PredictArgs, path: &Path, input: &TableInput, info: &ModelInfo) -> Result<Named> {
    let other = |given| Err(refused(&args.model, info, (path, given)));
    let table = match path == Path::new("-") {
        true => {
            let bytes = standard_input()?;
            if Content::of_bytes(&bytes) == Content::Picture {
                return other(Given::Picture);
            }
            Table::of_bytes("standard input", &bytes, input)?
        }
        false if path.is_dir() => return other(Given::Folder),
        false if Content::of_file(path) == Content::Picture => return other(Given::Picture),
        false => Table::read(path, input)?,
    };
    let names = table.lines().map(|line| format!("{}:{line}", path.display()));
    Ok(Named { source: Source::Rows(table.unlabelled(&info.outputs)?), names: names.collect() })
}

/// The pictures that were named.
fn pictures(args: &PredictArgs, model: &Model, output: &Output) -> Result<Named> {
    let preprocessing = model.preprocessing(output)?;
    let given = gather(&args.images)?;
    // One among pictures is told when they have been looked at.
    if let Some(table) = args.images.first()
        && given.iter().all(|(picture, _)| is_table(picture))
    {
        return Err(refused(&args.model, &model.info, (table, Given::Table)));
    }
    let (pictures, names): (Vec<_>, Vec<_>) = given.into_iter().unzip();
    let [_, height, width] = model.info.architecture.image;
    let pictures = pictures.into_iter().zip(0..).collect();
    let pictures = Pictures::new(pictures, &preprocessing, [height, width]);
    Ok(Named { source: Source::Pictures(pictures), names })
}

/// Whether what should be a picture looks like a table.
fn is_table(picture: &Picture) -> bool {
    let content = match picture {
        Picture::File(path) => Content::of_file(path),
        Picture::Bytes(bytes, _) => Content::of_bytes(bytes),
    };
    content == Content::Table
}

/// Everything on standard input.
fn standard_input() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().take(LARGEST + 1).read_to_end(&mut bytes);
    let origin = PathBuf::from("standard input");
    read.map_err(|error| super::unreadable(&origin, &error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::data(&origin, format!("is larger than {} MiB", LARGEST >> 20))
            .with_hint("a picture or a table is expected"));
    }
    Ok(bytes)
}

/// The pictures that were named, and what they are called.
fn gather(images: &[PathBuf]) -> Result<Vec<(Picture, String)>> {
    let name = |path: &Path| path.display().to_string();
    let mut pictures = Vec::new();
    for path in images {
        if path == Path::new("-") {
            let picture = Picture::Bytes(standard_input()?.into(), "standard input".into());
            pictures.push((picture, "-".into()));
        } else if path.is_dir() {
            let files = pictures_in(path)?;
            pictures
                .extend(files.into_iter().map(|path| (Picture::File(path.clone()), name(&path))));
        } else {
            pictures.push((Picture::File(path.clone()), name(path)));
        }
    }
    Ok(pictures)
}

/// Predictions on their way out: lines are printed as they come, JSON waits for all of them.
struct Lines<'a> {
    args: &'a PredictArgs,
    output: &'a Output,
    all: Vec<Prediction>,
    /// Whether nobody reads them any more.
    is_closed: bool,
}

impl Lines<'_> {
    fn begin(&mut self, called: &str, outputs: &Outputs) -> Result<()> {
        if self.args.csv {
            let mut cells = vec![called];
            cells.extend(answer::header(outputs, self.args));
            self.row(&cells)?;
        }
        Ok(())
    }

    fn add(&mut self, prediction: Prediction) -> Result<()> {
        if self.output.json {
            self.all.push(prediction);
        } else if self.args.csv {
            for row in prediction.answer.rows() {
                let mut cells = vec![prediction.image.as_str()];
                cells.extend(row.iter().map(String::as_str));
                self.row(&cells)?;
            }
        } else {
            let texts = prediction.answer.texts();
            let (first, rest) = texts.split_first().map_or(("", &[][..]), |(a, b)| (&**a, b));
            let rest: String = rest.iter().map(|text| format!("  {text}")).collect();
            let image = self.output.shown(&prediction.image);
            self.line(&format!("{image}: {BOLD}{first}{RESET}{rest}"))?;
        }
        Ok(())
    }

    /// Prints a line. An error that ends the pass where nobody reads it, as after `| head`.
    fn line(&mut self, line: &str) -> Result<()> {
        self.is_closed = !self.output.stream(line)?;
        match self.is_closed {
            true => Err(Error::run("standard output", "is closed")),
            false => Ok(()),
        }
    }

    fn row(&mut self, cells: &[&str]) -> Result<()> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let written = writer.write_record(cells).map_err(|error| error.to_string());
        let row = written.and_then(|()| writer.into_inner().map_err(|error| error.to_string()));
        let row = row.map_err(|error| Error::config("--csv", error))?;
        self.line(String::from_utf8_lossy(&row).trim_end())
    }
}
