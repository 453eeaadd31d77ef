//! The graph while it is written: what a recorded value does to it. Nothing is computed meanwhile: a
//! value is a shape and a place in the graph.

use super::{Block, Graph, Node, Op, Value, shapes};
use burn::module::ParamId;
use burn::tensor::{Device, Tensor};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a sub-module has no graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unrecorded {
    /// It computes something that graphs have no operation for.
    Unknown(&'static str),
    /// An operation cannot work on its inputs.
    Mismatch(String),
}

impl fmt::Display for Unrecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(what) => write!(f, "it computes with {what}"),
            Self::Mismatch(problem) => f.write_str(problem),
        }
    }
}

/// What stands in the graph's place where a tensor was taken from or given to a feature map.
const PLAIN: Unrecorded = Unrecorded::Unknown("plain tensors");

/// The graph as far as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Tape(Arc<Mutex<Written>>);

#[derive(Debug)]
struct Written {
    nodes: Vec<Node>,
    blocks: Vec<Block>,
    /// PyTorch names of parameters.
    names: HashMap<ParamId, String>,
    /// Where the plain tensors are that a forward pass asks for.
    device: Device,
    /// The first reason why the nodes are not all of it.
    problem: Option<Unrecorded>,
}

impl Tape {
    /// An empty graph of parameters with these names. Tensors that are asked for are zeros on
    /// `device`.
    pub(crate) fn new(names: HashMap<ParamId, String>, device: Device) -> Self {
        let (nodes, blocks) = (Vec::new(), Vec::new());
        Self(Arc::new(Mutex::new(Written { nodes, blocks, names, device, problem: None })))
    }

    /// An image of this shape, which is without the batch.
    pub(crate) fn input(&self, shape: &[usize]) -> Recorded {
        let (shape, dims) = (shape.to_vec(), [&[1][..], shape].concat());
        let node = Node { op: Op::Input, inputs: vec![], name: String::new(), shape };
        Recorded { tape: self.clone(), value: self.push(node), dims }
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.lock().nodes.len()
    }

    /// Makes what was recorded from node `start` on a block.
    ///
    /// # Errors
    /// What kept a part of it from being recorded; the nodes are then taken back.
    pub(crate) fn close_block(
        &self,
        (name, kind): (&str, &str),
        start: usize,
        [input, output]: [&Recorded; 2],
    ) -> Result<(), Unrecorded> {
        let mut written = self.lock();
        if let Some(problem) = written.problem.take() {
            written.nodes.truncate(start);
            return Err(problem);
        }
        let (name, kind) = (name.to_string(), kind.to_string());
        let nodes = start..written.nodes.len();
        let (input, output) = (input.value, output.value);
        written.blocks.push(Block { name, kind, input, output, nodes });
        Ok(())
    }

    /// The graph that gives `output`.
    ///
    /// # Errors
    /// What kept anything outside of blocks from being recorded.
    pub(crate) fn finish(&self, output: &Recorded) -> Result<Graph, Unrecorded> {
        let mut written = self.lock();
        match written.problem.take() {
            Some(problem) => Err(problem),
            None => Ok(Graph {
                nodes: std::mem::take(&mut written.nodes),
                blocks: std::mem::take(&mut written.blocks),
                output: output.value,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, node: Node) -> Value {
        let mut written = self.lock();
        written.nodes.push(node);
        written.nodes.len() - 1
    }

    fn name(&self, parameter: ParamId) -> Option<String> {
        self.lock().names.get(&parameter).cloned()
    }

    /// A value of this shape that is not in the graph.
    fn outside(&self, dims: &[usize], why: Unrecorded) -> Recorded {
        self.lock().problem.get_or_insert(why);
        Recorded { tape: self.clone(), value: 0, dims: dims.to_vec() }
    }

    /// A plain tensor of this shape.
    pub(crate) fn plain(&self, dims: &[usize]) -> Recorded {
        self.outside(dims, PLAIN)
    }
}

/// A value that is recorded and not computed.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    tape: Tape,
    value: Value,
    /// With the batch, which is 1.
    dims: Vec<usize>,
}

impl Recorded {
    pub(crate) fn tape(&self) -> &Tape {
        &self.tape
    }

    pub(crate) fn dims<const D: usize>(&self) -> [usize; D] {
        std::array::from_fn(|axis| self.dims.get(axis).copied().unwrap_or(1))
    }

    /// A tensor of its shape. What is computed with it is not in the graph.
    pub(crate) fn leave<const D: usize>(&self) -> Tensor<D> {
        let mut written = self.tape.lock();
        written.problem.get_or_insert(PLAIN);
        Tensor::zeros(self.dims::<D>(), &written.device)
    }

    /// A value of this shape, with the batch, that is made of this one by something else than an
    /// operation.
    pub(crate) fn unknown(&self, dims: &[usize], what: &'static str) -> Self {
        self.tape.outside(dims, Unrecorded::Unknown(what))
    }

    /// This value through an operation.
    pub(crate) fn then(&self, op: Op) -> Self {
        self.join(op, &[self])
    }

    /// An operation on values, of which this is one.
    pub(crate) fn join(&self, op: Op, inputs: &[&Self]) -> Self {
        self.add_node(op, Some(String::new()), inputs)
    }

    /// This value through a layer; `weight` is the one of its parameters that PyTorch calls so.
    pub(crate) fn layer(&self, op: Op, weight: ParamId) -> Self {
        let name = self.tape.name(weight);
        let module = name.as_deref().and_then(|name| name.strip_suffix(".weight"));
        self.add_node(op, module.map(String::from), &[self])
    }

    /// A learnt tensor that is kept as `stored`, used in this shape, with the batch.
    pub(crate) fn parameter(&self, id: ParamId, stored: &[usize], dims: &[usize]) -> Self {
        if dims[0] != 1 {
            return self.unknown(dims, "a parameter that differs between images");
        }
        let op = Op::Parameter { stored: stored.to_vec(), shape: dims[1..].to_vec() };
        self.add_node(op, self.tape.name(id), &[])
    }

    fn add_node(&self, op: Op, name: Option<String>, inputs: &[&Self]) -> Self {
        let shapes: Vec<_> = inputs.iter().map(|input| &input.dims[1..]).collect();
        let shape = match shapes::shape(&op, &shapes) {
            Ok(shape) => shape,
            Err(problem) => return self.tape.outside(&self.dims, Unrecorded::Mismatch(problem)),
        };
        let batch = inputs.iter().map(|input| input.dims[0]).max().unwrap_or(1);
        let dims = [&[batch][..], &shape].concat();
        match name {
            Some(name) => {
                let inputs = inputs.iter().map(|input| input.value).collect();
                let value = self.tape.push(Node { op, inputs, name, shape });
                Self { tape: self.tape.clone(), value, dims }
            }
            // Models are exchanged by the names of what a network holds.
            None => self.unknown(&dims, "a parameter that the network does not hold"),
        }
    }
}
