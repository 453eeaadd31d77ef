//! The passes over single images between two convolutions: norm, skip and activation on the way
//! forward, their gradients on the way back, and the sums that batch norm takes over the batch.
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
const RUN: usize = 256;

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

#[inline(always)]
fn add_lanes<S: Simd>(value: S, sums: &mut [f64]) {
    let mut lanes = [0.0_f32; 16];
    assert!(S::LANES <= lanes.len());
    // SAFETY: there is room for the register.
    unsafe { value.store(lanes.as_mut_ptr()) };
    for (sum, value) in sums[..S::LANES].iter_mut().zip(lanes) {
        *sum += f64::from(value);
    }
}

/// `dy = own * dz + raw * y + constant` per channel: the gradient through a batch norm, once its
/// sums over the batch are known.
#[derive(Clone, Debug)]
pub(crate) struct NormGradient {
    pub(crate) own: Vec<f32>,
    pub(crate) raw: Vec<f32>,
    pub(crate) constant: Vec<f32>,
}

impl NormGradient {
    /// Writes one image of `dy` into `out`, which has `halo` pixels of border: zeros.
    pub(crate) fn apply(
        &self,
        extent: Extent,
        gradient: &[f32],
        raw: &[f32],
        (out, halo): (&mut [f32], usize),
    ) {
        assert_eq!(gradient.len(), extent.image(0));
        assert_eq!(raw.len(), extent.image(0));
        assert_eq!(out.len(), extent.image(halo));
        assert_eq!(self.own.len(), extent.lanes());
        extent.zero_halo(halo, out);
        let out = out.as_mut_ptr();
        let kernel = ApplyNormGradient { norm: self, extent, gradient, raw, out, halo };
        dispatch(lanes(extent.lanes()), kernel);
    }
}

struct ApplyNormGradient<'a> {
    norm: &'a NormGradient,
    extent: Extent,
    gradient: &'a [f32],
    raw: &'a [f32],
    out: *mut f32,
    halo: usize,
}

impl Kernel for ApplyNormGradient<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { norm, extent, gradient, raw, out, halo } = self;
        let step = extent.lanes();
        for y in 0..extent.height {
            for lane in (0..step).step_by(S::LANES) {
                // SAFETY: `apply` has checked that all three images have this extent.
                unsafe {
                    let own_factor = S::load(norm.own.as_ptr().add(lane));
                    let raw_factor = S::load(norm.raw.as_ptr().add(lane));
                    let constant = S::load(norm.constant.as_ptr().add(lane));
                    let from = extent.pixel(0, [y, 0]) + lane;
                    let (gradient, raw) = (gradient.as_ptr().add(from), raw.as_ptr().add(from));
                    let out = out.add(extent.pixel(halo, [y, 0]) + lane);
                    for at in (0..extent.row(0)).step_by(step) {
                        let value = S::load(raw.add(at)).mul_add(raw_factor, constant);
                        let value = S::load(gradient.add(at)).mul_add(own_factor, value);
                        value.store(out.add(at));
                    }
                }
            }
        }
    }
}

/// What a gradient that arrives at an activation still goes through.
#[derive(Clone, Copy)]
pub(crate) struct Gate<'a> {
    /// The activation itself, with its halo, if it ended in a ReLU.
    pub(crate) relu: Option<(&'a [f32], usize)>,
    /// The outputs of the convolutions whose norms follow, and their batch means.
    pub(crate) raws: [Option<(&'a [f32], &'a [f32])>; 2],
}

/// The sums over pixels that the gradient of a batch norm needs, per channel: of the gradient, and
/// of its products with the two centred convolution outputs.
pub(crate) type GateSums = [Vec<f64>; 3];

impl Gate<'_> {
    /// One image: adds `more` to `gradient`, lets it through where the activation was positive,
    /// and adds its sums to `sums`.
    pub(crate) fn apply(
        &self,
        extent: Extent,
        gradient: &mut [f32],
        more: Option<&[f32]>,
        replace: bool,
        sums: &mut GateSums,
    ) {
        assert_eq!(gradient.len(), extent.image(0));
        assert!(more.is_none_or(|more| more.len() == extent.image(0)));
        assert!(self.relu.is_none_or(|(out, halo)| out.len() == extent.image(halo)));
        for (raw, mean) in self.raws.into_iter().flatten() {
            assert_eq!(raw.len(), extent.image(0));
            assert_eq!(mean.len(), extent.lanes());
        }
        assert!(sums.iter().all(|sum| sum.len() == extent.lanes()));
        let kernel =
            ApplyGate { gate: *self, extent, gradient: gradient.as_mut_ptr(), more, replace, sums };
        dispatch(lanes(extent.lanes()), kernel);
    }
}

