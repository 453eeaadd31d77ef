//! The transforms of Winograd's F(4x4, 3x3) (Lavin and Gray 2016): an output tile of 4x4 pixels is
//! computed with 36 multiplications per pair of channels instead of 144.
//!
//! A tile's 36 transformed values lie in 36 planes `[tiles, channels]`, so that what remains
//! between the transforms is 36 products of matrices.

#![allow(clippy::needless_range_loop, reason = "loops over registers unroll by index")]

use super::buffer::Shared;
use super::extent::Extent;
use crate::simd::{Kernel, Simd, dispatch, lanes};

/// Pixels of an output tile along one axis.
pub(crate) const TILE: usize = 4;
/// Transformed values of one tile.
pub(crate) const PLANES: usize = 36;

/// G of F(4, 3): the transform of the weights.
const G: [[f32; 3]; 6] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// `G g G^T` of the nine weights of as many pairs of channels as there are lanes.
#[inline(always)]
pub(crate) fn weights_forward<S: Simd>(g: [S; 9]) -> [S; PLANES] {
    let mut half = [[S::splat(0.0); 3]; 6];
    for row in 0..6 {
        for column in 0..3 {
            half[row][column] = combine(G[row], [g[column], g[3 + column], g[6 + column]]);
        }
    }
    let mut all = [S::splat(0.0); PLANES];
    for row in 0..6 {
        for column in 0..6 {
            all[6 * row + column] = combine(G[column], half[row]);
        }
    }
    all
}

/// `G^T u G`, the adjoint.
#[inline(always)]
pub(crate) fn weights_backward<S: Simd>(u: [S; PLANES]) -> [S; 9] {
    let column_of_g = |column: usize| [0, 1, 2, 3, 4, 5].map(|row: usize| G[row][column]);
    let mut half = [[S::splat(0.0); 6]; 3];
    for row in 0..3 {
        for column in 0..6 {
            let mut line = [S::splat(0.0); 6];
            for k in 0..6 {
                line[k] = u[6 * k + column];
            }
            half[row][column] = combine(column_of_g(row), line);
        }
    }
    let mut all = [S::splat(0.0); 9];
    for row in 0..3 {
        for column in 0..3 {
            all[3 * row + column] = combine(column_of_g(column), half[row]);
        }
    }
    all
}

/// `sum(factors * values)`
#[inline(always)]
fn combine<S: Simd, const N: usize>(factors: [f32; N], values: [S; N]) -> S {
    let mut sum = S::splat(0.0);
    for k in 0..N {
        sum = S::splat(factors[k]).mul_add(values[k], sum);
    }
    sum
}

/// Some rows of tiles of one image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiles {
    pub(crate) extent: Extent,
    pub(crate) first_row: usize,
    pub(crate) rows: usize,
}

/// Where the tiles' transformed values go: 36 planes, `step` floats apart, and the index of the
/// first tile within a plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planes {
    pub(crate) step: usize,
    pub(crate) first: usize,
}

impl Tiles {
    pub(crate) fn across(extent: Extent) -> usize {
        extent.width.div_ceil(TILE)
    }

    pub(crate) fn down(extent: Extent) -> usize {
        extent.height.div_ceil(TILE)
    }

    pub(crate) fn count(&self) -> usize {
        self.rows * Self::across(self.extent)
    }

    fn check(&self, image: usize, halo: usize, planes: usize, target: Planes) {
        assert_eq!(image, self.extent.image(halo));
        assert!(self.first_row + self.rows <= Self::down(self.extent));
        let lanes = self.extent.lanes();
        assert!((target.first + self.count()) * lanes <= target.step);
        assert!((PLANES - 1) * target.step + (target.first + self.count()) * lanes <= planes);
    }

    /// `B^T d B` of the 6x6 pixels around every tile of an image with `halo` pixels of border. Only
    /// one thread at a time writes a tile's places.
    pub(crate) fn input(self, (image, halo): (&[f32], usize), planes: Shared<'_>, target: Planes) {
        self.check(image.len(), halo, planes.len(), target);
        assert!(halo >= 1);
        let planes = planes.as_mut_ptr();
        dispatch(
            lanes(self.extent.lanes()),
            Scatter::<6> { tiles: self, image, halo, inset: halo - 1, planes, target },
        );
    }

    /// `A y A^T` of the 4x4 pixels of every tile: the adjoint of [`output`](Self::output). Only one
    /// thread at a time writes a tile's places.
    pub(crate) fn gradient(
        self,
        (image, halo): (&[f32], usize),
        planes: Shared<'_>,
        target: Planes,
    ) {
        self.check(image.len(), halo, planes.len(), target);
        let planes = planes.as_mut_ptr();
        dispatch(
            lanes(self.extent.lanes()),
            Scatter::<4> { tiles: self, image, halo, inset: halo, planes, target },
        );
    }

    /// `A^T m A` into the 4x4 pixels of every tile of an image without halo. Only one thread at a time
    /// writes a tile's pixels.
    pub(crate) fn output(self, planes: &[f32], source: Planes, image: Shared<'_>) {
        self.check(image.len(), 0, planes.len(), source);
        let image = image.as_mut_ptr();
        dispatch(lanes(self.extent.lanes()), Gather { tiles: self, image, planes, source });
    }
}

/// Transforms `N`x`N` pixels per tile into the planes.
struct Scatter<'a, const N: usize> {
    tiles: Tiles,
    image: &'a [f32],
    halo: usize,
    /// From the corner of the stored image to the first pixel of the first tile.
    inset: usize,
    planes: *mut f32,
    target: Planes,
}

