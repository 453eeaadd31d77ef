//! One convolution as three jobs on groups of images, each with its weights prepared: forward, the
//! gradient of the input, and the gradient of the weights. Here it is chosen how each is computed.

use super::bf16::{Bf16Direct, Matrix};
use super::bf16_weights::Bf16Sums;
use super::direct::{Direct, Packed};
use super::direct_weights::WeightSums as DirectSums;
use super::geometry::Shape;
use super::winograd::{self, Winograd};
use super::winograd_weights::WinogradSums;
use crate::choice::{Convolution, Precision, convolution, precision};
use crate::simd::bf16::engine;
use crate::simd::lanes;

/// An algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Direct,
    /// The direct sum of operands that are rounded to bf16.
    Bf16,
    Winograd,
}

/// How a layer's convolution is computed, forward and backward.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Methods {
    pub(crate) forward: Method,
    pub(crate) input: Method,
    pub(crate) weights: Method,
}

impl Methods {
    /// The thread's choice, or for each job what was measured to be faster.
    pub(crate) fn of(shape: &Shape) -> Self {
        let all = |method| Self { forward: method, input: method, weights: method };
        let direct = match precision() {
            Precision::F32 => Method::Direct,
            Precision::Bf16 => Method::Bf16,
        };
        if !winograd::applies(shape) {
            return all(direct);
        }
        match convolution() {
            Convolution::Direct => all(direct),
            Convolution::Winograd => all(Method::Winograd),
            Convolution::Auto => {
                let fewest = shape.input.channels.min(shape.output.channels);
                let smallest = shape.output.height.min(shape.output.width);
                let winograd = fewest >= 8
                    && smallest >= 4
                    && !(direct == Method::Bf16 && engine().is_tiled());
                all(if winograd { Method::Winograd } else { direct })
            }
        }
    }
}

/// Pixels that the weights of a direct convolution are read for.
const PIXELS: usize = 256;

/// How many images are best convolved at once.
pub(crate) fn group(shape: &Shape, method: Method) -> usize {
    match method {
        Method::Direct | Method::Bf16 => (PIXELS / shape.output.pixels().max(1)).clamp(1, 16),
        Method::Winograd => winograd::group(shape),
    }
}

/// The forward convolution with one set of weights, `[out, in, kernel, kernel]`.
pub(crate) enum Forward {
    Direct(Direct),
    Bf16(Bf16Direct),
    Winograd(Winograd, usize),
}

impl Forward {
    /// For inputs with `halo` pixels of border.
    pub(crate) fn new(shape: &Shape, method: Method, halo: usize, weights: &[f32]) -> Self {
        let (inputs, outputs) = (shape.input.channels, shape.output.channels);
        let taps = shape.kernel * shape.kernel;
        if method == Method::Winograd {
            let weight = |output: usize, input: usize| {
                let weights = &weights[(output * inputs + input) * taps..];
                std::array::from_fn(|tap| weights[tap])
            };
            let extents = [shape.input, shape.output];
            return Self::Winograd(Winograd::new(extents, winograd::band(shape), weight), halo);
        }
        if method == Method::Bf16 {
            let lanes = shape.input.lanes();
            let row =
                |row: usize| (row % lanes < inputs).then_some(row % lanes * taps + row / lanes);
            let rows = (0..taps * lanes).map(row).collect();
            let matrix = Matrix { floats: weights, rows, columns: outputs, step: inputs * taps };
            let (gather, columns) = (shape.padded().forward(halo), shape.output.lanes());
            let images = group(shape, method);
            return Self::Bf16(Bf16Direct::new(vec![gather], &matrix, columns, images));
        }
        let lanes = lanes(shape.output.lanes());
        let packed = Packed::new(shape.rows(), outputs, lanes, |row, output| {
            weights[(output * inputs + row % inputs) * taps + row / inputs]
        });
        Self::Direct(Direct::new(vec![shape.forward(halo)], packed, group(shape, method)))
    }

    /// Convolves whole images into outputs without halo, the work cut into `pieces`.
    pub(crate) fn run(&self, input: &[f32], output: &mut [f32], pieces: usize) {
        match self {
            Self::Direct(direct) => direct.run(input, output, pieces),
            Self::Bf16(direct) => direct.run(input, output, pieces),
            Self::Winograd(winograd, halo) => winograd.run((input, *halo), output, pieces),
        }
    }
}

