//! Computes a graph operation by operation in double precision: slow, and simple enough to be held
//! against the fast kernels.

use super::Failure;
use crate::network::graph::{Graph, Node, Op, Stored, Window};
use crate::network::{StateDict, TensorEntry};

/// Numbers in a shape, row-major.
#[derive(Clone)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f64>,
}

/// What `graph` makes of `image`, and how many products were added up on the way.
pub(super) fn evaluate(
    graph: &Graph,
    state: &StateDict,
    image: &Array,
) -> Result<(Vec<f64>, u64), Failure> {
    let mut values: Vec<Array> = Vec::new();
    let mut products = 0;
    for node in &graph.nodes {
        let inputs: Vec<_> = node.inputs.iter().map(|&input| &values[input]).collect();
        let stored = stored(node, state)?;
        let value = compute(node, &inputs, &stored, image, &mut products);
        if value.shape != node.shape {
            return Err(Failure(format!("{node:?} gives the shape {:?}", value.shape)));
        }
        values.push(value);
    }
    Ok((values.swap_remove(graph.output).values, products))
}

/// The tensors that a node keeps.
fn stored(node: &Node, state: &StateDict) -> Result<Vec<Array>, Failure> {
    let tensor = |stored: Stored| match state.0.get(&stored.name) {
        Some(TensorEntry { shape, values }) if *shape == stored.shape => {
            let values = values.iter().map(|&value| value.into()).collect();
            Ok(Array { shape: stored.shape, values })
        }
        _ => Err(Failure(format!("its graph keeps {stored:?}, which its state dict does not"))),
    };
    node.stored().into_iter().map(tensor).collect()
}

impl Array {
    /// With these numbers at each index, taken in order.
    fn of(shape: &[usize], mut at: impl FnMut(&[usize]) -> f64) -> Self {
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

    /// The number of a channel at a place that may lie in the padding.
    fn pixel(&self, channel: usize, place: [usize; 2], padding: [usize; 2]) -> Option<f64> {
        let [y, x] = [0, 1].map(|axis| place[axis].checked_sub(padding[axis]));
        let (y, x) = (y.filter(|&y| y < self.shape[1])?, x.filter(|&x| x < self.shape[2])?);
        Some(self.at(&[channel, y, x]))
    }

    /// The numbers along the last axis, through an index.
    fn lane(&self, index: &[usize]) -> Vec<f64> {
        let (mut at, last) = (index.to_vec(), index.len() - 1);
        let along = (0..self.shape[last]).map(|i| {
            at[last] = i;
            self.at(&at)
        });
        along.collect()
    }

    fn map(&self, of: impl Fn(f64) -> f64) -> Self {
        Self { shape: self.shape.clone(), values: self.values.iter().map(|&x| of(x)).collect() }
    }
}

/// The sum of products, which are counted.
fn dot(pairs: impl Iterator<Item = (f64, f64)>, products: &mut u64) -> f64 {
    pairs.inspect(|_| *products += 1).map(|(a, b)| a * b).sum()
}

/// The error function by its series: exact enough for arguments as small as activations.
fn erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    if x.abs() > 5.0 { x.signum() } else { sum * 2.0 / std::f64::consts::PI.sqrt() }
}

/// What `fold` makes of the pixels that each window covers.
fn window(x: &Array, out: &[usize], window: Window, fold: impl Fn(&[f64]) -> f64) -> Array {
    let Window { kernel, stride, padding } = window;
    Array::of(out, |i| {
        let places = (0..kernel * kernel).map(|k| [k / kernel, k % kernel]);
        let seen = places.filter_map(|[dy, dx]| {
            let place = [i[1] * stride + dy, i[2] * stride + dx];
            x.pixel(i[0], place, [padding; 2])
        });
        fold(&seen.collect::<Vec<_>>())
    })
}

