//! Several devices of one machine: `run.device = "cuda:0,cuda:1"` trains on both, each with a thread
//! of this process as its rank.

use crate::args::{BenchWhat, Command};
use crate::output::Output;
use crate::ranks;
use autogrow::device::{self, Silence};
use autogrow::ranks::{Ranks, in_process};
use autogrow::{Error, Result};
use burn::tensor::Device;

/// Carries out a command on as many devices as it asks for.
///
/// # Errors
/// Those of the command.
pub(crate) fn run(command: &Command, output: &Output) -> Result<u8> {
    match wanted(command)? {
        Some(names) if device::count(&names) > 1 => together(command, output, &names).map(|()| 0),
        _ => crate::run(command, output, &Ranks::single()),
    }
}

/// The devices that a command for several asks for, as they are written.
fn wanted(command: &Command) -> Result<Option<String>> {
    if !ranks::is_for_several(command) {
        return Ok(None);
    }
    let loaded = match command {
        Command::Train(args) => args.settings.load()?,
        Command::Morph(args) => args.settings.load()?,
        Command::Resume(args) => {
            let file = args.run.join("config.toml");
            // That it is no run folder is told by the command itself.
            if !file.is_file() {
                return Ok(None);
            }
            args.settings.load_over_file(&file)?
        }
        Command::Bench(args) => match &args.what {
            BenchWhat::Step(args) => args.settings.load()?,
            BenchWhat::Data(_) => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(loaded.config.run.device))
}

/// One thread a device; this one is the first rank, which prints and writes.
fn together(command: &Command, output: &Output, names: &str) -> Result<()> {
    let reducing = device::with_all_reduce(names)?;
    let reducing = reducing.as_deref();
    let silence = reducing.map(|_| Silence::begin());
    let mut ranks = in_process(device::count(names)).into_iter();
    let first = ranks.next();
    let silent = Output { silent: true, quiet: true, ..*output };
    let ended: Vec<_> = std::thread::scope(|scope| {
        let others: Vec<_> = ranks
            .map(|ranks| {
                scope.spawn(move || {
                    try_devices(&ranks, reducing, None)?;
                    crate::run(command, &silent, &ranks).map(drop)
                })
            })
            .collect();
        // Each rank is dropped when its thread ends: that is how others learn that it has failed.
        let own = first.map(|ranks| {
            try_devices(&ranks, reducing, silence)?;
            crate::run(command, output, &ranks).map(drop)
        });
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

/// Has the devices add up gradients themselves, if they can. All ranks call it; `silence` holds
/// until all have tried.
fn try_devices(ranks: &Ranks, devices: Option<&[Device]>, silence: Option<Silence>) -> Result<()> {
    let Some(devices) = devices else { return Ok(()) };
    let tried = ranks.try_devices(devices);
    drop(silence);
    if !tried? && ranks.is_first() {
        tracing::warn!("the devices cannot add up gradients (is NCCL there?): the host does");
    }
    Ok(())
}
