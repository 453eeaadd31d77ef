//! The commands from end to end: plan, look at what is needed, run, write tables, draw figures.

use crate::answer::Answer;
use crate::args::{Options, ReproduceArgs, SuiteArgs};
use crate::estimate::{Cost, Estimator};
use crate::place::Place;
use crate::plan::Plan;
use crate::program::Program;
use crate::record::{Record, file};
use crate::results::Results;
use crate::run::{Summary, Work};
use crate::scale::{Resolve, Scale, Settings};
use crate::sets::Sets;
use crate::shard::{Shard, only};
use crate::show::{self, Costs, Ended};
use crate::slurm::{Command, Slurm, Submitted, squeue};
use crate::suite::Suite;
use crate::{figures, merge, needs, pictures, status, table, words};
use autogrow_base::{Error, Result};
use autogrow_run::Config;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use toml::Table;

/// What a suite needs of the program that it is part of.
pub struct Host<'a> {
    /// Turns settings into a configuration with every key.
    pub resolve: &'a Resolve<'a>,
    /// Tells of progress, a line at a time.
    pub note: &'a (dyn Fn(&str) + Sync),
}

/// One call of a command.
struct Call<'a> {
    options: &'a Options,
    host: &'a Host<'a>,
    settings: Settings<'a>,
    suites: &'a [Suite],
    plan: Plan,
    /// Which of the cells are ours.
    mine: Vec<bool>,
    place: Place,
    /// The command and its suites, for jobs of Slurm.
    words: Vec<String>,
    /// Whether it may take weeks without being asked.
    consent: bool,
}

/// `autogrow suite`: runs a user's suite.
///
/// # Errors
/// [`Error::Config`] and [`Error::Unknown`] for what is wrong with the file, [`Error::Data`] where a
/// data set is missing, [`Error::Run`] for a folder of results that cannot be used, that of the
/// device where it is not there. A run that fails is part of the answer.
pub fn suite(args: &SuiteArgs, host: &Host<'_>) -> Result<Answer> {
    let Some(path) = &args.file else { return merged(&args.options, host) };
    let suite = Suite::read(path)?;
    let options = &args.options;
    let scale = match options.scale {
        Scale::Paper => String::new(),
        scale => format!("-{}", scale.name()),
    };
    let out = Path::new("runs").join(format!("{}{scale}", suite.name));
    let place = Place::new(options.out.as_ref().unwrap_or(&out));
    let copy = file(&place.out, &suite.name).display().to_string();
    let words = vec!["suite".into(), copy];
    call(options, host, &[suite], place, (words, true))
}

/// `autogrow reproduce`: runs suites that are built in.
///
/// # Errors
/// As [`suite`], and [`Error::Config`] where the paper's scale is asked for without `--yes`.
pub fn reproduce(args: &ReproduceArgs, host: &Host<'_>) -> Result<Answer> {
    let options = &args.options;
    if !options.merge.is_empty() {
        return merged(options, host);
    }
    if args.names.is_empty() {
        return show::suites();
    }
    let suites = Suite::chosen(&args.names)?;
    let place = reproduced(options);
    let words = [String::from("reproduce")].into_iter().chain(args.names.iter().cloned());
    call(options, host, &suites, place, (words.collect(), args.yes))
}

/// The rows that `autogrow reproduce` is going to run, for who is about to build that program.
///
/// # Errors
/// As [`reproduce`], as far as can be known without it.
pub fn preview(args: &ReproduceArgs) -> Result<Answer> {
    let (options, sets) = (&args.options, Sets::read()?);
    let host = Host { resolve: &as_written, note: &|_| {} };
    let settings = settings(options, &sets, &host)?;
    let plan = Plan::new(&settings, &Suite::chosen(&args.names)?, options.seeds)?;
    let missing = needs::missing(plan.cells.iter().map(|cell| &cell.told.settings))?;
    if args.trains() {
        needs::refuse(&missing)?;
    }
    Ok(show::rows(&plan, &missing))
}

/// The configuration without what only the program can fill in.
fn as_written(settings: &Table) -> Result<Config> {
    Config::deserialize(settings.clone())
        .map_err(|error| Error::config("settings", error.to_string()))
}

/// Where suites that are built in put their results.
fn reproduced(options: &Options) -> Place {
    let out = Path::new("runs/reproduce").join(options.scale.name());
    Place::new(options.out.as_ref().unwrap_or(&out))
}