/// The gradient of a convolution's input with one set of weights.
pub(crate) enum InputGradient {
    Direct(Direct),
    Bf16(Bf16Direct),
    Winograd(Winograd, usize),
}

impl InputGradient {
    /// For output gradients with `halo` pixels of border, at most `images` of them at a time.
    pub(crate) fn new(
        shape: &Shape,
        method: Method,
        (halo, images): (usize, usize),
        weights: &[f32],
    ) -> Self {
        let (inputs, outputs) = (shape.input.channels, shape.output.channels);
        let taps = shape.kernel * shape.kernel;
        if method == Method::Winograd {
            // The gradient is a convolution with the weights turned by half a circle.
            let weight = |input: usize, output: usize| {
                let weights = &weights[(output * inputs + input) * taps..];
                std::array::from_fn(|tap| weights[taps - 1 - tap])
            };
            let extents = [shape.output, shape.input];
            return Self::Winograd(Winograd::new(extents, winograd::band(shape), weight), halo);
        }
        if method == Method::Bf16 {
            let lanes = shape.output.lanes();
            let row = |row: usize| {
                let (output, tap) = (row % lanes, taps - 1 - row / lanes);
                (output < outputs).then_some(output * inputs * taps + tap)
            };
            let rows = (0..taps * lanes).map(row).collect();
            let matrix = Matrix { floats: weights, rows, columns: inputs, step: taps };
            let (gathers, columns) = (shape.padded().backward(halo), shape.input.lanes());
            return Self::Bf16(Bf16Direct::new(gathers, &matrix, columns, images));
        }
        let lanes = lanes(shape.input.lanes());
        let packed = Packed::new(taps * outputs, inputs, lanes, |row, input| {
            weights[(row % outputs * inputs + input) * taps + taps - 1 - row / outputs]
        });
        Self::Direct(Direct::new(shape.backward(halo), packed, images))
    }

    /// Computes whole images of input gradient, without halo, the work cut into `pieces`.
    pub(crate) fn run(&self, gradient: &[f32], input: &mut [f32], pieces: usize) {
        match self {
            Self::Direct(direct) => direct.run(gradient, input, pieces),
            Self::Bf16(direct) => direct.run(gradient, input, pieces),
            Self::Winograd(winograd, halo) => winograd.run((gradient, *halo), input, pieces),
        }
    }
}

/// The gradient of a convolution's weights, summed over a part of the batch.
pub(crate) enum WeightSums {
    Direct(DirectSums),
    Bf16(Bf16Sums),
    Winograd(WinogradSums),
}

impl WeightSums {
    /// How many floats the sums take.
    pub(crate) fn floats(shape: &Shape, method: Method) -> usize {
        match method {
            Method::Direct => DirectSums::floats(shape),
            Method::Bf16 => Bf16Sums::floats(shape),
            Method::Winograd => WinogradSums::floats(shape),
        }
    }

    /// For inputs and gradients with that many pixels of border, at most `images` of them at a time.
    pub(crate) fn new(shape: &Shape, method: Method, halos: [usize; 2], images: usize) -> Self {
        match method {
            Method::Direct => Self::Direct(DirectSums::new(shape, halos, images)),
            Method::Bf16 => Self::Bf16(Bf16Sums::new(shape, halos, images)),
            Method::Winograd => Self::Winograd(WinogradSums::new(shape, halos)),
        }
    }

    /// Adds some whole images, at least one, the work cut into `pieces`.
    pub(crate) fn add(&mut self, input: &[f32], gradient: &[f32], pieces: usize) {
        match self {
            Self::Direct(sums) => sums.add(input, gradient, pieces),
            Self::Bf16(sums) => sums.add(input, gradient, pieces),
            Self::Winograd(sums) => sums.add(input, gradient, pieces),
        }
    }

    /// The sum of all parts, of the same method, in their order, as `[out, in, kernel, kernel]`.
    pub(crate) fn total(shape: &Shape, parts: Vec<Self>) -> Vec<f32> {
        let (mut direct, mut bf16, mut winograd) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            match part {
                Self::Direct(sums) => direct.push(sums),
                Self::Bf16(sums) => bf16.push(sums),
                Self::Winograd(sums) => winograd.push(sums),
            }
        }
        if !winograd.is_empty() {
            WinogradSums::total(shape, &winograd)
        } else if !bf16.is_empty() {
            Bf16Sums::total(shape, &bf16)
        } else {
            DirectSums::total(shape, &direct)
        }
    }
}
