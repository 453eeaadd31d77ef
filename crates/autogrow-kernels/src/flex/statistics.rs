//! The mean and variance that a batch norm normalises by.

use super::extent::Extent;
use super::layer::Parameters;
use super::pointwise::Affine;

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

impl Statistics {
    /// Joins the parts of a batch in their order (Chan, Golub and LeVeque 1983).
    pub(crate) fn of(parts: &[Moments], extent: Extent, epsilon: f64) -> Self {
        let lanes = extent.lanes();
        let (mut mean, mut squares) = (vec![0.0_f64; lanes], vec![0.0_f64; lanes]);
        let mut count = 0.0;
        for part in parts {
            let Some(centre) = &part.centre else { continue };
            let more = part.count as f64;
            for lane in 0..lanes {
                let offset = part.sums[0][lane] / more;
                let part_squares = part.sums[1][lane] - part.sums[0][lane] * offset;
                let distance = f64::from(centre[lane]) + offset - mean[lane];
                mean[lane] += distance * more / (count + more);
                squares[lane] += part_squares + distance * distance * count * more / (count + more);
            }
            count += more;
        }
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
