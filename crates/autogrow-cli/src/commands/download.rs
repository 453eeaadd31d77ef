//! `autogrow download`.

use crate::args::DownloadArgs;
use crate::output::{BOLD, DIM, Output, RESET, duration, table};
use autogrow::{Error, Result};
use autogrow_fetch::{Catalogue, Event, FetchError, How, Options, Outcome, Places, Watch, get};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

pub(crate) fn run(args: &DownloadArgs, output: &Output) -> Result<()> {
    let catalogue = Catalogue::built_in().map_err(failed)?;
    let mut options = Options { from: args.from.clone(), ..Options::default() };
    options.mirror.clone_from(&args.mirror);
    if let Some(dir) = &args.dir {
        options.places = Places::only(dir);
    }
    let mut progress = Progress::new(*output);
    let outcomes = get(&catalogue, &args.names, &options, &mut progress).map_err(failed)?;
    drop(progress);
    output.result(&outcomes, || {
        let row = |outcome: &Outcome| {
            let how = match outcome.how {
                How::Fetched => "fetched and checked",
                How::AlreadyHere => "already here, checked",
                How::AlreadyHereUnchecked => "already here, unpacked by hand: not checked",
                How::Verified => "the published files",
            };
            let aside = outcome.set_aside.as_ref();
            let aside = aside.map(|path| format!(", what was there is now {}", path.display()));
            let folder = outcome.folder.display();
            [outcome.set.clone(), folder.to_string(), how.to_string() + &aside.unwrap_or_default()]
        };
        table(["set", "folder", ""], outcomes.iter().map(row).collect())
    })
}

/// A failed fetch as the rest of the command speaks of errors.
fn failed(error: FetchError) -> Error {
    let (problem, hint) = (error.problem(), error.hint());
    match error {
        FetchError::Unknown { name, known } => Error::unknown("data set", "", name, known),
        FetchError::Mirror { address } => {
            Error::config("--mirror", format!("is `{address}`, which is no address"))
                .with_hint(hint)
        }
        FetchError::NoPlace => {
            Error::config("--dir", "is needed: there is no folder for data").with_hint(hint)
        }
        FetchError::ByHand { set, .. } => {
            Error::data(set, "is not given out to everybody").with_hint(hint)
        }
        other => Error::data(other.path().unwrap_or("catalogue".as_ref()), problem).with_hint(hint),
    }
}

/// Shows a fetch on stderr: a line an address, and in a terminal a bar.
struct Progress {
    output: Output,
    bar: ProgressBar,
    /// What the bar is about: file and stage.
    about: String,
}

impl Progress {
    fn new(output: Output) -> Self {
        let bar = ProgressBar::no_length();
        let visible = !output.quiet && std::io::stderr().is_terminal();
        bar.set_draw_target(if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        });
        let template = "{prefix} {bar:24} {decimal_bytes}/{decimal_total_bytes}  \
                        {decimal_bytes_per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self { output, bar, about: String::new() }
    }

    fn line(&self, line: &str) {
        self.bar.suspend(|| self.output.note(line));
    }

    fn advance(&mut self, stage: &str, file: &str, bytes: u64, size: Option<u64>) {
        let about = format!("{stage} {file}");
        if about != self.about {
            // Speed and time left are those of a stage.
            self.bar.reset();
            self.bar.set_prefix(about.clone());
            self.about = about;
        }
        if let Some(size) = size {
            self.bar.set_length(size);
        }
        self.bar.set_position(bytes);
    }
}

impl Watch for Progress {
    fn event(&mut self, set: &str, file: &str, event: &Event<'_>) {
        match event {
            Event::Fetching { address, from } => {
                let from = match from {
                    0 => String::new(),
                    from => format!(", going on after {:.1} MB", *from as f64 / 1e6),
                };
                self.line(&format!("{BOLD}{set}{RESET}  {address}{DIM}{from}{RESET}"));
            }
            Event::Fetched { bytes, size } => self.advance("fetching", file, *bytes, *size),
            Event::Checked { bytes, size } => self.advance("checking", file, *bytes, Some(*size)),
            Event::Unpacked { bytes, size } => self.advance("unpacking", file, *bytes, Some(*size)),
            Event::Retrying { address, problem, pause } => {
                let pause = duration(pause.as_secs_f64());
                self.line(&format!("{DIM}{address}: {problem}; again in {pause}{RESET}"));
            }
            Event::GivenUp { address, problem } => {
                self.bar.suspend(|| self.output.warn(&format!("{address}: {problem}")));
            }
        }
    }
}

impl Drop for Progress {
    /// Leaves the terminal clean, whatever ended the fetch.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
