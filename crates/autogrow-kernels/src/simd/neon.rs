//! NEON with fused multiply-adds, which every 64-bit Arm has: two registers of four lanes as one of
//! eight.

use std::arch::aarch64::*;

use super::Simd;

#[derive(Clone, Copy)]
pub(super) struct Neon([float32x4_t; 2]);

impl Neon {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(float32x4_t, float32x4_t) -> float32x4_t) -> Self {
        Self([f(self.0[0], other.0[0]), f(self.0[1], other.0[1])])
    }
}

// SAFETY, for every block of arithmetic below: this module is compiled only where the target has
// NEON. Loads and stores need no more than a float's alignment, and their callers vouch for the
// memory.
impl Simd for Neon {
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: see above.
        Self(unsafe { [vld1q_f32(from), vld1q_f32(from.add(4))] })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: see above.
        unsafe {
            vst1q_f32(to, self.0[0]);
            vst1q_f32(to.add(4), self.0[1]);
        }
    }

    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: see above.
        Self([unsafe { vdupq_n_f32(value) }; 2])
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see above.
        self.zip(other, |a, b| unsafe { vaddq_f32(a, b) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: see above.
        self.zip(other, |a, b| unsafe { vsubq_f32(a, b) })
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        let [low, high] = [0, 1].map(|half| {
            // SAFETY: see above.
            unsafe { vfmaq_f32(term.0[half], self.0[half], factor.0[half]) }
        });
        Self([low, high])
    }

    #[inline(always)]
    fn neg_mul_add(self, factor: Self, term: Self) -> Self {
        let [low, high] = [0, 1].map(|half| {
            // SAFETY: see above.
            unsafe { vfmsq_f32(term.0[half], self.0[half], factor.0[half]) }
        });
        Self([low, high])
    }

    #[inline(always)]
    fn relu(self) -> Self {
        // The largest of a NaN and another value is NaN.
        // SAFETY: see above.
        self.zip(Self::splat(0.0), |value, zero| unsafe { vmaxq_f32(value, zero) })
    }

    #[inline(always)]
    fn where_positive(self, gate: Self) -> Self {
        // SAFETY: see above.
        self.zip(gate, |value, gate| unsafe {
            let positive = vcgtzq_f32(gate);
            vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(value), positive))
        })
    }
}
