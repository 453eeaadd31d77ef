//! Training steps and evaluations of the paper's networks, against PyTorch's.

use super::peer::Peer;
use super::table::{Measured, Times};
use super::{BenchArgs, COMPILED, growth, python, table};
use crate::tree::Tree;
use anyhow::{Result, ensure};
use serde::Deserialize;
use std::path::Path;

/// A line of the table.
struct Case {
    title: &'static str,
    network: &'static str,
    depth: &'static str,
    width: usize,
    evaluate: bool,
}

const fn training(title: &'static str, network: &'static str, depth: &'static str) -> Case {
    Case { title, network, depth, width: 16, evaluate: false }
}

const CASES: &[Case] = &[
    training("Basic3ResNet-3-3-3", "basic3resnet", "3-3-3"),
    training("Basic3ResNet-9-9-9", "basic3resnet", "9-9-9"),
    training("Plain3Net-6-6-6", "plain3net", "6-6-6"),
    Case { width: 64, ..training("Basic4ResNet-1-1-1-1", "basic4resnet", "1-1-1-1") },
    Case { width: 64, ..training("Bottleneck4ResNet-1-1-1-1", "bottleneck4resnet", "1-1-1-1") },
    Case { width: 8, ..training("Basic3ResNet-3-3-3, width 8", "basic3resnet", "3-3-3") },
    Case {
        evaluate: true,
        ..training("Basic3ResNet-3-3-3, evaluation of 500", "basic3resnet", "3-3-3")
    },
];

/// How PyTorch is asked to work.
const LAYOUTS: [(&str, &[&str]); 3] = [
    ("channels_last", &["--layout", "channels_last"]),
    ("NCHW", &["--layout", "nchw"]),
    (COMPILED, &["--layout", "channels_last", "--compile"]),
];

/// What each program says of a step.
#[derive(Deserialize)]
struct Step {
    seconds: f64,
}

/// What each program says at the end.
#[derive(Deserialize)]
struct End {
    peak_memory_mb: f64,
}

/// Measures all networks, prints the table and writes it down. Without a Python that has PyTorch,
/// autogrow is measured against itself, and that is all.
pub(super) fn run(tree: &Tree, args: &BenchArgs, python: Option<&Path>) -> Result<()> {
    let autogrow = tree.build_autogrow()?;
    let script = tree.root.join("xtask/scripts/pytorch_step.py");
    let pytorch = python.map(|python| (python, script.as_path()));
    let mut measured = Vec::new();
    for case in CASES.iter().filter(|case| case.title.contains(&args.only)) {
        for threads in super::threads()? {
            let of = interleave(case, threads, args, &autogrow, pytorch)?;
            println!("{}", of.line());
            measured.push(of);
        }
    }
    ensure!(!measured.is_empty(), "no network's title contains {:?}", args.only);
    let Some(python) = python else { return Ok(()) };
    let version = python::version(python, "torch")?;
    let page = table::steps(&measured, &version, args.rounds, &growth::measure(&autogrow)?);
    println!("\n{page}");
    if !args.print && !args.bf16 {
        table::write(&tree.root.join("docs/benchmarks.md"), "step", &page)?;
    }
    Ok(())
}

/// One step of each program in turn, again and again.
fn interleave(
    case: &Case,
    threads: usize,
    args: &BenchArgs,
    autogrow: &Path,
    pytorch: Option<(&Path, &Path)>,
) -> Result<Measured> {
    let (width, count) = (case.width.to_string(), threads.to_string());
    let batch = if case.evaluate { "500" } else { "128" };
    let mut peers = Vec::new();
    let evaluate: &[&str] = if case.evaluate { &["--evaluate"] } else { &[] };
    let (our_precision, their_precision): (&[&str], &[&str]) = match args.bf16 {
        true => (&["--set", "training.precision=bf16"], &["--bf16"]),
        false => (&[], &[]),
    };
    let width_key = format!("network.width={width}");
    let ours = ["bench", "step", "--serve", "--network", case.network, "--depth", case.depth];
    let ours =
        [&ours[..], &["--set", &width_key, "--threads", &count], evaluate, our_precision].concat();
    peers.push(Peer::start("ours", autogrow, &ours, threads)?);
    match pytorch {
        None => peers.push(Peer::start("itself", autogrow, &ours, threads)?),
        Some((python, script)) => {
            let script = script.to_string_lossy();
            for (name, layout) in LAYOUTS {
                let theirs = [&*script, case.network, case.depth, &width, "--threads", &count];
                let batch = ["--batch", batch];
                let theirs = [&theirs[..], &batch, layout, evaluate, their_precision].concat();
                peers.push(Peer::start(name, python, &theirs, threads)?);
            }
        }
    }
    let mut seconds = vec![Vec::new(); peers.len()];
    for _ in 0..args.rounds {
        for (peer, seconds) in peers.iter_mut().zip(&mut seconds) {
            seconds.push(peer.turn::<Step>()?.seconds);
        }
    }
    let programs = peers.into_iter().zip(seconds).map(|(peer, seconds)| {
        let name = peer.name;
        let end: End = serde_json::from_str(&peer.finish()?)?;
        Ok(Times { name, seconds, memory_mb: end.peak_memory_mb })
    });
    Ok(Measured { title: case.title, threads, programs: programs.collect::<Result<_>>()? })
}
