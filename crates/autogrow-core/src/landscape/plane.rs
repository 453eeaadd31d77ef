//! [`Plane`]: two directions from a point, and values over it; random directions that networks of
//! different scale can be compared along.

use super::Space;
use crate::Result;
use autogrow_kernels::standard_normal;
use rand::RngCore;

/// A plane of a [`Space`].
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    /// The point at (0, 0).
    pub origin: Vec<f32>,
    /// Where one step to the right, and one upwards, lead.
    pub directions: [Vec<f32>; 2],
}

impl Plane {
    /// The point at these coordinates.
    pub fn at(&self, [x, y]: [f64; 2]) -> Vec<f32> {
        let steps = self.directions[0].iter().zip(&self.directions[1]);
        let moved = self.origin.iter().zip(steps).map(|(&origin, (&right, &up))| {
            f64::from(origin) + x * f64::from(right) + y * f64::from(up)
        });
        moved.map(|value| value as f32).collect()
    }

    /// Values of a function over a grid, row after row, each row from left to right.
    ///
    /// # Errors
    /// Those of the function.
    pub fn values(
        &self,
        x: &[f64],
        y: &[f64],
        function: &mut dyn FnMut(&[f32]) -> Result<f64>,
    ) -> Result<Vec<f64>> {
        let nodes = y.iter().flat_map(|&y| x.iter().map(move |&x| [x, y]));
        nodes.map(|node| function(&self.at(node))).collect()
    }
}

/// A random direction from `point` (Li et al. 2018, section 4): normal noise of which each filter is
/// as long as the filter of the network there, so that a step of 1 means the same for networks whose
/// weights differ in scale. A filter is what one output is computed from: `[0]` of a tensor. Biases
/// and what scales and shifts (tensors of one dimension) stay as they are.
pub fn filter_normalised(space: &Space, point: &[f32], rng: &mut dyn RngCore) -> Vec<f32> {
    let mut direction = vec![0.0; space.dimension()];
    for place in space.places().filter(|place| place.shape.len() > 1) {
        let length = place.range.len() / place.shape[0].max(1);
        let own = point[place.range.clone()].chunks_exact(length.max(1));
        let new = direction[place.range.clone()].chunks_exact_mut(length.max(1));
        for (new, own) in new.zip(own) {
            new.iter_mut().for_each(|value| *value = standard_normal(rng));
            let scale = norm(own) / norm(new).max(f64::MIN_POSITIVE);
            new.iter_mut().for_each(|value| *value = (f64::from(*value) * scale) as f32);
        }
    }
    direction
}

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{StateDict, TensorEntry};
    use crate::random::{Purpose, generator};
    use std::path::Path;

    fn noise(count: usize, seed: u64) -> Vec<f32> {
        let mut rng = generator(seed, Purpose::Landscape, 9);
        (0..count).map(|_| standard_normal(&mut rng)).collect()
    }

    #[test]
    fn filters_of_a_direction_are_as_long_as_those_of_the_network() {
        let entry = |shape: &[usize], seed| TensorEntry {
            shape: shape.to_vec(),
            values: noise(shape.iter().product(), seed),
        };
        let mut conv = entry(&[4, 3, 3, 3], 0);
        conv.values[27..54].fill(0.0);
        conv.values[54..81].iter_mut().for_each(|value| *value *= 100.0);
        let (bias, linear) = (entry(&[5], 1), entry(&[5, 4], 2));
        let entries = [("a.bias", bias), ("b.weight", conv), ("c.weight", linear)];
        let state = StateDict(entries.map(|(name, entry)| (name.into(), entry)).into());
        let space = Space::of(&state);
        let point = space.point(&state, Path::new("model")).unwrap();
        let along =
            |count| filter_normalised(&space, &point, &mut generator(3, Purpose::Landscape, count));
        let direction = along(1);
        assert!(direction[..5].iter().all(|&value| value == 0.0), "a bias moves");
        let filters =
            [(5, 27); 4].into_iter().enumerate().map(|(i, (at, n))| at + i * n..at + (i + 1) * n);
        let rows = (0..5).map(|row| 113 + 4 * row..117 + 4 * row);
        for filter in filters.chain(rows) {
            let (own, new) = (norm(&point[filter.clone()]), norm(&direction[filter.clone()]));
            assert!((own - new).abs() <= 1e-6 * own, "{filter:?}: {own} {new}");
        }
        assert_eq!(direction, along(1), "the same number gives the same direction");
        let product: f64 =
            direction.iter().zip(along(2)).map(|(a, b)| f64::from(*a) * f64::from(b)).sum();
        assert!(product.abs() < 0.5 * norm(&direction).powi(2), "another gives another");
    }

    #[test]
    fn values_come_row_after_row() {
        let plane = Plane {
            origin: vec![1.0, 2.0, 3.0],
            directions: [vec![1.0, 0.0, 0.0], vec![0.0, 0.0, 10.0]],
        };
        assert_eq!(plane.at([0.5, -1.0]), [1.5, 2.0, -7.0]);
        let mut sum = |point: &[f32]| Ok(point.iter().map(|&value| f64::from(value)).sum());
        let values = plane.values(&[0.0, 1.0, 2.0], &[0.0, 1.0], &mut sum).unwrap();
        assert_eq!(values, [6.0, 7.0, 8.0, 16.0, 17.0, 18.0]);
    }
}
