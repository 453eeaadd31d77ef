//! Several devices of one machine: `run.device = "cuda:0,cuda:1"` trains on both, each with a thread
//! of this process as its rank.

use crate::args::{BenchWhat, Command};
use crate::output::Output;
use crate::{device, ranks};
use autogrow_core::ranks::{Ranks, in_process};
use autogrow_core::{Error, Result};

/// Carries out a command on as many devices as it asks for.
///
/// # Errors
/// Those of the command.
pub(crate) fn run(command: &Command, output: &Output) -> Result<()> {
    match wanted(command)? {
        ..=1 => crate::run(command, output, &Ranks::single()),
        several => together(command, output, several),
    }
}

/// How many devices a command is for.
fn wanted(command: &Command) -> Result<usize> {
    if !ranks::is_for_several(command) {
        return Ok(1);
    }
    let loaded = match command {
        Command::Train(args) => args.settings.load()?,
        Command::Morph(args) => args.settings.load()?,
        Command::Resume(args) => {
            let file = args.run.join("config.toml");
            // That it is no run folder is told by the command itself.
            if !file.is_file() {
                return Ok(1);
            }
            args.settings.load_over_file(&file)?
        }
        Command::Bench(args) => match &args.what {
            BenchWhat::Step(args) => args.settings.load()?,
            BenchWhat::Data(_) => return Ok(1),
        },
        _ => return Ok(1),
    };
    Ok(device::count(&loaded.config.run.device))
}

/// One thread a device; this one is the first rank, which prints and writes.
fn together(command: &Command, output: &Output, devices: usize) -> Result<()> {
    let mut ranks = in_process(devices).into_iter();
    let first = ranks.next();
    let silent = Output { silent: true, quiet: true, ..*output };
    let ended: Vec<_> = std::thread::scope(|scope| {
        let others: Vec<_> =
            ranks.map(|ranks| scope.spawn(move || crate::run(command, &silent, &ranks))).collect();
        // Each rank is dropped when its thread ends: that is how others learn that it has failed.
        let own = first.map(|ranks| crate::run(command, output, &ranks));
        let others = others.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(Error::ranks("a thread has panicked")))
        });
        own.into_iter().chain(others).collect()
    });
    // A rank that was left alone knows no more than that; the one that left it knows why.
    let is_lonely = |error: &Error| matches!(error, Error::Ranks { .. });
    let mut errors = ended.into_iter().filter_map(Result::err).collect::<Vec<_>>();
    let why = errors.iter().position(|error| !is_lonely(error)).unwrap_or(0);
    if errors.is_empty() { Ok(()) } else { Err(errors.swap_remove(why)) }
}
