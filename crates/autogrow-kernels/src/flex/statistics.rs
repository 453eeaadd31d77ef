//! The mean and variance that a batch norm normalises by.

use super::extent::Extent;
use super::layer::Parameters;
use super::pointwise::Affine;
use crate::peers::Peers;

/// The sums of a part of the batch, taken around a centre of its own so that a mean far from zero
/// does not drown the variance.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    pub(crate) count: usize,
    pub(crate) centre: Option<Vec<f32>>,
    /// Per channel the sums of `x - centre` and of its square.
    pub(crate) sums: [Vec<f64>; 2],
}

/// Per channel (padded), what a batch norm normalises by.
#[derive(Clone, Debug)]
pub(crate) struct Statistics {
    /// Values that each mean was taken over.
    pub(crate) count: usize,
    pub(crate) mean: Vec<f32>,
    /// The biased variance.
    pub(crate) variance: Vec<f32>,
    /// `1 / sqrt(variance + epsilon)`
    pub(crate) inverse: Vec<f64>,
}

impl Moments {
    pub(crate) fn new(extent: Extent) -> Self {
        let zeros = vec![0.0; extent.lanes()];
        Self { count: 0, centre: None, sums: [zeros.clone(), zeros] }
    }
}

/// Per channel (padded) the mean and the squares around it of the parts of a batch joined so far.
struct Joined {
    count: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Joined {
    fn new(lanes: usize) -> Self {
        Self { count: 0.0, mean: vec![0.0; lanes], squares: vec![0.0; lanes] }
    }

    /// Joins a part of `more` values, of which `part` gives mean and squares of a lane (Chan, Golub
    /// and LeVeque 1983).
    fn add(&mut self, more: f64, part: impl Fn(usize) -> (f64, f64)) {
        let count = self.count;
        for (lane, (mean, squares)) in self.mean.iter_mut().zip(&mut self.squares).enumerate() {
            let (part_mean, part_squares) = part(lane);
            let distance = part_mean - *mean;
            *mean += distance * more / (count + more);
            *squares += part_squares + distance * distance * count * more / (count + more);
        }
        self.count += more;
    }

    /// The batches of all peers together, in their order.
    fn across(self, peers: &dyn Peers) -> Self {
        let lanes = self.mean.len();
        let own = [vec![self.count], self.mean, self.squares].concat();
        let mut all = Self::new(lanes);
        for part in peers.gather(&own) {
            let (count, numbers) = (part[0], &part[1..]);
            if count > 0.0 {
                all.add(count, |lane| (numbers[lane], numbers[lanes + lane]));
            }
        }
        all
    }
}

impl Statistics {
    /// Joins the parts of a batch in their order, and the batches of the peers, where there are
    /// any.
    pub(crate) fn of(
        parts: &[Moments],
        extent: Extent,
        epsilon: f64,
        peers: Option<&dyn Peers>,
    ) -> Self {
        let mut joined = Joined::new(extent.lanes());
        for part in parts {
            let Some(centre) = &part.centre else { continue };
            let more = part.count as f64;
            joined.add(more, |lane| {
                let offset = part.sums[0][lane] / more;
                let squares = part.sums[1][lane] - part.sums[0][lane] * offset;
                (f64::from(centre[lane]) + offset, squares)
            });
        }
        let Joined { count, mean, squares } = match peers {
            Some(peers) => joined.across(peers),
            None => joined,
        };
        let variance = squares.iter().map(|sum| (sum / count).max(0.0));
        let inverse = variance.clone().map(|variance| 1.0 / (variance + epsilon).sqrt()).collect();
        Self {
            count: count as usize,
            mean: mean.iter().map(|mean| *mean as f32).collect(),
            variance: variance.map(|variance| variance as f32).collect(),
            inverse,
        }
    }

    /// Fixed statistics, one per channel.
    pub(crate) fn fixed(extent: Extent, mean: &[f32], variance: &[f32], epsilon: f64) -> Self {
        let pad = |values: &[f32], with| {
            let mut values = values.to_vec();
            values.resize(extent.lanes(), with);
            values
        };
        let variance = pad(variance, 1.0);
        let inverse = variance.iter().map(|v| 1.0 / (f64::from(*v) + epsilon).sqrt()).collect();
        Self { count: extent.images * extent.pixels(), mean: pad(mean, 0.0), variance, inverse }
    }

    /// The norm as `scale * x + shift`. Padded channels stay zero.
    pub(crate) fn affine(&self, parameters: &Parameters<'_>, extent: Extent) -> Affine {
        let mut affine =
            Affine { scale: vec![0.0; extent.lanes()], shift: vec![0.0; extent.lanes()] };
        for channel in 0..extent.channels {
            let scale = f64::from(parameters.gamma[channel]) * self.inverse[channel];
            let shift = f64::from(parameters.beta[channel]) - f64::from(self.mean[channel]) * scale;
            affine.scale[channel] = scale as f32;
            affine.shift[channel] = shift as f32;
        }
        affine
    }
}
