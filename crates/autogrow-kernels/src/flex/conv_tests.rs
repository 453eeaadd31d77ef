//! The three jobs of a convolution, by every algorithm and with every kind of register, against
//! sums in `f64`: of bf16 those of the rounded operands, and those of the operands.

use half::bf16;
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::conv::{Forward, InputGradient, Method, WeightSums};
use super::extent::Extent;
use super::geometry::Shape;
use super::winograd;
use crate::simd;
use crate::simd::bf16::{Engine, with_engine};

fn shapes() -> impl Strategy<Value = (Shape, u64)> {
    let channels = || prop_oneof![1_usize..20, Just(24), Just(32), Just(40), Just(48)];
    let sizes = (1_usize..5, channels(), channels(), 1_usize..15, 1_usize..15);
    let windows = prop_oneof![
        4 => Just((3_usize, 1_usize, 1_usize)),
        1 => Just((1, 1, 0)),
        1 => Just((1, 2, 0)),
        1 => Just((3, 2, 1)),
        1 => Just((7, 2, 3)),
        1 => Just((2, 3, 0)),
        1 => Just((5, 1, 0)),
    ];
    (sizes, windows, any::<u64>()).prop_filter_map(
        "a kernel larger than its image",
        |((images, inputs, outputs, height, width), (kernel, stride, padding), seed)| {
            let input = Extent::new([images, inputs, height, width]);
            (kernel <= height.min(width) + 2 * padding)
                .then(|| (Shape::new(input, outputs, kernel, stride, padding), seed))
        },
    )
}

/// Random numbers in whole images with `halo` pixels of border, and zeros around them.
fn random(extent: Extent, halo: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut images = vec![0.0; extent.images * extent.image(halo)];
    for image in images.chunks_exact_mut(extent.image(halo)) {
        for y in 0..extent.height {
            for x in 0..extent.width {
                let pixel = extent.pixel(halo, [y, x]);
                image[pixel..pixel + extent.channels].fill_with(|| rng.random_range(-1.0..1.0));
            }
        }
    }
    images
}

/// The taps that join an output pixel to the image, each with its input pixel.
fn joined(shape: &Shape, [y, x]: [usize; 2]) -> impl Iterator<Item = (usize, [usize; 2])> {
    let Shape { input, kernel, stride, padding, .. } = *shape;
    (0..kernel * kernel).filter_map(move |tap| {
        let [y, x] = [y * stride + tap / kernel, x * stride + tap % kernel];
        let [y, x] = [y.checked_sub(padding)?, x.checked_sub(padding)?];
        (y < input.height && x < input.width).then_some((tap, [y, x]))
    })
}

fn pixels(extent: Extent) -> impl Iterator<Item = [usize; 2]> {
    (0..extent.height).flat_map(move |y| (0..extent.width).map(move |x| [y, x]))
}

/// Calls `visit(weight, input, output)` with the indices of every product of the convolution.
fn products(
    shape: &Shape,
    [halo, output_halo]: [usize; 2],
    mut visit: impl FnMut(usize, usize, usize),
) {
    let (input, output) = (shape.input, shape.output);
    for image in 0..input.images {
        for pixel in pixels(output) {
            let to = image * output.image(output_halo) + output.pixel(output_halo, pixel);
            for (tap, from) in joined(shape, pixel) {
                let from = image * input.image(halo) + input.pixel(halo, from);
                for o in 0..output.channels {
                    for i in 0..input.channels {
                        let weight = o * input.channels + i;
                        visit(weight * shape.kernel.pow(2) + tap, from + i, to + o);
                    }
                }
            }
        }
    }
}

/// The largest difference relative to the largest value.
fn error(ours: &[f32], exact: &[f64]) -> f64 {
    assert_eq!(ours.len(), exact.len());
    let largest = exact.iter().fold(0.1_f64, |max, v| max.max(v.abs()));
    let differences = ours.iter().zip(exact).map(|(a, b)| (f64::from(*a) - b).abs());
    differences.fold(0.0, |max, d| if d.is_nan() { d } else { f64::max(max, d) }) / largest
}

/// The operands as `method` multiplies them.
fn operands(values: &[f32], method: Method) -> Vec<f32> {
    let round = |value: &f32| bf16::from_f32(*value).to_f32();
    if method == Method::Bf16 { values.iter().map(round).collect() } else { values.to_vec() }
}

