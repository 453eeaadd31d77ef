//! The fused operations as Burn sees them: a backend extension for Flex with backward passes of
//! its own.
//!
//! In the autodiff graph a map is a token, one float that no one reads. Its node orders the
//! backward passes; the numbers go from map to map.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, Flex, backend_extension};
use burn::tensor::TensorData;

use super::layer::{Computed, Kept, Layer, Parameters};
use super::layer_backward::Wanted;
use super::map::Map;
use super::sgd::{first_step, step};
use crate::descent::Sgd;

/// Flex's own tensor.
pub(crate) type Primitive = FloatTensor<Flex>;

/// A layer to be computed, and where the result goes.
#[derive(Clone, Debug)]
pub(crate) struct LayerCall {
    pub(crate) layer: Layer,
    pub(crate) computed: Arc<OnceLock<Computed>>,
}

/// An operation on one map.
pub(crate) trait MapOperation: Debug + Send + Sync {
    /// The result: a plain tensor, or a token if it is another map.
    fn forward(&self) -> Primitive;
    /// The map that is read.
    fn source(&self) -> &Map;
    /// Sends the source its gradient.
    fn backward(&self, gradient: Primitive);
}

/// The conversion of a plain tensor to a map.
pub(crate) trait Entry: Debug + Send + Sync {
    fn forward(&self, nchw: Primitive);
    /// The plain tensor's gradient, from that which has arrived at the map.
    fn backward(&self) -> Primitive;
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait FusedOps: Backend {
    /// A layer; `input` and `skip` are tokens, and whatever is absent is any constant.
    fn fused_layer(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        call: LayerCall,
    ) -> FloatTensor<Self>;

    /// An operation on the map of this token.
    fn fused_map(token: FloatTensor<Self>, operation: Arc<dyn MapOperation>) -> FloatTensor<Self>;

    /// A plain tensor into a map.
    fn fused_entry(nchw: FloatTensor<Self>, entry: Arc<dyn Entry>) -> FloatTensor<Self>;

    /// A step of SGD; without gradient of its own.
    fn fused_sgd(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        momentum: FloatTensor<Self>,
        sgd: Sgd,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// The first step of SGD, before there is a momentum buffer.
    fn fused_first_sgd(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        sgd: Sgd,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

/// The value of every token.
pub(crate) fn token() -> Primitive {
    tensor(vec![0.0], &[1])
}

pub(crate) fn tensor(values: Vec<f32>, shape: &[usize]) -> Primitive {
    Primitive::from_data(TensorData::new(values, shape.to_vec()))
}

/// The numbers of a tensor in their order, contiguous.
pub(crate) struct Contiguous(Primitive);

impl Contiguous {
    pub(crate) fn new(tensor: &Primitive) -> Self {
        Self(tensor.to_contiguous())
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        self.0.as_slice::<f32>().unwrap_or_default()
    }
}

fn run_layer(call: &LayerCall, [weight, gamma, beta]: [&Primitive; 3], keep: bool) -> Option<Kept> {
    let [weight, gamma, beta] = [weight, gamma, beta].map(Contiguous::new);
    let parameters =
        Parameters { weight: weight.as_slice(), gamma: gamma.as_slice(), beta: beta.as_slice() };
    let computed = call.computed.get_or_init(|| call.layer.forward(&parameters, keep));
    computed.kept.clone()
}

impl FusedOps for Flex {
    fn fused_layer(
        _input: Primitive,
        weight: Primitive,
        gamma: Primitive,
        beta: Primitive,
        _skip: Primitive,
        call: LayerCall,
    ) -> Primitive {
        run_layer(&call, [&weight, &gamma, &beta], false);
        token()
    }

    fn fused_map(_token: Primitive, operation: Arc<dyn MapOperation>) -> Primitive {
        operation.forward()
    }

    fn fused_entry(nchw: Primitive, entry: Arc<dyn Entry>) -> Primitive {
        entry.forward(nchw);
        token()
    }

    fn fused_sgd(
        weight: Primitive,
        gradient: Primitive,
        momentum: Primitive,
        sgd: Sgd,
    ) -> (Primitive, Primitive) {
        step(sgd, weight, &gradient, momentum)
    }

    fn fused_first_sgd(weight: Primitive, gradient: Primitive, sgd: Sgd) -> (Primitive, Primitive) {
        first_step(sgd, weight, gradient)
    }
}

/// What a layer's backward pass starts from.
#[derive(Clone, Debug)]
struct LayerState {
    layer: Layer,
    map: Arc<Map>,
    kept: Kept,
    weight: Primitive,
    gamma: Primitive,
}

#[derive(Debug)]
struct LayerBackward;

impl Backward<Flex, 5> for LayerBackward {
    type State = LayerState;

    fn backward(self, ops: Ops<LayerState, 5>, grads: &mut Gradients, _: &mut Checkpointer) {
        grads.consume::<Flex>(&ops.node);
        let [input, weight, gamma, beta, skip] = ops.parents;
        let LayerState { layer, map, kept, weight: weights, gamma: scales } = ops.state;
        let (weights_flat, scales) = (Contiguous::new(&weights), Contiguous::new(&scales));
        let parameters =
            Parameters { weight: weights_flat.as_slice(), gamma: scales.as_slice(), beta: &[] };
        let wanted =
            Wanted { input: input.is_some(), weight: weight.is_some(), skip: skip.is_some() };
        let gradients = layer.gradients(&map, &kept, &parameters, wanted);
        for node in [input, skip].into_iter().flatten() {
            grads.register::<Flex>(node.id, token());
        }
        if let (Some(node), Some(values)) = (weight, gradients.weight) {
            let shape = layer.shape;
            let dims = [shape.output.channels, shape.input.channels, shape.kernel, shape.kernel];
            grads.register::<Flex>(node.id, tensor(values, &dims));
        }
        let channels = [layer.shape.output.channels];
        if let Some(node) = gamma {
            grads.register::<Flex>(node.id, tensor(gradients.gamma, &channels));
        }
        if let Some(node) = beta {
            grads.register::<Flex>(node.id, tensor(gradients.beta, &channels));
        }
    }
}

#[derive(Debug)]
struct MapBackward;

impl Backward<Flex, 1> for MapBackward {
    type State = Arc<dyn MapOperation>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let [Some(parent)] = ops.parents else { return };
        ops.state.backward(gradient);
        grads.register::<Flex>(parent.id, token());
    }
}

#[derive(Debug)]
struct EntryBackward;

impl Backward<Flex, 1> for EntryBackward {
    type State = Arc<dyn Entry>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        grads.consume::<Flex>(&ops.node);
        let [Some(parent)] = ops.parents else { return };
        grads.register::<Flex>(parent.id, ops.state.backward());
    }
}

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

impl<C: CheckpointStrategy> FusedOps for Autodiff<Flex, C> {
    fn fused_layer(
        input: Tracked<C>,
        weight: Tracked<C>,
        gamma: Tracked<C>,
        beta: Tracked<C>,
        skip: Tracked<C>,
        call: LayerCall,
    ) -> Tracked<C> {
        let nodes = [input.node(), weight.node(), gamma.node(), beta.node(), skip.node()];
        let tracked = [input.is_tracked(), skip.is_tracked()];
        let [weight, gamma, beta] = [weight, gamma, beta].map(|tensor| tensor.primitive().clone());
        match LayerBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let kept = run_layer(&call, [&weight, &gamma, &beta], true);
                let LayerCall { layer, computed } = call;
                let skip = layer.skip.as_ref().filter(|_| tracked[1]);
                for map in tracked[0].then_some(&layer.input).into_iter().chain(skip) {
                    map.add_reader();
                }
                match (computed.get(), kept) {
                    (Some(Computed { map, .. }), Some(kept)) => {
                        let map = map.clone();
                        prep.finish(LayerState { layer, map, kept, weight, gamma }, token())
                    }
                    _ => unreachable!("a layer that keeps has been computed"),
                }
            }
            OpsKind::UnTracked(prep) => {
                run_layer(&call, [&weight, &gamma, &beta], false);
                prep.finish(token())
            }
        }
    }

