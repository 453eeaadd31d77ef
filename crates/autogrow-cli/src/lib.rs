//! The command line of AutoGrow as a library, so that a binary of your own can link plugins:
//!
//! ```no_run
//! // use my_plugin as _;
//! fn main() -> std::process::ExitCode {
//!     autogrow_cli::main()
//! }
//! ```
//!
//! Results go to stdout, everything else to stderr; only [`main`] prints errors.

mod args;
mod commands;
mod device;
mod output;
mod preset;
mod progress;
mod reporter;
mod settings;
mod signals;
mod version;

use args::{Cli, Command};
// Linked for what they register.
use autogrow_data as _;
use autogrow_export as _;
use autogrow_models as _;
use clap::{CommandFactory, Parser};
use output::Output;
use std::process::ExitCode;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; they exit with 0.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    start_logging(cli.verbose, cli.quiet);
    let output = Output { json: cli.json, quiet: cli.quiet };
    let command = cli.command.unwrap_or_default();
    match autogrow_core::registry::check().and_then(|()| run(command, &output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Every command and option that [`main`] takes: what documentation is made from and held to.
pub fn command() -> clap::Command {
    let mut command = Cli::command();
    // Gives each command its whole name, `autogrow-bench-step`.
    command.build();
    command
}

fn run(command: Command, output: &Output) -> autogrow_core::Result<()> {
    match command {
        Command::Train(args) => commands::train::run(&args, output),
        Command::Resume(args) => commands::resume::run(&args, output),
        Command::Evaluate(args) => commands::evaluate::run(&args, output),
        Command::Replay(args) => commands::replay::run(&args, output),
        Command::Plan(args) => commands::plan::run(&args, output),
        Command::Data(args) => commands::data::run(&args, output),
        Command::Report(args) => commands::report::run(&args, output),
        Command::List(args) => commands::list::run(&args, output),
        Command::Download(args) => commands::download::run(&args, output),
        Command::Config(args) => commands::config::run(&args, output),
        Command::Predict(args) => commands::predict::run(&args, output),
        Command::Export(args) => commands::export::run(&args, output),
        Command::Landscape(args) => commands::landscape::run(&args, output),
        Command::Trajectory(args) => commands::trajectory::run(&args, output),
        Command::Bench(args) => commands::bench::run(&args, output),
        Command::Completions(args) => commands::completions::run(&args, output),
        Command::Man(args) => commands::man::run(&args, output),
    }
}

/// Logs to stderr: warnings, more with `-v`, or as `RUST_LOG` says.
fn start_logging(verbose: u8, quiet: bool) {
    use tracing_subscriber::EnvFilter;
    let level = match (quiet, verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "autogrow_core=info,autogrow_data=info,autogrow_cli=info,warn",
        (false, _) => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let colours = output::stderr_has_colours();
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_target(false)
        .without_time()
        .try_init();
}
