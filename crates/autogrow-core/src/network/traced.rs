//! [`Traced`]: a value whose making is written down. A sub-module describes its forward pass by
//! calling on it what the forward pass calls on a feature map.

use super::graph::{Block, Graph, Node, Op, Value, Window};
use super::names::pytorch_name;
use super::{Stem, shapes};
use burn::module::Param;
use burn::nn::{BatchNorm, LayerNorm, Linear, PaddingConfig2d, conv::Conv2d};
use burn::tensor::Tensor;
use std::cell::RefCell;
use std::rc::Rc;

/// A value of a [`Graph`] that is being written. Cheap to clone.
///
/// A layer is named by the path of fields that leads to it from the sub-module: `"conv1"`,
/// `"shortcut.0"`. Operations on shapes that do not fit are told when the graph is finished.
#[derive(Clone, Debug)]
pub struct Traced {
    tape: Rc<RefCell<Tape>>,
    value: Value,
}

/// The graph as far as it is written.
#[derive(Debug)]
struct Tape {
    nodes: Vec<Node>,
    blocks: Vec<Block>,
    stem: Stem,
    /// Fields on the way from the network to the sub-module at hand.
    scope: Vec<String>,
    problem: Option<String>,
}

impl Traced {
    /// The images, `[channels, height, width]`, of a network with this stem.
    pub(super) fn images(image: [usize; 3], stem: Stem) -> Self {
        let input =
            Node { op: Op::Input, inputs: vec![], name: String::new(), shape: image.to_vec() };
        let (nodes, blocks, scope) = (vec![input], vec![], vec![]);
        let tape = Tape { nodes, blocks, stem, scope, problem: None };
        Self { tape: Rc::new(RefCell::new(tape)), value: 0 }
    }

    /// What `describe` makes of this value, as a block; layers are named from `scope` on. None
    /// where it does not describe itself.
    pub(super) fn block(
        &self,
        scope: &[&str],
        kind: &str,
        describe: impl FnOnce(Self) -> Option<Self>,
    ) -> Option<Self> {
        let (start, name) = {
            let mut tape = self.tape.borrow_mut();
            tape.scope = scope.iter().map(ToString::to_string).collect();
            (tape.nodes.len(), tape.name(""))
        };
        let output = describe(self.clone())?;
        let mut tape = self.tape.borrow_mut();
        tape.scope.clear();
        let nodes = start..tape.nodes.len();
        let (kind, input) = (kind.to_string(), self.value);
        tape.blocks.push(Block { name, kind, input, output: output.value, nodes });
        drop(tape);
        Some(output)
    }

    /// The graph whose output this value is.
    ///
    /// # Errors
    /// What did not fit together.
    pub(super) fn finish(self) -> Result<Graph, String> {
        let tape = self.tape.borrow();
        match &tape.problem {
            Some(problem) => Err(problem.clone()),
            None => Ok(Graph {
                nodes: tape.nodes.clone(),
                blocks: tape.blocks.clone(),
                output: self.value,
            }),
        }
    }

    /// Its shape, without the batch.
    pub fn shape(&self) -> Vec<usize> {
        self.tape.borrow().nodes[self.value].shape.clone()
    }

    fn add_node(&self, field: &str, op: Op, inputs: Vec<Value>) -> Self {
        let mut tape = self.tape.borrow_mut();
        let shapes: Vec<_> = inputs.iter().map(|&input| &*tape.nodes[input].shape).collect();
        let shape = shapes::shape(&op, &shapes);
        let name = if field.is_empty() { String::new() } else { tape.name(field) };
        let shape = shape.unwrap_or_else(|problem| {
            let place = tape.scope.join(".");
            tape.problem.get_or_insert(format!("{place}: {problem}"));
            tape.nodes[self.value].shape.clone()
        });
        tape.nodes.push(Node { op, inputs, name, shape });
        let value = tape.nodes.len() - 1;
        drop(tape);
        Self { tape: self.tape.clone(), value }
    }

    fn then(&self, op: Op) -> Self {
        self.add_node("", op, vec![self.value])
    }

    /// Through a convolution.
    pub fn conv(&self, field: &str, conv: &Conv2d) -> Self {
        let [out, in_group, ..] = conv.weight.dims();
        let padding = match conv.padding {
            PaddingConfig2d::Explicit(top, left, ..) => [top, left],
            PaddingConfig2d::Same => conv.kernel_size.map(|size| size / 2),
            PaddingConfig2d::Valid => [0, 0],
        };
        let op = Op::Conv {
            channels: [in_group * conv.groups, out],
            kernel: conv.kernel_size,
            stride: conv.stride,
            padding,
            groups: conv.groups,
            bias: conv.bias.is_some(),
        };
        self.add_node(field, op, vec![self.value])
    }

    /// Through a batch norm.
    pub fn batch_norm(&self, field: &str, norm: &BatchNorm) -> Self {
        let [channels] = norm.gamma.dims();
        let op = Op::BatchNorm { channels, epsilon: norm.epsilon };
        self.add_node(field, op, vec![self.value])
    }

