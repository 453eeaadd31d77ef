//! The passes over single images on the way back: the gradient through activation and batch norm,
//! and the sums over the batch that the latter needs.

use super::extent::Extent;
use super::pointwise::{RUN, add_lanes};
use crate::simd::{Kernel, Simd, dispatch, lanes};

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