fn settings<'a>(options: &'a Options, sets: &'a Sets, host: &'a Host<'a>) -> Result<Settings<'a>> {
    let data = options.data.as_deref().map(|name| sets.named(name)).transpose()?;
    let device = options.device.as_deref();
    Ok(Settings { sets, scale: options.scale, data, device, resolve: host.resolve })
}

/// Which of the cells are to be run.
fn mine(options: &Options, plan: &Plan) -> Result<Vec<bool>> {
    match &options.only {
        None => Ok(options.shard.unwrap_or(Shard::WHOLE).of(plan)),
        Some(run) => only(plan, run).ok_or_else(|| {
            let known = plan.cells.iter().map(|cell| cell.key.as_str());
            Error::unknown("run", "", run.as_str(), known).with_origin("--only")
        }),
    }
}

/// CPU threads of each run.
fn threads(options: &Options) -> Result<usize> {
    if let Some(threads) = options.threads {
        return Ok(threads);
    }
    let all = std::thread::available_parallelism().map_err(|error| {
        Error::config("--threads", format!("has no default here ({error})")).with_hint("give it")
    })?;
    Ok((all.get() / options.jobs).max(1))
}

fn call(
    options: &Options,
    host: &Host<'_>,
    suites: &[Suite],
    place: Place,
    (words, consent): (Vec<String>, bool),
) -> Result<Answer> {
    let sets = Sets::read()?;
    let settings = settings(options, &sets, host)?;
    let plan = Plan::new(&settings, suites, options.seeds)?;
    let mine = mine(options, &plan)?;
    Call { options, host, settings, suites, plan, mine, place, words, consent }.answer()
}

impl Call<'_> {
    fn answer(&self) -> Result<Answer> {
        let Self { options, host, settings, plan, mine, place, .. } = self;
        if options.list {
            return show::cells(plan, mine, place);
        }
        if options.status {
            let submitted = Submitted::read(place)?;
            let queue = if submitted.tasks.is_empty() { Vec::new() } else { squeue()? };
            return status::status(plan, mine, place, (&submitted, &queue));
        }
        // What a job of Slurm is to do was looked at when it was submitted.
        let is_job = options.only.is_some();
        let mut program = Program::own()?;
        let own = || plan.cells.iter().zip(mine).filter(|(_, mine)| **mine).map(|(cell, _)| cell);
        if !is_job {
            (host.note)(&self.rule());
            let missing = needs::missing_of(own(), settings.sets, &program)?;
            if options.dry_run {
                return self.priced(&program, &missing, |costs, _| Ok(costs.answer()));
            }
            needs::refuse(&missing)?;
            if let Some(cell) = own().next() {
                needs::open_device(cell, &program)?;
            }
            if options.print {
                return self.priced(&program, &[], |_, costs| self.slurm()?.scripts(costs));
            }
            if options.scale == Scale::Paper && !self.consent {
                return self.priced(&program, &[], |costs, _| Err(self.ask(costs)));
            }
            self.record().write(place, self.suites)?;
        }
        if own().any(|cell| cell.told.config.data.dir.as_os_str() == pictures::DIR) {
            pictures::draw(&place.out)?;
        }
        if options.slurm {
            write_pages(plan, place, settings)?;
            let submit = |_: &Costs<'_>, costs: &[Cost]| self.slurm()?.submit(costs, &program);
            return self.priced(&program, &[], submit);
        }
        // A job of Slurm ignores SIGTERM, which reaches what it has started all the same; `sh` and
        // `srun` see to that.
        if !is_job {
            program.listen();
        }
        self.run(&program)
    }

    /// The scale in words, and what it changes.
    fn rule(&self) -> String {
        let Self { settings, plan, .. } = self;
        let rule = words::rule(settings, plan.pages.iter());
        let entries = plan.pages.iter().flat_map(|page| &page.entries);
        let common = words::common(settings, entries).join("; ");
        let common = if common.is_empty() { common } else { format!("\nall rows: {common}") };
        format!("scale {}: {rule}{common}", settings.scale.name())
    }

    /// Asks the program what the plan will cost, and goes on with that.
    fn priced(
        &self,
        program: &Program,
        missing: &[needs::Missing],
        next: impl FnOnce(&Costs<'_>, &[Cost]) -> Result<Answer>,
    ) -> Result<Answer> {
        let Self { options, host, settings, plan, mine, place, .. } = self;
        let threads = threads(options)?;
        (host.note)("timing a step of each kind of network");
        let costs = Estimator::new(program, settings.sets, threads).costs(plan)?;
        let of = (plan, mine.as_slice(), place);
        next(&Costs::new(of, &costs, missing, (options.scale, options.jobs))?, &costs)
    }

    /// Shows what it will cost, and refuses until that is agreed to.
    fn ask(&self, costs: &Costs<'_>) -> Error {
        (self.host.note)(&costs.answer().text);
        let problem = format!("= paper is not begun without --yes: {}", costs.left());
        Error::config("--scale", problem).with_hint(
            "--yes begins; --scale small takes a tenth of the epochs and images, --scale smoke is a \
             check that takes minutes",
        )
    }

    fn slurm(&self) -> Result<Slurm<'_>> {
        let Self { options, plan, mine, place, words, .. } = self;
        let threads = threads(options)?;
        let words = words.iter().cloned().chain(options.words()).collect();
        let command = Command { words, threads, out: &place.out };
        Ok(Slurm { plan, mine, place, command, sbatch: &options.sbatch })
    }

    fn record(&self) -> Record {
        let Options { scale, data, device, seeds, .. } = self.options;
        Record {
            scale: *scale,
            data: data.clone(),
            device: device.clone(),
            seeds: *seeds,
            suites: self.suites.iter().map(|suite| suite.name.clone()).collect(),
        }
    }

    /// Runs what is missing, writes the tables as they fill, and draws the figures.
    fn run(&self, program: &Program) -> Result<Answer> {
        let Self { options, host, settings, plan, mine, place, .. } = self;
        let is_job = options.only.is_some();
        let threads = threads(options)?;
        let written = || if is_job { Ok(()) } else { write_pages(plan, place, settings) };
        written()?;
        let work = Work {
            plan,
            mine,
            place,
            program,
            jobs: options.jobs,
            threads,
            note: host.note,
            written: &written,
        };
        let mut summary = work.run()?;
        if summary.interrupted.is_none() && !is_job {
            let missing = figures::to_draw(plan, place, options.scale)?;
            let drawn = figures::draw(&missing, place, (program, threads), host.note)?;
            summary.failed.extend(drawn);
            summary.interrupted = program.interrupted();
            written()?;
        }
        let suites = if is_job { Vec::new() } else { read_pages(plan, place, settings)? };
        Ok(Ended { scale: options.scale, out: place.out.clone(), summary, suites }.answer())
    }
}

