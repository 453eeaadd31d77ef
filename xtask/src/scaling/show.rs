//! What the model says, as text and as a chart.

use super::model::{Computer, Link, Parts};
use super::points::{Exchange, Network};
use autogrow_report::chart::{Axis, LineChart, Scale, Series, Stroke};

/// Ranks that are asked for.
const RANKS: [u32; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/// Bytes of a gradient.
const BYTES: f64 = 4.0;

/// A neural network with the computer that was fitted to its steps.
#[derive(Debug)]
pub(super) struct Fitted<'a> {
    pub(super) network: &'a Network,
    pub(super) computer: Computer,
}

impl Fitted<'_> {
    /// A step of which each rank has so many images.
    fn step(&self, link: Link, images: f64, ranks: f64) -> Parts {
        Parts::of(self.computer, link, images, BYTES * self.network.parameters, ranks)
    }

    /// A step of the batch, divided among ranks.
    pub(super) fn divided(&self, link: Link, ranks: f64) -> Parts {
        self.step(link, self.network.batch / ranks, ranks)
    }

    /// Images a second, as a multiple of those of one rank.
    fn speedup(&self, link: Link, images: f64, ranks: f64) -> f64 {
        let alone = self.divided(link, 1.0).total() / self.network.batch;
        alone * images * ranks / self.step(link, images, ranks).total()
    }
}

/// A network between ranks, in words.
pub(super) fn link(link: &Link) -> String {
    let Link { latency, message, bandwidth } = link;
    format!(
        "latency {:.0} us, {:.0} us a message, {:.1} MB/s",
        1e6 * latency,
        1e6 * message,
        bandwidth / 1e6
    )
}

/// Measured sums beside what the model says of them.
pub(super) fn sums(link: &Link, sums: &[Exchange]) -> String {
    let mut text = "  ranks      bytes  measured, ms   model, ms   error\n".to_string();
    for sum in sums {
        let model = link.sum(sum.bytes, sum.ranks);
        text.push_str(&format!(
            "{:>7} {:>10} {:>13.2} {:>11.2} {:>+5.0} %\n",
            sum.ranks,
            sum.bytes,
            1e3 * sum.seconds,
            1e3 * model,
            100.0 * (model / sum.seconds - 1.0)
        ));
    }
    text
}

/// Measured steps on several ranks beside what the model says of them.
pub(super) fn steps(link: Link, fitted: &Fitted<'_>) -> String {
    let mut text = String::new();
    for step in &fitted.network.parallel {
        let model = fitted.divided(link, step.ranks).total();
        text.push_str(&format!(
            "{:>7} ranks {:>9.1} ms measured {:>9.1} ms by the model {:>+5.0} %\n",
            step.ranks,
            1e3 * step.seconds,
            1e3 * model,
            100.0 * (model / step.seconds - 1.0)
        ));
    }
    text
}

/// A line a number of ranks: the step of the divided batch, and what limits it.
pub(super) fn table(link: Link, fitted: &Fitted<'_>) -> String {
    let mut text = "  ranks    step, ms  speed-up  most of it\n".to_string();
    for ranks in RANKS.map(f64::from).into_iter().filter(|&ranks| ranks <= fitted.network.batch) {
        let parts = fitted.divided(link, ranks);
        let (what, part) = parts.limit();
        let speedup = fitted.speedup(link, fitted.network.batch / ranks, ranks);
        let step = 1e3 * parts.total();
        text.push_str(&format!(
            "{ranks:>7} {step:>11.1} {speedup:>9.2}  {what}, {:.0} %\n",
            100.0 * part
        ));
    }
    text
}

/// Speed-up against ranks: the batch divided (lines), a batch for each rank (dashes).
pub(super) fn chart(title: &str, link: Link, networks: &[Fitted<'_>]) -> LineChart {
    let ranks = || RANKS.map(f64::from).into_iter();
    let ideal = Series::line("ideal", ranks().map(|n| [n, n]).collect());
    let mut series = vec![ideal.stroked(Stroke::Dashed).coloured(6)];
    for (colour, fitted) in networks.iter().enumerate() {
        let batch = fitted.network.batch;
        let divided = ranks().filter(|&n| n <= batch);
        let divided = divided.map(|n| [n, fitted.speedup(link, batch / n, n)]);
        let whole = ranks().map(|n| [n, fitted.speedup(link, batch, n)]);
        let name = fitted.network.name.as_str();
        series.push(Series::line(name, divided.collect()).coloured(colour));
        let whole = Series::line("", whole.collect()).coloured(colour);
        series.push(whole.stroked(Stroke::Dashed));
    }
    LineChart {
        title: title.into(),
        description: "Speed-up of training steps against ranks; solid: the batch is divided among \
                      ranks; dashed: each rank has a batch of its own"
            .into(),
        x: Axis::new("ranks").scaled(Scale::Log),
        y: Axis::new("images a second, against one rank").scaled(Scale::Log),
        series,
        ..LineChart::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::points::Step;

    const LINK: Link = Link { latency: 1e-3, message: 1e-5, bandwidth: 1e9 };

    fn network() -> Network {
        let step = vec![Step { images: 1.0, seconds: 0.01 }];
        let (name, parallel) = ("net".to_string(), Vec::new());
        Network { name, parameters: 1e6, batch: 64.0, step, parallel }
    }

    #[test]
    fn what_limits_is_told_as_far_as_there_are_images() {
        let network = network();
        let fitted = Fitted { network: &network, computer: Computer { start: 0.0, each: 0.01 } };
        let text = table(LINK, &fitted);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "      1       640.0      1.00  computing, 100 %");
        // 64 ranks: an image each, 10 ms; 2 ms of latency, 1.26 of messages, 7.9 for 8 MB.
        assert_eq!(lines[7], "     64        21.1     30.28  computing, 47 %");
        assert_eq!(lines.len(), 8);
    }

    #[test]
    fn a_chart_has_every_network_twice() {
        let network = network();
        let fitted = || Fitted { network: &network, computer: Computer { start: 0.0, each: 0.01 } };
        let chart = chart("two", LINK, &[fitted(), fitted()]);
        let last = |series: &Series| series.points.last().copied().unwrap();
        assert_eq!(chart.series.len(), 5);
        assert_eq!(last(&chart.series[0]), [256.0, 256.0]);
        let (divided, whole) = (last(&chart.series[1]), last(&chart.series[2]));
        assert_eq!((divided[0], whole[0]), (64.0, 256.0));
        // Whole batches take 640 ms, and 2 + 5.1 + 8 for the sums.
        assert!((whole[1] - 256.0 * 640.0 / 655.07).abs() < 0.1, "{whole:?}");
    }
}
