//! One convolution as three jobs on groups of images, each with its weights prepared: forward, the
//! gradient of the input, and the gradient of the weights. Here it is chosen how each is computed.

use super::direct::{Packed, convolve};
use super::direct_weights::WeightSums as DirectSums;
use super::geometry::{Gather, Shape};
use crate::simd::lanes;

/// The forward convolution with one set of weights, `[out, in, kernel, kernel]`.
pub(crate) enum Forward {
    Direct(Gather, Packed),
}

impl Forward {
    /// For inputs with `halo` pixels of border.
    pub(crate) fn new(shape: &Shape, halo: usize, weights: &[f32]) -> Self {
        let (inputs, outputs) = (shape.input.channels, shape.output.channels);
        let taps = shape.kernel * shape.kernel;
        let lanes = lanes(shape.output.lanes());
        let packed = Packed::new(shape.rows(), outputs, lanes, |row, output| {
            weights[(output * inputs + row % inputs) * taps + row / inputs]
        });
        Self::Direct(shape.forward(halo), packed)
    }

    /// How many images are best convolved at once.
    pub(crate) fn group(&self) -> usize {
        1
    }

    /// Convolves whole images into outputs without halo.
    pub(crate) fn run(&self, input: &[f32], output: &mut [f32]) {
        match self {
            Self::Direct(gather, packed) => {
                let images =
                    input.chunks_exact(gather.source).zip(output.chunks_exact_mut(gather.target));
                images.for_each(|(input, output)| convolve(gather, packed, input, output, false));
            }
        }
    }
}

/// The gradient of a convolution's input with one set of weights.
pub(crate) enum InputGradient {
    Direct(Vec<Gather>, Packed),
}

impl InputGradient {
    /// For output gradients with `halo` pixels of border.
    pub(crate) fn new(shape: &Shape, halo: usize, weights: &[f32]) -> Self {
        let (inputs, outputs) = (shape.input.channels, shape.output.channels);
        let taps = shape.kernel * shape.kernel;
        let lanes = lanes(shape.input.lanes());
        let packed = Packed::new(taps * outputs, inputs, lanes, |row, input| {
            weights[(row % outputs * inputs + input) * taps + taps - 1 - row / outputs]
        });
        Self::Direct(shape.backward(halo), packed)
    }

    /// Computes whole images of input gradient, without halo.
    pub(crate) fn run(&self, gradient: &[f32], input: &mut [f32]) {
        match self {
            Self::Direct(gathers, packed) => {
                let Some(Gather { source, target, .. }) = gathers.first() else { return };
                let images = gradient.chunks_exact(*source).zip(input.chunks_exact_mut(*target));
                for (gradient, input) in images {
                    for gather in gathers {
                        convolve(gather, packed, gradient, input, false);
                    }
                }
            }
        }
    }
}

/// The gradient of a convolution's weights, summed over a part of the batch.
pub(crate) enum WeightSums {
    Direct(DirectSums),
}

impl WeightSums {
    /// How many images are best added at once.
    pub(crate) fn group(shape: &Shape) -> usize {
        (64 / shape.output.pixels().max(1)).clamp(1, 8)
    }

    /// How many floats the sums take.
    pub(crate) fn floats(shape: &Shape) -> usize {
        shape.rows() * shape.output.lanes()
    }

    pub(crate) fn zeroed(shape: &Shape) -> Self {
        Self::Direct(DirectSums::zeroed(shape))
    }

    /// Adds some whole images; both come with the width of their halo.
    pub(crate) fn add(&mut self, shape: &Shape, input: (&[f32], usize), gradient: (&[f32], usize)) {
        match self {
            Self::Direct(sums) => sums.add(shape, input, gradient),
        }
    }

    /// The sum of all parts in their order, as `[out, in, kernel, kernel]`.
    pub(crate) fn total(shape: &Shape, parts: Vec<Self>) -> Vec<f32> {
        let direct = parts.into_iter().map(|Self::Direct(sums)| sums).collect::<Vec<_>>();
        DirectSums::total(shape, &direct)
    }
}
