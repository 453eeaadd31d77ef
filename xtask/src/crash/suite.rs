//! A reproduction that is killed at random and begun again ends with the tables of one that was
//! not.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs that wait for each other, of every initializer.
const SUITES: [&str; 2] = ["table2", "table5"];

/// Kills of the second reproduction. The runs that are at work go on; the next command finds them
/// busy and waits.
const KILLS: u32 = 12;

/// Columns that no two runs have in common.
const CLOCKS: [&str; 2] = ["growing_seconds", "fine_tuning_seconds"];

/// Reproduces the suites twice, once killed again and again, and compares.
///
/// # Errors
/// Where they differ, or something cannot be started or written.
pub(super) fn run(autogrow: &Path, place: &Path) -> Result<()> {
    if place.exists() {
        std::fs::remove_dir_all(place).with_context(|| format!("{}", place.display()))?;
    }
    let reproduce = Reproduce { autogrow, out: place.join("whole") };
    let started = Instant::now();
    reproduce.finish()?;
    let duration = started.elapsed();
    let whole = reproduce.tables()?;

    let reproduce = Reproduce { autogrow, out: place.join("killed") };
    let mut hit = 0;
    for kill in 0..KILLS {
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
    let killed = reproduce.tables()?;
    ensure!(whole == killed, "{SUITES:?} killed {hit} times end with other tables than otherwise");
    let rows: usize = whole.values().map(Vec::len).sum();
    println!(
        "suites {} killed {hit} times: {rows} rows alike, but for their clocks",
        SUITES.join(" and ")
    );
    Ok(())
}

struct Reproduce<'a> {
    autogrow: &'a Path,
    out: PathBuf,
}

impl Reproduce<'_> {
    fn start(&self) -> Result<Child> {
        let own = std::env::current_exe().context("this program cannot be found")?;
        let mut command = Command::new(own);
        command.arg("reproduce").args(SUITES).args(["--scale", "smoke", "--jobs", "2"]);
        command.arg("--autogrow").arg(self.autogrow).arg("--out").arg(&self.out);
        command.stdout(Stdio::null()).spawn().context("cannot be started")
    }

    fn finish(&self) -> Result<()> {
        let status = self.start()?.wait()?;
        ensure!(status.success(), "a reproduction ends with {status}");
        Ok(())
    }

    /// The rows of each table, without clocks.
    fn tables(&self) -> Result<BTreeMap<&'static str, Vec<Vec<String>>>> {
        let read = |suite| {
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
        SUITES.into_iter().map(read).collect()
    }
}
