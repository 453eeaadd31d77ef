//! Winograd's F(4x4, 3x3) for 3x3 convolutions of stride 1 and padding 1: forward and, with turned
//! weights, for the gradient of the input.
//!
//! The work goes in bands of tiles whose transformed values stay in the cache.

#![allow(clippy::needless_range_loop, reason = "loops over registers unroll by index")]

use rayon::prelude::*;

use super::buffer::Buffer;
use super::direct::multiply_run;
use super::extent::Extent;
use super::geometry::Shape;
use super::winograd_transforms::{PLANES, Planes, Tiles, weights_forward};
use crate::simd::{Kernel, Simd, dispatch, lanes};

/// Whether the algorithm applies.
pub(crate) fn applies(shape: &Shape) -> bool {
    (shape.kernel, shape.stride, shape.padding) == (3, 1, 1)
}

/// Tiles per band: enough that a plane's weights are read seldom, few enough for the cache.
pub(crate) const BAND: usize = 32;

/// How many whole images fill a band.
pub(crate) fn group(shape: &Shape) -> usize {
    (BAND / (Tiles::across(shape.output) * Tiles::down(shape.output))).max(1)
}

/// Floats from one plane to the next: a little more than they hold, lest the planes fall on the
/// same cache sets.
pub(crate) fn plane(tiles: usize, extent: Extent) -> usize {
    tiles * extent.lanes() + 16
}

/// How many of the 36 products one thread computes. Wide layers have few images at a time, and each
/// product is worth a thread.
pub(crate) fn planes_at_once(source: Extent, target: Extent) -> usize {
    if source.channels * target.channels >= 1 << 16 { 1 } else { PLANES }
}

/// The bands of `images` whole images: which images and tile rows each covers.
pub(crate) fn bands(extent: Extent, images: usize) -> impl Iterator<Item = Band> {
    let (across, down) = (Tiles::across(extent), Tiles::down(extent));
    let whole = across * down <= BAND;
    let rows = if whole { down } else { (BAND / across).max(1) };
    let together = if whole { (BAND / (across * down)).max(1) } else { 1 };
    (0..images).step_by(together).flat_map(move |image| {
        (0..down).step_by(rows).map(move |row| Band {
            images: image..(image + together).min(images),
            row,
            rows: rows.min(down - row),
        })
    })
}

/// Some rows of tiles of some images.
pub(crate) struct Band {
    images: std::ops::Range<usize>,
    row: usize,
    rows: usize,
}

impl Band {
    fn tiles(&self, extent: Extent) -> Tiles {
        Tiles { extent, first_row: self.row, rows: self.rows }
    }

    pub(crate) fn count(&self, extent: Extent) -> usize {
        self.images.len() * self.tiles(extent).count()
    }

    /// The band's images with their tiles, each at its place in the planes.
    pub(crate) fn places(
        &self,
        extent: Extent,
        tiles: usize,
    ) -> impl Iterator<Item = (usize, Tiles, Planes)> {
        let (part, step) = (self.tiles(extent), plane(tiles, extent));
        self.images
            .clone()
            .enumerate()
            .map(move |(index, image)| (image, part, Planes { step, first: index * part.count() }))
    }
}

/// A convolution with transformed weights.
pub(crate) struct Winograd {
    source: Extent,
    target: Extent,
    /// Blocks of two registers of target channels (the last may be one), each with 36 planes of a
    /// row per source channel.
    weights: Buffer,
    lanes: usize,
}

impl Winograd {
    /// `weight(target, source)` gives the nine weights of two channels.
    pub(crate) fn new(
        source: Extent,
        target: Extent,
        weight: impl Fn(usize, usize) -> [f32; 9] + Sync,
    ) -> Self {
        let (rows, columns) = (source.channels, target.lanes());
        let lanes = lanes(columns);
        let mut weights = Buffer::stale(PLANES * rows * columns);
        let blocks = weights.par_chunks_mut(PLANES * rows * 2 * lanes).enumerate();
        blocks.for_each(|(index, block)| {
            let column = index * 2 * lanes;
            let width = (2 * lanes).min(columns - column);
            dispatch(lanes, Pack { weight: &weight, target, column, width, rows, block });
        });
        Self { source, target, weights, lanes }
    }

    /// Convolves whole images with `halo` pixels of border into images without.
    pub(crate) fn run(&self, (input, halo): (&[f32], usize), output: &mut [f32]) {
        let (source, target) = (self.source, self.target);
        let images = output.len() / target.image(0);
        assert_eq!(input.len(), images * source.image(halo));
        let most = bands(target, images).map(|band| band.count(target)).max().unwrap_or(0);
        let mut transformed = Buffer::stale(PLANES * plane(most, source));
        let mut products = Buffer::stale(PLANES * plane(most, target));
        for band in bands(target, images) {
            for (image, tiles, place) in band.places(source, most) {
                let image = &input[image * source.image(halo)..][..source.image(halo)];
                tiles.input((image, halo), &mut transformed, place);
            }
            let tiles = band.count(target);
            let steps = [plane(most, source), plane(most, target)];
            let planes = planes_at_once(source, target);
            let parts = products.par_chunks_mut(planes * steps[1]).enumerate();
            parts.for_each(|(index, to)| {
                let first = index * planes;
                let from = &transformed[first * steps[0]..];
                dispatch(self.lanes, Multiply { conv: self, tiles, first, steps, from, to });
            });
            for (image, tiles, place) in band.places(target, most) {
                let image = &mut output[image * target.image(0)..][..target.image(0)];
                tiles.output(&products, place, image);
            }
        }
    }
}

