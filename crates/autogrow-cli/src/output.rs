//! What the user reads: results to stdout, errors and progress to stderr.

use autogrow::{Error, Result};
pub(crate) use autogrow_base::numbers::{duration, si, significant};
use serde::Serialize;
use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write};
use terminal_size::terminal_size_of;

/// Version of every JSON document. It changes when a program that reads them would have to.
const SCHEMA: u32 = 1;

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
            json(value).map_err(|error| Error::config("--json", error.to_string()))?
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
        self.stream(line).map(|_| ())
    }

    /// The same; whether somebody still reads it.
    ///
    /// # Errors
    /// As [`Output::result`].
    pub(crate) fn stream(&self, line: &str) -> Result<bool> {
        let line = printable(line, std::io::stdout().is_terminal());
        match writeln!(anstream::stdout(), "{line}") {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(error) => {
                Err(Error::run("standard output", format!("cannot be written ({error})")))
            }
        }
    }

    /// A name in one line of a terminal, whatever it holds.
    pub(crate) fn shown<'a>(&self, name: &'a str) -> Cow<'a, str> {
        match std::io::stdout().is_terminal() && name.contains(char::is_control) {
            true => name.escape_debug().to_string().into(),
            false => name.into(),
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
            let line = printable(line, std::io::stderr().is_terminal());
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
            let document = serde_json::json!({ "schema": SCHEMA, "error": error });
            let _ = self.line(&document.to_string());
        }
        let mut stderr = anstream::stderr();
        let is_terminal = std::io::stderr().is_terminal();
        let error_text = error.to_string();
        let _ = writeln!(stderr, "{RED}error{RESET}: {}", printable(&error_text, is_terminal));
        if let Some(hint) = error.hint() {
            let _ = writeln!(stderr, "{CYAN}hint{RESET}: {}", printable(&hint, is_terminal));
        }
    }
}

/// A document with its version, which those that are files as well have of their own.
fn json(value: &impl Serialize) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Document<'a, T> {
        schema: u32,
        #[serde(flatten)]
        value: &'a T,
    }
    match serde_json::to_value(value)?.get("schema") {
        Some(_) => serde_json::to_string_pretty(value),
        None => serde_json::to_string_pretty(&Document { schema: SCHEMA, value }),
    }
}

pub(crate) const RED: &str = "\x1b[1;31m";
pub(crate) const GREEN: &str = "\x1b[1;32m";
pub(crate) const YELLOW: &str = "\x1b[1;33m";
pub(crate) const CYAN: &str = "\x1b[1;36m";
pub(crate) const BOLD: &str = "\x1b[1m";
pub(crate) const DIM: &str = "\x1b[2m";
pub(crate) const RESET: &str = "\x1b[0m";

/// Styles that the program itself prints.
const STYLES: [&str; 7] = [RED, GREEN, YELLOW, CYAN, BOLD, DIM, RESET];

/// Text for a terminal: control characters that a file's name or another text from elsewhere has
/// brought in are shown, not obeyed. Other readers get them as they are.
fn printable(text: &str, is_terminal: bool) -> Cow<'_, str> {
    let is_harmful = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !is_terminal || !text.contains(is_harmful) {
        return text.into();
    }
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(next) = rest.chars().next() {
        let style = STYLES.iter().find(|style| rest.starts_with(**style));
        match style {
            Some(style) => shown += style,
            None if is_harmful(next) => shown.extend(next.escape_debug()),
            None => shown.push(next),
        }
        rest = &rest[style.map_or(next.len_utf8(), |style| style.len())..];
    }
    shown.into()
}

/// Whether what is printed to stderr is coloured.
pub(crate) fn stderr_has_colours() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// How many columns the terminal has that stderr goes to, where it goes to one.
pub(crate) fn stderr_width() -> Option<usize> {
    let (width, _) = terminal_size_of(std::io::stderr())?;
    // Some terminals do not know.
    Some(usize::from(width.0)).filter(|&width| width > 0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_names_are_not_obeyed() {
        let name = "a\x1b[2J\x07\rb";
        let line = format!("{BOLD}{name}{RESET}\tnext\nline");
        let shown = format!("{BOLD}a\\u{{1b}}[2J\\u{{7}}\\rb{RESET}\tnext\nline");
        assert_eq!(printable(&line, true), shown);
        assert_eq!(printable(&line, false), line);
        assert_eq!(printable("größe", true), "größe");
    }
}
