//! A reproduction that is killed at random and begun again ends with the tables of one that was
//! not.

use crate::tree::Tree;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Columns that no two runs have in common.
const CLOCKS: [&str; 2] = ["growing_seconds", "fine_tuning_seconds"];

/// What is killed, and how often. The runs that are at work continue; the next command finds them
/// busy and waits.
pub(super) struct Killed {
    suites: &'static [&'static str],
    kills: u32,
}

impl Killed {
    /// Runs that wait for each other, of every initializer.
    pub(super) const ALL: Self = Self { suites: &["table2", "table5"], kills: 12 };

    /// What takes less than a minute.
    pub(super) const SAMPLE: Self = Self { suites: &["table5"], kills: 2 };
}

/// Reproduces the suites twice, once killed again and again, and compares.
///
/// # Errors
/// Where they differ, or something cannot be built, started or written.
pub(super) fn run(tree: &Tree, killed: &Killed) -> Result<()> {
    let autogrow = tree.build_autogrow()?;
    let place = tree.target().join("crash");
    if place.exists() {
        std::fs::remove_dir_all(&place).with_context(|| format!("{}", place.display()))?;
    }
    let into = |folder| Reproduce {
        xtask: &tree.program,
        autogrow: &autogrow,
        suites: killed.suites,
        out: place.join(folder),
    };
    let reproduce = into("whole");
    let started = Instant::now();
    reproduce.finish()?;
    let duration = started.elapsed();
    let whole = reproduce.tables()?;

    let reproduce = into("killed");
    let mut hit = 0;
    for kill in 0..killed.kills {
        let mut running = reproduce.start()?;
        // Up to a seventh of the work, spread evenly in no order.
        let part = (f64::from(kill + 1) * 0.618_034).fract();
        std::thread::sleep(duration.mul_f64(0.15 * part) + Duration::from_millis(50));
        if running.try_wait()?.is_some() {
            break;
        }
        running.kill()?;
        running.wait()?;
        hit += 1;
    }
    reproduce.finish()?;
    let suites = killed.suites.join(" and ");
    ensure!(whole == reproduce.tables()?, "{suites} killed {hit} times end with other tables");
    ensure!(hit > 0, "{suites} ended before the first kill");
    let rows: usize = whole.values().map(Vec::len).sum();
    println!("{suites} killed {hit} times: {rows} rows alike, but for their clocks");
    Ok(())
}

struct Reproduce<'a> {
    xtask: &'a Path,
    autogrow: &'a Path,
    suites: &'static [&'static str],
    out: PathBuf,
}

impl Reproduce<'_> {
    fn start(&self) -> Result<Child> {
        let mut command = Command::new(self.xtask);
        command.arg("reproduce").args(self.suites).args(["--scale", "smoke", "--jobs", "2"]);
        command.arg("--autogrow").arg(self.autogrow).arg("--out").arg(&self.out);
        let child = command.stdout(Stdio::null()).spawn();
        child.with_context(|| format!("{} cannot be started", self.xtask.display()))
    }

    fn finish(&self) -> Result<()> {
        let status = self.start()?.wait()?;
        ensure!(status.success(), "a reproduction ends with {status}");
        Ok(())
    }

    /// The rows of each table, without clocks.
    fn tables(&self) -> Result<BTreeMap<&'static str, Vec<Vec<String>>>> {
        let read = |&suite| {
            let path = self.out.join(format!("{suite}.csv"));
            let mut reader = csv::Reader::from_path(&path).context("a table is missing")?;
            let names = reader.headers()?.clone();
            let rows = reader.records().map(|row| {
                let row = row?;
                let fields = names.iter().zip(row.iter());
                let kept = fields.filter(|(name, _)| !CLOCKS.contains(name));
                Ok(kept.map(|(_, field)| field.to_string()).collect())
            });
            Ok((suite, rows.collect::<Result<_>>()?))
        };
        self.suites.iter().map(read).collect()
    }
}
