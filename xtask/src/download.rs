//! `cargo xtask download NAME...|all`: what `autogrow download` does, before there is an `autogrow`.
//! Building that takes minutes, in which data can arrive.

use anyhow::Result;
use autogrow_fetch::{Catalogue, Event, Options, Places, Watch, get};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to fetch, and how.
#[derive(Debug, Args)]
pub(crate) struct Download {
    /// Data sets, or `all` for those that are given out freely
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Folder to put them into, each into one of its name
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Take the files from this folder, where somebody put them by hand
    #[arg(long, value_name = "DIR", conflicts_with = "mirror")]
    from: Option<PathBuf>,
    /// Ask this server: URL/SET/FILE, then URL/FILE
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
}

/// Fetches the sets.
///
/// # Errors
/// None: what is wrong, and what to do about it, is printed.
pub(crate) fn run(args: Download) -> Result<ExitCode> {
    let mut options = Options { from: args.from, mirror: args.mirror, ..Options::default() };
    if let Some(dir) = args.dir {
        options.places = Places::only(dir);
    }
    let outcomes = Catalogue::built_in()
        .and_then(|catalogue| get(&catalogue, &args.names, &options, &mut Lines));
    match outcomes {
        Ok(outcomes) => {
            for outcome in outcomes {
                println!("{}: {:?} in {}", outcome.set, outcome.how, outcome.folder.display());
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("error: {error}\nhint: {}", error.hint());
            Ok(ExitCode::from(if error.is_usage() { 2 } else { 3 }))
        }
    }
}

/// A line for each address.
struct Lines;

impl Watch for Lines {
    fn event(&mut self, set: &str, _: &str, event: &Event<'_>) {
        match event {
            Event::Fetching { address, from: 0 } => println!("{set}: {address}"),
            Event::Fetching { address, from } => println!("{set}: {address} from byte {from} on"),
            Event::Retrying { address, problem, pause } => {
                println!("{set}: {address}: {problem}; again in {} s", pause.as_secs());
            }
            Event::GivenUp { address, problem } => println!("{set}: {address}: {problem}"),
            Event::Fetched { .. } | Event::Checked { .. } | Event::Unpacked { .. } => {}
        }
    }
}
