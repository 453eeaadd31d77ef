//! Which algorithm computes 3x3 convolutions on Flex, for all layers that a thread computes. Of a
//! thread, not of the process, so that two networks in one process do not disturb each other.

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

thread_local! {
    static CHOICE: Cell<Convolution> = const { Cell::new(Convolution::Auto) };
}

/// Chooses the algorithm for all layers that this thread computes from now on. A backward pass uses
/// what its forward pass used.
pub fn set_convolution(convolution: Convolution) {
    CHOICE.set(convolution);
}

/// The algorithm chosen.
pub(crate) fn convolution() -> Convolution {
    CHOICE.get()
}
