//! Winograd's F(4x4, 3x3) for 3x3 convolutions of stride 1 and padding 1: forward and, with turned
//! weights, for the gradient of the input.
//!
//! The work goes in bands of tiles whose transformed values stay in the cache.

#![allow(clippy::needless_range_loop, reason = "loops over registers unroll by index")]

use std::ops::Range;

use super::buffer::{Buffer, Shared};
use super::direct::multiply_run;
use super::extent::Extent;
use super::geometry::Shape;
use super::parallel::{PARTS, each, ranges, spread};
use super::winograd_transforms::{PLANES, Planes, Tiles, weights_forward};
use crate::simd::{Kernel, Simd, dispatch, lanes};

/// Whether the algorithm applies.
pub(crate) fn applies(shape: &Shape) -> bool {
    (shape.kernel, shape.stride, shape.padding) == (3, 1, 1)
}

/// Tiles per band: enough that a plane's weights are read seldom, few enough for the cache. Weights
/// that do not stay in the cache are to be read more seldom.
pub(crate) fn band(shape: &Shape) -> usize {
    if shape.input.channels * shape.output.channels < WIDE { 32 } else { 128 }
}

/// Pairs of channels from which on 36 planes of weights do not stay in the second-level cache.
const WIDE: usize = 1 << 14;

/// How many whole images fill a band.
pub(crate) fn group(shape: &Shape) -> usize {
    (band(shape) / (Tiles::across(shape.output) * Tiles::down(shape.output))).max(1)
}

/// Floats from one plane to the next: a little more than they hold, lest the planes fall on the
/// same cache sets.
pub(crate) fn plane(tiles: usize, extent: Extent) -> usize {
    tiles * extent.lanes() + 16
}

/// The planes and parts of their products that make at least `pieces` tasks, if there are many
/// pieces: ranges of planes, each with every one of up to `most` ranges.
pub(crate) fn products(pieces: usize, most: usize) -> Vec<(Range<usize>, Range<usize>)> {
    if pieces < 2 {
        return vec![(0..PLANES, 0..most)];
    }
    let planes = ranges(PLANES, 2 * pieces);
    let parts = ranges(most, (4 * pieces).div_ceil(PLANES));
    let pairs = planes.into_iter().flat_map(|p| parts.iter().map(move |q| (p.clone(), q.clone())));
    pairs.collect()
}

/// The bands of `images` whole images, of at most `tiles` tiles or one row of them: which images and
/// tile rows each covers.
pub(crate) fn bands(extent: Extent, images: usize, tiles: usize) -> impl Iterator<Item = Band> {
    let (across, down) = (Tiles::across(extent), Tiles::down(extent));
    let whole = across * down <= tiles;
    let rows = if whole { down } else { (tiles / across).max(1) };
    let together = if whole { (tiles / (across * down)).max(1) } else { 1 };
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
    images: Range<usize>,
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

    /// The band's images with their tiles, row by row if there is more than one piece of work to be
    /// had of them, each at its place in the planes.
    pub(crate) fn places(
        &self,
        extent: Extent,
        tiles: usize,
        pieces: usize,
    ) -> Vec<(usize, Tiles, Planes)> {
        let (whole, step) = (self.tiles(extent).count(), plane(tiles, extent));
        let rows = if pieces > 1 { 1 } else { self.rows.max(1) };
        let images = self.images.clone().enumerate();
        let parts = images.flat_map(|(index, image)| {
            (0..self.rows).step_by(rows).map(move |row| {
                let first = index * whole + row * Tiles::across(extent);
                let tiles = Tiles { extent, first_row: self.row + row, rows };
                (image, tiles, Planes { step, first })
            })
        });
        parts.collect()
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
    band: usize,
}

impl Winograd {
    /// `weight(target, source)` gives the nine weights of two channels; bands have `band` tiles.
    pub(crate) fn new(
        [source, target]: [Extent; 2],
        band: usize,
        weight: impl Fn(usize, usize) -> [f32; 9] + Sync,
    ) -> Self {
        let (rows, columns) = (source.channels, target.lanes());
        let lanes = lanes(columns);
        let mut weights = Buffer::stale(PLANES * rows * columns);
        let blocks = columns.div_ceil(2 * lanes);
        let parts = ranges(rows, PARTS.div_ceil(blocks).min(rows.div_ceil(4)));
        let tasks =
            (0..blocks).flat_map(|block| parts.iter().map(move |part| (block, part.clone())));
        let floats = Shared::new(&mut weights);
        each(tasks.collect(), |(block, part)| {
            let column = 2 * lanes * block;
            let width = (2 * lanes).min(columns - column);
            let weight = &weight;
            dispatch(lanes, Pack { weight, target, column, width, rows, part, floats });
        });
        Self { source, target, weights, lanes, band }
    }

    /// Convolves whole images with `halo` pixels of border into images without, the work of each
    /// band cut into `pieces`.
    pub(crate) fn run(&self, (input, halo): (&[f32], usize), output: &mut [f32], pieces: usize) {
        let (source, target) = (self.source, self.target);
        let images = output.len() / target.image(0);
        assert_eq!(input.len(), images * source.image(halo));
        let bands = || bands(target, images, self.band);
        let most = bands().map(|band| band.count(target)).max().unwrap_or(0);
        let mut transformed = Buffer::stale(PLANES * plane(most, source));
        let mut products = Buffer::stale(PLANES * plane(most, target));
        for band in bands() {
            let planes = Shared::new(&mut transformed);
            spread(pieces, band.places(source, most, pieces), |(image, tiles, place)| {
                let image = &input[image * source.image(halo)..][..source.image(halo)];
                tiles.input((image, halo), planes, place);
            });
            let multiply = Multiply {
                conv: self,
                tiles: band.count(target),
                steps: [plane(most, source), plane(most, target)],
                from: &transformed,
                to: Shared::new(&mut products),
            };
            let tasks = self::products(pieces, target.lanes().div_ceil(2 * self.lanes));
            each(tasks, |(planes, blocks)| {
                dispatch(self.lanes, Task { multiply: &multiply, planes, blocks });
            });
            let images = Shared::new(output);
            spread(pieces, band.places(target, most, pieces), |(image, tiles, place)| {
                let image = images.part(image * target.image(0), target.image(0));
                tiles.output(&products, place, image);
            });
        }
    }
}

/// Transforms some rows of one block of weights. Tasks that run side by side share the floats and
/// differ in block or rows.
struct Pack<'a, F> {
    weight: &'a F,
    target: Extent,
    column: usize,
    width: usize,
    rows: usize,
    part: Range<usize>,
    floats: Shared<'a>,
}

