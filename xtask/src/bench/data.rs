//! Images a second of the input pipeline at 224x224, against torchvision's, on the same made-up
//! photographs.
//!
//! Both sides decode every JPEG file, cut a random part out, scale it, mirror it or not, and
//! normalise it.

use super::peer::{Peer, on};
use super::{BenchArgs, python, table};
use crate::tree::Tree;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// One epoch.
#[derive(Deserialize)]
struct Epoch {
    images: usize,
    seconds: f64,
}

impl Epoch {
    fn images_per_second(&self) -> f64 {
        self.images as f64 / self.seconds
    }
}

/// Measures on one thread and on all, prints the table and writes it down.
pub(super) fn run(tree: &Tree, args: &BenchArgs, python: &Path) -> Result<()> {
    let autogrow = tree.build_autogrow()?;
    let script = tree.root.join("xtask/scripts/torchvision_data.py");
    let script = script.to_string_lossy();
    let pictures = tree.target().join(format!("bench-data-{}", args.pictures));
    let folder = pictures.to_string_lossy();
    if !pictures.join("train").is_dir() {
        let count = args.pictures.to_string();
        let make = [&*script, "make", &folder, "--pictures", &count];
        let made = Command::new(python).args(make).status()?;
        ensure!(made.success(), "no pictures: {made}");
    }
    let mut page = format!(
        "Images a second, the fastest of {} interleaved epochs of {} JPEGs of about 500x375, cut \
         at random to 224x224,\non {}; torchvision {} with Pillow {}.\n\n\
         | threads | AutoGrow | torchvision | ratio |\n|---|---|---|---|\n",
        args.rounds,
        args.pictures,
        table::processor(),
        python::version(python, "torchvision")?,
        python::version(python, "pillow")?
    );
    for threads in super::threads()? {
        let count = threads.to_string();
        let serve = [&*script, "serve", &folder, "--threads", &count];
        let mut peer = Peer::start("torchvision", python, &serve, threads)?;
        let (mut ours, mut theirs) = (0.0_f64, 0.0_f64);
        for _ in 0..args.rounds {
            ours = ours.max(epoch(&autogrow, &pictures, threads)?.images_per_second());
            theirs = theirs.max(peer.turn::<Epoch>()?.images_per_second());
        }
        peer.finish()?;
        // Writing to a string cannot fail.
        let ratio = ours / theirs;
        let _ = writeln!(page, "| {threads} | {ours:.0} | {theirs:.0} | **{ratio:.2}** |");
    }
    println!("{page}");
    if !args.print {
        table::write(&tree.root.join("docs/benchmarks.md"), "data", &page)?;
    }
    Ok(())
}

/// An epoch of ours, after one that warms up.
fn epoch(autogrow: &Path, pictures: &Path, threads: usize) -> Result<Epoch> {
    let output = on(threads, autogrow)
        .args(["bench", "data", "--json", "--data", "folder", "--network", "basic4resnet-imagenet"])
        .args(["--depth", "1-1-1-1", "--set", "training.batch_size=64"])
        .args(["--set", "data.select_on=test", "--threads", &threads.to_string(), "--dir"])
        .arg(pictures)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("bench data printed no report")
}
