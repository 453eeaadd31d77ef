//! What sub-modules say of their forward pass is what they compute: every registered network's
//! graph is computed here operation by operation, in double precision, and held against the
//! network itself; so is the graph with its batch norms folded.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use autogrow_core::config::{Compat, Shortcut};
use autogrow_core::growth::Depth;
use autogrow_core::network::graph::{Graph, Node, Op, Window};
use autogrow_core::network::{Blueprint, Network, SeedNetwork, StateDict, TensorEntry};
use autogrow_core::random::{Purpose, generator};
use autogrow_core::registry;
use autogrow_export::fold_batch_norms;
use autogrow_models as _;
use autogrow_tests as _;
use burn::tensor::{Device, Tensor, TensorData};
use std::collections::BTreeSet;
use std::path::Path;

/// Numbers in a shape, row-major.
#[derive(Clone)]
struct Array {
    shape: Vec<usize>,
    values: Vec<f64>,
}

impl Array {
    fn of(shape: &[usize], at: impl Fn(&[usize]) -> f64) -> Self {
        let count: usize = shape.iter().product();
        let mut index = vec![0; shape.len()];
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(at(&index));
            for axis in (0..shape.len()).rev() {
                index[axis] += 1;
                if index[axis] < shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
        Self { shape: shape.to_vec(), values }
    }

    /// The number at an index; axes of size 1 are stretched.
    fn at(&self, index: &[usize]) -> f64 {
        let places = self.shape.iter().zip(index);
        let place =
            places.fold(0, |place, (&size, &i)| place * size + if size == 1 { 0 } else { i });
        self.values[place]
    }

    fn map(&self, of: impl Fn(f64) -> f64) -> Self {
        Self { shape: self.shape.clone(), values: self.values.iter().map(|&x| of(x)).collect() }
    }
}

/// The error function, by its series: exact enough for arguments as small as here.
fn erf(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    for n in 1..200 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    if x.abs() > 5.0 { x.signum() } else { sum * 2.0 / std::f64::consts::PI.sqrt() }
}

fn window(x: &Array, out: &[usize], w: Window, fold: impl Fn(&[Option<f64>]) -> f64) -> Array {
    Array::of(out, |i| {
        let mut seen = Vec::new();
        for (dy, dx) in (0..w.kernel * w.kernel).map(|k| (k / w.kernel, k % w.kernel)) {
            let (y, x_) = (i[1] * w.stride + dy, i[2] * w.stride + dx);
            let inside = (w.padding..x.shape[1] + w.padding).contains(&y)
                && (w.padding..x.shape[2] + w.padding).contains(&x_);
            seen.push(inside.then(|| x.at(&[i[0], y - w.padding, x_ - w.padding])));
        }
        fold(&seen)
    })
}

fn norm(x: &Array, lanes: &dyn Fn(&[usize]) -> Vec<f64>, epsilon: f64) -> Array {
    Array::of(&x.shape, |i| {
        let lane = lanes(i);
        let count = lane.len() as f64;
        let mean = lane.iter().sum::<f64>() / count;
        let variance = lane.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        (x.at(i) - mean) / (variance + epsilon).sqrt()
    })
}

fn compute(node: &Node, inputs: &[&Array], state: &StateDict, image: &Array) -> Array {
    let stored: Vec<Array> = node
        .stored()
        .iter()
        .map(|stored| {
            let TensorEntry { shape, values } = &state.0[&stored.name];
            assert_eq!(*shape, stored.shape, "{}", stored.name);
            Array { shape: shape.clone(), values: values.iter().map(|&v| v.into()).collect() }
        })
        .collect();
    let (out, number) = (&node.shape, |tensor: usize, i: usize| stored[tensor].values[i]);
    let x = inputs.first().copied().unwrap_or(image);
    match &node.op {
        Op::Input => image.clone(),
        Op::Parameter { shape, .. } => Array { shape: shape.clone(), ..stored[0].clone() },
        &Op::Conv { channels: [c_in, c_out], kernel, stride, padding, groups, bias } => {
            let (ins, outs) = (c_in / groups, c_out / groups);
            Array::of(out, |i| {
                let mut sum = if bias { number(1, i[0]) } else { 0.0 };
                for (c, ky, kx) in (0..ins * kernel[0] * kernel[1])
                    .map(|k| (k / kernel[1] / kernel[0], k / kernel[1] % kernel[0], k % kernel[1]))
                {
                    let (y, x_) = (i[1] * stride[0] + ky, i[2] * stride[1] + kx);
                    if (padding[0]..x.shape[1] + padding[0]).contains(&y)
                        && (padding[1]..x.shape[2] + padding[1]).contains(&x_)
                    {
                        let channel = i[0] / outs * ins + c;
                        sum += x.at(&[channel, y - padding[0], x_ - padding[1]])
                            * stored[0].at(&[i[0], c, ky, kx]);
                    }
                }
                sum
            })
        }
        Op::BatchNorm { epsilon, .. } => Array::of(out, |i| {
            let c = i[0];
            (x.at(i) - number(2, c)) / (number(3, c) + epsilon).sqrt() * number(0, c) + number(1, c)
        }),
        Op::LayerNorm { channels, epsilon, bias } => {
            let axis = if out.len() == 3 { 0 } else { out.len() - 1 };
            let lanes = |i: &[usize]| {
                let mut at = i.to_vec();
                let lane = (0..*channels).map(|c| {
                    at[axis] = c;
                    x.at(&at)
                });
                lane.collect()
            };
            let normed = norm(x, &lanes, *epsilon);
            Array::of(out, |i| {
                let shift = if *bias { number(1, i[axis]) } else { 0.0 };
                normed.at(i) * number(0, i[axis]) + shift
            })
        }
        &Op::Linear { features: [inputs, _], bias } => Array::of(out, |i| {
            let last = i.len() - 1;
            let mut at = i.to_vec();
            let mut sum = if bias { number(1, i[last]) } else { 0.0 };
            for k in 0..inputs {
                at[last] = k;
                sum += x.at(&at) * stored[0].at(&[i[last], k]);
            }
            sum
        }),
        Op::Relu => x.map(|v| v.max(0.0)),
        Op::Relu6 => x.map(|v| v.clamp(0.0, 6.0)),
        Op::Gelu => x.map(|v| v / 2.0 * (1.0 + erf(v * std::f64::consts::FRAC_1_SQRT_2))),
        Op::Sigmoid => x.map(|v| 1.0 / (1.0 + (-v).exp())),
        Op::Softmax => Array::of(out, |i| {
            let (last, mut at) = (i.len() - 1, i.to_vec());
            let raised = (0..out[last]).map(|k| {
                at[last] = k;
                x.at(&at).exp()
            });
            x.at(i).exp() / raised.sum::<f64>()
        }),
        Op::Add => Array::of(out, |i| x.at(i) + inputs[1].at(i)),
        Op::Mul => Array::of(out, |i| x.at(i) * inputs[1].at(i)),
        Op::Scale(factor) => x.map(|v| v * factor),
        Op::MatMul => Array::of(out, |i| {
            let (rows, columns) = (i.len() - 2, i.len() - 1);
            let (mut a, mut b) = (i.to_vec(), i.to_vec());
            let terms = (0..x.shape[columns]).map(|k| {
                (a[columns], b[rows]) = (k, k);
                x.at(&a) * inputs[1].at(&b)
            });
            terms.sum()
        }),
        &Op::Concat { axis } => Array::of(out, |i| {
            let mut at = i.to_vec();
            for input in inputs {
                if at[axis] < input.shape[axis] {
                    return input.at(&at);
                }
                at[axis] -= input.shape[axis];
            }
            unreachable!("the output is as long as the inputs")
        }),
        Op::MaxPool(w) => {
            window(x, out, *w, |seen| seen.iter().flatten().copied().fold(f64::MIN, f64::max))
        }
        &Op::AveragePool(size) => {
            let squares = Window { kernel: size, stride: size, padding: 0 };
            window(x, out, squares, |seen| {
                seen.iter().flatten().sum::<f64>() / seen.iter().flatten().count() as f64
            })
        }
        Op::AddPositions([_, width]) => Array::of(out, |i| {
            let (place, channels) = ([i[0] / width, i[0] % width], out[1]);
            let wave = 10_000_f64.powf((i[1] / 4) as f64 / channels.div_ceil(4) as f64);
            let angle = place[i[1] % 2] as f64 / wave;
            x.at(i) + if i[1] % 4 < 2 { angle.sin() } else { angle.cos() }
        }),
        Op::GlobalAverage => Array::of(out, |i| {
            let size = x.shape[1] * x.shape[2];
            x.values[i[0] * size..(i[0] + 1) * size].iter().sum::<f64>() / size as f64
        }),
        &Op::Subsample(stride) => Array::of(out, |i| x.at(&[i[0], i[1] * stride, i[2] * stride])),
        &Op::PadChannels([before, _]) => Array::of(out, |i| {
            let inside = (before..before + x.shape[0]).contains(&i[0]);
            if inside { x.at(&[i[0] - before, i[1], i[2]]) } else { 0.0 }
        }),
        Op::Reshape(shape) => Array { shape: shape.clone(), values: x.values.clone() },
        Op::Transpose(order) => Array::of(out, |i| {
            let mut at = i.to_vec();
            order.iter().zip(i).for_each(|(&axis, &i)| at[axis] = i);
            x.at(&at)
        }),
        &Op::Slice { axis, start, .. } => Array::of(out, |i| {
            let mut at = i.to_vec();
            at[axis] += start;
            x.at(&at)
        }),
    }
}

fn scores(graph: &Graph, state: &StateDict, image: &Array) -> Vec<f64> {
    let mut values: Vec<Array> = Vec::new();
    for node in &graph.nodes {
        let inputs: Vec<_> = node.inputs.iter().map(|&input| &values[input]).collect();
        let value = compute(node, &inputs, state, image);
        assert_eq!(value.shape, node.shape, "{node:?}");
        values.push(value);
    }
    values[graph.output].values.clone()
}

/// A network whose numbers are all different from what they are when drawn, running statistics
/// above all.
fn network(seed: &SeedNetwork, shortcut: Shortcut, device: &Device) -> Network {
    let blueprint = Blueprint {
        network: seed.name.into(),
        depth: Depth::uniform(seed.sub_networks, 2),
        width: 8,
        image: [3, 33, 34],
        classes: 5,
        shortcut,
        compat: Compat::Paper,
    };
    let network = Network::new(blueprint, &mut generator(7, Purpose::Seed, 0), device).unwrap();
    let mut state = StateDict::of(&network).unwrap();
    for (name, entry) in &mut state.0 {
        if entry.shape.len() == 1 {
            for (index, value) in entry.values.iter_mut().enumerate() {
                let wave = ((name.len() * 31 + index * 17) as f32).sin();
                let positive = name.ends_with("weight") || name.ends_with("running_var");
                *value = if positive { 1.0 + 0.5 * wave } else { 0.3 * wave };
            }
        }
    }
    state.load_into(network, Path::new("waves")).unwrap()
}

#[test]
fn graphs_compute_what_networks_compute() {
    let device = Device::flex();
    let image = Array::of(&[3, 33, 34], |i| ((i[0] * 7 + i[1] * 3 + i[2]) as f64).sin());
    let pixels: Vec<f32> = image.values.iter().map(|&v| v as f32).collect();
    let mut undescribed = BTreeSet::new();
    for seed in registry::all::<SeedNetwork>().unwrap() {
        for shortcut in [Shortcut::Projection, Shortcut::Padding] {
            let network = network(seed, shortcut, &device);
            let name = format!("{} {shortcut:?}", seed.name);
            let graph = match network.graph() {
                Ok(graph) => graph,
                Err(error) => {
                    assert!(error.to_string().contains("has no graph"), "{name}: {error}");
                    undescribed.insert(seed.name);
                    continue;
                }
            };
            let state = StateDict::of(&network).unwrap();
            assert_eq!(graph.stored().count(), state.0.len(), "{name}: not every tensor is used");
            assert_eq!(graph.parameters(), state.parameters(), "{name}: parameters");
            assert_eq!(graph.macs(), network.macs().unwrap(), "{name}: operations");

            let data = TensorData::new(pixels.clone(), [1, 3, 33, 34]);
            let own = network.forward(Tensor::from_data(data, &device)).into_data();
            let own: Vec<f64> = own.iter::<f32>().map(f64::from).collect();
            let largest = own.iter().fold(0.0_f64, |largest, v| largest.max(v.abs()));
            let (folded, folded_state) = fold_batch_norms(&graph, state.clone());
            assert!(folded.nodes.len() < graph.nodes.len(), "{name}");
            for (graph, state) in [(&graph, &state), (&folded, &folded_state)] {
                let told = scores(graph, state, &image);
                let off = own.iter().zip(&told).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(off < 1e-5 * largest, "{name}: off by {off:.1e} of {largest:.1e}");
            }
        }
    }
    // The plugin of the tests says nothing of itself.
    assert_eq!(undescribed, BTreeSet::from(["tiny2net"]));
}

#[test]
fn a_sub_module_that_does_not_describe_itself_is_told() {
    let seed = registry::find::<SeedNetwork>("tiny2net").unwrap();
    let network = network(seed, Shortcut::Projection, &Device::flex());
    let error = network.graph().unwrap_err();
    assert!(error.hint().unwrap().contains("safetensors"), "{error}");
    assert_eq!(error.exit_code(), 2);
}
