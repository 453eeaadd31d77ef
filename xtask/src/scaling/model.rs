//! What a training step on several ranks costs: computing on a rank's images, then summing the
//! gradients over all ranks.
//!
//! Gradients are summed in two exchanges. Of `n` ranks, each sends every other an `n`-th of its
//! gradients and adds up those of one part; then it sends every other the sums of its part. So of
//! `b` bytes of gradients
//!
//! ```text
//! step = start + images * each  +  2 * (latency + (n-1) * message + (n-1)/n * b / bandwidth)
//! ```
//!
//! Nothing overlaps, as in AutoGrow, which sends when the backward pass has ended.

use super::fit::fit;
use super::points::{Exchange, Step};

/// A rank's computer, for a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Computer {
    /// Seconds of a step whatever the images.
    pub(super) start: f64,
    /// Seconds for each image.
    pub(super) each: f64,
}

/// What connects ranks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Link {
    /// Seconds until a message is there.
    pub(super) latency: f64,
    /// Seconds more for each message that a rank sends.
    pub(super) message: f64,
    /// Bytes a second that a rank can send.
    pub(super) bandwidth: f64,
}

/// A step's seconds, by what they are spent on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Parts {
    pub(super) start: f64,
    pub(super) images: f64,
    pub(super) latency: f64,
    pub(super) messages: f64,
    pub(super) bytes: f64,
}

impl Computer {
    /// From steps of at least two numbers of images.
    pub(super) fn fitted(steps: &[Step]) -> Option<Self> {
        let rows: Vec<_> = steps.iter().map(|step| [1.0, step.images]).collect();
        let seconds: Vec<_> = steps.iter().map(|step| step.seconds).collect();
        fit(&rows, &seconds).map(|[start, each]| Self { start, each })
    }
}

impl Link {
    /// From sums over at least two numbers of ranks, of at least two sizes.
    pub(super) fn fitted(sums: &[Exchange]) -> Option<Self> {
        let rows: Vec<_> = sums
            .iter()
            .map(|sum| [2.0, 2.0 * (sum.ranks - 1.0), volume(sum.bytes, sum.ranks)])
            .collect();
        let seconds: Vec<_> = sums.iter().map(|sum| sum.seconds).collect();
        let [latency, message, byte] = fit(&rows, &seconds)?;
        Some(Self { latency, message, bandwidth: 1.0 / byte })
    }

    /// Seconds of a sum over `ranks`.
    pub(super) fn sum(&self, bytes: f64, ranks: f64) -> f64 {
        Parts::of(Computer { start: 0.0, each: 0.0 }, *self, 0.0, bytes, ranks).total()
    }
}

/// Bytes that a rank sends.
fn volume(bytes: f64, ranks: f64) -> f64 {
    2.0 * (ranks - 1.0) / ranks * bytes
}

impl Parts {
    /// Of a step of `images` on each of `ranks`, with `bytes` of gradients.
    pub(super) fn of(computer: Computer, link: Link, images: f64, bytes: f64, ranks: f64) -> Self {
        let alone = ranks <= 1.0;
        Self {
            start: computer.start,
            images: computer.each * images,
            latency: if alone { 0.0 } else { 2.0 * link.latency },
            messages: 2.0 * (ranks - 1.0) * link.message,
            bytes: volume(bytes, ranks) / link.bandwidth,
        }
    }

    /// Seconds of the step.
    pub(super) fn total(&self) -> f64 {
        self.start + self.images + self.latency + self.messages + self.bytes
    }

    /// What takes most of the time, and which part of it.
    pub(super) fn limit(&self) -> (&'static str, f64) {
        let parts = [
            ("computing", self.images),
            ("starting a step", self.start),
            ("latency", self.latency),
            ("number of messages", self.messages),
            ("bandwidth", self.bytes),
        ];
        let most = parts.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        most.map_or(("", 0.0), |(what, seconds)| (what, seconds / self.total()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Link = Link { latency: 1e-3, message: 1e-4, bandwidth: 1e8 };

    #[test]
    fn a_step_worked_out_by_hand() {
        let computer = Computer { start: 0.01, each: 0.002 };
        // Four ranks of 32 images: 0.01 + 0.064; 2 (1 + 3 * 0.1) ms; 6/4 of 4 MB in 0.06 s.
        let parts = Parts::of(computer, LINK, 32.0, 4e6, 4.0);
        assert!((parts.total() - (0.074 + 0.0026 + 0.06)).abs() < 1e-12, "{parts:?}");
        assert_eq!(parts.limit().0, "computing");
        let alone = Parts::of(computer, LINK, 128.0, 4e6, 1.0);
        assert!((alone.total() - 0.266).abs() < 1e-12, "{alone:?}");
        let many = Parts::of(computer, LINK, 0.5, 4e6, 256.0);
        assert_eq!(many.limit().0, "bandwidth");
    }

    #[test]
    fn links_and_computers_are_found_from_times() {
        let sums: Vec<_> = [(2.0, 4e3), (2.0, 4e6), (4.0, 4e3), (4.0, 1e6)]
            .map(|(ranks, bytes)| Exchange { ranks, bytes, seconds: LINK.sum(bytes, ranks) })
            .into();
        let link = Link::fitted(&sums).unwrap();
        assert!((link.latency / LINK.latency - 1.0).abs() < 1e-6, "{link:?}");
        assert!((link.message / LINK.message - 1.0).abs() < 1e-6, "{link:?}");
        assert!((link.bandwidth / LINK.bandwidth - 1.0).abs() < 1e-6, "{link:?}");
        let step = |images: f64| Step { images, seconds: 0.01 + 0.002 * images };
        let computer = Computer::fitted(&[step(1.0), step(16.0), step(128.0)]).unwrap();
        assert!((computer.each - 0.002).abs() < 1e-9 && (computer.start - 0.01).abs() < 1e-9);
        // One number of ranks tells latency and messages apart no more than one size does bytes.
        assert_eq!(Link::fitted(&sums[..2]), None);
    }
}