struct ApplyGate<'a> {
    gate: Gate<'a>,
    extent: Extent,
    gradient: *mut f32,
    more: Option<&'a [f32]>,
    replace: bool,
    sums: &'a mut GateSums,
}

impl Kernel for ApplyGate<'_> {
    #[inline(always)]
    fn run<S: Simd>(self) {
        let rows = (RUN / self.extent.width).max(1);
        let Gate { relu, raws } = self.gate;
        for top in (0..self.extent.height).step_by(rows) {
            let rows = top..(top + rows).min(self.extent.height);
            for lane in (0..self.extent.lanes()).step_by(S::LANES) {
                let mut sums = [S::splat(0.0); 3];
                // Every combination that occurs gets a loop of its own, without tests inside.
                // SAFETY: `apply` has checked that all images have this extent.
                unsafe {
                    match (relu.is_some(), raws[0].is_some(), raws[1].is_some()) {
                        (true, true, false) => {
                            self.rows::<S, true, true, false>(rows.clone(), lane, &mut sums);
                        }
                        (true, true, true) => {
                            self.rows::<S, true, true, true>(rows.clone(), lane, &mut sums);
                        }
                        (true, false, _) => {
                            self.rows::<S, true, false, false>(rows.clone(), lane, &mut sums);
                        }
                        (false, true, false) => {
                            self.rows::<S, false, true, false>(rows.clone(), lane, &mut sums);
                        }
                        (false, true, true) => {
                            self.rows::<S, false, true, true>(rows.clone(), lane, &mut sums);
                        }
                        (false, false, _) => {
                            self.rows::<S, false, false, false>(rows.clone(), lane, &mut sums);
                        }
                    }
                }
                for (sum, total) in sums.into_iter().zip(self.sums.iter_mut()) {
                    add_lanes(sum, &mut total[lane..]);
                }
            }
        }
    }
}

impl ApplyGate<'_> {
    /// # Safety
    /// All images have the extent, and the optional ones are there if their constant is true.
    #[inline(always)]
    unsafe fn rows<S: Simd, const RELU: bool, const FIRST: bool, const SECOND: bool>(
        &self,
        rows: std::ops::Range<usize>,
        lane: usize,
        sums: &mut [S; 3],
    ) {
        let extent = self.extent;
        let step = extent.lanes();
        let (more, replace) = (self.more.map(<[f32]>::as_ptr), self.replace);
        let null = (std::ptr::null(), std::ptr::null());
        let [first, second] =
            self.gate.raws.map(|raw| raw.map_or(null, |(raw, mean)| (raw.as_ptr(), mean.as_ptr())));
        let (out, halo) = self.gate.relu.map_or((std::ptr::null(), 0), |(o, h)| (o.as_ptr(), h));
        let zero = S::splat(0.0);
        // SAFETY: see above; null pointers are never read.
        unsafe {
            let first_mean = if FIRST { S::load(first.1.add(lane)) } else { zero };
            let second_mean = if SECOND { S::load(second.1.add(lane)) } else { zero };
            for y in rows {
                let from = extent.pixel(0, [y, 0]) + lane;
                let out_from = extent.pixel(halo, [y, 0]) + lane;
                for x in 0..extent.width {
                    let at = from + x * step;
                    let mut value = match more {
                        Some(more) if replace => S::load(more.add(at)),
                        Some(more) => S::load(more.add(at)).add(S::load(self.gradient.add(at))),
                        None => S::load(self.gradient.add(at)),
                    };
                    if RELU {
                        value = value.where_positive(S::load(out.add(out_from + x * step)));
                    }
                    value.store(self.gradient.add(at));
                    if FIRST {
                        sums[0] = sums[0].add(value);
                        let raw = S::load(first.0.add(at)).sub(first_mean);
                        sums[1] = value.mul_add(raw, sums[1]);
                    }
                    if SECOND {
                        let raw = S::load(second.0.add(at)).sub(second_mean);
                        sums[2] = value.mul_add(raw, sums[2]);
                    }
                }
            }
        }
    }
}
