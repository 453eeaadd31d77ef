//! How convolutions are computed on Flex, for all layers that a thread computes. Of a thread, not of
//! the process, so that two networks in one process do not disturb each other.

use std::cell::Cell;

/// The algorithm of 3x3 convolutions with stride 1 and padding 1 on Flex; all others are direct.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Convolution {
    /// Whichever was measured to be faster for the shape.
    #[default]
    Auto,
    /// The direct sum: slower, and as exact as `f32` allows.
    Direct,
    /// Winograd's F(4x4, 3x3): a quarter of the multiplications, a few bits less exact.
    Winograd,
}

/// What the products of convolutions on Flex are made of. All else is f32 either way: activations,
/// weights, gradients, sums, norms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// f32.
    #[default]
    F32,
    /// Operands rounded to bf16 (to nearest, ties to even), forward and backward, and sums in f32; in
    /// Winograd's algorithm f32, because its transforms would magnify the rounding. Numbers below
    /// the smallest normal one count as 0. See
    /// [`supports_bf16`](crate::supports_bf16).
    Bf16,
}

thread_local! {
    static CONVOLUTION: Cell<Convolution> = const { Cell::new(Convolution::Auto) };
    static PRECISION: Cell<Precision> = const { Cell::new(Precision::F32) };
}

/// Chooses the algorithm for all layers that this thread computes from now on. A backward pass uses
/// what its forward pass used.
pub fn set_convolution(convolution: Convolution) {
    CONVOLUTION.set(convolution);
}

/// The algorithm chosen.
pub(crate) fn convolution() -> Convolution {
    CONVOLUTION.get()
}

/// Chooses the precision for all layers that this thread computes from now on. A backward pass uses
/// what its forward pass used.
pub fn set_precision(precision: Precision) {
    PRECISION.set(precision);
}

/// The precision chosen.
pub(crate) fn precision() -> Precision {
    PRECISION.get()
}
