//! `autogrow completions`.

use crate::args::{Cli, CompletionsArgs};
use crate::output::Output;
use autogrow::Result;
use clap::CommandFactory;
use serde::Serialize;

#[derive(Serialize)]
struct Report {
    shell: String,
    script: String,
}

pub(crate) fn run(args: &CompletionsArgs, output: &Output) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "autogrow", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let report = Report { shell: args.shell.to_string(), script };
    output.result(&report, || report.script.clone())
}
