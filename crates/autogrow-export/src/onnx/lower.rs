//! From the operations of a graph to those of ONNX.

use super::proto::{Attribute, FLOAT, INT64, Node, Tensor};
use autogrow_core::data::Feature;
use autogrow_core::network::graph::{Graph, Op, Value, Window};
use autogrow_core::network::{StateDict, graph, positions};
use std::collections::HashSet;

/// Name of the images.
pub(super) const INPUT: &str = "images";
/// Name of the rows of a table once they are standardised.
const STANDARDISED: &str = "images.standardised";

/// Nodes and initializers; `output` is the name of what the network gives, `features` are those of a
/// table, which are standardised first, or none. The error is the name of a tensor that is not there.
pub(super) fn lower(
    graph: &Graph,
    state: &StateDict,
    output: &str,
    features: &[Feature],
) -> Result<(Vec<Node>, Vec<Tensor>), String> {
    let input = if features.is_empty() { INPUT } else { STANDARDISED };
    let mut writer = Writer { graph, input, output, nodes: vec![], tensors: vec![] };
    if !features.is_empty() {
        writer.standardise(features);
    }
    let mut written = HashSet::new();
    for (value, node) in graph.nodes.iter().enumerate() {
        for stored in node.stored() {
            // What is used twice is kept once.
            if !written.insert(stored.name.clone()) {
                continue;
            }
            let entry = state.0.get(&stored.name).ok_or_else(|| stored.name.clone())?;
            let bytes = entry.values.iter().flat_map(|value| value.to_le_bytes()).collect();
            writer.tensor(&stored.name, FLOAT, &stored.shape, bytes);
        }
        writer.node(value, node);
    }
    Ok((writer.nodes, writer.tensors))
}

struct Writer<'a> {
    graph: &'a Graph,
    input: &'a str,
    output: &'a str,
    nodes: Vec<Node>,
    tensors: Vec<Tensor>,
}

