//! What a run shows while it goes on: a line an epoch and a growth, and in a terminal a bar with
//! what is awaited and the time left.

use crate::epoch_line::EpochLine;
use crate::output::{BOLD, DIM, GREEN, Output, RESET, duration, si, stderr_width};
use autogrow::Result;
use autogrow::growth::Place;
use autogrow::run::{Event, Phase, Watch};
use autogrow::training::Objective;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Shows a run on stderr.
pub(crate) struct Progress {
    output: Output,
    /// How scores are told.
    objective: Box<dyn Objective>,
    bar: ProgressBar,
    /// Line of the epoch in progress, before its numbers.
    depth: String,
    left: String,
    waiting: String,
    /// The growths of one check, until they are told.
    grown: Option<Grown>,
    /// Why the network was kept.
    kept: String,
}

/// What was grown at a check.
struct Grown {
    from: String,
    to: String,
    sub_network: usize,
    sub_modules: usize,
    parameters: usize,
}

impl Progress {
    /// Nothing at all where `output` is quiet, lines only where stderr is no terminal.
    pub(crate) fn new(output: Output, objective: Box<dyn Objective>) -> Self {
        let bar = ProgressBar::no_length();
        let visible = !output.quiet && std::io::stderr().is_terminal();
        bar.set_draw_target(if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        });
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:24} {pos}/{len}  {wide_msg}")
        {
            bar.set_style(style.progress_chars("━╸─"));
        }
        let (depth, left, waiting, kept) = Default::default();
        Self { output, objective, bar, depth, left, waiting, grown: None, kept }
    }

    /// Tells what was grown.
    fn tell_grown(&mut self) {
        let Some(Grown { from, to, sub_network, sub_modules, parameters }) = self.grown.take()
        else {
            return;
        };
        let what = match sub_modules {
            1 => format!("sub-network {sub_network}: now"),
            _ => format!("{sub_modules} sub-modules on {from}: now"),
        };
        let parameters = si(parameters as u64);
        self.line(&format!(
            "{GREEN}grew{RESET}       {what} {BOLD}{to}{RESET}, {parameters} parameters"
        ));
    }

    fn line(&self, line: &str) {
        self.bar.suspend(|| self.output.note(line));
    }

    /// What a decision rests on, unless it has just been told of a network that is kept.
    fn reason(&self, why: &str) -> String {
        if self.kept == why { String::new() } else { format!("  {DIM}{why}{RESET}") }
    }
}

impl Watch for Progress {
    fn event(&mut self, event: &Event) -> Result<()> {
        if !matches!(event, Event::Grew { .. }) {
            self.tell_grown();
        }
        match event {
            Event::Started { depth, network, data, parameters, macs, floor, .. } => {
                self.depth = depth.to_string();
                self.line(&format!(
                    "{BOLD}{network} {depth}{RESET} on {data}: {} parameters, {} MACs",
                    si(*parameters as u64),
                    si(*macs)
                ));
                if let Some(floor) = floor.as_ref().filter(|floor| *floor != depth) {
                    self.line(&format!(
                        "{DIM}depth floor {floor}: what is found even if accuracy never \
                         improves{RESET}"
                    ));
                }
            }
            Event::Epoch { epoch, depth, metrics, waiting, epochs_left, .. } => {
                let at_least = if metrics.phase == Phase::FineTuning { "" } else { "at least " };
                self.left = match epochs_left {
                    Some(epochs) => {
                        let left = duration(metrics.epoch_seconds * *epochs as f64);
                        format!("{at_least}{left} left")
                    }
                    None => String::new(),
                };
                self.waiting.clone_from(waiting);
                let note = match metrics.phase {
                    Phase::Adapting => "newest batch norm alone",
                    // The bar shows it already.
                    _ if !self.bar.is_hidden() => "",
                    Phase::Growing | Phase::FineTuning => waiting,
                };
                let line = EpochLine {
                    epoch: *epoch,
                    depth: &depth.to_string(),
                    loss: metrics.train_loss,
                    train: self.objective.score_text(metrics.train_accuracy),
                    val: self.objective.score_text(metrics.val_accuracy),
                    time: duration(metrics.epoch_seconds),
                    note,
                };
                self.line(&line.text(stderr_width()));
            }
            Event::Grew { depth, subnet, parameters, .. } => {
                let from = std::mem::replace(&mut self.depth, depth.to_string());
                let earlier = self.grown.take();
                self.grown = Some(Grown {
                    sub_modules: 1 + earlier.as_ref().map_or(0, |grown| grown.sub_modules),
                    from: earlier.map_or(from, |grown| grown.from),
                    to: depth.to_string(),
                    sub_network: *subnet,
                    parameters: *parameters,
                });
            }
            Event::Stopped { subnet, .. } => {
                self.line(&format!("stopped    sub-network {subnet}: growing it no longer pays"));
            }
            Event::Capped { subnet, .. } => {
                self.line(&format!("capped     sub-network {subnet}: as deep as allowed"));
            }
            Event::OutOfTime { subnet, .. } => {
                self.line(&format!("stopped    sub-network {subnet}: no time left for growing"));
            }
            Event::Skipped { epoch, images, .. } => {
                self.line(&format!(
                    "skipped    images of epoch {epoch} that cannot be read: {images}"
                ));
            }
            Event::Resumed { depth, .. } => self.depth = depth.to_string(),
            Event::Kept { depth, why, .. } => {
                self.kept.clone_from(why);
                self.line(&format!("champion   {BOLD}{depth}{RESET}  {DIM}{why}{RESET}"));
            }
            Event::RolledBack { depth, place, why, .. } => {
                self.depth = depth.to_string();
                let why = self.reason(why);
                let root = if *place == Some(Place::Root) { "the root, " } else { "" };
                self.line(&format!("went back  to {root}{depth}{why}"));
            }
            Event::Restarted { depth, why, .. } => {
                self.depth = depth.to_string();
                let why = self.reason(why);
                self.line(&format!("anew       with {BOLD}{depth}{RESET}{why}"));
            }
            Event::WentBack { epoch, depth, rate_scale, .. } => {
                self.depth = depth.to_string();
                self.line(&format!(
                    "went back  to epoch {epoch}, {depth}; step sizes x {rate_scale} from here on"
                ));
            }
            Event::FineTuning { depth, epochs, .. } => {
                self.left.clear();
                self.waiting.clear();
                self.line(&format!("{BOLD}{depth}{RESET}: fine-tuning for {epochs} epochs"));
            }
            Event::Finished { .. } => self.bar.finish_and_clear(),
        }
        Ok(())
    }

    fn step(&mut self, epoch: usize, step: usize, steps: usize, loss: f64) -> Result<()> {
        if !self.bar.is_hidden() {
            self.bar.set_length(steps as u64);
            self.bar.set_position(step as u64);
            self.bar.set_prefix(format!("epoch {epoch:>3}  {:<10}", self.depth));
            let parts = [format!("loss {loss:.4}"), self.left.clone(), self.waiting.clone()];
            let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            self.bar.set_message(parts.join("  "));
        }
        Ok(())
    }
}

impl Drop for Progress {
    /// Leaves the terminal clean, whatever ended the run.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
