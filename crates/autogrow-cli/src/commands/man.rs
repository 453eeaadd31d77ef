//! `autogrow man`.

use crate::args::ManArgs;
use crate::output::Output;
use autogrow::{Error, Result};
use serde::Serialize;

#[derive(Serialize)]
struct Report {
    page: String,
    roff: String,
}

pub(crate) fn run(args: &ManArgs, output: &Output) -> Result<()> {
    let mut command = crate::command();
    for name in &args.command {
        let names = command.get_subcommands().map(|command| command.get_name().to_string());
        let known: Vec<_> = names.collect();
        let Some(found) = command.find_subcommand(name) else {
            return Err(Error::unknown("command", "", name, known));
        };
        command = found.clone();
    }
    let page = clap_mangen::Man::new(command);
    let mut roff = Vec::new();
    page.render(&mut roff).map_err(|error| Error::config("man", error.to_string()))?;
    let roff = String::from_utf8_lossy(&roff).into_owned();
    let report = Report { page: page.get_filename(), roff };
    output.result(&report, || report.roff.clone())
}
