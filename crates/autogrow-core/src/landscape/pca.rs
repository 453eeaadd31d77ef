//! Principal components of a trajectory: of few points with very many coordinates. Everything
//! follows from the Gram matrix of the points, which is as small as they are few; a covariance
//! matrix would have as many rows as the network has parameters.

use crate::{Error, Result};

/// Numbers of the points that are in memory at once: a gigabyte.
const IN_MEMORY: usize = 1 << 28;

/// A component below this part of the variance is rounding.
const NEGLIGIBLE: f64 = 1e-12;

/// Rounds of rotations after which the eigenvalues are exact, whatever the matrix.
const SWEEPS: usize = 60;

/// Reads the point of a number, [`Principal::of`]'s to count.
pub type Load<'a> = dyn FnMut(usize) -> Result<Vec<f32>> + 'a;

/// The two first principal components.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    /// Parts of the variance along them, 0 to 1, the larger first.
    pub explained: [f64; 2],
    /// Coordinates of each point along them. The first point's are not negative.
    pub points: Vec<[f64; 2]>,
    /// Two unit vectors, orthogonal.
    pub directions: [Vec<f32>; 2],
}

impl Principal {
    /// Of `count` points of so many coordinates, seen from an origin that need not be their mean:
    /// coordinates are those from the origin, the directions are those of largest variance around
    /// the mean. A point may be loaded several times, so that not all have to be in memory.
    ///
    /// # Errors
    /// Those of `load`; [`Error::Config`] where the points lie on a line.
    pub fn of(count: usize, dimension: usize, load: &mut Load<'_>) -> Result<Self> {
        let gram = gram(count, IN_MEMORY / dimension.max(1), load)?;
        let components = Components::of(&gram, count)?;
        let mut directions = [vec![0.0; dimension], vec![0.0; dimension]];
        for number in 0..count {
            let point = load(number)?;
            for (direction, weights) in directions.iter_mut().zip(&components.weights) {
                let weight = weights[number];
                let sums = direction.iter_mut().zip(&point);
                sums.for_each(|(sum, value)| *sum += weight * f64::from(*value));
            }
        }
        let directions =
            directions.map(|direction| direction.iter().map(|&value| value as f32).collect());
        Ok(Self { explained: components.explained, points: components.points, directions })
    }
}

/// What the Gram matrix alone tells.
struct Components {
    explained: [f64; 2],
    points: Vec<[f64; 2]>,
    /// Each direction is the sum of the points with these weights.
    weights: [Vec<f64>; 2],
}

impl Components {
    fn of(gram: &[f64], count: usize) -> Result<Self> {
        let (values, vectors) = eigen(centred(gram, count), count);
        let variance: f64 = values.iter().sum();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        let [first, second] = match order[..] {
            [first, second, ..] if values[second] > NEGLIGIBLE * variance => [first, second],
            _ => {
                let problem = "leaves fewer than two directions in which the weights have moved";
                return Err(Error::config("run.snapshots", problem)
                    .with_hint("a trajectory needs at least three different snapshots"));
            }
        };
        // The weights of an eigenvector sum to 0, so that the mean drops out.
        let mut weights = [first, second].map(|which| {
            let scale = 1.0 / values[which].sqrt();
            (0..count).map(|row| scale * vectors[row * count + which]).collect::<Vec<f64>>()
        });
        let row = |number: usize| &gram[number * count..(number + 1) * count];
        let along = |weights: &[f64], number: usize| -> f64 {
            weights.iter().zip(row(number)).map(|(weight, product)| weight * product).sum()
        };
        for weights in &mut weights {
            if along(weights, 0) < 0.0 {
                weights.iter_mut().for_each(|weight| *weight = -*weight);
            }
        }
        let point = |number| [along(&weights[0], number), along(&weights[1], number)];
        Ok(Self {
            explained: [first, second].map(|which| values[which] / variance),
            points: (0..count).map(point).collect(),
            weights,
        })
    }
}

/// Scalar products of all points with each other, row-major; `block` points are kept in memory
/// while the others pass by.
fn gram(count: usize, block: usize, load: &mut Load<'_>) -> Result<Vec<f64>> {
    let mut gram = vec![0.0; count * count];
    let block = block.clamp(1, count.max(1));
    for start in (0..count).step_by(block) {
        let kept = (start..count.min(start + block)).map(&mut *load).collect::<Result<Vec<_>>>()?;
        let mut products = |column: usize, point: &[f32]| {
            for (row, other) in (start..).zip(&kept).filter(|(row, _)| *row >= column) {
                let product = dot(other, point);
                gram[row * count + column] = product;
                gram[column * count + row] = product;
            }
        };
        for column in 0..start {
            products(column, &load(column)?);
        }
        for (column, point) in (start..).zip(&kept) {
            products(column, point);
        }
    }
    Ok(gram)
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// The Gram matrix of the same points seen from their mean.
fn centred(gram: &[f64], count: usize) -> Vec<f64> {
    let means: Vec<f64> =
        gram.chunks_exact(count).map(|row| row.iter().sum::<f64>() / count as f64).collect();
    let mean = means.iter().sum::<f64>() / count as f64;
    let entry = |place: usize| gram[place] - means[place / count] - means[place % count] + mean;
    (0..gram.len()).map(entry).collect()
}

/// Eigenvalues and eigenvectors (columns) of a symmetric matrix, by the rotations of Jacobi, which
/// are slow for large matrices and exact for all.
fn eigen(mut a: Vec<f64>, n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut vectors = vec![0.0; n * n];
    (0..n).for_each(|i| vectors[i * n + i] = 1.0);
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let (off, size) = (a[p * n + q], a[p * n + p].abs() + a[q * n + q].abs());
                if off.abs() <= f64::EPSILON * 0.5 * size {
                    continue;
                }
                rotated = true;
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * off);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                let s = t * c;
                for k in 0..n {
                    turn(&mut a, k * n + p, k * n + q, c, s);
                    turn(&mut vectors, k * n + p, k * n + q, c, s);
                }
                for k in 0..n {
                    turn(&mut a, p * n + k, q * n + k, c, s);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    ((0..n).map(|i| a[i * n + i]).collect(), vectors)
}

fn turn(numbers: &mut [f64], p: usize, q: usize, c: f64, s: f64) {
    let (x, y) = (numbers[p], numbers[q]);
    numbers[p] = c * x - s * y;
    numbers[q] = s * x + c * y;
}

#[cfg(test)]
mod tests;
