//! Optimisers for networks that grow: of matrices and of vectors, with states of parameters that get
//! more inputs by a growth.

use crate::network::paste;
use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor, TensorData};

/// An optimiser whose state of a parameter grows with the parameter: what belonged to the old
/// numbers is kept, what belongs to new ones begins at 0, as with a parameter that is new.
#[derive(Clone)]
pub(super) struct Growing<O> {
    /// Of weights of convolutions and linear layers.
    pub(super) matrices: O,
    /// Of parameters of one dimension: scales and shifts of norms, layer scales, biases.
    pub(super) vectors: O,
}

/// A state and the shape of its parameter; unknown after it was read from a checkpoint, which
/// holds the state alone.
#[derive(Clone)]
pub(super) struct Fitted<S, const D: usize> {
    state: S,
    shape: Option<[usize; D]>,
}

impl<S: RecordState, const D: usize> RecordState for Fitted<S, D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        self.state.state_flatten(prefix, out);
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        Some(Self { state: S::state_unflatten(prefix, src, device)?, shape: None })
    }
}

impl<S: RecordState, const D: usize> Fitted<S, D> {
    /// The state for a parameter that has now this shape.
    fn fit(self, shape: [usize; D], device: &Device) -> Option<S> {
        if self.shape == Some(shape) {
            return Some(self.state);
        }
        let mut sink = StateSink::default();
        self.state.state_flatten("", &mut sink);
        if sink.tensors.iter().all(|(_, data)| **data.shape() == shape) {
            return Some(self.state);
        }
        let mut source = StateSource::new(sink.scalars.into_iter().collect());
        for (name, old) in sink.tensors {
            let mut values = vec![0.0; shape.iter().product()];
            let numbers: Vec<f32> = old.iter::<f32>().collect();
            paste(old.shape(), &numbers, &mut values, &shape);
            source.insert_tensor(name, TensorData::new(values, shape));
        }
        S::state_unflatten("", &mut source, device)
    }
}

impl<O: Optimizer> Optimizer for Growing<O> {
    type State<const D: usize> = Fitted<O::State<D>, D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weight: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let shape = weight.dims();
        let state = state.and_then(|state| state.fit(shape, &weight.device()));
        let optimizer = if D > 1 { &self.matrices } else { &self.vectors };
        let (weight, state) = optimizer.step(learning_rate, weight, gradient, state);
        (weight, state.map(|state| Fitted { state, shape: Some(shape) }))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        Fitted { state: O::to_device(state.state, device), shape: state.shape }
    }
}
