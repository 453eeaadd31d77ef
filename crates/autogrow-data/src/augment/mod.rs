//! TrivialAugment (Müller and Hutter 2021, its wide space) and RandAugment (Cubuk et al. 2020): which
//! operations a picture goes through, and how strong they are, as in torchvision.

mod erasing;
mod operation;
mod warp;

use crate::random::Draws;
use autogrow_core::config::Augment;
pub(crate) use erasing::erase;
use operation::Operation;

/// Strengths that there are of each operation.
const STRENGTHS: usize = 31;
/// The strength of RandAugment, from 0, and how many operations it makes.
const RAND_STRENGTH: usize = 9;
const RAND_OPERATIONS: usize = 2;

/// Sends a picture, `[channels, height, width]` bytes, through the operations that `augment` makes
/// beyond what is usual for the set.
pub(crate) fn augment(augment: Augment, draws: &mut Draws, image: [usize; 3], pixels: &mut [u8]) {
    let count = match augment {
        Augment::None | Augment::Standard => 0,
        Augment::Trivial => 1,
        Augment::Rand => RAND_OPERATIONS,
    };
    let [_, height, width] = image;
    for _ in 0..count {
        let operation = Operation::ALL[draws.below(Operation::ALL.len())];
        let strengths = strengths(augment, operation, [height, width]);
        let magnitude = strengths.map_or(0.0, |strengths| {
            let at = match augment {
                Augment::Rand => RAND_STRENGTH,
                _ => draws.below(STRENGTHS),
            };
            let negative = operation.is_signed() && draws.coin();
            if negative { -strengths[at] } else { strengths[at] }
        });
        operation.apply(magnitude, image, pixels);
    }
}

/// The magnitudes of an operation on a picture of `[height, width]`, weakest first; none where it has
/// none. In single precision, as torchvision computes them.
fn strengths(
    augment: Augment,
    operation: Operation,
    [height, width]: [usize; 2],
) -> Option<[f64; STRENGTHS]> {
    use Operation as O;
    let is_wide = augment == Augment::Trivial;
    let by_length = |length: usize| if is_wide { 32.0 } else { 150.0 / 331.0 * length as f64 };
    let most = match operation {
        O::Identity | O::AutoContrast | O::Equalize => return None,
        O::ShearX | O::ShearY => {
            if is_wide {
                0.99
            } else {
                0.3
            }
        }
        O::TranslateX => by_length(width),
        O::TranslateY => by_length(height),
        O::Rotate => {
            if is_wide {
                135.0
            } else {
                30.0
            }
        }
        O::Brightness | O::Color | O::Contrast | O::Sharpness => {
            if is_wide {
                0.99
            } else {
                0.9
            }
        }
        O::Solarize => return Some(evenly(1.0, 0.0)),
        O::Posterize => {
            let lost = if is_wide { 6.0 } else { 4.0 };
            let bits = |at| (8.0 - at as f64 * lost / (STRENGTHS - 1) as f64).round();
            return Some(std::array::from_fn(bits));
        }
    };
    Some(evenly(0.0, most as f32))
}

/// Numbers at the same distance, from `first` to `last`, rounded once each as by `torch.linspace` where
/// the processor multiplies and adds at once.
fn evenly(first: f32, last: f32) -> [f64; STRENGTHS] {
    let step = (last - first) / (STRENGTHS - 1) as f32;
    let number = |at: usize| {
        if at < STRENGTHS / 2 {
            step.mul_add(at as f32, first)
        } else {
            step.mul_add(-((STRENGTHS - 1 - at) as f32), last)
        }
    };
    std::array::from_fn(|at| f64::from(number(at)))
}

#[cfg(test)]
mod tests;
