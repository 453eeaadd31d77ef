//! Principal components against numpy's, and on a quadratic of which everything is known.

use super::super::Plane;
use super::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    points: Vec<Vec<f32>>,
    explained: [f64; 2],
    directions: [Vec<f64>; 2],
    projected: Vec<[f64; 2]>,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../../../../tests/fixtures/pca.json")).unwrap()
}

fn principal(points: &[Vec<f32>]) -> Result<Principal> {
    Principal::of(points.len(), points[0].len(), &mut |number| Ok(points[number].clone()))
}

fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} is not {b}");
}

#[test]
fn components_are_those_of_numpy() {
    let fixture = fixture();
    let found = principal(&fixture.points).unwrap();
    for which in 0..2 {
        close(found.explained[which], fixture.explained[which], 1e-12);
        let directions = found.directions[which].iter().zip(&fixture.directions[which]);
        // float32 has seven digits.
        directions.for_each(|(own, theirs)| close(f64::from(*own), *theirs, 1e-7));
    }
    for (own, theirs) in found.points.iter().zip(&fixture.projected) {
        (0..2).for_each(|which| close(own[which], theirs[which], 1e-10));
    }
}

#[test]
fn the_gram_matrix_does_not_depend_on_what_is_in_memory() {
    let points = fixture().points;
    let of = |block| {
        let mut loads = 0;
        let load = &mut |number: usize| {
            loads += 1;
            Ok(points[number].clone())
        };
        (gram(points.len(), block, load).unwrap(), loads)
    };
    let (whole, loads) = of(100);
    assert_eq!(loads, 12);
    for block in [0, 1, 5, 12] {
        assert_eq!(of(block).0, whole, "{block}");
    }
    close(whole[13], dot(&points[1], &points[1]), 0.0);
}

#[test]
fn eigenvectors_are_orthonormal_and_give_the_matrix_back() {
    let n = 12;
    let points = fixture().points;
    let matrix = gram(n, n, &mut |number| Ok(points[number].clone())).unwrap();
    let (values, vectors) = eigen(matrix.clone(), n);
    let scale = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    for i in 0..n {
        for j in 0..n {
            let sum = |of: &dyn Fn(usize) -> f64| (0..n).map(of).sum::<f64>();
            let product = sum(&|k| vectors[k * n + i] * vectors[k * n + j]);
            close(product, if i == j { 1.0 } else { 0.0 }, 1e-13);
            let back = sum(&|k| values[k] * vectors[i * n + k] * vectors[j * n + k]);
            close(back, matrix[i * n + j], 1e-13 * scale);
        }
    }
}

/// Gradient descent on `f(w) = sum of curvature x (axis . w)^2 / 2` with two known axes, from a
/// point between them: it stays in their plane, where f is known.
#[test]
fn the_plane_of_a_quadratic_is_found_and_so_are_its_values() {
    const CURVATURES: [f64; 2] = [1.0, 25.0];
    let n = 50_u32;
    let unit = |values: Vec<f64>| {
        let length = values.iter().map(|value| value * value).sum::<f64>().sqrt();
        values.into_iter().map(|value| value / length).collect::<Vec<f64>>()
    };
    let first = unit((0..n).map(|i| f64::from(i).sin()).collect());
    let other: Vec<f64> = (0..n).map(|i| f64::from(i).cos()).collect();
    let along: f64 = first.iter().zip(&other).map(|(a, b)| a * b).sum();
    let second = unit(other.iter().zip(&first).map(|(b, a)| b - along * a).collect());
    let axes = [first, second];
    let along = |axis: &[f64], point: &[f32]| -> f64 {
        axis.iter().zip(point).map(|(a, w)| a * f64::from(*w)).sum()
    };
    let f = |point: &[f32]| -> f64 {
        axes.iter().zip(CURVATURES).map(|(axis, c)| 0.5 * c * along(axis, point).powi(2)).sum()
    };

    let rate = 0.07;
    let way: Vec<Vec<f32>> = (0..30)
        .map(|step| {
            let place =
                |which: usize| [3.0, 1.0][which] * (1.0 - rate * CURVATURES[which]).powi(step);
            let value = |i: usize| (0..2).map(|which| place(which) * axes[which][i]).sum::<f64>();
            (0..n as usize).map(|i| value(i) as f32).collect()
        })
        .collect();
    let last = way[29].clone();
    let seen: Vec<Vec<f32>> =
        way.iter().map(|point| point.iter().zip(&last).map(|(a, b)| a - b).collect()).collect();
    let found = principal(&seen).unwrap();

    close(found.explained.iter().sum(), 1.0, 1e-9);
    for direction in &found.directions {
        let inside: f64 = axes.iter().map(|axis| along(axis, direction).powi(2)).sum();
        close(inside, 1.0, 1e-6);
    }
    assert_eq!(found.points[29], [0.0, 0.0]);
    let plane = Plane { origin: last.clone(), directions: found.directions.clone() };
    // Every point of the way is where the plane says it is ...
    for (point, &place) in way.iter().zip(&found.points) {
        plane
            .at(place)
            .iter()
            .zip(point)
            .for_each(|(a, b)| close(f64::from(*a), f64::from(*b), 1e-6));
    }
    // ... and between them the surface is the quadratic's, from its axes alone.
    let places = [-2.0, -0.3, 0.0, 1.7];
    let values = plane.values(&places, &places, &mut |point| Ok(f(point))).unwrap();
    for (value, (y, x)) in values.iter().zip(places.iter().flat_map(|y| places.map(|x| (*y, x)))) {
        let expected: f64 = axes
            .iter()
            .zip(CURVATURES)
            .map(|(axis, c)| {
                let [right, up] = [0, 1].map(|which| along(axis, &found.directions[which]));
                0.5 * c * (along(axis, &last) + x * right + y * up).powi(2)
            })
            .sum();
        close(*value, expected, 1e-4);
    }
}

#[test]
fn what_moves_along_a_line_has_no_plane() {
    for points in [
        vec![vec![0.0, 0.0]; 4],
        vec![vec![1.0, 2.0], vec![0.0, 0.0]],
        vec![vec![3.0, 6.0], vec![1.0, 2.0], vec![0.0, 0.0]],
    ] {
        let error = principal(&points).unwrap_err();
        assert!(error.hint().unwrap().contains("three"), "{error}");
    }
}