/// Copies the runs of several folders together, and writes tables and figures of all their suites.
fn merged(options: &Options, host: &Host<'_>) -> Result<Answer> {
    let place = Place::new(options.out.as_deref().unwrap_or(Path::new(".")));
    let (record, merged) = merge::merge(&options.merge, &place)?;
    let suites = record.suites(&place.out)?;
    let sets = Sets::read()?;
    let data = record.data.as_deref().map(|name| sets.named(name)).transpose()?;
    let (scale, device) = (record.scale, record.device.as_deref());
    let settings = Settings { sets: &sets, scale, data, device, resolve: host.resolve };
    let plan = Plan::new(&settings, &suites, record.seeds)?;
    write_pages(&plan, &place, &settings)?;
    (host.note)(&format!("{} runs copied, {} known", merged.copied, merged.known));
    let mut program = Program::own()?;
    program.listen();
    let missing = figures::to_draw(&plan, &place, scale)?;
    let mut failed = figures::draw(&missing, &place, (&program, threads(options)?), host.note)?;
    write_pages(&plan, &place, &settings)?;
    for name in &merged.differing {
        let message = "has two results; the one that was there is kept".into();
        failed.push(crate::run::Failed { name: name.clone(), code: 1, message });
    }
    let finished = merged.copied + merged.known;
    let summary = Summary { finished, failed, skipped: 0, interrupted: program.interrupted() };
    let suites = read_pages(&plan, &place, &settings)?;
    Ok(Ended { scale, out: place.out.clone(), summary, suites }.answer())
}

/// What there is so far, a page a suite.
fn read_pages(plan: &Plan, place: &Place, settings: &Settings<'_>) -> Result<Vec<Results>> {
    plan.pages.iter().map(|page| Results::read(page, plan, place, settings)).collect()
}

/// Writes what there is so far: a page a suite, in three formats.
fn write_pages(plan: &Plan, place: &Place, settings: &Settings<'_>) -> Result<()> {
    for results in read_pages(plan, place, settings)? {
        let path =
            |extension| -> PathBuf { place.out.join(format!("{}.{extension}", results.suite)) };
        place.publish(&path("md"), &table::markdown(&results))?;
        place.publish(&path("csv"), &table::csv(&results)?)?;
        place.publish(&path("html"), &table::html(&results))?;
    }
    Ok(())
}