/// How far from the sums over [`operands`] a method may be.
fn tolerance(method: Method) -> f64 {
    if method == Method::Winograd { 1e-4 } else { 1e-5 }
}

fn check(shape: &Shape, seed: u64, method: Method, pieces: usize) -> Result<(), TestCaseError> {
    let tolerance = tolerance(method);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (input, output) = (shape.input, shape.output);
    let (halo, output_halo) = (shape.input_halo().max(1), shape.output_halo());
    let values = random(input, halo, &mut rng);
    let gradient = random(output, output_halo, &mut rng);
    let count = output.channels * input.channels * shape.kernel.pow(2);
    let weights = (0..count).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>();

    let [by_value, by_gradient, by_weight] =
        [&values, &gradient, &weights].map(|numbers| operands(numbers, method));

    // What is written holds anything beforehand.
    let mut out = vec![f32::NAN; output.images * output.image(0)];
    Forward::new(shape, method, halo, &weights).run(&values, &mut out, pieces);
    let mut exact = vec![0.0; out.len()];
    products(shape, [halo, 0], |w, i, o| {
        exact[o] += f64::from(by_weight[w]) * f64::from(by_value[i]);
    });
    prop_assert!(error(&out, &exact) < tolerance, "forward: {}", error(&out, &exact));

    let mut out = vec![f32::NAN; input.images * input.image(0)];
    InputGradient::new(shape, method, (output_halo, 3), &weights).run(&gradient, &mut out, pieces);
    let mut exact = vec![0.0; out.len()];
    products(shape, [0, output_halo], |w, i, o| {
        exact[i] += f64::from(by_weight[w]) * f64::from(by_gradient[o]);
    });
    prop_assert!(error(&out, &exact) < tolerance, "input: {}", error(&out, &exact));

    // In two parts, the first image apart.
    let split = (input.image(halo), output.image(output_halo));
    let sums = || WeightSums::new(shape, method, [halo, output_halo], input.images);
    let mut parts = vec![sums()];
    let (first, rest) = (values.split_at(split.0), gradient.split_at(split.1));
    parts[0].add(first.0, rest.0, pieces);
    if input.images > 1 {
        parts.push(sums());
        parts[1].add(first.1, rest.1, pieces);
    }
    let total = WeightSums::total(shape, parts);
    let mut exact = vec![0.0; count];
    products(shape, [halo, output_halo], |w, i, o| {
        exact[w] += f64::from(by_value[i]) * f64::from(by_gradient[o]);
    });
    prop_assert!(error(&total, &exact) < tolerance, "weights: {}", error(&total, &exact));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_job_is_right_by_every_algorithm((shape, seed) in shapes(), pieces in 1_usize..20) {
        for registers in simd::Registers::ALL {
            simd::with_at_most(registers, || {
                check(&shape, seed, Method::Direct, pieces)?;
                if winograd::applies(&shape) {
                    check(&shape, seed, Method::Winograd, pieces)?;
                }
                Ok::<(), TestCaseError>(())
            })?;
        }
        for engine in Engine::ALL {
            with_engine(engine, || check(&shape, seed, Method::Bf16, pieces))?;
        }
    }
}

/// Some places of all three jobs with many channels: exact sums of all places would take minutes.
fn check_wide(shape: &Shape, method: Method) {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let (input, output, taps) = (shape.input, shape.output, shape.kernel.pow(2));
    let (halo, output_halo) = (shape.input_halo().max(1), shape.output_halo());
    let values = random(input, halo, &mut rng);
    let gradient = random(output, output_halo, &mut rng);
    let count = output.channels * input.channels * taps;
    let weights = (0..count).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>();
    let pieces = 8;
    let mut out = vec![f32::NAN; output.images * output.image(0)];
    Forward::new(shape, method, halo, &weights).run(&values, &mut out, pieces);
    let mut sent = vec![f32::NAN; input.images * input.image(0)];
    let backward = InputGradient::new(shape, method, (output_halo, input.images), &weights);
    backward.run(&gradient, &mut sent, pieces);
    let mut sums = WeightSums::new(shape, method, [halo, output_halo], input.images);
    sums.add(&values, &gradient, pieces);
    let total = WeightSums::total(shape, vec![sums]);

    // Of bf16 also what is lost by rounding the operands, each by a part in 512 at most.
    let all = [&values, &gradient, &weights];
    compare(
        shape,
        [halo, output_halo],
        all.map(|v| operands(v, method)),
        &[&out, &sent, &total],
        tolerance(method),
    );
    if method == Method::Bf16 {
        let bound = 2.0_f64.powi(-8);
        compare(shape, [halo, output_halo], all.map(Clone::clone), &[&out, &sent, &total], bound);
    }
}

