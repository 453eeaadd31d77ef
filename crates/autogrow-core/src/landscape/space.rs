//! [`Space`]: the parameters of a network as one vector, and those of shallower ones in it.

use crate::network::{StateDict, TensorEntry, is_statistic, paste};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// The vector space of a network's parameters, tensor after tensor in the order of their names.
/// Running statistics are not part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    tensors: BTreeMap<String, Place>,
    dimension: usize,
}

/// Where a tensor lies in the vector.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) shape: Vec<usize>,
    pub(super) range: Range<usize>,
}

impl Space {
    /// That of the network whose numbers these are.
    pub fn of(state: &StateDict) -> Self {
        let mut tensors = BTreeMap::new();
        let mut dimension = 0;
        for (name, entry) in state.0.iter().filter(|(name, _)| !is_statistic(name)) {
            let range = dimension..dimension + entry.values.len();
            dimension = range.end;
            tensors.insert(name.clone(), Place { shape: entry.shape.clone(), range });
        }
        Self { tensors, dimension }
    }

    /// How many numbers a point has.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.tensors.values()
    }

    /// The point of a network that is no larger: parameters that it does not have are zero, as in
    /// the paper, and so are inputs that it does not read (DenseNet). `path` is for errors.
    ///
    /// # Errors
    /// [`Error::Run`] where it has a tensor that has no place here.
    pub fn point(&self, state: &StateDict, path: &Path) -> Result<Vec<f32>> {
        let mut point = vec![0.0; self.dimension];
        for (name, entry) in state.0.iter().filter(|(name, _)| !is_statistic(name)) {
            let place = self.tensors.get(name).filter(|place| place.holds(entry));
            let Some(place) = place else {
                let shape = &entry.shape;
                let problem = format!("{name} of the shape {shape:?} has no place in the last net");
                return Err(Error::run(path, problem).with_hint(
                    "name runs of one network, in the order in which they went on, of a policy \
                         that takes no growth back, such as periodic",
                ));
            };
            paste(&entry.shape, &entry.values, &mut point[place.range.clone()], &place.shape);
        }
        Ok(point)
    }

    /// The network at a point, with the running statistics of `like`, a network of this space.
    pub fn network(&self, point: &[f32], like: &StateDict) -> StateDict {
        let entry = |(name, entry): (&String, &TensorEntry)| {
            let values = match self.tensors.get(name) {
                Some(place) => point[place.range.clone()].to_vec(),
                None => entry.values.clone(),
            };
            (name.clone(), TensorEntry { shape: entry.shape.clone(), values })
        };
        StateDict(like.0.iter().map(entry).collect())
    }
}

impl Place {
    fn holds(&self, entry: &TensorEntry) -> bool {
        let sizes = || self.shape.iter().zip(&entry.shape);
        self.shape.len() == entry.shape.len()
            && sizes().all(|(own, other)| (1..=*own).contains(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(entries: &[(&str, &[usize], &[f32])]) -> StateDict {
        let entry = |&(name, shape, values): &(&str, &[usize], &[f32])| {
            (name.to_string(), TensorEntry { shape: shape.to_vec(), values: values.to_vec() })
        };
        StateDict(entries.iter().map(entry).collect())
    }

    fn deep() -> StateDict {
        state(&[
            ("bn1.running_mean", &[1], &[9.0]),
            ("bn1.weight", &[1], &[1.0]),
            ("layer1.0.weight", &[2, 2], &[2.0, 3.0, 4.0, 5.0]),
            ("layer1.1.weight", &[1], &[6.0]),
        ])
    }

    #[test]
    fn a_shallower_network_is_padded_with_zeros() {
        let (deep, path) = (deep(), Path::new("model"));
        let space = Space::of(&deep);
        assert_eq!(space.dimension(), 6);
        assert_eq!(space.point(&deep, path).unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let shallow = state(&[
            ("bn1.running_mean", &[1], &[7.0]),
            ("bn1.weight", &[1], &[-1.0]),
            ("layer1.0.weight", &[2, 1], &[-2.0, -3.0]),
        ]);
        assert_eq!(space.point(&shallow, path).unwrap(), [-1.0, -2.0, 0.0, -3.0, 0.0, 0.0]);
    }

    #[test]
    fn a_point_is_a_network_again() {
        let deep = deep();
        let space = Space::of(&deep);
        let point = space.point(&deep, Path::new("model")).unwrap();
        assert_eq!(space.network(&point, &deep), deep);
        let moved: Vec<f32> = point.iter().map(|value| value + 1.0).collect();
        let moved = space.network(&moved, &deep);
        assert_eq!(moved.0["layer1.1.weight"].values, [7.0]);
        assert_eq!(moved.0["bn1.running_mean"], deep.0["bn1.running_mean"]);
    }

    #[test]
    fn what_has_no_place_is_named() {
        let space = Space::of(&deep());
        for (name, shape) in [("conv9.weight", vec![1]), ("layer1.0.weight", vec![2, 3])] {
            let values = vec![0.0; shape.iter().product()];
            let other = state(&[(name, &shape, &values)]);
            let error = space.point(&other, Path::new("model")).unwrap_err();
            assert!(error.to_string().contains(name) && error.exit_code() == 4, "{error}");
        }
    }
}
