//! What the user reads: results to stdout, errors and progress to stderr.

pub(crate) use autogrow_base::numbers::{duration, si, significant};
use autogrow_core::{Error, Result};
use serde::Serialize;
use std::io::{ErrorKind, Write};

/// How to talk to the user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// One JSON document on stdout instead of text.
    pub(crate) json: bool,
    /// Neither progress nor warnings.
    pub(crate) quiet: bool,
    /// Another process prints results for this one.
    pub(crate) silent: bool,
}

impl Output {
    /// Prints a result: `value` as JSON, or the text.
    ///
    /// # Errors
    /// Where it cannot be written, as on a full disk. A reader that went away is no failure.
    pub(crate) fn result(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.silent {
            return Ok(());
        }
        let text = if self.json {
            serde_json::to_string_pretty(value)
                .map_err(|error| Error::config("--json", error.to_string()))?
        } else {
            text()
        };
        self.line(text.trim_end())
    }

    /// Prints a line, or some, to stdout.
    ///
    /// # Errors
    /// As [`Output::result`].
    pub(crate) fn line(&self, line: &str) -> Result<()> {
        match writeln!(anstream::stdout(), "{line}") {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Error::run("standard output", format!("cannot be written ({error})")))
            }
            _ => Ok(()),
        }
    }

    /// Refuses `--json` beside an option that prints something else; clap compares options of one
    /// level alone.
    ///
    /// # Errors
    /// Exit code 2.
    pub(crate) fn refuse_json(&self, option: &str) -> Result<()> {
        match self.json {
            true => Err(Error::config(option, "cannot be used with --json")),
            false => Ok(()),
        }
    }

    /// Prints a line to stderr, unless quiet.
    pub(crate) fn note(&self, line: &str) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{line}");
        }
    }

    /// Prints a warning to stderr, unless quiet.
    pub(crate) fn warn(&self, line: &str) {
        self.note(&format!("{YELLOW}warning{RESET}: {line}"));
    }

    /// Prints an error and its hint to stderr; with `--json`, as the document as well.
    pub(crate) fn error(&self, error: &Error) {
        if self.json && !self.silent {
            let (code, kind, key) = (error.exit_code(), error.kind(), error.key());
            let (message, hint) = (error.to_string(), error.hint());
            let error = serde_json::json!({
                "code": code, "kind": kind, "key": key, "message": message, "hint": hint,
            });
            // What cannot be written is told below.
            let _ = self.line(&serde_json::json!({ "schema": 1, "error": error }).to_string());
        }
        let mut stderr = anstream::stderr();
        let _ = writeln!(stderr, "{RED}error{RESET}: {error}");
        if let Some(hint) = error.hint() {
            let _ = writeln!(stderr, "{CYAN}hint{RESET}: {hint}");
        }
    }
}

pub(crate) const RED: &str = "\x1b[1;31m";
pub(crate) const GREEN: &str = "\x1b[1;32m";
pub(crate) const YELLOW: &str = "\x1b[1;33m";
pub(crate) const CYAN: &str = "\x1b[1;36m";
pub(crate) const BOLD: &str = "\x1b[1m";
pub(crate) const DIM: &str = "\x1b[2m";
pub(crate) const RESET: &str = "\x1b[0m";

/// Whether what is printed to stderr is coloured.
pub(crate) fn stderr_has_colours() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// A table of plain columns, as wide as its content.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    table.lines().map(|line| line.trim_end().to_string() + "\n").collect()
}
