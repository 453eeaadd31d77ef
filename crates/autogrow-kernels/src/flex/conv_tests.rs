//! The three jobs of a convolution, by both algorithms and with every kind of register, against
//! sums in `f64`.

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::conv::{Forward, InputGradient, Method, WeightSums};
use super::extent::Extent;
use super::geometry::Shape;
use super::winograd;
use crate::simd;

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

/// Calls `visit(weight, input, output)` with the indices of every product of the convolution.
fn products(
    shape: &Shape,
    [halo, output_halo]: [usize; 2],
    mut visit: impl FnMut(usize, usize, usize),
) {
    let (input, output) = (shape.input, shape.output);
    for image in 0..input.images {
        for (y, x) in (0..output.height).flat_map(|y| (0..output.width).map(move |x| (y, x))) {
            for (ky, kx) in (0..shape.kernel).flat_map(|y| (0..shape.kernel).map(move |x| (y, x))) {
                let (iy, ix) = (y * shape.stride + ky, x * shape.stride + kx);
                let inside = |at: usize, size| (shape.padding..shape.padding + size).contains(&at);
                if !inside(iy, input.height) || !inside(ix, input.width) {
                    continue;
                }
                let from = input.pixel(halo, [iy - shape.padding, ix - shape.padding]);
                let from = image * input.image(halo) + from;
                let to = image * output.image(output_halo) + output.pixel(output_halo, [y, x]);
                for o in 0..output.channels {
                    for i in 0..input.channels {
                        let weight = o * input.channels + i;
                        let weight = (weight * shape.kernel + ky) * shape.kernel + kx;
                        visit(weight, from + i, to + o);
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

fn check(shape: &Shape, seed: u64, method: Method) -> Result<(), TestCaseError> {
    let tolerance = if method == Method::Direct { 1e-5 } else { 1e-4 };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (input, output) = (shape.input, shape.output);
    let (halo, output_halo) = (shape.input_halo().max(1), shape.output_halo());
    let values = random(input, halo, &mut rng);
    let gradient = random(output, output_halo, &mut rng);
    let count = output.channels * input.channels * shape.kernel.pow(2);
    let weights = (0..count).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>();

    // What is written holds anything beforehand.
    let mut out = vec![f32::NAN; output.images * output.image(0)];
    Forward::new(shape, method, halo, &weights).run(&values, &mut out);
    let mut exact = vec![0.0; out.len()];
    products(shape, [halo, 0], |w, i, o| {
        exact[o] += f64::from(weights[w]) * f64::from(values[i]);
    });
    prop_assert!(error(&out, &exact) < tolerance, "forward: {}", error(&out, &exact));

    let mut out = vec![f32::NAN; input.images * input.image(0)];
    InputGradient::new(shape, method, output_halo, &weights).run(&gradient, &mut out);
    let mut exact = vec![0.0; out.len()];
    products(shape, [0, output_halo], |w, i, o| {
        exact[i] += f64::from(weights[w]) * f64::from(gradient[o]);
    });
    prop_assert!(error(&out, &exact) < tolerance, "input: {}", error(&out, &exact));

    // In two parts, the first image apart.
    let split = (input.image(halo), output.image(output_halo));
    let mut parts = vec![WeightSums::zeroed(shape, method), WeightSums::zeroed(shape, method)];
    let (first, rest) = (values.split_at(split.0), gradient.split_at(split.1));
    parts[0].add(shape, (first.0, halo), (rest.0, output_halo));
    parts[1].add(shape, (first.1, halo), (rest.1, output_halo));
    let total = WeightSums::total(shape, parts);
    let mut exact = vec![0.0; count];
    products(shape, [halo, output_halo], |w, i, o| {
        exact[w] += f64::from(values[i]) * f64::from(gradient[o]);
    });
    prop_assert!(error(&total, &exact) < tolerance, "weights: {}", error(&total, &exact));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_job_is_right_by_every_algorithm((shape, seed) in shapes()) {
        for registers in simd::Registers::ALL {
            simd::with_at_most(registers, || {
                check(&shape, seed, Method::Direct)?;
                if winograd::applies(&shape) {
                    check(&shape, seed, Method::Winograd)?;
                }
                Ok::<(), TestCaseError>(())
            })?;
        }
    }
}
