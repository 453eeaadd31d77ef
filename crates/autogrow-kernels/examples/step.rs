//! Times whole training steps, or evaluations, of networks built from feature maps, on Flex.
//!
//! `step NETWORK [--threads N] [--steps N] [--batch N] [--evaluate] [--serve]` prints one JSON line
//! per step and a last one with the peak resident memory. With `--serve` it prints `ready` and then
//! runs one step for every line it reads, so that a driver can interleave it with another program:
//! `benches/pytorch_step.py` has the same networks and the same protocol.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a command-line program for developers"
)]

use std::io::BufRead;
use std::time::Instant;

use autogrow_kernels::{Activation, FeatureMap, Skip, batch_norm, conv, linear};
use burn::module::Module;
use burn::nn::{BatchNorm, Linear, conv::Conv2d};
use burn::optim::{GradientsParams, SgdConfig, decay::WeightDecayConfig, momentum::MomentumConfig};
use burn::tensor::{Device, Int, Tensor, TensorData, activation::log_softmax};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Module, Debug)]
struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
}

/// Convolutions one after another, and, if it is residual, a shortcut with or without projection.
#[derive(Module, Debug)]
struct Block {
    layers: Vec<ConvNorm>,
    shortcut: Option<ConvNorm>,
    residual: bool,
}

#[derive(Module, Debug)]
struct Net {
    stem: ConvNorm,
    blocks: Vec<Block>,
    head: Linear,
}

struct Maker {
    rng: ChaCha8Rng,
    device: Device,
}

impl Maker {
    fn conv_norm(&mut self, channels: [usize; 2], kernel: usize, stride: usize) -> ConvNorm {
        ConvNorm {
            conv: conv(channels, kernel, stride, &mut self.rng, &self.device),
            norm: batch_norm(channels[1], &self.device),
        }
    }

    fn block(&mut self, kind: &str, inputs: usize, width: usize, stride: usize) -> (Block, usize) {
        let (layers, outputs) = match kind {
            "plain" => (vec![self.conv_norm([inputs, width], 3, stride)], width),
            "basic" => {
                let first = self.conv_norm([inputs, width], 3, stride);
                (vec![first, self.conv_norm([width, width], 3, 1)], width)
            }
            _ => {
                let first = self.conv_norm([inputs, width], 1, 1);
                let second = self.conv_norm([width, width], 3, stride);
                (vec![first, second, self.conv_norm([width, 4 * width], 1, 1)], 4 * width)
            }
        };
        let residual = kind != "plain";
        let shortcut = (residual && (stride != 1 || inputs != outputs))
            .then(|| self.conv_norm([inputs, outputs], 1, stride));
        (Block { layers, shortcut, residual }, outputs)
    }

    fn net(&mut self, name: &str) -> Net {
        let (kind, width, depths): (_, usize, &[usize]) = match name {
            "basic3-3" => ("basic", 16, &[3, 3, 3]),
            "basic3-9" => ("basic", 16, &[9, 9, 9]),
            "plain3-6" => ("plain", 16, &[6, 6, 6]),
            "basic4-1" => ("basic", 64, &[1, 1, 1, 1]),
            "bottleneck4-1" => ("bottleneck", 64, &[1, 1, 1, 1]),
            "basic3-3-w8" => ("basic", 8, &[3, 3, 3]),
            _ => panic!("unknown network {name}"),
        };
        let stem = self.conv_norm([3, width], 3, 1);
        let mut blocks = Vec::new();
        let mut channels = width;
        for (stage, depth) in depths.iter().enumerate() {
            for index in 0..*depth {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                let (block, outputs) = self.block(kind, channels, width << stage, stride);
                blocks.push(block);
                channels = outputs;
            }
        }
        Net { stem, blocks, head: linear([channels, 10], &mut self.rng, &self.device) }
    }
}

impl Block {
    fn forward(&self, x: FeatureMap) -> FeatureMap {
        let (last, first) = self.layers.split_last().expect("a block has layers");
        let mut y = x.clone();
        for layer in first {
            y = y.conv(&layer.conv).norm(&layer.norm, Skip::None, Activation::Relu);
        }
        let skip = match &self.shortcut {
            _ if !self.residual => Skip::None,
            Some(shortcut) => Skip::Projected(x.conv(&shortcut.conv), &shortcut.norm),
            None => Skip::Identity(x),
        };
        y.conv(&last.conv).norm(&last.norm, skip, Activation::Relu)
    }
}

impl Net {
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let Self { stem, blocks, head } = self;
        let map = FeatureMap::from_nchw(images);
        let map = map.conv(&stem.conv).norm(&stem.norm, Skip::None, Activation::Relu);
        let map = blocks.iter().fold(map, |map, block| block.forward(map));
        head.forward(map.global_average())
    }
}

fn cross_entropy(logits: Tensor<2>, labels: &Tensor<2, Int>) -> Tensor<1> {
    let [batch, _] = logits.dims();
    log_softmax(logits, 1).gather(1, labels.clone()).sum().neg() / batch as f32
}

fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(f64::NAN) / 1024.0
}

fn main() {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let name = arguments.first().map_or("basic3-3", String::as_str);
    let number = |flag: &str, default: usize| {
        let at = arguments.iter().position(|argument| argument == flag);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(default)
    };
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(number("--threads", 1));
    pool.build_global().expect("the first pool");

    let (plain, device) = (Device::flex(), Device::flex().autodiff());
    let mut maker = Maker { rng: ChaCha8Rng::seed_from_u64(0), device: device.clone() };
    let mut net = maker.net(name);
    let batch = number("--batch", 128);
    let pixels = (0..batch * 3 * 1024).map(|_| maker.rng.random_range(-1.7_f32..1.7)).collect();
    let images =
        Tensor::<4>::from_data(TensorData::new::<f32, _>(pixels, [batch, 3, 32, 32]), &plain);
    let labels = (0..batch).map(|_| maker.rng.random_range(0..10_i64)).collect::<Vec<_>>();
    let labels = Tensor::<2, Int>::from_data(TensorData::new(labels, [batch, 1]), &device);
    let momentum = MomentumConfig { momentum: 0.9, dampening: 0.0, nesterov: false };
    let mut optimizer = SgdConfig::new()
        .with_momentum(Some(momentum))
        .with_weight_decay(Some(WeightDecayConfig { penalty: 1e-4 }))
        .init();
    let valid = net.valid();
    let evaluate = has("--evaluate");

    let mut step = || {
        let start = Instant::now();
        let value: f32 = if evaluate {
            valid.forward(images.clone()).sum().into_scalar()
        } else {
            let loss = cross_entropy(net.forward(images.clone()), &labels);
            let gradients = GradientsParams::from_grads(loss.clone().backward(), &net);
            net = optimizer.step(0.01, net.clone(), gradients);
            loss.into_scalar()
        };
        (start.elapsed().as_secs_f64(), value)
    };
    let report = |(seconds, value): (f64, f32)| {
        println!(r#"{{"network": "{name}", "seconds": {seconds}, "value": {value}}}"#);
    };
    if has("--serve") {
        step();
        println!("ready");
        for _ in std::io::stdin().lock().lines() {
            report(step());
        }
    } else {
        for _ in 0..number("--steps", 12) {
            report(step());
        }
    }
    println!(r#"{{"network": "{name}", "peak_mb": {}}}"#, peak_megabytes());
}
