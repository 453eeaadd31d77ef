//! [`Taken`]: a step that was asked of the device. What it has seen is read in one go, at once or when
//! the next step is under way.

use super::pass::{Halt, Passes, Seen};
use super::tally::Tally;
use crate::Result;
use crate::transfer::Readback;
use burn::tensor::Tensor;

/// A step that was asked of the device.
pub(super) struct Taken {
    /// Number within the epoch, from 1.
    pub(super) number: usize,
    /// Steps of the epoch.
    pub(super) of: usize,
    pub(super) loss: Loss,
}

/// The mean loss of a batch before its step.
pub(super) enum Loss {
    /// Known, and finite.
    Read(f64),
    Unread(Unread),
}

/// What a step has seen: numbers of its passes, then the sum of each gradient, then, where those are
/// wanted, the square of each one's length.
pub(super) struct Unread {
    seen: Seen,
    sums: usize,
    squares: usize,
    readback: Readback,
}

impl Unread {
    pub(super) fn new(seen: Seen, sums: Vec<Tensor<1>>, squares: Vec<Tensor<1>>) -> Self {
        let (of_sums, of_squares) = (sums.len(), squares.len());
        let readback = Readback::of(seen.numbers().chain(sums).chain(squares).collect());
        Self { seen, sums: of_sums, squares: of_squares, readback }
    }

    /// Asks the device for the numbers, once the step itself is under way.
    pub(super) fn ask(&mut self) {
        self.readback.ask();
    }

    /// The mean loss over all ranks; `tally` is told what they have seen. Where that or a gradient is
    /// not finite, says so.
    pub(super) fn loss(
        &mut self,
        passes: &Passes<'_>,
        tally: &mut Tally,
    ) -> std::result::Result<f64, Halt> {
        let numbers = self.readback.numbers()?;
        let (loss, taken) = passes.tell(&self.seen, numbers, tally)?;
        let sums = &numbers[taken..][..self.sums];
        match sums.iter().all(|sum| sum.is_finite()) {
            true => Ok(loss),
            false => Err(Halt::NotFinite("a gradient is not finite".into())),
        }
    }

    /// The squares of the gradients' lengths.
    pub(super) fn squares(&mut self) -> Result<&[f32]> {
        let numbers = self.readback.numbers()?;
        Ok(&numbers[numbers.len() - self.squares..])
    }
}

#[cfg(test)]
mod tests;