    fn fused_map(token: Tracked<C>, operation: Arc<dyn MapOperation>) -> Tracked<C> {
        let result = operation.forward();
        match MapBackward.prepare::<C>([token.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                operation.source().add_reader();
                prep.finish(operation, result)
            }
            OpsKind::UnTracked(prep) => prep.finish(result),
        }
    }

    fn fused_entry(nchw: Tracked<C>, entry: Arc<dyn Entry>) -> Tracked<C> {
        entry.forward(nchw.primitive().clone());
        match EntryBackward.prepare::<C>([nchw.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(entry, token()),
            OpsKind::UnTracked(prep) => prep.finish(token()),
        }
    }
    fn fused_sgd(
        weight: Tracked<C>,
        gradient: Tracked<C>,
        momentum: Tracked<C>,
        sgd: Sgd,
    ) -> (Tracked<C>, Tracked<C>) {
        let [weight, gradient, momentum] =
            [weight, gradient, momentum].map(Tracked::<C>::into_primitive);
        constants::<C>(Flex::fused_sgd(weight, gradient, momentum, sgd))
    }

    fn fused_first_sgd(
        weight: Tracked<C>,
        gradient: Tracked<C>,
        sgd: Sgd,
    ) -> (Tracked<C>, Tracked<C>) {
        let [weight, gradient] = [weight, gradient].map(Tracked::<C>::into_primitive);
        constants::<C>(Flex::fused_first_sgd(weight, gradient, sgd))
    }
}

fn constants<C: CheckpointStrategy>(pair: (Primitive, Primitive)) -> (Tracked<C>, Tracked<C>) {
    let constant = <Autodiff<Flex, C> as AutodiffBackend>::from_inner;
    (constant(pair.0), constant(pair.1))
}