impl<F: Fn(usize, usize) -> [f32; 9]> Kernel for Pack<'_, F> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let first = PLANES * self.rows * self.column;
        assert!(first + PLANES * self.rows * self.width <= self.floats.len());
        assert!(self.part.end <= self.rows);
        for row in self.part {
            for offset in (0..self.width).step_by(S::LANES) {
                let mut taps = [[0.0_f32; 16]; 9];
                let column = self.column + offset;
                for lane in 0..S::LANES.min(self.target.channels.saturating_sub(column)) {
                    let weights = (self.weight)(column + lane, row);
                    for (tap, weight) in taps.iter_mut().zip(weights) {
                        tap[lane] = weight;
                    }
                }
                // SAFETY: 16 floats fill any register, and the block has been checked to exist.
                unsafe {
                    let mut loaded = [S::splat(0.0); 9];
                    for tap in 0..9 {
                        loaded[tap] = S::load(taps[tap].as_ptr());
                    }
                    let transformed = weights_forward(loaded);
                    for plane in 0..PLANES {
                        let at = first + (plane * self.rows + row) * self.width + offset;
                        transformed[plane].store(self.floats.as_mut_ptr().add(at));
                    }
                }
            }
        }
    }
}

/// The 36 products `[tiles, source] * [source, target]`.
struct Multiply<'a> {
    conv: &'a Winograd,
    tiles: usize,
    steps: [usize; 2],
    from: &'a [f32],
    to: Shared<'a>,
}

/// Some planes and blocks of columns of the products. Tasks that run side by side share the target
/// and differ in one of the two.
struct Task<'a> {
    multiply: &'a Multiply<'a>,
    planes: Range<usize>,
    blocks: Range<usize>,
}

impl Kernel for Task<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Multiply { conv, tiles, steps, from, to } = *self.multiply;
        let (rows, columns) = (conv.source.channels, conv.target.lanes());
        assert!(self.planes.end <= PLANES);
        assert!(from.len() >= PLANES * steps[0] && to.len() >= PLANES * steps[1]);
        assert!(tiles * conv.source.lanes() <= steps[0] && tiles * columns <= steps[1]);
        let block = 2 * S::LANES;
        let (from, to) = (from.as_ptr(), to.as_mut_ptr());
        for plane in self.planes {
            for column in self.blocks.clone().map(|index| index * block) {
                let wide = column + block <= columns;
                let width = if wide { block } else { S::LANES };
                let weights = PLANES * rows * column + plane * rows * width;
                // SAFETY: the sizes of the matrices have been checked, and `new` has made the
                // weights of this size.
                unsafe {
                    let weights = conv.weights.as_ptr().add(weights);
                    let from = from.add(plane * steps[0]);
                    let to = to.add(plane * steps[1] + column);
                    let multiply = self.multiply;
                    match (wide, S::LANES == 16) {
                        (true, true) => multiply.block::<S, 8, 2>(from, weights, to),
                        (true, false) => multiply.block::<S, 6, 2>(from, weights, to),
                        (false, _) => multiply.block::<S, 8, 1>(from, weights, to),
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
            if tile + 4 <= self.tiles {
                self.rows::<S, 4, B>(tile, from, weights, to);
                tile += 4;
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