/// Some places of the three jobs' results against exact sums of the operands.
fn compare(
    shape: &Shape,
    [halo, output_halo]: [usize; 2],
    [values, gradient, weights]: [Vec<f32>; 3],
    [out, sent, total]: &[&[f32]; 3],
    tolerance: f64,
) {
    let (input, output, taps) = (shape.input, shape.output, shape.kernel.pow(2));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let value = |image: usize, pixel, i: usize| {
        f64::from(values[image * input.image(halo) + input.pixel(halo, pixel) + i])
    };
    let arriving = |image: usize, pixel, o: usize| {
        f64::from(
            gradient[image * output.image(output_halo) + output.pixel(output_halo, pixel) + o],
        )
    };
    let weight = |o, i, tap| f64::from(weights[(o * input.channels + i) * taps + tap]);
    let mut ours: [Vec<f32>; 3] = Default::default();
    let mut exact: [Vec<f64>; 3] = Default::default();
    for _ in 0..100 {
        let (image, tap) = (rng.random_range(0..input.images), rng.random_range(0..taps));
        let (i, o) = (rng.random_range(0..input.channels), rng.random_range(0..output.channels));
        let random = |extent: Extent, rng: &mut ChaCha8Rng| {
            [rng.random_range(0..extent.height), rng.random_range(0..extent.width)]
        };
        let at = random(output, &mut rng);
        ours[0].push(out[image * output.image(0) + output.pixel(0, at) + o]);
        exact[0].push(joined(shape, at).fold(0.0, |sum, (tap, from)| {
            (0..input.channels).fold(sum, |sum, i| sum + weight(o, i, tap) * value(image, from, i))
        }));
        let at = random(input, &mut rng);
        ours[1].push(sent[image * input.image(0) + input.pixel(0, at) + i]);
        let pairs = pixels(output).flat_map(|to| joined(shape, to).map(move |join| (to, join)));
        let pairs = pairs.collect::<Vec<_>>();
        exact[1].push(pairs.iter().filter(|(_, (_, from))| *from == at).fold(
            0.0,
            |sum, (to, (tap, _))| {
                let products =
                    (0..output.channels).map(|o| weight(o, i, *tap) * arriving(image, *to, o));
                sum + products.sum::<f64>()
            },
        ));
        ours[2].push(total[(o * input.channels + i) * taps + tap]);
        let pairs = pairs.iter().filter(|(_, (joins, _))| *joins == tap);
        exact[2].push(pairs.fold(0.0, |sum, (to, (_, from))| {
            let images = 0..input.images;
            sum + images.map(|n| value(n, *from, i) * arriving(n, *to, o)).sum::<f64>()
        }));
    }
    for (job, (ours, exact)) in ours.iter().zip(&exact).enumerate() {
        assert!(error(ours, exact) < tolerance, "{shape:?}, job {job}: {}", error(ours, exact));
    }
}

#[test]
fn many_channels_are_right_by_every_algorithm() {
    let layers = [
        (64, 64, 8, 3, 1),
        (128, 128, 8, 3, 1),
        (256, 256, 4, 3, 1),
        (512, 512, 4, 3, 1),
        (128, 256, 8, 3, 2),
        (64, 256, 8, 1, 1),
        (512, 128, 4, 1, 1),
        (256, 512, 8, 1, 2),
    ];
    for (inputs, outputs, size, kernel, stride) in layers {
        let input = Extent::new([33, inputs, size, size]);
        let shape = Shape::new(input, outputs, kernel, stride, kernel / 2);
        check_wide(&shape, Method::Direct);
        check_wide(&shape, Method::Bf16);
        if winograd::applies(&shape) {
            check_wide(&shape, Method::Winograd);
        }
    }
}
