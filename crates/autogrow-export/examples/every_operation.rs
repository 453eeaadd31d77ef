//! Writes a made-up network in which every operation occurs, in every format, into a folder:
//! `tests/fixtures/check_exports.py` then holds PyTorch against onnxruntime.

use autogrow_core::config::{Compat, Shortcut};
use autogrow_core::growth::Depth;
use autogrow_core::network::graph::{Block, Graph, Node, Op, Value, Window};
use autogrow_core::network::{Blueprint, ModelInfo, StateDict, TensorEntry};
use autogrow_core::run::publish;
use autogrow_export::{fold_batch_norms, onnx, pytorch};
use std::path::Path;

/// Height and width of images and of every map.
const SIZE: usize = 8;
/// Channels of most maps.
const WIDTH: usize = 8;
/// Pixels of a map, as tokens.
const TOKENS: usize = SIZE * SIZE;
const CLASSES: usize = 5;

fn main() -> autogrow_core::Result<()> {
    let folder = std::env::args_os().nth(1).unwrap_or_default();
    let folder = Path::new(&folder);
    let graph = network();
    let state = weights(&graph);
    let info = ModelInfo::bare(Blueprint {
        network: "every-operation".into(),
        depth: Depth::uniform(1, 3),
        width: WIDTH,
        image: [3, SIZE, SIZE],
        classes: CLASSES,
        shortcut: Shortcut::Projection,
        compat: Compat::Paper,
    });
    let write = |name: &str, bytes: &[u8]| publish(&folder.join(name), bytes);
    write("every.safetensors", &state.to_safetensors()?)?;
    write("every.py", pytorch(&graph, &info, "every.safetensors").as_bytes())?;
    write("every.onnx", &onnx(&graph, &state, &info, folder)?)?;
    let (graph, state) = fold_batch_norms(&graph, state);
    write("every-folded.onnx", &onnx(&graph, &state, &info, folder)?)
}

/// A graph as it is written.
struct Tape(Vec<Node>);

impl Tape {
    fn add(&mut self, name: &str, op: Op, inputs: &[Value], shape: &[usize]) -> Value {
        let (inputs, name) = (inputs.to_vec(), name.into());
        self.0.push(Node { op, inputs, name, shape: shape.to_vec() });
        self.0.len() - 1
    }

    fn conv(&mut self, name: &str, x: Value, of: [usize; 4], bias: bool) -> Value {
        let [channels_in, out, kernel, groups] = of;
        let (kernel, padding) = ([kernel; 2], [kernel / 2; 2]);
        let channels = [channels_in, out];
        let op = Op::Conv { channels, kernel, stride: [1, 1], padding, groups, bias };
        self.add(name, op, &[x], &[out, SIZE, SIZE])
    }

    fn linear(&mut self, name: &str, x: Value, features: [usize; 2], bias: bool) -> Value {
        let tokens = self.0[x].shape.len() > 1;
        let shape = if tokens { vec![TOKENS, features[1]] } else { vec![features[1]] };
        self.add(name, Op::Linear { features, bias }, &[x], &shape)
    }

    fn layer_norm(&mut self, name: &str, x: Value, epsilon: f64) -> Value {
        let shape = self.0[x].shape.clone();
        self.add(name, Op::LayerNorm { channels: WIDTH, epsilon, bias: true }, &[x], &shape)
    }

    fn norm(&mut self, name: &str, x: Value, channels: usize, epsilon: f64) -> Value {
        self.add(name, Op::BatchNorm { channels, epsilon }, &[x], &[channels, SIZE, SIZE])
    }

    fn reshape(&mut self, x: Value, shape: &[usize]) -> Value {
        self.add("", Op::Reshape(shape.to_vec()), &[x], shape)
    }

    fn transpose(&mut self, x: Value, order: &[usize]) -> Value {
        let shape: Vec<_> = order.iter().map(|&axis| self.0[x].shape[axis]).collect();
        self.add("", Op::Transpose(order.to_vec()), &[x], &shape)
    }

    /// As ConvNeXt's: depthwise, layer norm, two linear layers as convolutions, a learnt scale.
    fn depthwise(&mut self, block: &str, x: Value) -> Value {
        let map = [WIDTH, SIZE, SIZE];
        let y = self.conv(&format!("{block}.depthwise"), x, [WIDTH, WIDTH, 7, WIDTH], true);
        let y = self.transpose(y, &[1, 2, 0]);
        let y = self.layer_norm(&format!("{block}.norm"), y, 1e-6);
        let y = self.transpose(y, &[2, 0, 1]);
        let y = self.conv(&format!("{block}.mlp.0"), y, [WIDTH, 4 * WIDTH, 1, 1], true);
        let y = self.add("", Op::Gelu, &[y], &[4 * WIDTH, SIZE, SIZE]);
        let y = self.conv(&format!("{block}.mlp.2"), y, [4 * WIDTH, WIDTH, 1, 1], true);
        let shape = vec![WIDTH, 1, 1];
        let gamma = Op::Parameter { stored: vec![WIDTH], shape: shape.clone() };
        let gamma = self.add(&format!("{block}.gamma"), gamma, &[], &shape);
        let y = self.add("", Op::Mul, &[y, gamma], &map);
        self.add("", Op::Add, &[y, x], &map)
    }

