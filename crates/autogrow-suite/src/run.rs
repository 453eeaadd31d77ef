//! Runs the cells of a plan: several at a time, each after those it waits for, each only as far as
//! it is not finished yet.

use crate::cell::CellId;
use crate::keys::text;
use crate::place::{Place, Stage};
use crate::plan::Plan;
use crate::program::{Ending, Failure, Program};
use autogrow_base::{Error, Result};
use serde::Serialize;
use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a cell on which another process works is left alone.
const RETRY: Duration = Duration::from_millis(500);

/// Exit code of a command that cannot use a run folder, as where another process holds it.
const FOLDER: u8 = 4;

/// Times that a cell is tried whose folder cannot be used.
const TRIES: usize = 3;

/// What a run of a plan needs.
pub(crate) struct Work<'a> {
    pub(crate) plan: &'a Plan,
    /// Which of the cells are ours.
    pub(crate) mine: &'a [bool],
    pub(crate) place: &'a Place,
    pub(crate) program: &'a Program,
    /// Cells at a time.
    pub(crate) jobs: usize,
    /// CPU threads of each.
    pub(crate) threads: usize,
    /// Tells of progress, a line at a time.
    pub(crate) note: &'a (dyn Fn(&str) + Sync),
    /// Called after each cell.
    pub(crate) written: &'a (dyn Fn() -> Result<()> + Sync),
}

/// How the cells ended.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) finished: usize,
    pub(crate) failed: Vec<Failed>,
    /// Waited for one that failed.
    pub(crate) skipped: usize,
    /// The exit code of a run that a signal ended.
    pub(crate) interrupted: Option<u8>,
}

/// A run, or a figure, that failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Failed {
    pub(crate) name: String,
    /// Exit code of the command.
    pub(crate) code: u8,
    pub(crate) message: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Progress {
    Waiting,
    /// Another process works on it; not to be asked before.
    Locked(Instant),
    Running,
    Finished,
    Failed(Failure),
    /// By a signal, with this exit code.
    Interrupted(u8),
    Skipped,
}

struct Board {
    progress: Vec<Progress>,
    /// Names of run folders in which a worker is.
    busy: HashSet<String>,
    /// How often the folder of a cell could not be used.
    refused: Vec<usize>,
    /// Cells of which was told that another process works on them.
    told: HashSet<CellId>,
    interrupted: Option<u8>,
    /// What ends all of it, such as a full disk.
    broken: Option<Error>,
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
    /// Where files cannot be read or written, or the program cannot be started. A run that fails is
    /// no error but part of the summary.
    pub(crate) fn run(&self) -> Result<Summary> {
        let cells = self.plan.cells.len();
        let board = Mutex::new(Board {
            progress: vec![Progress::Waiting; cells],
            busy: HashSet::new(),
            refused: vec![0; cells],
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
                    if let Err(error) = self.take_down(&mut guard, id, &name, ended) {
                        guard.broken = Some(error);
                    }
                    changed.notify_all();
                }
            }
        }
        changed.notify_all();
    }

    /// The first cell that can begin.
    fn next(&self, board: &mut Board) -> Result<Next> {
        let interrupted = board.interrupted.or(self.program.interrupted());
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
            let before = || cell.after.iter().map(|&before| &board.progress[before]);
            if before().any(|state| matches!(state, Progress::Failed(_) | Progress::Skipped)) {
                (self.note)(&format!("skipped     {}: what it waits for failed", cell.key));
                board.progress[id] = Progress::Skipped;
                continue;
            }
            open = true;
            if before().all(|state| *state == Progress::Finished) {
                let name = self.place.name(self.plan, id)?.ok_or_else(|| {
                    Error::run(&self.place.out, format!("holds no result for {}", cell.key))
                })?;
                if !board.busy.contains(&name) {
                    return Ok(Next::Cell(id, name));
                }
            }
        }
        Ok(if open { Next::Wait } else { Next::End })
    }

    /// Brings a cell to its end.
    fn cell(&self, id: CellId, name: &str) -> Result<Progress> {
        // In this order: the process that holds it may finish it while we look.
        if self.place.holder(name).is_some() {
            return Ok(Progress::Locked(Instant::now()));
        }
        let begun = match self.place.stage(name)? {
            Stage::Finished(_) => return Ok(Progress::Finished),
            Stage::Begun => true,
            Stage::Missing => false,
        };
        (self.note)(&format!("{}    {name}", if begun { "resuming" } else { "training" }));
        self.tell(id, name)?;
        let how: &[&str] = match begun {
            true => &["resume", name],
            false => &["train", name, "--config", &format!("{name}.toml")],
        };
        let mut arguments: Vec<_> = how.iter().map(ToString::to_string).collect();
        arguments.extend(["--threads".into(), self.threads.to_string()]);
        let log = self.place.beside(name, "log");
        Ok(match self.program.work(&self.place.runs(), &arguments, &log)? {
            Ending::Interrupted(code) => Progress::Interrupted(code),
            Ending::Finished => {
                self.place.no_longer_failed(name);
                Progress::Finished
            }
            Ending::Failed(why) => Progress::Failed(why),
        })
    }

    /// Writes what the run is told.
    fn tell(&self, id: CellId, name: &str) -> Result<()> {
        let cell = &self.plan.cells[id];
        let found = cell.found_by.map(|finder| self.place.found(self.plan, finder)).transpose()?;
        let settings = cell.resolved(found.flatten().as_ref()).settings;
        self.place.publish(&self.place.beside(name, "toml"), &text(&settings)?)
    }

    /// Takes down how a cell ended.
    fn take_down(
        &self,
        board: &mut Board,
        id: CellId,
        name: &str,
        ended: Result<Progress>,
    ) -> Result<()> {
        let mut progress = ended?;
        if let Progress::Failed(why) = &progress {
            board.refused[id] += usize::from(why.code == FOLDER);
            if why.code == FOLDER && board.refused[id] < TRIES {
                // Another process may have been faster, between our look at the folder and its own.
                progress = Progress::Locked(Instant::now());
            } else {
                self.place.failed(name, &why.message)?;
                (self.note)(&format!("failed      {name}: {}", why.message));
            }
        }
        match &progress {
            Progress::Finished => {
                board.done += 1;
                let of = self.mine.iter().filter(|&&mine| mine).count();
                (self.note)(&format!("finished    {name} ({} of {of})", board.done));
            }
            Progress::Interrupted(code) => board.interrupted = Some(*code),
            Progress::Locked(_) if board.told.insert(id) => {
                let holder = self.place.holder(name).unwrap_or_default();
                (self.note)(&format!("waiting     {name}: another process works on it ({holder})"));
            }
            _ => {}
        }
        board.progress[id] = progress;
        (self.written)()
    }

    fn summary(&self, board: &Board) -> Summary {
        let interrupted = self.program.interrupted().or(board.interrupted);
        let mut summary = Summary { interrupted, ..Summary::default() };
        for (progress, cell) in board.progress.iter().zip(&self.plan.cells) {
            match progress {
                Progress::Finished => summary.finished += 1,
                Progress::Failed(Failure { code, message, .. }) => summary.failed.push(Failed {
                    name: cell.key.clone(),
                    code: *code,
                    message: message.clone(),
                }),
                Progress::Skipped => summary.skipped += 1,
                _ => {}
            }
        }
        summary
    }
}

fn locked(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
