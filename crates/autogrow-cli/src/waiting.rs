//! How far passes over many images are, where they take long: in a terminal a bar, elsewhere a line now
//! and then.

use crate::output::{Output, duration};
use autogrow_data::Passed;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is over before that needs no bar.
const SHORT: Duration = Duration::from_secs(1);
/// What is over before that needs no line.
const PATIENCE: Duration = Duration::from_secs(5);
/// From one line to the next.
const PAUSE: Duration = Duration::from_secs(30);

/// Who is told of passes.
pub(crate) struct Screen {
    output: Output,
    has_bar: bool,
    pass: Mutex<Option<Pass>>,
}

/// The pass that is going on.
struct Pass {
    doing: &'static str,
    begun: Instant,
    /// When the last line was written.
    told: Option<Instant>,
    bar: Option<ProgressBar>,
}

impl Screen {
    pub(crate) fn new(output: Output) -> Self {
        let has_bar = !output.quiet && std::io::stderr().is_terminal();
        Self { output, has_bar, pass: Mutex::default() }
    }

    /// Hears how far a pass is.
    pub(crate) fn hear(&self, passed: Passed) {
        // A thread that panicked with the lock has lost no more than a line.
        let mut current = self.pass.lock().unwrap_or_else(PoisonError::into_inner);
        if passed.done >= passed.of {
            *current = None;
            return;
        }
        let now = Instant::now();
        drop(current.take_if(|pass| pass.doing != passed.doing));
        let pass = current.get_or_insert_with(|| Pass {
            doing: passed.doing,
            begun: now,
            told: None,
            bar: None,
        });
        let taken = now - pass.begun;
        if self.has_bar {
            if taken >= SHORT {
                let bar = pass.bar.get_or_insert_with(|| bar(passed));
                bar.set_message(left(passed, taken));
                bar.set_position(passed.done as u64);
            }
        } else if is_due(taken, pass.told.map(|told| now - told)) {
            pass.told = Some(now);
            self.output.note(&line(passed, taken));
        }
    }
}

impl Drop for Pass {
    /// Leaves the terminal clean.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(passed: Passed) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(passed.of as u64), ProgressDrawTarget::stderr());
    let bar = bar.with_prefix(passed.doing);
    match ProgressStyle::with_template("{prefix} {bar:12} {pos}/{len}  {wide_msg}") {
        Ok(style) => bar.with_style(style.progress_chars("━╸─")),
        Err(_) => bar,
    }
}

/// Whether a line is to be written of a pass that has taken so long, the last line so long ago.
fn is_due(taken: Duration, told: Option<Duration>) -> bool {
    told.map_or(taken >= PATIENCE, |told| told >= PAUSE)
}

fn line(passed: Passed, taken: Duration) -> String {
    let Passed { doing, done, of } = passed;
    format!("{doing}: {done} of {of}, about {}", left(passed, taken))
}

/// The time left, if the rest goes as fast.
fn left(Passed { done, of, .. }: Passed, taken: Duration) -> String {
    let each = taken.as_secs_f64() / done.max(1) as f64;
    format!("{} left", duration(each * (of - done) as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_pass_is_told_now_and_then() {
        let seconds = Duration::from_secs;
        assert!(!is_due(seconds(4), None) && is_due(seconds(5), None));
        assert!(!is_due(seconds(34), Some(seconds(29))) && is_due(seconds(35), Some(PAUSE)));
        let passed = Passed { doing: "decoding pictures", done: 25, of: 100 };
        assert_eq!(line(passed, seconds(5)), "decoding pictures: 25 of 100, about 15 s left");
    }
}
