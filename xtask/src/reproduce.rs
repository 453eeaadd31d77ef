//! `cargo xtask reproduce`: the paper's tables and figures, made again. Each number is that of a
//! run folder which `autogrow train` has written, as a user would have it do.

mod autogrow;
mod config;
mod data;
mod depth;
mod estimate;
mod figures;
mod merge;
mod pages;
mod paper;
mod pictures;
mod place;
mod plan;
mod record;
mod results;
mod run;
mod scale;
mod shard;
mod show;
mod signals;
mod slurm;
mod suites;
mod table;
#[cfg(test)]
mod testing;

use crate::tree::Tree;
use anyhow::Result;
use autogrow::Autogrow;
use clap::{Args, Subcommand};
use merge::MergeArgs;
use pages::write_pages;
use paper::Paper;
use place::Place;
use plan::Plan;
use record::Record;
use run::{Summary, Work};
use scale::{Scale, Settings};
use shard::Shard;
use slurm::{Slurm, SlurmArgs};
use std::path::PathBuf;
use std::process::ExitCode;

/// Exit code where a run failed.
const FAILED: u8 = 1;
/// Exit code where there is no such suite, or the folder was made with other settings.
const USAGE: u8 = 2;
/// Exit code where a data set is missing.
const NO_DATA: u8 = 3;

/// What to reproduce, how large, where.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ReproduceArgs {
    #[command(subcommand)]
    command: Option<Command>,
    /// Tables, figures and data sets, such as table3, figure4, mnist; `all`
    suites: Vec<String>,
    /// How large
    #[arg(long, value_enum, default_value = "smoke")]
    scale: Scale,
    /// Train on this data set in place of the paper's
    #[arg(long, value_name = "NAME")]
    data: Option<String>,
    /// Runs of each row; more than one give mean and standard deviation
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Show the suites there are, or the runs of those named
    #[arg(long)]
    list: bool,
    /// Show runs, epochs, operations and estimated time; train nothing
    #[arg(long)]
    dry_run: bool,
    /// Runs at a time; they share the CPU's threads
    #[arg(long, default_value_t = 1, value_parser = parse_jobs)]
    jobs: usize,
    /// CPU threads of each run [default: the CPU's, divided by --jobs]
    #[arg(long, value_parser = parse_jobs)]
    threads: Option<usize>,
    /// A part of the work, such as 2/3; `merge` puts the parts together
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Device of every run: flex, cuda:0, ...
    #[arg(long, default_value = "auto")]
    device: String,
    /// Folder of the results [default: runs/reproduce/SCALE]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// The program to run; without, it is built
    #[arg(long, value_name = "FILE")]
    autogrow: Option<PathBuf>,
    #[command(flatten)]
    slurm: SlurmArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put the results of several machines together
    Merge(MergeArgs),
}

fn parse_jobs(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&jobs| jobs > 0).ok_or_else(|| "at least 1".into())
}

