//! [`Features`], the activation of a layer that needs another shape than a feature map's: pooled
//! channels, tokens, heads of attention.

use crate::graph::{Op, Recorded, Tape, positions};
use crate::paths::dropped;
use burn::module::Param;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::activation::{gelu, relu, sigmoid, softmax};
use burn::tensor::{Tensor, TensorData};
use std::ops::{Add, Div, Mul};

/// An activation of any shape whose first axis is the batch: a plain tensor whose operations can be
/// recorded as a [`Graph`](crate::graph::Graph).
///
/// Axes count from 0, the batch. A method computes what Burn's operation of the same name does.
#[derive(Clone, Debug)]
pub struct Features<const D: usize>(Kind<D>);

/// What an activation holds.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a box would be an allocation for each layer")]
pub(crate) enum Kind<const D: usize> {
    Plain(Tensor<D>),
    Recorded(Recorded),
}

impl<const D: usize> From<Tensor<D>> for Features<D> {
    fn from(tensor: Tensor<D>) -> Self {
        Self(Kind::Plain(tensor))
    }
}

impl<const D: usize> Features<D> {
    /// The plain tensor, for what there is no operation for here. What is computed with it cannot
    /// be recorded. Differentiable.
    pub fn into_tensor(self) -> Tensor<D> {
        match self.0 {
            Kind::Plain(tensor) => tensor,
            Kind::Recorded(value) => value.leave(),
        }
    }

    /// The size of each axis.
    pub fn dims(&self) -> [usize; D] {
        match &self.0 {
            Kind::Plain(tensor) => tensor.dims(),
            Kind::Recorded(value) => value.dims(),
        }
    }

    /// Through a linear layer, on the last axis.
    pub fn linear(self, linear: &Linear) -> Self {
        match self.0 {
            Kind::Plain(tensor) => linear.forward(tensor).into(),
            Kind::Recorded(value) => Self::recorded(value.linear(linear)),
        }
    }

    /// Through a layer norm, over the last axis.
    pub fn layer_norm(self, norm: &LayerNorm) -> Self {
        match self.0 {
            Kind::Plain(tensor) => norm.forward(tensor).into(),
            Kind::Recorded(value) => Self::recorded(value.layer_norm::<D>(norm)),
        }
    }

    /// A learnt tensor in a shape that goes with this activation, the same for every image: the
    /// first size is 1.
    pub fn parameter<const P: usize, const D2: usize>(
        &self,
        parameter: &Param<Tensor<P>>,
        shape: [usize; D2],
    ) -> Features<D2> {
        match &self.0 {
            Kind::Plain(_) => parameter.val().reshape(shape).into(),
            Kind::Recorded(value) => {
                Features::recorded(value.parameter(parameter.id, &parameter.dims(), &shape))
            }
        }
    }

    /// `max(x, 0)`.
    pub fn relu(self) -> Self {
        self.apply(relu, Op::Relu)
    }

    /// `min(max(x, 0), 6)`.
    pub fn relu6(self) -> Self {
        self.apply(|tensor| tensor.clamp(0.0, 6.0), Op::Relu6)
    }

    /// Gaussian error linear unit, exact.
    pub fn gelu(self) -> Self {
        self.apply(gelu, Op::Gelu)
    }

    /// `1 / (1 + exp(-x))`.
    pub fn sigmoid(self) -> Self {
        self.apply(sigmoid, Op::Sigmoid)
    }

    /// Softmax over the last axis.
    pub fn softmax(self) -> Self {
        self.apply(|tensor| softmax(tensor, D - 1), Op::Softmax)
    }

    /// Matrix product over the last two axes; other axes of size 1 are stretched.
    pub fn matmul(self, other: Self) -> Self {
        self.join(other, Tensor::matmul, Op::MatMul)
    }

    /// The same numbers in another shape, image by image: the first size stays.
    pub fn reshape<const D2: usize>(self, shape: [usize; D2]) -> Features<D2> {
        match self.0 {
            Kind::Plain(tensor) => tensor.reshape(shape).into(),
            Kind::Recorded(value) if shape[0] != value.dims::<D>()[0] => {
                Features::recorded(value.unknown(&shape, MIXED))
            }
            Kind::Recorded(value) => {
                Features::recorded(value.then(Op::Reshape(shape[1..].to_vec())))
            }
        }
    }

    /// Axes in another order; the batch stays the first.
    pub fn permute(self, order: [usize; D]) -> Self {
        match self.0 {
            Kind::Plain(tensor) => tensor.permute(order).into(),
            Kind::Recorded(value) if order[0] != 0 => {
                let dims = value.dims::<D>();
                Self::recorded(value.unknown(&order.map(|axis| dims[axis]), MIXED))
            }
            Kind::Recorded(value) => {
                let order = order[1..].iter().map(|axis| axis - 1).collect();
                Self::recorded(value.then(Op::Transpose(order)))
            }
        }
    }

