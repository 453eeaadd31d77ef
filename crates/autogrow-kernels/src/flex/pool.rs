//! Operations from map to map that are not layers: max pooling and the parameter-free shortcut.

use std::sync::Arc;

use super::buffer::Buffer;
use super::extension::{MapOperation, Primitive, token};
use super::extent::{Extent, HALO};
use super::map::Map;
use super::parallel::{PARTS, spread};
use super::send::send;

/// The largest value of each window.
#[derive(Debug)]
pub(crate) struct MaxPool {
    pub(crate) source: Arc<Map>,
    pub(crate) target: Arc<Map>,
    pub(crate) window: Window,
}

/// The windows of a max pooling: square, the border padded with minus infinity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

/// Every `stride`-th pixel, with `before` zero channels put before the source's.
#[derive(Debug)]
pub(crate) struct Subsample {
    pub(crate) source: Arc<Map>,
    pub(crate) target: Arc<Map>,
    pub(crate) stride: usize,
    pub(crate) before: usize,
}

/// Fills a fresh map, image by image, from the images of another, both with halo.
fn transform(source: &Map, target: Extent, write: impl Fn(&[f32], &mut [f32]) + Sync) -> Map {
    let extent = source.extent;
    let view = source.view();
    let mut values = Buffer::stale(target.images * target.image(HALO));
    let images = values.chunks_mut(target.image(HALO)).enumerate().collect();
    spread(PARTS, images, |(index, out)| {
        let mut scratch = Buffer::stale(extent.image(HALO));
        let image = view.images(extent, index..index + 1, (&mut scratch, HALO), 1);
        target.zero_halo(HALO, out);
        write(image, out);
    });
    Map::finished(target, values)
}

impl Window {
    /// The source rows (or columns) of a target one.
    fn span(&self, target: usize, size: usize) -> std::ops::Range<usize> {
        let first = target * self.stride;
        first.saturating_sub(self.padding)..(first + self.kernel - self.padding).min(size)
    }

    /// The source pixels of a target one.
    fn pixels(&self, [y, x]: [usize; 2], source: Extent) -> impl Iterator<Item = [usize; 2]> {
        let (rows, columns) = (self.span(y, source.height), self.span(x, source.width));
        rows.flat_map(move |y| columns.clone().map(move |x| [y, x]))
    }

    /// The pooled map.
    pub(crate) fn pool(self, source: &Map, target: Extent) -> Map {
        let extent = source.extent;
        let lanes = target.lanes();
        transform(source, target, |image, out| {
            for y in 0..target.height {
                for x in 0..target.width {
                    let out = &mut out[target.pixel(HALO, [y, x])..][..lanes];
                    out[..target.channels].fill(f32::NEG_INFINITY);
                    out[target.channels..].fill(0.0);
                    for pixel in self.pixels([y, x], extent) {
                        let values = &image[extent.pixel(HALO, pixel)..][..target.channels];
                        for (max, value) in out.iter_mut().zip(values) {
                            *max = if *max < *value || value.is_nan() { *value } else { *max };
                        }
                    }
                }
            }
        })
    }

    /// Gives each window's gradient to the first of its largest values.
    fn route(self, [source, target]: [Extent; 2], image: &[f32], from: &[f32], to: &mut [f32]) {
        to.fill(0.0);
        let lanes = target.lanes();
        let mut largest = vec![(f32::NEG_INFINITY, 0); target.channels];
        for y in 0..target.height {
            for x in 0..target.width {
                largest.fill((f32::NEG_INFINITY, usize::MAX));
                for pixel in self.pixels([y, x], source) {
                    let values = &image[source.pixel(HALO, pixel)..][..target.channels];
                    let at = source.pixel(0, pixel);
                    for (max, value) in largest.iter_mut().zip(values) {
                        if max.0 < *value || max.1 == usize::MAX || value.is_nan() {
                            *max = (*value, at);
                        }
                    }
                }
                let gradient = &from[target.pixel(0, [y, x])..][..lanes];
                for (channel, (_, at)) in largest.iter().enumerate() {
                    if *at != usize::MAX {
                        to[at + channel] += gradient[channel];
                    }
                }
            }
        }
    }
}

impl MapOperation for MaxPool {
    fn forward(&self) -> Primitive {
        token()
    }

    fn source(&self) -> &Map {
        &self.source
    }

    fn backward(&self, _token: Primitive) {
        let extents = [self.source.extent, self.target.extent];
        let gradient = self.target.take_gradient();
        send(&self.source, true, |index, values, image| match &gradient {
            Some(gradient) => {
                let plain = extents[1].image(0);
                let gradient = &gradient.values[index * plain..][..plain];
                self.window.route(extents, values, gradient, image);
            }
            None => image.fill(0.0),
        });
    }
}

impl Subsample {
    /// The subsampled map.
    pub(crate) fn sample(source: &Map, target: Extent, stride: usize, before: usize) -> Map {
        let extent = source.extent;
        transform(source, target, |image, out| {
            for y in 0..target.height {
                for x in 0..target.width {
                    let out = &mut out[target.pixel(HALO, [y, x])..][..target.lanes()];
                    let from = extent.pixel(HALO, [stride * y, stride * x]);
                    out.fill(0.0);
                    out[before..before + extent.channels]
                        .copy_from_slice(&image[from..][..extent.channels]);
                }
            }
        })
    }
}

impl MapOperation for Subsample {
    fn forward(&self) -> Primitive {
        token()
    }

    fn source(&self) -> &Map {
        &self.source
    }

    fn backward(&self, _token: Primitive) {
        let (source, target) = (self.source.extent, self.target.extent);
        let gradient = self.target.take_gradient();
        send(&self.source, false, |index, _, image| {
            image.fill(0.0);
            let Some(gradient) = &gradient else { return };
            let gradient = &gradient.values[index * target.image(0)..][..target.image(0)];
            for y in 0..target.height {
                for x in 0..target.width {
                    let to = source.pixel(0, [self.stride * y, self.stride * x]);
                    let from = target.pixel(0, [y, x]) + self.before;
                    image[to..to + source.channels]
                        .copy_from_slice(&gradient[from..][..source.channels]);
                }
            }
        });
    }
}
