//! Which algorithm computes 3x3 convolutions on Flex, for the whole process.

use std::sync::atomic::{AtomicU8, Ordering};

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

static CHOICE: AtomicU8 = AtomicU8::new(Convolution::Auto as u8);

/// Chooses the algorithm for all layers computed from now on, in the whole process.
pub fn set_convolution(convolution: Convolution) {
    CHOICE.store(convolution as u8, Ordering::Relaxed);
}

/// The algorithm chosen.
pub(crate) fn convolution() -> Convolution {
    match CHOICE.load(Ordering::Relaxed) {
        choice if choice == Convolution::Direct as u8 => Convolution::Direct,
        choice if choice == Convolution::Winograd as u8 => Convolution::Winograd,
        _ => Convolution::Auto,
    }
}
