//! Where maps begin and end: conversions from and to plain tensors, and the mean over all pixels.

use std::sync::{Arc, OnceLock};

use super::buffer::Buffer;
use super::extension::{Contiguous, Entry, MapOperation, Primitive, tensor};
use super::extent::{Extent, HALO};
use super::map::Map;
use super::parallel::{PARTS, spread};
use super::send::send;

/// Plain `[batch, channels, height, width]` to a map.
#[derive(Debug)]
pub(crate) struct Enter {
    pub(crate) extent: Extent,
    pub(crate) map: OnceLock<Arc<Map>>,
}

/// A map to plain `[batch, channels, height, width]`.
#[derive(Debug)]
pub(crate) struct Leave(pub(crate) Arc<Map>);

/// The mean of every channel, `[batch, channels]`.
#[derive(Debug)]
pub(crate) struct Average(pub(crate) Arc<Map>);

/// One image from NCHW to NHWC with `halo` pixels of border.
pub(crate) fn enter_image(extent: Extent, plain: &[f32], (image, halo): (&mut [f32], usize)) {
    image.fill(0.0);
    for (channel, plane) in plain.chunks_exact(extent.pixels()).enumerate() {
        for (y, row) in plane.chunks_exact(extent.width).enumerate() {
            let from = extent.pixel(halo, [y, 0]) + channel;
            let pixels = image[from..].iter_mut().step_by(extent.lanes());
            pixels.zip(row).for_each(|(pixel, value)| *pixel = *value);
        }
    }
}

/// One image back from NHWC.
pub(crate) fn leave_image(extent: Extent, (image, halo): (&[f32], usize), plain: &mut [f32]) {
    for (channel, plane) in plain.chunks_exact_mut(extent.pixels()).enumerate() {
        for (y, row) in plane.chunks_exact_mut(extent.width).enumerate() {
            let from = extent.pixel(halo, [y, 0]) + channel;
            let pixels = image[from..].iter().step_by(extent.lanes());
            row.iter_mut().zip(pixels).for_each(|(value, pixel)| *value = *pixel);
        }
    }
}

impl Entry for Enter {
    fn forward(&self, nchw: Primitive) {
        let extent = self.extent;
        let nchw = Contiguous::new(&nchw);
        let plain = extent.channels * extent.pixels();
        let mut values = Buffer::stale(extent.images * extent.image(HALO));
        let images = values.chunks_mut(extent.image(HALO)).zip(nchw.as_slice().chunks(plain));
        spread(PARTS, images.collect(), |(image, plain)| {
            enter_image(extent, plain, (image, HALO));
        });
        self.map.get_or_init(|| Arc::new(Map::finished(extent, values)));
    }

    fn backward(&self) -> Primitive {
        let extent = self.extent;
        let plain = extent.channels * extent.pixels();
        let mut nchw = vec![0.0; extent.images * plain];
        if let Some(gradient) = self.map.get().and_then(|map| map.take_gradient()) {
            let images = nchw.chunks_mut(plain).zip(gradient.values.chunks(extent.image(0)));
            spread(PARTS, images.collect(), |(plain, image)| {
                leave_image(extent, (image, 0), plain);
            });
        }
        tensor(nchw, &extent.dims())
    }
}

impl MapOperation for Leave {
    fn forward(&self) -> Primitive {
        let extent = self.0.extent;
        let plain = extent.channels * extent.pixels();
        let values = self.0.finish();
        let mut nchw = vec![0.0; extent.images * plain];
        let images = nchw.chunks_mut(plain).zip(values.chunks(extent.image(HALO)));
        spread(PARTS, images.collect(), |(plain, image)| {
            leave_image(extent, (image, HALO), plain);
        });
        tensor(nchw, &extent.dims())
    }

    fn source(&self) -> &Map {
        &self.0
    }

    fn backward(&self, gradient: Primitive) {
        let extent = self.0.extent;
        let plain = extent.channels * extent.pixels();
        let gradient = Contiguous::new(&gradient);
        let gradient = gradient.as_slice();
        send(&self.0, false, |index, _, image| {
            enter_image(extent, &gradient[index * plain..][..plain], (image, 0));
        });
    }
}

impl MapOperation for Average {
    fn forward(&self) -> Primitive {
        let extent = self.0.extent;
        let lanes = extent.lanes();
        let share = 1.0 / extent.pixels() as f32;
        let view = self.0.view();
        let mut means = vec![0.0; extent.images * extent.channels];
        let images = means.chunks_mut(extent.channels).enumerate().collect();
        spread(PARTS, images, |(index, means)| {
            let mut scratch = Buffer::stale(extent.image(HALO));
            let image = view.images(extent, index..index + 1, (&mut scratch, HALO), 1);
            let mut sums = vec![0.0_f32; lanes];
            // The halo is zero and may be summed along.
            for pixel in image.chunks_exact(lanes) {
                sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
            }
            means.iter_mut().zip(sums).for_each(|(mean, sum)| *mean = share * sum);
        });
        tensor(means, &[extent.images, extent.channels])
    }

    fn source(&self) -> &Map {
        &self.0
    }

    fn backward(&self, gradient: Primitive) {
        let extent = self.0.extent;
        let share = 1.0 / extent.pixels() as f32;
        let gradient = Contiguous::new(&gradient);
        let gradient = gradient.as_slice();
        send(&self.0, false, |index, _, image| {
            let means = &gradient[index * extent.channels..][..extent.channels];
            for pixel in image.chunks_exact_mut(extent.lanes()) {
                let (pixel, padding) = pixel.split_at_mut(extent.channels);
                pixel.iter_mut().zip(means).for_each(|(value, mean)| *value = share * mean);
                padding.fill(0.0);
            }
        });
    }
}