/// Trains what is missing and writes the tables.
///
/// # Errors
/// Where files cannot be read or written, or `autogrow` cannot be started.
pub(crate) fn run(tree: &Tree, args: &ReproduceArgs) -> Result<ExitCode> {
    let paper = Paper::read()?;
    if let Some(Command::Merge(args)) = &args.command {
        return merge::run(tree, &paper, args);
    }
    if args.suites.is_empty() {
        if args.list {
            println!("{}", show::suites(&paper));
            return Ok(ExitCode::SUCCESS);
        }
        return usage("name a suite\nhint: `cargo xtask reproduce --list` shows them");
    }
    let suites = match suites::choose(&paper, &args.suites) {
        Ok(suites) => suites,
        Err(error) => return usage(&error.to_string()),
    };
    let data = match args.data.as_deref().map(|name| paper.set(name)).transpose() {
        Ok(data) => data,
        Err(error) => return usage(&error.to_string()),
    };
    let settings = Settings { paper: &paper, scale: args.scale, data, device: &args.device };
    let plan = match Plan::new(&settings, &suites, args.seeds) {
        Ok(plan) => plan,
        Err(error) => return usage(&format!("{error:#}")),
    };
    let mine = match &args.slurm.only {
        Some(run) => slurm::only(&plan, run)?,
        None => args.shard.unwrap_or(Shard::WHOLE).of(&plan),
    };
    let place = Place { out: args.out.clone().unwrap_or_else(|| default_out(tree, args.scale)) };
    println!("scale {}: {}\n", args.scale.name(), settings.words());
    if args.list {
        println!("{}", show::cells(&plan, &mine, &place)?);
        return Ok(ExitCode::SUCCESS);
    }

    let threads = match args.threads {
        Some(threads) => threads,
        None => (all_threads()? / args.jobs).max(1),
    };
    let out = std::path::absolute(&place.out)?;
    let command = slurm::Command {
        suites: &args.suites,
        scale: args.scale.name(),
        seeds: args.seeds,
        data: args.data.as_deref(),
        device: &args.device,
        threads,
        out: &out,
    };
    let slurm = Slurm { plan: &plan, mine: &mine, place: &place, command, args: &args.slurm };
    if args.slurm.status {
        return told(slurm.status());
    }

    let mut autogrow = Autogrow::at(args.autogrow.as_deref(), tree)?;
    let costs = || estimate::Estimator::new(&autogrow, &paper, threads)?.costs(&plan);
    if args.slurm.print {
        return told(costs().and_then(|costs| slurm.scripts(&costs)));
    }
    let own = || plan.cells.iter().zip(&mine).filter(|(_, mine)| **mine).map(|(cell, _)| cell);
    // What a job is to do was looked at when it was submitted, and tables are for the last one.
    let is_job = args.slurm.only.is_some();
    let missing = if is_job { Vec::new() } else { data::missing(&autogrow, own())? };
    if args.dry_run {
        println!("{}", show::costs(&plan, &mine, &place, &costs()?, args.jobs)?);
        missing.iter().for_each(|missing| println!("\n{}", missing.words()));
        return Ok(ExitCode::SUCCESS);
    }
    if !missing.is_empty() {
        missing.iter().for_each(|missing| eprintln!("error: {}", missing.words()));
        return Ok(NO_DATA.into());
    }

    let written = || if is_job { Ok(()) } else { write_pages(&plan, &place, &settings) };
    if !is_job {
        let record = Record {
            scale: args.scale.name().into(),
            rule: settings.words(),
            data: args.data.clone(),
            device: args.device.clone(),
            seeds: args.seeds,
            suites: suites.iter().map(|suite| suite.name.to_string()).collect(),
        };
        if let Err(error) = record.write(&place) {
            return usage(&error.to_string());
        }
    }
    if own().any(|cell| cell.config.data.dir.is_some()) {
        pictures::draw(&place)?;
    }
    written()?;
    if args.slurm.slurm {
        return told(costs().and_then(|costs| slurm.submit(&costs, autogrow.program())));
    }
    // A job of Slurm ignores SIGTERM, which reaches what it has started all the same; `sh` and `srun`
    // see to that.
    if !is_job {
        autogrow.listen();
    }
    let work = Work {
        plan: &plan,
        mine: &mine,
        place: &place,
        autogrow: &autogrow,
        jobs: args.jobs,
        threads,
        written: &written,
    };
    let mut summary = work.run()?;
    if summary.interrupted.is_none() && !is_job {
        let missing = figures::to_draw(&plan, &place, args.scale)?;
        summary.failed.extend(figures::draw(&missing, &place, (&autogrow, threads))?);
        summary.interrupted = autogrow.interrupted();
        written()?;
    }
    println!("\n{}", show::summary(&summary));
    if !is_job {
        println!("{}", show::pages(&plan, &place));
    }
    Ok(exit_code(&summary).into())
}

/// Prints what was asked for.
fn told(text: Result<String>) -> Result<ExitCode> {
    match text {
        Ok(text) => {
            println!("{text}");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            // What `autogrow` says begins with this already.
            let said = format!("{error:#}");
            usage(said.strip_prefix("error: ").unwrap_or(&said))
        }
    }
}

/// The CPU's threads.
fn all_threads() -> Result<usize> {
    Ok(std::thread::available_parallelism()?.get())
}

fn default_out(tree: &Tree, scale: Scale) -> PathBuf {
    tree.root.join("runs/reproduce").join(scale.name())
}

fn exit_code(summary: &Summary) -> u8 {
    match summary.interrupted {
        Some(code) => code,
        None if summary.failed.is_empty() => 0,
        None => FAILED,
    }
}

fn usage(message: &str) -> Result<ExitCode> {
    eprintln!("error: {message}");
    Ok(USAGE.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_tells_how_it_ended() {
        let failed = vec![("cell".to_string(), "diverged".to_string())];
        assert_eq!(exit_code(&Summary::default()), 0);
        assert_eq!(exit_code(&Summary { failed: failed.clone(), ..Summary::default() }), FAILED);
        let interrupted = Summary { failed, interrupted: Some(130), ..Summary::default() };
        assert_eq!(exit_code(&interrupted), 130);
    }
}