fn compute(
    node: &Node,
    inputs: &[&Array],
    stored: &[Array],
    image: &Array,
    products: &mut u64,
) -> Array {
    let (out, number) = (&node.shape, |tensor: usize, i: usize| stored[tensor].values[i]);
    let x = inputs.first().copied().unwrap_or(image);
    match &node.op {
        Op::Input => image.clone(),
        Op::Parameter { shape, .. } => Array { shape: shape.clone(), ..stored[0].clone() },
        &Op::Conv { channels: [ins, outs], kernel, stride, padding, groups, bias } => {
            let (ins, outs, area) = (ins / groups, outs / groups, kernel[0] * kernel[1]);
            Array::of(out, |i| {
                let pairs = (0..ins * area).map(|k| {
                    let (c, ky, kx) = (k / area, k % area / kernel[1], k % kernel[1]);
                    let place = [i[1] * stride[0] + ky, i[2] * stride[1] + kx];
                    let pixel = x.pixel(i[0] / outs * ins + c, place, padding);
                    (pixel.unwrap_or(0.0), stored[0].at(&[i[0], c, ky, kx]))
                });
                dot(pairs, products) + if bias { number(1, i[0]) } else { 0.0 }
            })
        }
        Op::BatchNorm { epsilon, .. } => Array::of(out, |i| {
            let c = i[0];
            (x.at(i) - number(2, c)) / (number(3, c) + epsilon).sqrt() * number(0, c) + number(1, c)
        }),
        Op::LayerNorm { epsilon, bias, .. } => Array::of(out, |i| {
            let (lane, last) = (x.lane(i), i[i.len() - 1]);
            let count = lane.len() as f64;
            let mean = lane.iter().sum::<f64>() / count;
            let variance = lane.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
            let shift = if *bias { number(1, last) } else { 0.0 };
            (x.at(i) - mean) / (variance + epsilon).sqrt() * number(0, last) + shift
        }),
        &Op::Linear { bias, .. } => Array::of(out, |i| {
            let last = i[i.len() - 1];
            let weights = stored[0].lane(&[last, 0]);
            let sum = dot(x.lane(i).into_iter().zip(weights), products);
            sum + if bias { number(1, last) } else { 0.0 }
        }),
        Op::Relu => x.map(|v| v.max(0.0)),
        Op::Relu6 => x.map(|v| v.clamp(0.0, 6.0)),
        Op::Gelu => x.map(|v| v / 2.0 * (1.0 + erf(v * std::f64::consts::FRAC_1_SQRT_2))),
        Op::Sigmoid => x.map(|v| 1.0 / (1.0 + (-v).exp())),
        Op::Softmax => {
            Array::of(out, |i| x.at(i).exp() / x.lane(i).into_iter().map(f64::exp).sum::<f64>())
        }
        Op::Add => Array::of(out, |i| x.at(i) + inputs[1].at(i)),
        Op::Mul => Array::of(out, |i| x.at(i) * inputs[1].at(i)),
        Op::Scale(factor) => x.map(|v| v * factor),
        Op::MatMul => Array::of(out, |i| {
            let (rows, columns) = (i.len() - 2, i.len() - 1);
            let (mut a, mut b) = (i.to_vec(), i.to_vec());
            let pairs = (0..x.shape[columns]).map(|k| {
                (a[columns], b[rows]) = (k, k);
                (x.at(&a), inputs[1].at(&b))
            });
            dot(pairs, products)
        }),
        &Op::Concat { axis } => Array::of(out, |i| {
            let mut at = i.to_vec();
            let part = inputs.iter().find(|part| {
                let is_here = at[axis] < part.shape[axis];
                at[axis] -= if is_here { 0 } else { part.shape[axis] };
                is_here
            });
            part.map_or(f64::NAN, |part| part.at(&at))
        }),
        Op::MaxPool(w) => {
            window(x, out, *w, |seen| seen.iter().copied().fold(f64::NEG_INFINITY, f64::max))
        }
        &Op::AveragePool(size) => {
            let squares = Window { kernel: size, stride: size, padding: 0 };
            window(x, out, squares, |seen| seen.iter().sum::<f64>() / seen.len() as f64)
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
            let channel = i[0].checked_sub(before).filter(|&channel| channel < x.shape[0]);
            channel.map_or(0.0, |channel| x.at(&[channel, i[1], i[2]]))
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