    /// Through a layer norm over the channels: the first axis of a feature map, the last of a
    /// sequence.
    pub fn layer_norm(&self, field: &str, norm: &LayerNorm, epsilon: f64) -> Self {
        let [channels] = norm.gamma.dims();
        let op = Op::LayerNorm { channels, epsilon, bias: norm.beta.is_some() };
        self.add_node(field, op, vec![self.value])
    }

    /// Through a linear layer, on the last axis.
    pub fn linear(&self, field: &str, linear: &Linear) -> Self {
        let op = Op::Linear { features: linear.weight.dims(), bias: linear.bias.is_some() };
        self.add_node(field, op, vec![self.value])
    }

    /// A learnt tensor of the sub-module, used in `shape`, the same for every image.
    pub fn parameter<const D: usize>(
        &self,
        field: &str,
        tensor: &Param<Tensor<D>>,
        shape: &[usize],
    ) -> Self {
        let op = Op::Parameter { stored: tensor.dims().to_vec(), shape: shape.to_vec() };
        self.add_node(field, op, vec![])
    }

    /// `max(x, 0)`.
    pub fn relu(&self) -> Self {
        self.then(Op::Relu)
    }

    /// `min(max(x, 0), 6)`.
    pub fn relu6(&self) -> Self {
        self.then(Op::Relu6)
    }

    /// Gaussian error linear unit, exact.
    pub fn gelu(&self) -> Self {
        self.then(Op::Gelu)
    }

    /// `1 / (1 + exp(-x))`.
    pub fn sigmoid(&self) -> Self {
        self.then(Op::Sigmoid)
    }

    /// Softmax over the last axis.
    pub fn softmax(&self) -> Self {
        self.then(Op::Softmax)
    }

    /// Sum; axes of size 1 are stretched.
    pub fn add(&self, other: &Self) -> Self {
        self.add_node("", Op::Add, vec![self.value, other.value])
    }

    /// Product, number by number; axes of size 1 are stretched.
    pub fn mul(&self, other: &Self) -> Self {
        self.add_node("", Op::Mul, vec![self.value, other.value])
    }

    /// Times a constant.
    pub fn scale(&self, factor: f64) -> Self {
        self.then(Op::Scale(factor))
    }

    /// Matrix product over the last two axes.
    pub fn matmul(&self, other: &Self) -> Self {
        self.add_node("", Op::MatMul, vec![self.value, other.value])
    }

    /// This and others, one behind the other along `axis`.
    pub fn concat(&self, others: &[&Self], axis: usize) -> Self {
        let inputs = std::iter::once(self).chain(others.iter().copied());
        self.add_node("", Op::Concat { axis }, inputs.map(|input| input.value).collect())
    }

    /// The largest number of each window.
    pub fn max_pool(&self, kernel: usize, stride: usize, padding: usize) -> Self {
        self.then(Op::MaxPool(Window { kernel, stride, padding }))
    }

    /// The mean of each square of `size` x `size` pixels; at the far borders, of those pixels of
    /// it that there are.
    pub fn average_pool(&self, size: usize) -> Self {
        self.then(Op::AveragePool(size))
    }

    /// The mean of each channel: from a feature map to features.
    pub fn global_average(&self) -> Self {
        self.then(Op::GlobalAverage)
    }

    /// As [`FeatureMap::subsample_and_pad`](autogrow_kernels::FeatureMap::subsample_and_pad).
    pub fn subsample_and_pad(&self, stride: usize, channels: usize) -> Self {
        let sampled = if stride == 1 { self.clone() } else { self.then(Op::Subsample(stride)) };
        match channels.saturating_sub(self.shape()[0]) {
            0 => sampled,
            missing => sampled.then(Op::PadChannels([missing / 2, missing - missing / 2])),
        }
    }

    /// The same numbers in another shape.
    pub fn reshape(&self, shape: &[usize]) -> Self {
        self.then(Op::Reshape(shape.to_vec()))
    }

    /// Axes in another order.
    pub fn transpose(&self, order: &[usize]) -> Self {
        self.then(Op::Transpose(order.to_vec()))
    }

    /// Tokens, the pixels of a map of this height and width, plus where they are: see
    /// [`positions`](super::positions).
    pub fn add_positions(&self, size: [usize; 2]) -> Self {
        self.then(Op::AddPositions(size))
    }

    /// `length` entries of an axis, from `start` on.
    pub fn slice(&self, axis: usize, start: usize, length: usize) -> Self {
        self.then(Op::Slice { axis, start, length })
    }
}

impl Tape {
    /// PyTorch's name of the layer at `field`, seen from the sub-module at hand.
    fn name(&self, field: &str) -> String {
        let fields = field.split('.').filter(|part| !part.is_empty()).map(String::from);
        let path: Vec<_> = self.scope.iter().cloned().chain(fields).collect();
        pytorch_name(&path, "", self.stem)
    }
}
