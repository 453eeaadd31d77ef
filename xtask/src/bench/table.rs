//! What was measured, as the generated part of `docs/benchmarks.md`.

use super::growth::Step;
use anyhow::{Context, Result};
use std::fmt::Write;
use std::path::Path;

/// Ends a part of `docs/benchmarks.md` that a benchmark writes.
const END: &str = "<!-- end -->";

/// A network on so many threads: our program first.
pub(super) struct Measured {
    pub(super) title: &'static str,
    pub(super) threads: usize,
    pub(super) programs: Vec<Times>,
}

/// Seconds of a program's steps, in the order they were taken.
pub(super) struct Times {
    pub(super) name: &'static str,
    pub(super) seconds: Vec<f64>,
    pub(super) memory_mb: f64,
}

impl Times {
    fn least(&self) -> f64 {
        self.seconds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn median(&self) -> f64 {
        let mut seconds = self.seconds.clone();
        seconds.sort_by(f64::total_cmp);
        seconds[seconds.len() / 2]
    }
}

impl Measured {
    fn ours(&self) -> &Times {
        &self.programs[0]
    }

    /// The least of what theirs take, compiled or not.
    fn best(&self, of: impl Fn(&Times) -> f64) -> f64 {
        self.programs[1..].iter().map(of).fold(f64::INFINITY, f64::min)
    }

    /// Our least time divided by theirs in their better layout, and in their best mode; and the
    /// same of the median times in their best mode.
    fn ratios(&self) -> [f64; 3] {
        let layouts = self.programs[1..].iter().filter(|times| times.name != super::COMPILED);
        let better = layouts.map(Times::least).fold(f64::INFINITY, f64::min);
        let ratio = |of: fn(&Times) -> f64| of(self.ours()) / self.best(of);
        [self.ours().least() / better, ratio(Times::least), ratio(Times::median)]
    }

    /// One line for whoever waits.
    pub(super) fn line(&self) -> String {
        let [layout, least, median] = self.ratios();
        let times = self.programs.iter().map(|times| {
            format!("{} {:.0} ms {:.0} MB", times.name, 1e3 * times.least(), times.memory_mb)
        });
        format!(
            "{}, {} thread(s): {layout:.3} ({least:.3}, median {median:.3}); {}",
            self.title,
            self.threads,
            times.collect::<Vec<_>>().join(", ")
        )
    }
}

/// The part of the page about steps.
pub(super) fn steps(measured: &[Measured], torch: &str, rounds: u32, steps: &[Step; 2]) -> String {
    let mut page = format!(
        "Time of AutoGrow divided by that of PyTorch {torch}, of {rounds} interleaved steps of 128 \
         images of 3x32x32\n(evaluation: 500), f32, on {}: to the better of its two layouts, and \
         to the best of its modes, `torch.compile`\namong them.\n\n\
         | network | threads | to better layout, minima | to best mode, minima | medians \
         | AutoGrow, ms | channels_last | NCHW | compiled | memory, MB | theirs |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
        processor()
    );
    for of in measured {
        let [layout, least, median] = of.ratios();
        let milliseconds: Vec<_> =
            of.programs.iter().map(|times| format!("{:.1}", 1e3 * times.least())).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| {} | {} | **{layout:.3}** | {least:.3} | {median:.3} | {} | {:.0} | {:.0} |",
            of.title,
            of.threads,
            milliseconds.join(" | "),
            of.ours().memory_mb,
            of.best(|times| times.memory_mb)
        );
    }
    page + &arithmetic(measured, steps)
}

/// Cost against arithmetic, and the cost of a growth.
fn arithmetic(measured: &[Measured], [shallow, deep]: &[Step; 2]) -> String {
    let mut text = String::new();
    let of = |title, threads| {
        measured.iter().find(|of| of.title == title && of.threads == threads).map(Measured::ours)
    };
    let macs = deep.macs as f64 / shallow.macs as f64;
    for threads in measured.iter().map(|of| of.threads).collect::<std::collections::BTreeSet<_>>() {
        if let (Some(deep), Some(shallow)) =
            (of("Basic3ResNet-9-9-9", threads), of("Basic3ResNet-3-3-3", threads))
        {
            let _ = write!(
                text,
                "\nOn {threads} thread(s) a step of Basic3ResNet-9-9-9 takes {:.2} times one of \
                 3-3-3, and has {macs:.2} times its\nmultiply-accumulate operations.\n",
                deep.least() / shallow.least()
            );
        }
    }
    let (milliseconds, epoch) = (shallow.growth_ms, shallow.epoch_seconds());
    let _ = write!(
        text,
        "\nA growth of Basic3ResNet-3-3-3 takes {milliseconds:.3} ms; an epoch of {} images takes \
         {epoch:.2} s, {:.0} times as long.\n",
        super::growth::EPOCH,
        1e3 * epoch / milliseconds
    );
    text
}

/// What the machine says it is.
pub(super) fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{cores} cores of {}", model.map_or("an unknown processor", str::trim))
}

/// Replaces the generated part of this name in the page.
pub(super) fn write(path: &Path, name: &str, part: &str) -> Result<()> {
    let begin = format!("<!-- begin: {name} -->");
    let old = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let (before, rest) = old.split_once(&begin).with_context(|| format!("no {begin}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("no {END}"))?;
    std::fs::write(path, format!("{before}{begin}\n\n{part}\n{END}{after}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::COMPILED;

    #[test]
    fn ratios_are_to_the_best_of_theirs() {
        let times =
            |name, seconds: &[f64], memory_mb| Times { name, seconds: seconds.to_vec(), memory_mb };
        let measured = Measured {
            title: "net",
            threads: 2,
            programs: vec![
                times("ours", &[0.3, 0.1, 0.2], 10.0),
                times("a", &[0.5, 0.4, 0.9], 40.0),
                times(COMPILED, &[0.2, 0.6, 0.6], 30.0),
            ],
        };
        assert_eq!(measured.ratios(), [0.1 / 0.4, 0.5, 0.2 / 0.5]);
        assert_eq!(
            measured.line(),
            "net, 2 thread(s): 0.250 (0.500, median 0.400); ours 100 ms 10 MB, a 400 ms 40 MB, \
             compiled 200 ms 30 MB"
        );
    }

    #[test]
    fn only_the_generated_part_is_replaced() {
        let path = std::env::temp_dir().join(format!("benchmarks-{}.md", std::process::id()));
        std::fs::write(
            &path,
            format!("<!-- begin: a -->\n{END}\n<!-- begin: b -->\nold\n{END}\nc\n"),
        )
        .unwrap();
        write(&path, "b", "new\n").unwrap();
        let new = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let kept = format!("<!-- begin: a -->\n{END}\n");
        assert_eq!(new, format!("{kept}<!-- begin: b -->\n\nnew\n\n{END}\nc\n"));
    }
}
