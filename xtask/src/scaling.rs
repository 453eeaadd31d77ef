//! `cargo xtask scaling FILE`: from measured points to what more ranks would bring.
//!
//! A training step computes on a rank's images, then sums `b` bytes of gradients over `n` ranks in two
//! exchanges: each rank adds up an `n`-th of them, and sends the sums to the others.
//!
//! ```text
//! step = start + images * each  +  2 * (latency + (n-1) * message + (n-1)/n * b / bandwidth)
//! ```
//! Nothing overlaps, as in AutoGrow, which sends when the backward pass has ended.

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Deserialize;
use std::array::from_fn;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// Ranks that are asked for.
const RANKS: [u32; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];

#[derive(Debug, Args)]
pub(crate) struct ScalingArgs {
    /// Measured points; tests/cluster/measured.toml is an example
    points: PathBuf,
}

/// All that was measured. Times are in seconds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Points {
    /// What the ranks ran on, in words.
    about: String,
    /// Sums over ranks that the link is found from: ranks, bytes, seconds.
    all_reduce: Vec<[f64; 3]>,
    /// Others, to hold the link against.
    #[serde(default)]
    check: Vec<[f64; 3]>,
    #[serde(default)]
    network: Vec<Network>,
    /// Links that were not measured, by name, to ask what they would change.
    #[serde(default)]
    assumed: BTreeMap<String, Link>,
}

/// A neural network and its steps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    name: String,
    parameters: f64,
    /// Images of a step, on all ranks together.
    batch: f64,
    /// Steps of one rank: images, seconds.
    step: Vec<[f64; 2]>,
    /// Steps of the batch on several ranks, to hold the model against: ranks, seconds.
    #[serde(default)]
    parallel: Vec<[f64; 2]>,
}

/// What connects ranks.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Link {
    /// Seconds until a message is there.
    latency: f64,
    /// Seconds more for each message that a rank sends.
    message: f64,
    /// Bytes a second that a rank can send.
    bandwidth: f64,
}

/// What a rank computes on, for a network: seconds of a step, and more for each image.
#[derive(Clone, Copy, Debug)]
struct Computer {
    start: f64,
    each: f64,
}

