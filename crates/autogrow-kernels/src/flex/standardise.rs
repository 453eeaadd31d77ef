//! A batch norm without a convolution before it, over the batches of all peers, as an operation of
//! its own: Burn's cannot be told the sums of other processes. Scale and shift come after it.
//!
//! Off the fast path, for norms that stand alone or behind convolutions it does not know.

use std::sync::Arc;

use rayon::prelude::*;

use super::buffer::Buffer;
use super::ends::{enter_image, leave_image};
use super::extension::{Contiguous, MapOperation, Primitive, tensor};
use super::extent::{Extent, HALO};
use super::map::Map;
use super::send::send;
use super::statistics::{Moments, Statistics};
use crate::peers::Peers;

/// `(x - mean) / sqrt(variance + epsilon)` of a map.
#[derive(Debug)]
pub(crate) struct Standardise {
    source: Arc<Map>,
    peers: Arc<dyn Peers>,
    pub(crate) statistics: Statistics,
    /// The result, plain `[batch, channels, height, width]`.
    standard: Vec<f32>,
}

/// Channel by channel the values of plain images, image by image.
fn planes(extent: Extent, plain: &[f32]) -> impl Iterator<Item = (usize, &[f32])> {
    let planes = plain.chunks_exact(extent.pixels()).enumerate();
    planes.map(move |(index, plane)| (index % extent.channels, plane))
}

impl Standardise {
    pub(crate) fn new(source: Arc<Map>, epsilon: f64, peers: Arc<dyn Peers>) -> Self {
        let extent = source.extent;
        let plain = extent.channels * extent.pixels();
        let values = source.finish();
        let mut standard = vec![0.0; extent.images * plain];
        let images = values.par_chunks(extent.image(HALO));
        standard.par_chunks_mut(plain).zip(images).for_each(|(plain, image)| {
            leave_image(extent, (image, HALO), plain);
        });
        let mut moments = Moments::new(extent);
        let mut centre = vec![0.0; extent.lanes()];
        for (channel, plane) in planes(extent, &standard).take(extent.channels) {
            centre[channel] = plane[0];
        }
        for (channel, plane) in planes(extent, &standard) {
            for value in plane {
                let offset = f64::from(*value) - f64::from(centre[channel]);
                moments.sums[0][channel] += offset;
                moments.sums[1][channel] += offset * offset;
            }
        }
        moments.count = extent.images * extent.pixels();
        moments.centre = Some(centre);
        let statistics = Statistics::of(&[moments], extent, epsilon, Some(&*peers));
        standard.par_chunks_mut(extent.pixels()).enumerate().for_each(|(index, plane)| {
            let channel = index % extent.channels;
            let (mean, inverse) = (statistics.mean[channel], statistics.inverse[channel] as f32);
            plane.iter_mut().for_each(|value| *value = (*value - mean) * inverse);
        });
        Self { source, peers, statistics, standard }
    }
}

impl MapOperation for Standardise {
    fn forward(&self) -> Primitive {
        tensor(self.standard.clone(), &self.source.extent.dims())
    }

    fn source(&self) -> &Map {
        &self.source
    }

    /// `inverse (g - mean of g - y (mean of g y))`, the means over the batches of all peers.
    fn backward(&self, gradient: Primitive) {
        let extent = self.source.extent;
        let gradient = Contiguous::new(&gradient);
        let gradient = gradient.as_slice();
        let mut own = vec![0.0_f64; 2 * extent.channels];
        for ((channel, g), (_, y)) in planes(extent, gradient).zip(planes(extent, &self.standard)) {
            for (g, y) in g.iter().zip(y) {
                own[channel] += f64::from(*g);
                own[extent.channels + channel] += f64::from(*g) * f64::from(*y);
            }
        }
        let mut sums = vec![0.0_f64; 2 * extent.channels];
        for part in self.peers.gather(&own) {
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        let count = self.statistics.count as f64;
        let plain = extent.channels * extent.pixels();
        let by_image = |values| <[f32]>::chunks_exact(values, plain);
        let (gradients, standards) = (by_image(gradient), by_image(&self.standard));
        let images: Vec<_> = gradients.zip(standards).collect();
        send(&self.source, false, |index, _, image| {
            let (gradient, standard) = images[index];
            let mut through = Buffer::stale(plain);
            let pixels = gradient.iter().zip(standard).zip(through.iter_mut()).enumerate();
            for (at, ((g, y), out)) in pixels {
                let channel = at / extent.pixels();
                let (ones, products) = (sums[channel], sums[extent.channels + channel]);
                let centred = f64::from(*g) - (ones + f64::from(*y) * products) / count;
                *out = (self.statistics.inverse[channel] * centred) as f32;
            }
            enter_image(extent, &through, (image, 0));
        });
    }
}
