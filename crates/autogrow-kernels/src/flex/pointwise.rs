//! The passes over single images on the way forward: norm, skip and activation, and the sums that
//! batch norm takes over the batch.
//!
//! Each reads what a convolution has just written, or writes what it is about to read, so that the
//! image is still in the cache.

use super::extent::{Extent, HALO};
use crate::simd::{Kernel, Simd, dispatch, lanes};

/// `scale * x + shift` per channel (padded with zeros): a batch norm with everything known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Affine {
    pub(crate) scale: Vec<f32>,
    pub(crate) shift: Vec<f32>,
}

/// What is added to a normalised image before its activation.
#[derive(Clone, Copy)]
pub(crate) enum Addend<'a> {
    None,
    /// A finished image, with its halo.
    Image(&'a [f32]),
    /// A convolution's output, without halo, its norm, and whether a ReLU follows.
    Normed(&'a [f32], &'a Affine, bool),
}

/// Writes `activation(affine(raw) + addend)` of one image into `out`, which has `halo` pixels of
/// border: zeros.
pub(crate) fn finish(
    extent: Extent,
    raw: &[f32],
    affine: &Affine,
    addend: Addend<'_>,
    relu: bool,
    (out, halo): (&mut [f32], usize),
) {
    assert_eq!(raw.len(), extent.image(0));
    assert_eq!(out.len(), extent.image(halo));
    assert_eq!(affine.scale.len(), extent.lanes());
    match addend {
        Addend::None => {}
        Addend::Image(image) => assert_eq!(image.len(), extent.image(HALO)),
        Addend::Normed(image, affine, _) => {
            assert_eq!(image.len(), extent.image(0));
            assert_eq!(affine.scale.len(), extent.lanes());
        }
    }
    extent.zero_halo(halo, out);
    let out = out.as_mut_ptr();
    dispatch(lanes(extent.lanes()), Finish { extent, raw, affine, addend, relu, out, halo });
}

struct Finish<'a> {
    extent: Extent,
    raw: &'a [f32],
    affine: &'a Affine,
    addend: Addend<'a>,
    relu: bool,
    out: *mut f32,
    halo: usize,
}

impl Kernel for Finish<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { extent, raw, affine, addend, relu, out, halo } = self;
        let step = extent.lanes();
        for y in 0..extent.height {
            for lane in (0..step).step_by(S::LANES) {
                // SAFETY: `finish` has checked that all three images have this extent, so that
                // every pixel's lanes lie in them; the affines have one entry per lane.
                unsafe {
                    let scale = S::load(affine.scale.as_ptr().add(lane));
                    let shift = S::load(affine.shift.as_ptr().add(lane));
                    let raw = raw.as_ptr().add(extent.pixel(0, [y, 0]) + lane);
                    let out = out.add(extent.pixel(halo, [y, 0]) + lane);
                    match addend {
                        Addend::None => {
                            for at in (0..extent.row(0)).step_by(step) {
                                let value = S::load(raw.add(at)).mul_add(scale, shift);
                                activate(value, relu).store(out.add(at));
                            }
                        }
                        Addend::Image(image) => {
                            let image = image.as_ptr().add(extent.pixel(HALO, [y, 0]) + lane);
                            for at in (0..extent.row(0)).step_by(step) {
                                let value = S::load(raw.add(at)).mul_add(scale, shift);
                                let value = value.add(S::load(image.add(at)));
                                activate(value, relu).store(out.add(at));
                            }
                        }
                        Addend::Normed(image, other, other_relu) => {
                            let image = image.as_ptr().add(extent.pixel(0, [y, 0]) + lane);
                            let other_scale = S::load(other.scale.as_ptr().add(lane));
                            let other_shift = S::load(other.shift.as_ptr().add(lane));
                            for at in (0..extent.row(0)).step_by(step) {
                                let value = S::load(raw.add(at)).mul_add(scale, shift);
                                let other = S::load(image.add(at));
                                let other = other.mul_add(other_scale, other_shift);
                                let value = value.add(activate(other, other_relu));
                                activate(value, relu).store(out.add(at));
                            }
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn activate<S: Simd>(value: S, relu: bool) -> S {
    if relu { value.relu() } else { value }
}

/// How many pixels are summed in `f32` before the sum is added to the `f64` one.
pub(crate) const RUN: usize = 256;

/// Per channel the sums of `x - centre` and `(x - centre)^2` over one image, added to `sums`.
///
/// The centre only keeps the numbers small: a value near the mean will do.
pub(crate) fn moments(extent: Extent, image: &[f32], centre: &[f32], sums: &mut [Vec<f64>; 2]) {
    assert_eq!(image.len(), extent.image(0));
    assert_eq!(centre.len(), extent.lanes());
    for run in image.chunks(RUN * extent.lanes()) {
        dispatch(lanes(extent.lanes()), Moments { run, centre, sums });
    }
}

struct Moments<'a> {
    run: &'a [f32],
    centre: &'a [f32],
    sums: &'a mut [Vec<f64>; 2],
}

impl Kernel for Moments<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let step = self.centre.len();
        for lane in (0..step).step_by(S::LANES) {
            let (mut first, mut second) = (S::splat(0.0), S::splat(0.0));
            // SAFETY: the run is a whole number of pixels of `step` lanes each.
            unsafe {
                let centre = S::load(self.centre.as_ptr().add(lane));
                for at in (lane..self.run.len()).step_by(step) {
                    let value = S::load(self.run.as_ptr().add(at)).sub(centre);
                    first = first.add(value);
                    second = value.mul_add(value, second);
                }
            }
            add_lanes(first, &mut self.sums[0][lane..]);
            add_lanes(second, &mut self.sums[1][lane..]);
        }
    }
}

/// Adds a register's lanes to the first of some sums.
#[inline(always)]
pub(crate) fn add_lanes<S: Simd>(value: S, sums: &mut [f64]) {
    let mut lanes = [0.0_f32; 16];
    assert!(S::LANES <= lanes.len());
    // SAFETY: there is room for the register.
    unsafe { value.store(lanes.as_mut_ptr()) };
    for (sum, value) in sums[..S::LANES].iter_mut().zip(lanes) {
        *sum += f64::from(value);
    }
}