/// Transforms one block of weights.
struct Pack<'a, F> {
    weight: &'a F,
    target: Extent,
    column: usize,
    width: usize,
    rows: usize,
    block: &'a mut [f32],
}

impl<F: Fn(usize, usize) -> [f32; 9]> Kernel for Pack<'_, F> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        assert_eq!(self.block.len(), PLANES * self.rows * self.width);
        for row in 0..self.rows {
            for offset in (0..self.width).step_by(S::LANES) {
                let mut taps = [[0.0_f32; 16]; 9];
                let first = self.column + offset;
                for lane in 0..S::LANES.min(self.target.channels.saturating_sub(first)) {
                    let weights = (self.weight)(first + lane, row);
                    for (tap, weight) in taps.iter_mut().zip(weights) {
                        tap[lane] = weight;
                    }
                }
                // SAFETY: 16 floats fill any register, and the block's size has been checked.
                unsafe {
                    let mut loaded = [S::splat(0.0); 9];
                    for tap in 0..9 {
                        loaded[tap] = S::load(taps[tap].as_ptr());
                    }
                    let transformed = weights_forward(loaded);
                    for plane in 0..PLANES {
                        let at = (plane * self.rows + row) * self.width + offset;
                        transformed[plane].store(self.block.as_mut_ptr().add(at));
                    }
                }
            }
        }
    }
}

/// Some of the 36 products `[tiles, source] * [source, target]`.
struct Multiply<'a> {
    conv: &'a Winograd,
    tiles: usize,
    first: usize,
    steps: [usize; 2],
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Multiply<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let (rows, columns) = (self.conv.source.channels, self.conv.target.lanes());
        let planes = self.to.len() / self.steps[1];
        assert!(self.from.len() >= planes * self.steps[0]);
        assert!(self.tiles * self.conv.source.lanes() <= self.steps[0]);
        assert!(self.tiles * columns <= self.steps[1] && self.first + planes <= PLANES);
        let block = 2 * S::LANES;
        let (from, to) = (self.from.as_ptr(), self.to.as_mut_ptr());
        for plane in 0..planes {
            for column in (0..columns).step_by(block) {
                let wide = column + block <= columns;
                let width = if wide { block } else { S::LANES };
                let weights = PLANES * rows * column + (self.first + plane) * rows * width;
                // SAFETY: the sizes of the matrices have been checked, and `new` has made the
                // weights of this size.
                unsafe {
                    let weights = self.conv.weights.as_ptr().add(weights);
                    let from = from.add(plane * self.steps[0]);
                    let to = to.add(plane * self.steps[1] + column);
                    if wide {
                        self.block::<S, 6, 2>(from, weights, to);
                    } else {
                        self.block::<S, 8, 1>(from, weights, to);
                    }
                }
            }
        }
    }
}

impl Multiply<'_> {
    /// # Safety
    /// All tiles exist in both matrices, and the weights have a row per source channel.
    #[inline(always)]
    unsafe fn block<S: Simd, const P: usize, const B: usize>(
        &self,
        from: *const f32,
        weights: *const f32,
        to: *mut f32,
    ) {
        let mut tile = 0;
        // SAFETY: the caller's promise.
        unsafe {
            while tile + P <= self.tiles {
                self.rows::<S, P, B>(tile, from, weights, to);
                tile += P;
            }
            while tile + 2 <= self.tiles {
                self.rows::<S, 2, B>(tile, from, weights, to);
                tile += 2;
            }
            if tile < self.tiles {
                self.rows::<S, 1, B>(tile, from, weights, to);
            }
        }
    }

    /// # Safety
    /// As for `block`, for `P` tiles from `tile`.
    #[inline(always)]
    unsafe fn rows<S: Simd, const P: usize, const B: usize>(
        &self,
        tile: usize,
        from: *const f32,
        weights: *const f32,
        to: *mut f32,
    ) {
        let (source, target) = (self.conv.source, self.conv.target.lanes());
        // SAFETY: the caller's promise.
        unsafe {
            let mut sources = [from; P];
            for p in 0..P {
                sources[p] = from.add((tile + p) * source.lanes());
            }
            let mut sums = [[S::splat(0.0); B]; P];
            multiply_run(&sources, 0, source.channels, weights, &mut sums);
            for p in 0..P {
                for b in 0..B {
                    sums[p][b].store(to.add((tile + p) * target + b * S::LANES));
                }
            }
        }
    }
}
