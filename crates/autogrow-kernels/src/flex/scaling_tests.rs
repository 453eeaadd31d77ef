//! How training steps would spread over 32 threads: the tasks of every loop are timed on one thread,
//! and scheduled on paper. `EVERY_NETWORK=1 cargo test --workspace --lib -- scaling --nocapture` prints
//! what comes out for all networks, and the loops that leave threads idle.

use burn::nn::{BatchNorm, conv::Conv2d};
use burn::tensor::{Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::conv::Methods;
use super::extent::Extent;
use super::geometry::Shape;
use super::layer::forward_cut;
use super::layer_backward::backward_cut;
use super::layer_tests::random;
use super::parallel::{Cut, Recorded, WORKERS, record};
use crate::{Activation::Relu, FeatureMap, Skip, batch_norm, conv};

/// Seconds that a loop takes on some threads: each task as it comes to the thread that is free
/// first, or, if there are fewer tasks than threads, an equal share of the threads for each.
fn loop_time(tasks: &[Recorded], threads: usize) -> f64 {
    if tasks.len() < threads {
        let share = threads / tasks.len().max(1);
        return tasks.iter().map(|task| task_time(task, share)).fold(0.0, f64::max);
    }
    let mut free = vec![0.0; threads];
    for task in tasks {
        let first = free.iter_mut().min_by(|a: &&mut f64, b| a.total_cmp(b));
        if let Some(first) = first {
            *first += task.seconds();
        }
    }
    free.into_iter().fold(0.0, f64::max)
}

/// Seconds that a task takes that has some threads for its loops.
fn task_time(task: &Recorded, threads: usize) -> f64 {
    let loops = task.loops.iter().map(|tasks| loop_time(tasks, threads)).sum::<f64>();
    task.alone + loops
}

fn total(tasks: &[Recorded]) -> f64 {
    tasks.iter().map(Recorded::seconds).sum()
}

/// Each task as fast as in the faster of two runs of the same step.
fn faster(one: Recorded, other: Recorded) -> Recorded {
    let tasks = |(one, other): (Vec<_>, Vec<_>)| {
        assert_eq!(one.len(), other.len(), "another step");
        one.into_iter().zip(other).map(|(one, other)| faster(one, other)).collect()
    };
    Recorded {
        alone: one.alone.min(other.alone),
        loops: one.loops.into_iter().zip(other.loops).map(tasks).collect(),
    }
}

#[test]
fn tasks_are_scheduled_as_threads_would_take_them() {
    let task = |alone, loops| Recorded { alone, loops };
    let leaf = |seconds| task(seconds, Vec::new());
    assert_eq!(loop_time(&[leaf(1.0), leaf(1.0), leaf(2.0)], 2), 3.0);
    let nested = || task(1.0, vec![vec![leaf(1.0), leaf(1.0)], vec![leaf(2.0)]]);
    assert_eq!(loop_time(&[nested(), nested()], 4), 1.0 + 1.0 + 2.0);
    assert_eq!(loop_time(&[nested(), nested()], 2), 5.0);
}

struct Layer(Conv2d, BatchNorm);

struct Block {
    body: Vec<Layer>,
    shortcut: Option<Layer>,
}

/// One of the paper's networks for small images.
struct Net {
    name: &'static str,
    stem: Layer,
    blocks: Vec<Block>,
    shapes: Vec<Shape>,
}

const BATCH: usize = 128;

impl Net {
    /// Kernels and widths, as multiples, of a block's convolutions.
    fn new(name: &'static str, kind: &[(usize, usize)], depth: &[usize], width: usize) -> Self {
        let device = Device::flex().autodiff();
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut shapes = Vec::new();
        let mut layer = |[inputs, outputs]: [usize; 2], kernel, stride, size| {
            let input = Extent::new([BATCH, inputs, size, size]);
            shapes.push(Shape::new(input, outputs, kernel, stride, kernel / 2));
            let conv = conv([inputs, outputs], kernel, stride, &mut rng, &device);
            Layer(conv, batch_norm(outputs, &device))
        };
        let stem = layer([3, width], 3, 1, 32);
        let (mut blocks, mut channels, mut size) = (Vec::new(), width, 32);
        for (stage, count) in depth.iter().enumerate() {
            for index in 0..*count {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                let (mut inputs, mut at) = (channels, size);
                let mut body = Vec::new();
                // The stride is the first 3x3 convolution's.
                let strided = kind.iter().position(|(kernel, _)| *kernel == 3);
                for (place, (kernel, factor)) in kind.iter().enumerate() {
                    let outputs = factor * (width << stage);
                    let stride = if Some(place) == strided { stride } else { 1 };
                    body.push(layer([inputs, outputs], *kernel, stride, at));
                    (inputs, at) = (outputs, at / stride);
                }
                let projected = kind.len() > 1 && (stride > 1 || inputs != channels);
                let shortcut = projected.then(|| layer([channels, inputs], 1, stride, size));
                blocks.push(Block { body, shortcut });
                (channels, size) = (inputs, at);
            }
        }
        Self { name, stem, blocks, shapes }
    }

    fn loss(&self, images: Tensor<4>) -> Tensor<1> {
        let apply =
            |map: &FeatureMap, layer: &Layer, skip| map.conv(&layer.0).norm(&layer.1, skip, Relu);
        let mut x = apply(&FeatureMap::from_nchw(images), &self.stem, Skip::None);
        for Block { body, shortcut } in &self.blocks {
            let Some((last, before)) = body.split_last() else { continue };
            let y = before.iter().fold(x.clone(), |y, layer| apply(&y, layer, Skip::None));
            let skip = match shortcut {
                Some(Layer(conv, norm)) => Skip::Projected(x.conv(conv), norm),
                None if before.is_empty() => Skip::None,
                None => Skip::Identity(x),
            };
            x = apply(&y, last, skip);
        }
        x.global_average().into_tensor().powi_scalar(2).sum()
    }
}

const BASIC: &[(usize, usize)] = &[(3, 1), (3, 1)];
const PLAIN: &[(usize, usize)] = &[(3, 1)];
const BOTTLENECK: &[(usize, usize)] = &[(1, 1), (3, 1), (1, 4)];

fn nets() -> [Net; 5] {
    [
        Net::new("Basic3ResNet-3-3-3", BASIC, &[3, 3, 3], 16),
        Net::new("Basic3ResNet-9-9-9", BASIC, &[9, 9, 9], 16),
        Net::new("Plain3Net-6-6-6", PLAIN, &[6, 6, 6], 16),
        Net::new("Basic4ResNet-1-1-1-1", BASIC, &[1, 1, 1, 1], 64),
        Net::new("Bottleneck4ResNet-1-1-1-1", BOTTLENECK, &[1, 1, 1, 1], 64),
    ]
}

/// What the busiest of 32 threads has to do, divided by the mean, if all images take equally long.
fn imbalance(cut: Cut, images: usize) -> f64 {
    let over =
        |tasks: usize, threads: usize| (tasks.div_ceil(threads) * threads) as f64 / tasks as f64;
    let chunks = images.div_ceil(cut.chunk);
    if chunks >= WORKERS {
        return over(chunks, WORKERS);
    }
    let pieces = cut.group.div_ceil(cut.piece());
    over(pieces, WORKERS / chunks) * WORKERS as f64 / (WORKERS / chunks * chunks) as f64
}

#[test]
fn every_pass_has_work_for_32_threads() {
    for net in nets() {
        for shape in &net.shapes {
            let methods = Methods::of(shape);
            let cuts = [
                forward_cut(shape, methods.forward),
                backward_cut(shape, methods, true),
                backward_cut(shape, methods, false),
            ];
            for cut in cuts {
                assert!(imbalance(cut, BATCH) <= 1.25, "{}: {shape:?} {cut:?}", net.name);
            }
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "what is measured is to be read")]
fn a_step_is_measured_for_32_threads() {
    let all = std::env::var_os("EVERY_NETWORK").is_some();
    let (networks, rounds) = if all { (5, 8) } else { (1, 1) };
    let device = Device::flex().autodiff();
    let images = random([BATCH, 3, 32, 32], &mut ChaCha8Rng::seed_from_u64(0), &device);
    for net in nets().into_iter().take(networks) {
        let step = || record(|| drop(net.loss(images.clone()).backward())).1;
        // Once to warm up.
        step();
        let step = (1..rounds).fold(step(), |fastest, _| faster(fastest, step()));
        let share = |seconds: f64| 100.0 * seconds / step.seconds();
        let on = |threads| step.loops.iter().map(|tasks| loop_time(tasks, threads)).sum::<f64>();
        let in_loops = step.loops.iter().map(|tasks| total(tasks)).sum::<f64>();
        println!(
            "{}: {:.1} ms on one thread, {:.1} % of them outside of loops; loops {:.2} times as fast \
             on 2 threads, {:.1} times on {WORKERS}",
            net.name,
            1e3 * step.seconds(),
            share(step.alone),
            in_loops / on(2),
            in_loops / on(WORKERS),
        );
        for tasks in &step.loops {
            let ratio = loop_time(tasks, WORKERS) * WORKERS as f64 / total(tasks);
            assert!(ratio >= 0.99, "{ratio}");
            if ratio > 1.25 && share(total(tasks)) > 0.2 {
                let inner = tasks.first().map_or(0, |task| task.loops.len());
                println!(
                    "  {} tasks of {inner} loops, {:.2} % of the step: {ratio:.2}",
                    tasks.len(),
                    share(total(tasks))
                );
            }
        }
    }
}