    /// `length` entries of an axis that is not the batch, from `start` on.
    pub fn narrow(self, axis: usize, start: usize, length: usize) -> Self {
        let compute = |tensor: Tensor<D>| tensor.narrow(axis, start, length);
        self.apply(compute, Op::Slice { axis: behind_batch(axis), start, length })
    }

    /// One behind the other along an axis that is not the batch. There is at least one part.
    pub fn concat(parts: Vec<Self>, axis: usize) -> Self {
        let Some(tape) = parts.iter().find_map(Self::tape) else {
            return Tensor::cat(parts.into_iter().map(Self::into_tensor).collect(), axis).into();
        };
        let parts: Vec<_> = parts.iter().map(|part| part.record(tape)).collect();
        let inputs: Vec<_> = parts.iter().collect();
        Self::recorded(parts[0].join(Op::Concat { axis: behind_batch(axis) }, &inputs))
    }

    /// What is about to be added to a shortcut, left out of some images while training: see
    /// [`with_paths_dropped`](crate::with_paths_dropped). Elsewhere as it is.
    pub fn drop_path(self) -> Self {
        match self.0 {
            Kind::Plain(tensor) => dropped(tensor).into(),
            Kind::Recorded(value) => Self::recorded(value),
        }
    }

    fn apply(self, compute: impl FnOnce(Tensor<D>) -> Tensor<D>, op: Op) -> Self {
        match self.0 {
            Kind::Plain(tensor) => compute(tensor).into(),
            Kind::Recorded(value) => Self::recorded(value.then(op)),
        }
    }

    fn join(
        self,
        other: Self,
        compute: impl FnOnce(Tensor<D>, Tensor<D>) -> Tensor<D>,
        op: Op,
    ) -> Self {
        match (self.0, other.0) {
            (Kind::Plain(a), Kind::Plain(b)) => compute(a, b).into(),
            (Kind::Recorded(a), b) => {
                let b = Self(b).record(a.tape());
                Self::recorded(a.join(op, &[&a, &b]))
            }
            (a, Kind::Recorded(b)) => {
                let a = Self(a).record(b.tape());
                Self::recorded(b.join(op, &[&a, &b]))
            }
        }
    }

    pub(crate) fn recorded(value: Recorded) -> Self {
        Self(Kind::Recorded(value))
    }

    pub(crate) fn into_kind(self) -> Kind<D> {
        self.0
    }

    /// The recorded value that this is, or that stands for a plain tensor in a graph.
    pub(crate) fn record(&self, tape: &Tape) -> Recorded {
        match &self.0 {
            Kind::Plain(tensor) => tape.plain(&tensor.dims()),
            Kind::Recorded(value) => value.clone(),
        }
    }

    /// Where it is recorded.
    pub(crate) fn tape(&self) -> Option<&Tape> {
        match &self.0 {
            Kind::Plain(_) => None,
            Kind::Recorded(value) => Some(value.tape()),
        }
    }
}

impl Features<3> {
    /// Tokens `[batch, height x width, channels]`, the pixels of a map of this height and width,
    /// plus where they are: see [`positions`].
    pub fn add_positions(self, [height, width]: [usize; 2]) -> Self {
        let add = |tokens: Tensor<3>| {
            let channels = tokens.dims()[2];
            let values = positions([height, width], channels);
            let data = TensorData::new(values, [1, height * width, channels]);
            let places = Tensor::from_data(data, &tokens.device());
            tokens + places
        };
        self.apply(add, Op::AddPositions([height, width]))
    }
}

/// Axes of size 1 are stretched.
impl<const D: usize> Add for Features<D> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.join(other, |a, b| a + b, Op::Add)
    }
}

/// Number by number; axes of size 1 are stretched.
impl<const D: usize> Mul for Features<D> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        self.join(other, |a, b| a * b, Op::Mul)
    }
}

/// By a constant.
impl<const D: usize> Div<f32> for Features<D> {
    type Output = Self;
    fn div(self, divisor: f32) -> Self {
        self.apply(|tensor| tensor / divisor, Op::Scale(1.0 / f64::from(divisor)))
    }
}

/// Graphs have no operation that brings several images together.
const MIXED: &str = "images that are not kept apart";

/// An axis as graphs count it; none of theirs for the batch.
fn behind_batch(axis: usize) -> usize {
    axis.wrapping_sub(1)
}
