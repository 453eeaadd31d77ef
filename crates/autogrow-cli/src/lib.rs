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
mod devices;
mod epoch_line;
mod home;
mod live_page;
mod output;
mod own_pictures;
mod preset;
mod progress;
mod ranks;
mod reporter;
mod run_folders;
mod setting;
mod settings;
mod signals;
mod suited;
mod variables;
mod version;
mod waiting;

use args::{Cli, Color, Command};
use autogrow::ranks::Ranks;
use autogrow_data::with_listener;
pub use autogrow_suite::launched_by;
// Linked for what it registers: model files of PyTorch.
use autogrow_export as _;
use clap::{CommandFactory, Parser};
use output::Output;
use ranks::Member;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    main_with(std::env::args_os()).into()
}

/// Runs the command of these arguments, the first of which is the name of the program. Returns the
/// exit code.
pub fn main_with(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; they exit with 0.
            let _ = error.print();
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    match cli.color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    let mut output = Output { json: cli.json, quiet: cli.quiet, silent: false };
    let mut command = cli.command;
    if let Err(error) = command.runs().into_iter().try_for_each(run_folders::resolve) {
        return failed(&error, &output);
    }
    let member = match Member::join(&command, output) {
        Ok(member) => member,
        Err(error) => return failed(&error, &output),
    };
    let ranks = member.ranks();
    // The first rank speaks for all.
    output.silent = !ranks.is_first();
    output.quiet |= output.silent;
    start_logging(cli.verbose, output.quiet);
    let screen = waiting::Screen::new(output);
    let ended = with_listener(
        move |passed| screen.hear(passed),
        || {
            autogrow::registry::check().and_then(|()| match ranks.are_several() {
                true => run(&command, &output, ranks),
                false => devices::run(&command, &output),
            })
        },
    );
    match ended {
        Ok(code) => code,
        Err(error) if output.silent && ranks.all_end_with(&error) => error.exit_code(),
        Err(error) => {
            let code = failed(&error, &output);
            if !ranks.all_end_with(&error) {
                ranks.abort(error.exit_code());
            }
            code
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

fn failed(error: &autogrow::Error, output: &Output) -> u8 {
    output.error(error);
    error.exit_code()
}

fn run(command: &Command, output: &Output, ranks: &Ranks) -> autogrow::Result<u8> {
    match command {
        // What they began may have failed in part, which is no error of theirs.
        Command::Suite(args) => return commands::suite::run(args, output),
        Command::Reproduce(args) => return commands::suite::reproduce(args, output),
        Command::Train(args) => commands::train::run(args, output, ranks),
        Command::Resume(args) => commands::resume::run(args, output, ranks),
        Command::Certify(args) => commands::certify::run(args, output),
        Command::Cooldown(args) => commands::cooldown::run(args, output),
        Command::Sweep(args) => commands::sweep::run(args, output),
        Command::Morph(args) => commands::morph::run(args, output, ranks),
        Command::Evaluate(args) => commands::evaluate::run(args, output),
        Command::Replay(args) => commands::replay::run(args, output),
        Command::Plan(args) => commands::plan::run(args, output),
        Command::Data(args) => commands::data::run(args, output),
        Command::Runs(args) => commands::runs::run(args, output),
        Command::Report(args) => commands::report::run(args, output),
        Command::List(args) => commands::list::run(args, output),
        Command::Download(args) => commands::download::run(args, output),
        Command::Config(args) => commands::config::run(args, output),
        Command::Predict(args) => commands::predict::run(args, output),
        Command::Export(args) => commands::export::run(args, output),
        Command::Landscape(args) => commands::landscape::run(args, output),
        Command::Trajectory(args) => commands::trajectory::run(args, output),
        Command::Bench(args) => commands::bench::run(args, output, ranks),
        Command::Completions(args) => commands::completions::run(args, output),
        Command::Man(args) => commands::man::run(args, output),
    }
    .map(|()| 0)
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
        // Where nobody reads stderr any more, a run goes on without its log.
        .log_internal_errors(false)
        .with_ansi(colours)
        .with_target(false)
        .without_time()
        .try_init();
}
