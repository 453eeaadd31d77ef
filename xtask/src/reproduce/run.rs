//! Runs the cells of a plan: several at a time, each after those it waits for, each only as far as
//! it is not finished yet.

use super::autogrow::{Autogrow, Ending};
use super::place::{Place, Stage, publish};
use super::plan::{CellId, Plan};
use anyhow::{Context, Result};
use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a cell on which another process works is left alone.
const RETRY: Duration = Duration::from_millis(500);

/// What `autogrow` says of a run folder that another process took before it.
const TAKEN: [&str; 2] = ["is being written by process", "holds a run already"];

/// What a run of a plan needs.
pub(super) struct Work<'a> {
    pub(super) plan: &'a Plan<'a>,
    /// Which of the cells are ours.
    pub(super) mine: &'a [bool],
    pub(super) place: &'a Place,
    pub(super) autogrow: &'a Autogrow,
    /// Cells at a time.
    pub(super) jobs: usize,
    /// CPU threads of each.
    pub(super) threads: usize,
    /// Called after each cell.
    pub(super) written: &'a (dyn Fn() -> Result<()> + Sync),
}

/// How the cells ended.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Summary {
    pub(super) finished: usize,
    /// Names, and why.
    pub(super) failed: Vec<(String, String)>,
    /// Waited for one that failed.
    pub(super) skipped: usize,
    /// The exit code of a run that a signal ended.
    pub(super) interrupted: Option<u8>,
}

#[derive(Clone, Debug, PartialEq)]
enum Progress {
    Waiting,
    /// Another process works on it; not to be asked before.
    Locked(Instant),
    Running,
    Finished,
    Failed(String),
    /// By a signal, with this exit code.
    Interrupted(u8),
    Skipped,
}

struct Board {
    progress: Vec<Progress>,
    /// Names of run folders in which a worker is.
    busy: HashSet<String>,
    /// Cells of which was told that another process works on them.
    told: HashSet<CellId>,
    interrupted: Option<u8>,
    /// What cannot be gone on from, such as a full disk.
    broken: Option<anyhow::Error>,
    done: usize,
}

/// What a worker does next.
enum Next {
    Cell(CellId, String),
    /// Nothing now.
    Wait,
    /// Nothing any more.
    End,
}

