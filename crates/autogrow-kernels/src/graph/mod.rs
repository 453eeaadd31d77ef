//! [`Graph`]: what a network computes, as a list of standard operations that other programs know,
//! with parameters by PyTorch name. A [`Recorder`](crate::Recorder) makes it from the forward pass.
//! Exports are written from it; sizes and costs can be read off it.
//!
//! Shapes leave out the batch, which is the first axis of every value and of any size: a feature
//! map is `[channels, height, width]`, a sequence `[tokens, channels]`, features `[channels]`.

mod layers;
mod positions;
mod shapes;
mod tape;

use std::collections::HashSet;

pub(crate) use layers::PendingConv;
pub use positions::positions;
pub use tape::Unrecorded;
pub(crate) use tape::{Recorded, Tape};

/// The output of a node, as an index into [`Graph::nodes`].
pub type Value = usize;

/// An operation. Axes count from 0 behind the batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// The images.
    Input,
    /// A learnt tensor that is kept as `stored` and used as `shape`, the same for every image.
    Parameter {
        /// Shape in the state dict.
        stored: Vec<usize>,
        /// Shape in the computation, of as many numbers.
        shape: Vec<usize>,
    },
    /// 2-d convolution, padded with zeros alike on opposite sides.
    Conv {
        /// In and out.
        channels: [usize; 2],
        /// Height and width.
        kernel: [usize; 2],
        /// Down and right.
        stride: [usize; 2],
        /// Rows above and below, columns left and right.
        padding: [usize; 2],
        /// Groups of channels that do not mix.
        groups: usize,
        /// Whether a bias is added.
        bias: bool,
    },
    /// Batch norm of channels (axis 0) by running statistics.
    BatchNorm {
        /// Of the input.
        channels: usize,
        /// Added to variances.
        epsilon: f64,
    },
    /// Layer norm over the last axis.
    LayerNorm {
        /// Length of the last axis.
        channels: usize,
        /// Added to variances.
        epsilon: f64,
        /// Whether a shift is added.
        bias: bool,
    },
    /// Linear layer on the last axis.
    Linear {
        /// In and out.
        features: [usize; 2],
        /// Whether a bias is added.
        bias: bool,
    },
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x` times the normal distribution function of `x`.
    Gelu,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// Over the last axis.
    Softmax,
    /// Of two values; axes of size 1 are stretched.
    Add,
    /// Of two values, number by number; axes of size 1 are stretched.
    Mul,
    /// Times a constant.
    Scale(f64),
    /// Matrix product over the last two axes of two values; other axes of size 1 are stretched.
    MatMul,
    /// Any number of values, one behind the other.
    Concat {
        /// Along which they are joined.
        axis: usize,
    },
    /// The largest number of each window; padding never is.
    MaxPool(Window),
    /// The mean of each square of so many pixels down and right, side by side; at the far borders
    /// of those pixels of it that there are.
    AveragePool(usize),
    /// The mean of each channel of a feature map, as features.
    GlobalAverage,
    /// Every so many-th pixel down and right, from the first.
    Subsample(usize),
    /// Channels of zeros before and behind those of a feature map.
    PadChannels([usize; 2]),
    /// The same numbers in another shape.
    Reshape(Vec<usize>),
    /// Axes in another order: the `i`-th of the output is the `order[i]`-th of the input.
    Transpose(Vec<usize>),
    /// Adds to tokens, the pixels of a map of this height and width, where each of them is: see
    /// [`positions`].
    AddPositions([usize; 2]),
    /// A part of one axis.
    Slice {
        /// That is cut.
        axis: usize,
        /// First index.
        start: usize,
        /// How many.
        length: usize,
    },
}

/// A pooling window, square.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Height and width.
    pub kernel: usize,
    /// Down and right.
    pub stride: usize,
    /// On all four sides.
    pub padding: usize,
}

/// An operation at its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// From which values.
    pub inputs: Vec<Value>,
    /// PyTorch's name of the module that holds the parameters, or of the parameter itself; empty
    /// where there is none.
    pub name: String,
    /// Shape of the output.
    pub shape: Vec<usize>,
}

/// A sub-module's part of the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Such as `layer1.0`.
    pub name: String,
    /// Registered name of the sub-module.
    pub kind: String,
    /// What goes in.
    pub input: Value,
    /// What comes out.
    pub output: Value,
    /// Its nodes.
    pub nodes: std::ops::Range<usize>,
}

/// A network's computation, in order: every node comes after those it needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// The first one is the input.
    pub nodes: Vec<Node>,
    /// The sub-modules, in order.
    pub blocks: Vec<Block>,
    /// What the network gives, such as class scores.
    pub output: Value,
}

/// A tensor that a node keeps in the state dict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// PyTorch name.
    pub name: String,
    /// Shape there.
    pub shape: Vec<usize>,
    /// False for running statistics.
    pub trainable: bool,
}

impl Node {
    /// The tensors that the node keeps, in PyTorch's order.
    pub fn stored(&self) -> Vec<Stored> {
        let tensor = |field: &str, shape: &[usize], trainable| Stored {
            name: format!("{}.{field}", self.name),
            shape: shape.to_vec(),
            trainable,
        };
        let with_bias = |weight: &[usize], channels: usize, bias: bool| {
            let mut stored = vec![tensor("weight", weight, true)];
            stored.extend(bias.then(|| tensor("bias", &[channels], true)));
            stored
        };
        match &self.op {
            Op::Parameter { stored, .. } => {
                vec![Stored { name: self.name.clone(), shape: stored.clone(), trainable: true }]
            }
            &Op::Conv { channels: [channels_in, out], kernel: [h, w], groups, bias, .. } => {
                with_bias(&[out, channels_in / groups, h, w], out, bias)
            }
            &Op::Linear { features: [inputs, out], bias } => with_bias(&[out, inputs], out, bias),
            &Op::LayerNorm { channels, bias, .. } => with_bias(&[channels], channels, bias),
            &Op::BatchNorm { channels, .. } => {
                let mut stored = with_bias(&[channels], channels, true);
                stored.push(tensor("running_mean", &[channels], false));
                stored.push(tensor("running_var", &[channels], false));
                stored
            }
            _ => Vec::new(),
        }
    }

    /// Multiply-accumulate operations for one image.
    fn macs(&self, graph: &Graph) -> u64 {
        let out: usize = self.shape.iter().product();
        let terms = match &self.op {
            Op::Conv { channels: [channels_in, _], kernel: [h, w], groups, .. } => {
                channels_in / groups * h * w
            }
            Op::Linear { features: [inputs, _], .. } => *inputs,
            Op::MatMul => graph.nodes[self.inputs[0]].shape.last().copied().unwrap_or(0),
            _ => 0,
        };
        (out * terms) as u64
    }
}

impl Graph {
    /// Every tensor of the state dict, in order of first use.
    pub fn stored(&self) -> impl Iterator<Item = Stored> + '_ {
        let mut seen = HashSet::new();
        self.nodes
            .iter()
            .flat_map(Node::stored)
            .filter(move |stored| seen.insert(stored.name.clone()))
    }

    /// Number of trainable parameters.
    pub fn parameters(&self) -> usize {
        let trainable = self.stored().filter(|stored| stored.trainable);
        trainable.map(|stored| stored.shape.iter().product::<usize>()).sum()
    }

    /// Multiply-accumulate operations for one image: convolutions, linear layers and matrix
    /// products.
    pub fn macs(&self) -> u64 {
        self.nodes.iter().map(|node| node.macs(self)).sum()
    }
}