impl Writer<'_> {
    fn node(&mut self, value: Value, node: &graph::Node) {
        let out = self.name(value);
        let x = node.inputs.first().map(|&input| self.name(input)).unwrap_or_default();
        let all: Vec<String> = node.inputs.iter().map(|&input| self.name(input)).collect();
        let with_stored = || {
            let stored = node.stored().into_iter().map(|stored| stored.name);
            std::iter::once(x.clone()).chain(stored).collect::<Vec<_>>()
        };
        match &node.op {
            // The images are there without a node, and so are learnt tensors.
            Op::Input => {}
            Op::Parameter { stored, shape } if stored == shape => {}
            Op::Parameter { shape, .. } => {
                let sizes: Vec<_> = shape.iter().map(|&size| size as i64).collect();
                let sizes = self.whole_numbers(&out, "shape", &sizes);
                self.emit("Reshape", vec![node.name.clone(), sizes], &out, []);
            }
            &Op::Conv { kernel, stride, padding: [rows, columns], groups, .. } => {
                let attributes = [
                    Attribute::ints("kernel_shape", kernel),
                    Attribute::ints("strides", stride),
                    Attribute::ints("pads", [rows, columns, rows, columns]),
                    Attribute::int("group", groups as i64),
                ];
                self.emit("Conv", with_stored(), &out, attributes);
            }
            Op::BatchNorm { epsilon, .. } => {
                let epsilon = Attribute::float("epsilon", *epsilon);
                self.emit("BatchNormalization", with_stored(), &out, [epsilon]);
            }
            Op::LayerNorm { epsilon, .. } => {
                let attributes =
                    [Attribute::int("axis", -1), Attribute::float("epsilon", *epsilon)];
                self.emit("LayerNormalization", with_stored(), &out, attributes);
            }
            Op::Linear { .. } if node.shape.len() == 1 => {
                self.emit("Gemm", with_stored(), &out, [Attribute::int("transB", 1)]);
            }
            Op::Linear { .. } => {
                let mut inputs = with_stored().into_iter().skip(1);
                let transposed = format!("{out}.transposed");
                let weight = inputs.next().into_iter().collect();
                self.emit("Transpose", weight, &transposed, [Attribute::ints("perm", [1, 0])]);
                match inputs.next() {
                    None => self.emit("MatMul", vec![x, transposed], &out, []),
                    Some(bias) => {
                        let product = format!("{out}.product");
                        self.emit("MatMul", vec![x, transposed], &product, []);
                        self.emit("Add", vec![product, bias], &out, []);
                    }
                }
            }
            Op::Relu => self.emit("Relu", all, &out, []),
            Op::Relu6 => {
                let (low, high) = (self.number(&out, "low", 0.0), self.number(&out, "high", 6.0));
                self.emit("Clip", vec![x, low, high], &out, []);
            }
            Op::Gelu => self.gelu(x, &out),
            Op::Sigmoid => self.emit("Sigmoid", all, &out, []),
            Op::Softmax => self.emit("Softmax", all, &out, [Attribute::int("axis", -1)]),
            Op::Add => self.emit("Add", all, &out, []),
            Op::Mul => self.emit("Mul", all, &out, []),
            Op::Scale(factor) => {
                let factor = self.number(&out, "factor", *factor);
                self.emit("Mul", vec![x, factor], &out, []);
            }
            Op::MatMul => self.emit("MatMul", all, &out, []),
            Op::Concat { axis } => {
                self.emit("Concat", all, &out, [Attribute::int("axis", *axis as i64 + 1)]);
            }
            Op::MaxPool(window) => self.emit("MaxPool", all, &out, pooling(*window)),
            &Op::AveragePool(size) => {
                let window = Window { kernel: size, stride: size, padding: 0 };
                let rounds_up = Attribute::int("ceil_mode", 1);
                let attributes = pooling(window).into_iter().chain([rounds_up]);
                self.emit("AveragePool", all, &out, attributes);
            }
            Op::GlobalAverage => {
                let pooled = format!("{out}.pooled");
                self.emit("GlobalAveragePool", all, &pooled, []);
                self.emit("Flatten", vec![pooled], &out, [Attribute::int("axis", 1)]);
            }
            &Op::Subsample(stride) => {
                let steps = [stride as i64; 2];
                self.slice(x, &out, &[2, 3], [&[0, 0], &[i64::MAX, i64::MAX], &steps]);
            }
            &Op::PadChannels([before, after]) => {
                let pads = [0, before as i64, 0, 0, 0, after as i64, 0, 0];
                let pads = self.whole_numbers(&out, "pads", &pads);
                self.emit("Pad", vec![x, pads], &out, []);
            }
            Op::Reshape(shape) => {
                // 0: the batch as it is.
                let sizes = shape.iter().map(|&size| size as i64);
                let sizes: Vec<_> = std::iter::once(0).chain(sizes).collect();
                let sizes = self.whole_numbers(&out, "shape", &sizes);
                self.emit("Reshape", vec![x, sizes], &out, []);
            }
            Op::Transpose(order) => {
                let order = std::iter::once(0).chain(order.iter().map(|axis| axis + 1));
                self.emit("Transpose", all, &out, [Attribute::ints("perm", order)]);
            }
            &Op::AddPositions(size) => {
                let positions = self.positions(size, node.shape[1]);
                self.emit("Add", vec![x, positions], &out, []);
            }
            &Op::Slice { axis, start, length } => {
                let (start, end) = (start as i64, (start + length) as i64);
                self.slice(x, &out, &[axis as i64 + 1], [&[start], &[end], &[1]]);
            }
        }
    }

    /// The features of a row: `(x - mean) / deviation`, of a piece limited to 0 to 1. The mean is taken off
    /// in two parts, so that it keeps its digits where it is large and the deviation small.
    fn standardise(&mut self, features: &[Feature]) {
        let mut constant = |name: &str, number: fn(&Feature) -> f64| {
            let name = format!("{INPUT}.{name}");
            let bytes = features.iter().flat_map(|of| (number(of) as f32).to_le_bytes()).collect();
            self.tensor(&name, FLOAT, &[features.len(), 1, 1], bytes);
            name
        };
        let mean = constant("mean", |of| of.mean);
        let rest = constant("mean_rest", |of| of.mean - f64::from(of.mean as f32));
        let deviation = constant("deviation", |of| of.deviation);
        let has_pieces = features.iter().any(|of| of.is_piece);
        let limits = has_pieces.then(|| {
            let least = constant("least", |of| if of.is_piece { 0.0 } else { f32::MIN.into() });
            (least, constant("most", |of| if of.is_piece { 1.0 } else { f32::MAX.into() }))
        });
        let [repeated, moved, centred, free, raised] =
            ["repeated", "moved", "centred", "free", "raised"]
                .map(|step| format!("{INPUT}.{step}"));
        let mut rows = INPUT.to_string();
        if has_pieces {
            let places: Vec<_> = features.iter().map(|of| of.input as i64).collect();
            let places = self.whole_numbers(INPUT, "places", &places);
            self.emit("Gather", vec![rows, places], &repeated, [Attribute::int("axis", 1)]);
            rows = repeated;
        }
        self.emit("Sub", vec![rows, mean], &moved, []);
        self.emit("Sub", vec![moved, rest], &centred, []);
        match limits {
            None => self.emit("Div", vec![centred, deviation], STANDARDISED, []),
            Some((least, most)) => {
                self.emit("Div", vec![centred, deviation], &free, []);
                self.emit("Max", vec![free, least], &raised, []);
                self.emit("Min", vec![raised, most], STANDARDISED, []);
            }
        }
    }

    /// Operator set 17 has none: `x / 2 * (1 + erf(x / sqrt(2)))`.
    fn gelu(&mut self, x: String, out: &str) {
        let [scaled, erf, shifted, half] =
            ["scaled", "erf", "shifted", "half"].map(|step| format!("{out}.{step}"));
        let root = self.number(out, "root", std::f64::consts::FRAC_1_SQRT_2);
        let (one, two) = (self.number(out, "one", 1.0), self.number(out, "two", 0.5));
        self.emit("Mul", vec![x.clone(), root], &scaled, []);
        self.emit("Erf", vec![scaled], &erf, []);
        self.emit("Add", vec![erf, one], &shifted, []);
        self.emit("Mul", vec![x, two], &half, []);
        self.emit("Mul", vec![half, shifted], out, []);
    }

    fn slice(&mut self, x: String, out: &str, axes: &[i64], [starts, ends, steps]: [&[i64]; 3]) {
        let names = [("starts", starts), ("ends", ends), ("axes", axes), ("steps", steps)];
        let inputs = names.map(|(name, numbers)| self.whole_numbers(out, name, numbers));
        self.emit("Slice", std::iter::once(x).chain(inputs).collect(), out, []);
    }

    /// Kept once for all that use them.
    fn positions(&mut self, [height, width]: [usize; 2], channels: usize) -> String {
        let name = format!("positions.{height}x{width}x{channels}");
        if !self.tensors.iter().any(|tensor| tensor.name == name) {
            let values = positions([height, width], channels);
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            self.tensor(&name, FLOAT, &[height * width, channels], bytes);
        }
        name
    }

    fn emit(
        &mut self,
        operator: &str,
        input: Vec<String>,
        output: &str,
        attributes: impl IntoIterator<Item = Attribute>,
    ) {
        self.nodes.push(Node {
            input,
            output: vec![output.into()],
            name: output.into(),
            op_type: operator.into(),
            attribute: attributes.into_iter().collect(),
        });
    }

    fn tensor(&mut self, name: &str, data_type: i32, dims: &[usize], raw_data: Vec<u8>) {
        let dims = dims.iter().map(|&size| size as i64).collect();
        self.tensors.push(Tensor { dims, data_type, name: name.into(), raw_data });
    }

    /// A constant, named after the value it serves.
    fn number(&mut self, out: &str, name: &str, number: f64) -> String {
        let name = format!("{out}.{name}");
        self.tensor(&name, FLOAT, &[], (number as f32).to_le_bytes().into());
        name
    }

    fn whole_numbers(&mut self, out: &str, name: &str, numbers: &[i64]) -> String {
        let name = format!("{out}.{name}");
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.tensor(&name, INT64, &[numbers.len()], bytes);
        name
    }

    /// What a value is called: as the module that makes it, else as the operation.
    fn name(&self, value: Value) -> String {
        let node = &self.graph.nodes[value];
        match &node.op {
            Op::Input => self.input.into(),
            _ if value == self.graph.output => self.output.into(),
            Op::Parameter { stored, shape } if stored == shape => node.name.clone(),
            Op::Parameter { .. } => format!("{}.{value}", node.name),
            _ if !node.name.is_empty() => {
                let is_first =
                    self.graph.nodes[..value].iter().all(|other| other.name != node.name);
                if is_first { node.name.clone() } else { format!("{}.{value}", node.name) }
            }
            op => {
                let text = format!("{op:?}");
                let kind = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                format!("{}.{value}", kind.to_lowercase())
            }
        }
    }
}

fn pooling(Window { kernel, stride, padding }: Window) -> [Attribute; 3] {
    [
        Attribute::ints("kernel_shape", [kernel; 2]),
        Attribute::ints("strides", [stride; 2]),
        Attribute::ints("pads", [padding; 4]),
    ]
}