impl Work<'_> {
    /// Runs all cells that are ours.
    ///
    /// # Errors
    /// Where files cannot be read or written, or `autogrow` cannot be started. A run that fails is
    /// no error but part of the summary.
    pub(super) fn run(&self) -> Result<Summary> {
        let runs = self.place.runs();
        std::fs::create_dir_all(&runs)
            .with_context(|| format!("{} cannot be made", runs.display()))?;
        let board = Mutex::new(Board {
            progress: vec![Progress::Waiting; self.plan.cells.len()],
            busy: HashSet::new(),
            told: HashSet::new(),
            interrupted: None,
            broken: None,
            done: 0,
        });
        let changed = Condvar::new();
        std::thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(|| self.work(&board, &changed));
            }
        });
        let board = board.into_inner().unwrap_or_else(PoisonError::into_inner);
        match board.broken {
            Some(error) => Err(error),
            None => Ok(self.summary(&board)),
        }
    }

    /// One worker: takes cells until there are none left.
    fn work(&self, board: &Mutex<Board>, changed: &Condvar) {
        let mut guard = locked(board);
        loop {
            match self.next(&mut guard) {
                Err(error) => guard.broken = Some(error),
                Ok(Next::End) => break,
                Ok(Next::Wait) => {
                    let waited = changed.wait_timeout(guard, RETRY);
                    guard = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                Ok(Next::Cell(id, name)) => {
                    guard.progress[id] = Progress::Running;
                    guard.busy.insert(name.clone());
                    drop(guard);
                    let ended = self.cell(id, &name);
                    guard = locked(board);
                    guard.busy.remove(&name);
                    self.note(&mut guard, id, &name, ended);
                    changed.notify_all();
                }
            }
        }
        changed.notify_all();
    }

    /// The first cell that can begin.
    fn next(&self, board: &mut Board) -> Result<Next> {
        let interrupted = board.interrupted.or(self.autogrow.interrupted());
        if interrupted.is_some() || board.broken.is_some() {
            return Ok(Next::End);
        }
        let mut open = false;
        for (id, cell) in self.plan.cells.iter().enumerate().filter(|(id, _)| self.mine[*id]) {
            match &board.progress[id] {
                Progress::Waiting => {}
                Progress::Locked(since) if since.elapsed() >= RETRY => {}
                Progress::Locked(_) | Progress::Running => {
                    open = true;
                    continue;
                }
                _ => continue,
            }
            let is =
                |before: &CellId, wanted: fn(&Progress) -> bool| wanted(&board.progress[*before]);
            let lost = |state: &Progress| matches!(state, Progress::Failed(_) | Progress::Skipped);
            if cell.after.iter().any(|before| is(before, lost)) {
                println!("skipped     {}: what it waits for failed", cell.key);
                board.progress[id] = Progress::Skipped;
                continue;
            }
            open = true;
            if cell.after.iter().all(|before| is(before, |state| *state == Progress::Finished)) {
                let name = self.name(id)?;
                if !board.busy.contains(&name) {
                    return Ok(Next::Cell(id, name));
                }
            }
        }
        Ok(if open { Next::Wait } else { Next::End })
    }

    /// The run folder's name, once what it depends on has ended.
    fn name(&self, id: CellId) -> Result<String> {
        let name = cell_name(self.plan, self.place, id)?;
        name.with_context(|| format!("{} has no result", self.plan.cells[id].key))
    }

    /// Brings a cell to its end.
    fn cell(&self, id: CellId, name: &str) -> Result<Progress> {
        // In this order: who holds it now may finish it while we look.
        if self.place.holder(name).is_some() {
            return Ok(Progress::Locked(Instant::now()));
        }
        let begun = match self.place.stage(name)? {
            Stage::Finished(_) => return Ok(Progress::Finished),
            Stage::Begun => true,
            Stage::Missing => false,
        };
        println!("{}    {name}", if begun { "resuming" } else { "training" });
        self.tell(id, name)?;
        match self.autogrow.train(&self.place.runs(), name, begun, self.threads)? {
            Ending::Interrupted(code) => Ok(Progress::Interrupted(code)),
            Ending::Finished => {
                self.place.no_longer_failed(name);
                Ok(Progress::Finished)
            }
            Ending::Failed(why) => {
                // Between our look at the folder and its own, another process may have come first.
                if TAKEN.iter().any(|taken| why.contains(taken)) {
                    return Ok(Progress::Locked(Instant::now()));
                }
                self.place.failed(name, &why)?;
                Ok(Progress::Failed(why))
            }
        }
    }

    /// Writes what `autogrow` is to be told.
    fn tell(&self, id: CellId, name: &str) -> Result<()> {
        let cell = &self.plan.cells[id];
        let found = cell.found_by.map(|finder| found(self.plan, self.place, finder)).transpose()?;
        let config = cell.resolved(found.flatten().as_ref());
        publish(&self.place.beside(name, "toml"), &config.toml()?)
    }

    /// Takes down how a cell ended.
    fn note(&self, board: &mut Board, id: CellId, name: &str, ended: Result<Progress>) {
        let progress = match ended {
            Ok(progress) => progress,
            Err(error) => {
                board.broken = Some(error);
                return;
            }
        };
        match &progress {
            Progress::Finished => {
                board.done += 1;
                let of = self.mine.iter().filter(|&&mine| mine).count();
                println!("finished    {name} ({} of {of})", board.done);
            }
            Progress::Failed(why) => println!("failed      {name}: {why}"),
            Progress::Interrupted(code) => board.interrupted = Some(*code),
            Progress::Locked(_) if board.told.insert(id) => {
                let holder = self.place.holder(name).unwrap_or_default();
                println!("waiting     {name}: another process works on it ({holder})");
            }
            _ => {}
        }
        board.progress[id] = progress;
        if let Err(error) = (self.written)() {
            board.broken = Some(error);
        }
    }

    fn summary(&self, board: &Board) -> Summary {
        let interrupted = self.autogrow.interrupted().or(board.interrupted);
        let mut summary = Summary { interrupted, ..Summary::default() };
        for (progress, cell) in board.progress.iter().zip(&self.plan.cells) {
            match progress {
                Progress::Finished => summary.finished += 1,
                Progress::Failed(why) => summary.failed.push((cell.key.clone(), why.clone())),
                Progress::Skipped => summary.skipped += 1,
                Progress::Waiting
                | Progress::Locked(_)
                | Progress::Running
                | Progress::Interrupted(_) => {}
            }
        }
        summary
    }
}

/// The depth that a cell has found, where it has ended.
///
/// # Errors
/// Where its result cannot be read.
pub(super) fn found(
    plan: &Plan<'_>,
    place: &Place,
    id: CellId,
) -> Result<Option<super::depth::Depth>> {
    Ok(match place.stage(&plan.cells[id].key)? {
        Stage::Finished(outcome) => Some(outcome.found),
        _ => None,
    })
}

/// The name of a cell's run folder; none as long as its depth is to be found.
///
/// # Errors
/// Where a result cannot be read.
pub(super) fn cell_name(plan: &Plan<'_>, place: &Place, id: CellId) -> Result<Option<String>> {
    let cell = &plan.cells[id];
    let Some(finder) = cell.found_by else { return Ok(Some(cell.key.clone())) };
    let found = found(plan, place, finder)?;
    found.map(|found| cell.resolved(Some(&found)).cell_name()).transpose()
}

fn locked(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
