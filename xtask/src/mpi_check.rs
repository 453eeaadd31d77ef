//! `cargo xtask mpi-check`: training on several processes by a real mpirun. As much as the tests show
//! with threads, and what threads cannot show: processes that are killed, and such that hang.

mod job;

use crate::tree::Tree;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use job::{End, Ended, Job, Signal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How much is tried.
#[derive(Debug, Args)]
pub(crate) struct MpiCheckArgs {
    /// Moments at which a process is killed
    #[arg(long, default_value_t = 20)]
    kills: u32,
    /// Keep the run folders in this folder, which must not exist yet
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Seconds that ranks wait for each other where one of them hangs.
const PATIENCE: u32 = 4;

/// How long a job may take to end once one of its processes is dead.
const DEATH: Duration = Duration::from_secs(60);

/// How far losses may be from those of one process, relative to them: sums are rounded in another
/// order.
const TOLERANCE: f64 = 1e-4;

/// Checks everything, and says what was seen.
///
/// # Errors
/// What is not as it should be.
pub(crate) fn run(tree: &Tree, args: &MpiCheckArgs) -> Result<ExitCode> {
    let place = place(args.keep.as_deref(), &tree.target())?;
    let autogrow = tree.build_autogrow_with(&["--features", "autogrow-cli/mpi"])?;
    std::fs::create_dir_all(&place)?;
    let check = Check { autogrow, place };
    check.numbers_of_ranks()?;
    check.kills(args.kills)?;
    check.hang()?;
    if args.keep.is_none() {
        std::fs::remove_dir_all(&check.place)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Where run folders go: a new folder of the user's, or one of ours, of which what was there goes.
fn place(keep: Option<&Path>, target: &Path) -> Result<PathBuf> {
    if let Some(keep) = keep {
        ensure!(!keep.exists(), "{} is there already\nhint: name a new folder", keep.display());
        return Ok(keep.to_path_buf());
    }
    let place = target.join("mpi-check");
    if place.exists() {
        std::fs::remove_dir_all(&place).context("old run folders cannot be removed")?;
    }
    Ok(place)
}

struct Check {
    autogrow: PathBuf,
    place: PathBuf,
}

impl Check {
    fn job(&self, name: &str, ranks: usize) -> Job<'_> {
        Job { autogrow: &self.autogrow, folder: self.place.join(name), ranks }
    }

    /// A run that nothing disturbs.
    fn whole(&self, name: &str, ranks: usize) -> Result<End> {
        let job = self.job(name, ranks);
        let ended = job.train(&[])?.wait(None)?;
        ensure!(ended.code == Some(0), "{ranks} ranks end with {:?}: {}", ended.code, ended.text);
        End::of(&job.folder)
    }

    /// 1, 2 and 4 ranks decide alike and lose alike, and each number of them twice the same bits.
    fn numbers_of_ranks(&self) -> Result<()> {
        let alone = self.whole("alone", 1)?;
        let growths = alone.journal.iter().filter(|event| event.starts_with("grew")).count();
        ensure!(growths >= 6, "only {growths} growths");
        for ranks in [2, 4] {
            let first = self.whole(&format!("{ranks}"), ranks)?;
            let second = self.whole(&format!("{ranks}-again"), ranks)?;
            ensure!(first == second, "two runs on {ranks} ranks differ");
            ensure!(first.journal == alone.journal, "{ranks} ranks decide otherwise than one");
            let losses = first.losses.iter().zip(&alone.losses);
            let off = losses.map(|(a, b)| ((a - b) / b).abs());
            // What is no number is the greatest of all.
            let off = off.max_by(f64::total_cmp).unwrap_or(f64::NAN);
            ensure!(first.losses.len() == alone.losses.len() && off < TOLERANCE, "{off:.1e} off");
            println!(
                "{ranks} ranks: {growths} growths as on one, the losses of {} steps within {off:.1e}, \
                 run again the same bits",
                first.losses.len()
            );
        }
        Ok(())
    }

    /// A process is killed, and the run resumed; it ends in the bits of the run that was not.
    fn kills(&self, moments: u32) -> Result<()> {
        let started = Instant::now();
        let whole = self.whole("whole", 2)?;
        let duration = started.elapsed();
        let (mut slowest, mut hit) = (Duration::ZERO, 0);
        for moment in 1..=moments {
            // Spread evenly, in no order.
            let fraction = (f64::from(moment) * 0.618_034).fract();
            let job = self.job(&format!("killed-{moment}"), 2);
            let running = job.train(&[])?;
            std::thread::sleep(duration.mul_f64(fraction));
            let rank = moment as usize % 2;
            let lost =
                || format!("rank {rank} of {} killed at {fraction:.2}", job.folder.display());
            // A process that has ended may be sent a signal as long as nobody has noticed.
            let over = job.folder.join("result.json").exists();
            let sent = running.signal(rank, Signal::Kill);
            let since = Instant::now();
            let ended = running.wait(Some(DEATH)).with_context(lost)?;
            if sent && !(over && ended.code == Some(0)) {
                ensure!(ended.code != Some(0), "{}: the job ends well", lost());
                slowest = slowest.max(since.elapsed());
                hit += 1;
            }
            finish(&job)?;
            let resumed = End::of(&job.folder)?;
            ensure!(resumed == whole, "killed at {fraction:.2} of it, the run ends differently");
            std::fs::remove_dir_all(&job.folder)?;
        }
        println!(
            "{hit} of {moments} jobs killed in the middle: over within {:.1} s, resumed to the same bits",
            slowest.as_secs_f64()
        );
        Ok(())
    }

    /// A process hangs: the others say so and end, and the run can be resumed.
    fn hang(&self) -> Result<()> {
        let whole = End::of(&self.place.join("whole"))?;
        let job = self.job("hung", 2);
        let patience = format!("run.patience={PATIENCE}");
        let mut running = job.train(&["--set", &patience])?;
        if !running.until(&job.folder.join("checkpoints/2"))? {
            let Ended { code, text } = running.wait(None)?;
            bail!("a job ends with {code:?} before its second checkpoint: {text}");
        }
        ensure!(running.signal(1, Signal::Stop), "the job was over too early");
        let since = Instant::now();
        let ended = running.wait(Some(DEATH))?;
        let seconds = since.elapsed().as_secs_f64();
        ensure!(ended.code == Some(1), "a job that hangs ends with {:?}", ended.code);
        let word = format!("rank 1 has not answered for {PATIENCE} s");
        ensure!(ended.text.contains(&word), "no word of the rank that hangs: {}", ended.text);
        finish(&job)?;
        ensure!(End::of(&job.folder)? == whole, "resumed after a hang, the run ends differently");
        println!(
            "a rank that hangs: \"{word}\", exit code 1 after {seconds:.1} s, resumed to the same bits"
        );
        Ok(())
    }
}

/// Goes on with a run to its end; from the start where nothing is there yet.
fn finish(job: &Job<'_>) -> Result<()> {
    let running = if Path::new(&job.folder).join("config.toml").exists() {
        job.resume()?
    } else {
        let _ = std::fs::remove_dir_all(&job.folder);
        job.train(&[])?
    };
    let ended = running.wait(None)?;
    ensure!(ended.code == Some(0), "resuming ends with {:?}: {}", ended.code, ended.text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_the_users_is_never_emptied() {
        let folder = std::env::temp_dir().join(format!("mpi-check-{}", std::process::id()));
        let (keep, own) = (folder.join("keep"), folder.join("mpi-check"));
        for place in [&keep, &own] {
            std::fs::create_dir_all(place).unwrap();
            std::fs::write(place.join("file"), "").unwrap();
        }
        let error = place(Some(&keep), &folder).unwrap_err().to_string();
        assert!(error.contains("is there already\nhint: name a new folder"), "{error}");
        assert!(keep.join("file").is_file());
        assert_eq!(place(Some(&folder.join("new")), &folder).unwrap(), folder.join("new"));
        assert!(own.join("file").is_file());
        assert_eq!(place(None, &folder).unwrap(), own);
        assert!(!own.exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