/// Fits the model and prints what it says.
///
/// # Errors
/// Where the file cannot be read, or the points do not determine the model.
pub(crate) fn run(args: &ScalingArgs) -> Result<ExitCode> {
    let path = args.points.display();
    let text = std::fs::read_to_string(&args.points).with_context(|| path.to_string())?;
    let points = Points::parse(&text).with_context(|| path.to_string())?;
    let fitted = Link::fitted(&points.all_reduce)?;
    println!("{}\nfitted to sums over ranks: {}", points.about, fitted.words());
    for (what, sums) in [("fitted to", &points.all_reduce), ("not fitted to", &points.check)] {
        for &[ranks, bytes, seconds] in sums {
            let model = fitted.parts(bytes, ranks).iter().sum();
            compare(&format!("{what}: {bytes} bytes, {ranks} ranks"), seconds, model);
        }
    }
    for network in &points.network {
        for &[ranks, seconds] in &network.parallel {
            let model = network.step_on(network.computer()?, fitted, ranks);
            compare(&format!("a step of {}, {ranks} ranks", network.name), seconds, model);
        }
    }
    let assumed = points.assumed.iter().map(|(name, link)| (name.as_str(), *link));
    for (name, link) in [("as measured", fitted)].into_iter().chain(assumed) {
        println!("\n== {name}: {}", link.words());
        for network in &points.network {
            network.print(network.computer()?, link);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn compare(what: &str, measured: f64, model: f64) {
    let (ms, error) = ([1e3 * measured, 1e3 * model], 100.0 * (model / measured - 1.0));
    println!("{what}: measured {:.2} ms, by the model {:.2} ms, {error:+.0} %", ms[0], ms[1]);
}

impl Network {
    fn computer(&self) -> Result<Computer> {
        let rows: Vec<_> = self.step.iter().map(|&[images, time]| ([1.0, images], time)).collect();
        let [start, each] = fit(&rows).with_context(|| {
            format!("steps of one number of images do not determine {}", self.name)
        })?;
        Ok(Computer { start, each })
    }

    /// A step of the batch, divided among ranks: what the seconds are spent on.
    fn parts(&self, computer: Computer, link: Link, ranks: f64) -> [(&'static str, f64); 5] {
        let [latency, messages, bandwidth] = link.parts(4.0 * self.parameters, ranks);
        [
            ("starting a step", computer.start),
            ("computing", computer.each * self.batch / ranks),
            ("latency", latency),
            ("number of messages", messages),
            ("bandwidth", bandwidth),
        ]
    }

    /// Its seconds.
    fn step_on(&self, computer: Computer, link: Link, ranks: f64) -> f64 {
        self.parts(computer, link, ranks).iter().map(|(_, seconds)| seconds).sum()
    }

    /// A line for each number of ranks, up to an image a rank.
    fn print(&self, computer: Computer, link: Link) {
        println!("\n{}, {} images divided among ranks", self.name, self.batch);
        println!("  ranks    step, ms  speed-up  most of it");
        for ranks in RANKS.map(f64::from).into_iter().filter(|&ranks| ranks <= self.batch) {
            let step = self.step_on(computer, link, ranks);
            let speedup = self.step_on(computer, link, 1.0) / step;
            let parts = self.parts(computer, link, ranks).into_iter();
            let (most, seconds) = parts.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
            let (ms, percent) = (1e3 * step, 100.0 * seconds / step);
            println!("{ranks:>7} {ms:>11.1} {speedup:>9.2}  {most}, {percent:.0} %");
        }
    }
}

impl Link {
    fn fitted(sums: &[[f64; 3]]) -> Result<Self> {
        let unit = Self { latency: 1.0, message: 1.0, bandwidth: 1.0 };
        let row = |&[ranks, bytes, seconds]: &[f64; 3]| (unit.parts(bytes, ranks), seconds);
        let [latency, message, byte] = fit(&sums.iter().map(row).collect::<Vec<_>>()).context(
            "it takes sums over two numbers of ranks and of two sizes to determine a link",
        )?;
        Ok(Self { latency, message, bandwidth: 1.0 / byte })
    }

    fn words(&self) -> String {
        let [latency, message] = [self.latency, self.message].map(|seconds| 1e6 * seconds);
        let megabytes = self.bandwidth / 1e6;
        format!("latency {latency:.0} us, {message:.1} us a message, {megabytes:.1} MB/s")
    }

    /// Seconds of a sum over ranks: latency, messages, bytes.
    fn parts(&self, bytes: f64, ranks: f64) -> [f64; 3] {
        let others = ranks - 1.0;
        let latency = if others > 0.0 { 2.0 * self.latency } else { 0.0 };
        [latency, 2.0 * others * self.message, 2.0 * others / ranks * bytes / self.bandwidth]
    }
}

impl Points {
    fn parse(text: &str) -> Result<Self> {
        let points: Self = toml::from_str(text)?;
        let mut numbers = Vec::new();
        for link in points.assumed.values() {
            numbers.extend([link.latency, link.message, link.bandwidth]);
        }
        for [ranks, bytes, seconds] in points.all_reduce.iter().chain(&points.check) {
            numbers.extend([ranks - 1.0, *bytes, *seconds]);
        }
        for network in &points.network {
            numbers.extend([network.parameters, network.batch]);
            numbers.extend(network.step.iter().chain(&network.parallel).flatten());
        }
        let positive = numbers.iter().all(|number| number.is_finite() && *number > 0.0);
        ensure!(positive, "a number is not positive, or a sum is over fewer than two ranks");
        Ok(points)
    }
}

/// The coefficients `c`, none of them negative, for which `row . c` is closest to each row's value, by
/// the sum of squared relative errors. None where the rows do not determine them.
fn fit<const N: usize>(rows: &[([f64; N], f64)]) -> Option<[f64; N]> {
    // Coefficients are of very different size; each is measured by its largest influence.
    let relative: Vec<_> = rows.iter().map(|(row, value)| row.map(|x| x / value)).collect();
    let size: [f64; N] = from_fn(|i| relative.iter().map(|row| row[i]).fold(0.0, f64::max));
    let mut used = [true; N];
    loop {
        let scaled = |row: &[f64; N]| -> [f64; N] {
            from_fn(|i| if used[i] { row[i] / size[i] } else { 0.0 })
        };
        let (mut matrix, mut right) = ([[0.0; N]; N], [0.0; N]);
        (0..N).for_each(|i| matrix[i][i] = f64::from(!used[i]));
        for row in relative.iter().map(scaled) {
            (0..N).for_each(|i| right[i] += row[i]);
            (0..N * N).for_each(|ij| matrix[ij / N][ij % N] += row[ij / N] * row[ij % N]);
        }
        let solved = solve(matrix, right)?;
        let worst = (0..N).min_by(|&a, &b| solved[a].total_cmp(&solved[b]))?;
        if solved[worst] >= 0.0 {
            return Some(from_fn(|i| solved[i] / size[i]));
        }
        used[worst] = false;
    }
}

/// Gaussian elimination with the largest pivot of each column.
fn solve<const N: usize>(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> Option<[f64; N]> {
    for column in 0..N {
        let size = |row: usize| matrix[row][column].abs();
        let pivot = (column..N).max_by(|&a, &b| size(a).total_cmp(&size(b)))?;
        if matrix[pivot][column].is_nan() || matrix[pivot][column].abs() < 1e-9 {
            return None;
        }
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in (0..N).filter(|&row| row != column) {
            let factor = matrix[row][column] / matrix[column][column];
            let pivot = matrix[column];
            (0..N).for_each(|j| matrix[row][j] -= factor * pivot[j]);
            right[row] -= factor * right[column];
        }
    }
    Some(from_fn(|i| right[i] / matrix[i][i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Link = Link { latency: 1e-3, message: 1e-4, bandwidth: 1e8 };

    #[test]
    fn what_was_measured_is_predicted_within_a_fifth() {
        let points = Points::parse(include_str!("../../tests/cluster/measured.toml")).unwrap();
        let link = Link::fitted(&points.all_reduce).unwrap();
        let within = |model: f64, measured: f64| (model / measured - 1.0).abs() < 0.2;
        for [ranks, bytes, seconds] in points.check {
            assert!(within(link.parts(bytes, ranks).iter().sum(), seconds), "{ranks} {bytes}");
        }
        for network in points.network {
            let computer = network.computer().unwrap();
            for &[ranks, seconds] in &network.parallel {
                assert!(within(network.step_on(computer, link, ranks), seconds), "{ranks}");
            }
        }
    }

    #[test]
    fn a_step_worked_out_by_hand() {
        let (name, parallel) = ("net".into(), Vec::new());
        let step = vec![[1.0, 0.012], [16.0, 0.042], [128.0, 0.266]];
        let network = Network { name, parameters: 1e6, batch: 128.0, step, parallel };
        let computer = network.computer().unwrap();
        assert!((computer.each - 0.002).abs() < 1e-9 && (computer.start - 0.01).abs() < 1e-9);
        // 0.01 + 32 * 0.002 s of computing; 2 * (1 + 3 * 0.1) ms; 6/4 of 4 MB in 0.06 s.
        let step = network.step_on(computer, LINK, 4.0);
        assert!((step - (0.074 + 0.0026 + 0.06)).abs() < 1e-9, "{step}");
    }

    #[test]
    fn what_made_the_times_is_found_and_nothing_is_negative() {
        let sums = [(2.0, 4e3), (2.0, 4e6), (4.0, 4e3), (4.0, 1e6)]
            .map(|(ranks, bytes)| [ranks, bytes, LINK.parts(bytes, ranks).iter().sum()]);
        let link = Link::fitted(&sums).unwrap();
        assert!((link.message / LINK.message - 1.0).abs() < 1e-6, "{link:?}");
        assert!((link.bandwidth / LINK.bandwidth - 1.0).abs() < 1e-6, "{link:?}");
        // One number of ranks does not distinguish latency from messages.
        assert!(Link::fitted(&sums[..2]).is_err());
        let through_zero = fit(&[([1.0, 1.0], 0.9), ([1.0, 2.0], 2.0), ([1.0, 4.0], 4.2)]).unwrap();
        assert!(through_zero[0] == 0.0 && (through_zero[1] - 1.0).abs() < 0.1);
    }

    #[test]
    fn numbers_that_cannot_be_are_refused() {
        let is_read = |sum| Points::parse(&format!("about = 'x'\nall_reduce = [{sum}]")).is_ok();
        assert_eq!(["[2, 4, 1]", "[1, 4, 1]", "[2, 4, nan]"].map(is_read), [true, false, false]);
    }
}