    /// Attention of two heads over the pixels.
    fn attention(&mut self, block: &str, x: Value) -> Value {
        let half = WIDTH / 2;
        let tokens = self.reshape(x, &[WIDTH, TOKENS]);
        let tokens = self.transpose(tokens, &[1, 0]);
        let normed = self.layer_norm(&format!("{block}.before"), tokens, 1e-5);
        let placed = self.add("", Op::AddPositions([SIZE, SIZE]), &[normed], &[TOKENS, WIDTH]);
        let all = self.linear(&format!("{block}.attention.qkv"), placed, [WIDTH, 3 * WIDTH], true);
        let mut heads =
            [[1, 0, 2], [1, 2, 0], [1, 0, 2]].into_iter().enumerate().map(|(i, order)| {
                let slice = Op::Slice { axis: 1, start: i * WIDTH, length: WIDTH };
                let part = self.add("", slice, &[all], &[TOKENS, WIDTH]);
                let part = self.reshape(part, &[TOKENS, 2, half]);
                self.transpose(part, &order)
            });
        let (query, key, value) = (heads.next(), heads.next(), heads.next());
        let (query, key, value) = (query.unwrap_or(x), key.unwrap_or(x), value.unwrap_or(x));
        let weights = [2, TOKENS, TOKENS];
        let y = self.add("", Op::MatMul, &[query, key], &weights);
        let y = self.add("", Op::Scale(0.5), &[y], &weights);
        let y = self.add("", Op::Softmax, &[y], &weights);
        let y = self.add("", Op::MatMul, &[y, value], &[2, TOKENS, half]);
        let y = self.transpose(y, &[1, 0, 2]);
        let y = self.reshape(y, &[TOKENS, WIDTH]);
        let y = self.linear(&format!("{block}.attention.out"), y, [WIDTH, WIDTH], false);
        let y = self.add("", Op::Add, &[y, tokens], &[TOKENS, WIDTH]);
        let y = self.transpose(y, &[1, 0]);
        self.reshape(y, &[WIDTH, SIZE, SIZE])
    }

    /// Two branches side by side, a gate over their channels, and a part of the input beside it.
    fn branches(&mut self, block: &str, x: Value) -> Value {
        let (map, half) = ([WIDTH, SIZE, SIZE], WIDTH / 2);
        let pool = Op::MaxPool(Window { kernel: 3, stride: 1, padding: 1 });
        let pooled = self.add("", pool, &[x], &map);
        let mut ends = Vec::new();
        for (i, y) in [x, pooled].into_iter().enumerate() {
            let (kernel, groups) = (1 + 2 * i, 1 + i);
            let name = |layer: &str| format!("{block}.branches.{i}.{layer}");
            let y = self.conv(&name("conv"), y, [WIDTH, half, kernel, groups], false);
            ends.push(self.norm(&name("bn"), y, half, if i == 0 { 1e-5 } else { 1e-3 }));
        }
        let y = self.add("", Op::Concat { axis: 0 }, &ends, &map);
        let y = self.add("", Op::Relu6, &[y], &map);
        let gate = self.add("", Op::GlobalAverage, &[y], &[WIDTH]);
        let gate = self.linear(&format!("{block}.gate.squeeze"), gate, [WIDTH, WIDTH], true);
        let gate = self.add("", Op::Sigmoid, &[gate], &[WIDTH]);
        let gate = self.reshape(gate, &[WIDTH, 1, 1]);
        let y = self.add("", Op::Mul, &[y, gate], &map);
        let part = Op::Slice { axis: 0, start: 2, length: WIDTH - 3 };
        let part = self.add("", part, &[x], &[WIDTH - 3, SIZE, SIZE]);
        let part = self.add("", Op::PadChannels([1, 2]), &[part], &map);
        self.add("", Op::Add, &[y, part], &map)
    }
}

fn network() -> Graph {
    let mut tape = Tape(Vec::new());
    let x = tape.add("", Op::Input, &[], &[3, SIZE, SIZE]);
    let x = tape.conv("conv1", x, [3, WIDTH, 3, 1], true);
    let mut x = tape.add("", Op::Relu, &[x], &[WIDTH, SIZE, SIZE]);
    let mut blocks = Vec::new();
    for j in 0..3 {
        let (name, input, start) = (format!("layer1.{j}"), x, tape.0.len());
        x = tape.depthwise(&name, x);
        x = tape.attention(&name, x);
        x = tape.branches(&name, x);
        let nodes = start..tape.0.len();
        blocks.push(Block { name, kind: "every-operation".into(), input, output: x, nodes });
    }
    // Neither divides the size.
    let size = SIZE.div_ceil(3);
    let x = tape.add("", Op::AveragePool(3), &[x], &[WIDTH, size, size]);
    let size = size.div_ceil(2);
    let x = tape.add("", Op::Subsample(2), &[x], &[WIDTH, size, size]);
    let x = tape.add("", Op::GlobalAverage, &[x], &[WIDTH]);
    let output = tape.linear("linear", x, [WIDTH, CLASSES], true);
    Graph { nodes: tape.0, blocks, output }
}

/// Waves that differ from tensor to tensor; variances are above zero.
fn weights(graph: &Graph) -> StateDict {
    let mut state = StateDict::default();
    for (number, stored) in graph.stored().enumerate() {
        let count: usize = stored.shape.iter().product();
        let wave = |i: usize| ((number as f32) + 1.7 * i as f32).sin();
        let value = |i: usize| match stored.shape.len() {
            1 if stored.name.ends_with("running_var") => 1.0 + 0.5 * wave(i),
            1 => 0.5 + 0.5 * wave(i),
            _ => 0.4 * wave(i),
        };
        let values = (0..count).map(value).collect();
        state.0.insert(stored.name, TensorEntry { shape: stored.shape, values });
    }
    state
}