impl<const N: usize> Kernel for Scatter<'_, N> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { tiles, halo, inset, target, .. } = self;
        let extent = tiles.extent;
        let (step, row) = (extent.lanes(), extent.row(halo));
        // Rows and columns that are stored, counted from the inset.
        let height = extent.height + 2 * halo - inset;
        let width = extent.width + 2 * halo - inset;
        let mut tile = target.first;
        for y in (tiles.first_row..tiles.first_row + tiles.rows).map(|y| y * TILE) {
            for x in (0..extent.width).step_by(TILE) {
                let whole = y + N <= height && x + N <= width;
                let corner = (y + inset) * row + (x + inset) * step;
                for lane in (0..step).step_by(S::LANES) {
                    // SAFETY: `check` has made sure that the planes hold the tile; pixels are
                    // within the stored image because the tile is whole or they are tested.
                    unsafe {
                        let from = self.image.as_ptr().wrapping_add(corner + lane);
                        let to = self.planes.add(tile * step + lane);
                        if whole {
                            self.tile::<S, false>(from, [0; 2], [row, step], to);
                        } else {
                            let limits = [height - y, width - x];
                            self.tile::<S, true>(from, limits, [row, step], to);
                        }
                    }
                }
                tile += 1;
            }
        }
    }
}

impl<const N: usize> Scatter<'_, N> {
    /// # Safety
    /// The pixels of the tile (if `CUT`, those within the limits) and its places in the planes
    /// exist.
    #[inline(always)]
    unsafe fn tile<S: Simd, const CUT: bool>(
        &self,
        from: *const f32,
        limits: [usize; 2],
        [row, step]: [usize; 2],
        to: *mut f32,
    ) {
        let mut half = [[S::splat(0.0); 6]; N];
        for column in 0..N {
            let mut line = [S::splat(0.0); N];
            for y in 0..N {
                if !CUT || (y < limits[0] && column < limits[1]) {
                    // SAFETY: the caller's promise.
                    line[y] = unsafe { S::load(from.wrapping_add(y * row + column * step)) };
                }
            }
            half[column] = forward(line);
        }
        for y in 0..6 {
            let mut line = [S::splat(0.0); N];
            for column in 0..N {
                line[column] = half[column][y];
            }
            let line = forward(line);
            for x in 0..6 {
                // SAFETY: the caller's promise.
                unsafe { line[x].store(to.add((6 * y + x) * self.target.step)) };
            }
        }
    }
}

/// `B^T d` for six values, `A y` for four.
#[inline(always)]
fn forward<S: Simd, const N: usize>(d: [S; N]) -> [S; 6] {
    let [two, four, five, eight] = [2.0, 4.0, 5.0, 8.0].map(S::splat);
    if N == 6 {
        let even = d[2].neg_mul_add(four, d[4]);
        let odd = d[1].neg_mul_add(four, d[3]);
        let even_small = d[4].sub(d[2]);
        let odd_small = d[3].sub(d[1]);
        [
            d[0].mul_add(four, d[2].neg_mul_add(five, d[4])),
            even.add(odd),
            even.sub(odd),
            odd_small.mul_add(two, even_small),
            odd_small.neg_mul_add(two, even_small),
            d[1].mul_add(four, d[3].neg_mul_add(five, d[5])),
        ]
    } else {
        let (even, odd) = (d[0].add(d[2]), d[1].add(d[3]));
        let even_large = d[2].mul_add(four, d[0]);
        let odd_large = d[3].mul_add(eight, d[1].add(d[1]));
        [
            d[0],
            even.add(odd),
            even.sub(odd),
            even_large.add(odd_large),
            even_large.sub(odd_large),
            d[3],
        ]
    }
}

/// `A^T m`
#[inline(always)]
fn backward<S: Simd>(m: [S; 6]) -> [S; 4] {
    let [two, four, eight] = [2.0, 4.0, 8.0].map(S::splat);
    let (even, odd) = (m[1].add(m[2]), m[1].sub(m[2]));
    let (even_large, odd_large) = (m[3].add(m[4]), m[3].sub(m[4]));
    [
        m[0].add(even).add(even_large),
        odd_large.mul_add(two, odd),
        even_large.mul_add(four, even),
        odd_large.mul_add(eight, odd).add(m[5]),
    ]
}

/// Transforms the planes back into pixels.
struct Gather<'a> {
    tiles: Tiles,
    image: *mut f32,
    planes: &'a [f32],
    source: Planes,
}

impl Kernel for Gather<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { tiles, image, planes, source } = self;
        let extent = tiles.extent;
        let (step, row) = (extent.lanes(), extent.row(0));
        let mut tile = source.first;
        for y in (tiles.first_row..tiles.first_row + tiles.rows).map(|y| y * TILE) {
            for x in (0..extent.width).step_by(TILE) {
                let limits = [(extent.height - y).min(TILE), (extent.width - x).min(TILE)];
                for lane in (0..step).step_by(S::LANES) {
                    // SAFETY: `check` has made sure that the planes hold the tile; pixels beyond
                    // the image are not written.
                    unsafe {
                        let from = planes.as_ptr().add(tile * step + lane);
                        let to = image.add(extent.pixel(0, [y, x]) + lane);
                        let mut half = [[S::splat(0.0); 4]; 6];
                        for column in 0..6 {
                            let mut line = [S::splat(0.0); 6];
                            for y in 0..6 {
                                line[y] = S::load(from.add((6 * y + column) * source.step));
                            }
                            half[column] = backward(line);
                        }
                        for y in 0..TILE {
                            let mut line = [S::splat(0.0); 6];
                            for column in 0..6 {
                                line[column] = half[column][y];
                            }
                            let line = backward(line);
                            for x in 0..TILE {
                                if y < limits[0] && x < limits[1] {
                                    line[x].store(to.add(y * row + x * step));
                                }
                            }
                        }
                    }
                }
                tile += 1;
            }
        }
    }
}
