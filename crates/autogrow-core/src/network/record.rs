//! A network's graph and its multiply-accumulate operations, recorded from its forward pass.

use super::graph::{Graph, Node, Op, Unrecorded};
use super::names::pytorch_name;
use super::trainable::convolution_weights;
use super::{Network, identities};
use crate::{Error, Result};
use autogrow_kernels::{FeatureMap, Recorder};
use burn::module::{Module, ParamId};

/// What is recorded of a network.
pub(crate) struct Recording {
    /// The whole network, if there are no gaps.
    pub(crate) graph: Graph,
    /// Sub-modules that are missing in it.
    pub(crate) gaps: Vec<Gap>,
}

/// A sub-module that could not be recorded.
pub(crate) struct Gap {
    /// Such as `layer1.0`.
    pub(crate) name: String,
    /// Registered name of the sub-module.
    pub(crate) kind: &'static str,
    pub(crate) why: Unrecorded,
    /// Multiply-accumulate operations of its convolutions, each taken to work on every pixel of
    /// the output.
    macs: u64,
}

impl Network {
    /// What the network computes in evaluation mode, from normalised images to its outputs.
    ///
    /// # Errors
    /// [`Error::Config`] where a sub-module cannot be recorded; as [`Network::new`].
    pub fn graph(&self) -> Result<Graph> {
        let Recording { graph, gaps } = self.record()?;
        match gaps.first() {
            Some(Gap { name, kind, why, .. }) => {
                Err(self.no_graph(&format!("{name} (`{kind}`)"), why))
            }
            None => Ok(graph),
        }
    }

    /// Multiply-accumulate operations of one image's forward pass: of convolutions, linear layers
    /// and matrix products. A sub-module that cannot be recorded counts with its convolutions
    /// alone, as if each worked on every pixel of the output.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn macs(&self) -> Result<u64> {
        let Recording { graph, gaps } = self.record()?;
        Ok(graph.macs() + gaps.iter().map(|gap| gap.macs).sum::<u64>())
    }

    /// Images that a training step needs at least: 2 where a batch norm sees a single value of a channel
    /// of an image, as of a row of a table, since one value has no variance; else 1.
    pub fn least_batch(&self) -> usize {
        let sees_one_value = |node: &Node| {
            let values = node.shape.iter().skip(1).product::<usize>();
            matches!(node.op, Op::BatchNorm { .. }) && values == 1
        };
        // Of what cannot be recorded nothing is known.
        let recorded = self.record().map(|recording| recording.graph.nodes);
        1 + usize::from(recorded.is_ok_and(|nodes| nodes.iter().any(sees_one_value)))
    }

    /// Records every sub-module that can be.
    pub(crate) fn record(&self) -> Result<Recording> {
        let kind = self.blueprint.seed_network()?.sub_module_kind()?;
        let names = identities(self)?.into_iter().map(|(name, id)| (ParamId::from(id), name));
        // In training mode, plain tensors would move running statistics.
        let network = self.valid();
        let device = network.devices().into_iter().next().unwrap_or_default();
        let recorder = Recorder::new(names.collect(), device);
        let mut gaps = Vec::new();
        let images = recorder.input(self.blueprint.image);
        let scores = network.pass(images, |place, sub_module, input| {
            let [_, channels, height, width] = input.dims();
            let (path, kind_name, output) = match place {
                Some([i, j]) => {
                    let stride = self.stem_kind.stride(i, j);
                    let channels = self.blueprint.channels(i, j + 1, kind);
                    let output = [channels, height.div_ceil(stride), width.div_ceil(stride)];
                    (vec!["layer".into(), i.to_string(), j.to_string()], kind.name, output)
                }
                None => (vec!["closing".into()], "closing", [channels, height, width]),
            };
            let name = pytorch_name(&path, "", self.stem_kind.torchvision);
            let describe = |input| sub_module.describe(input);
            recorder.block((&name, kind_name), input, describe).unwrap_or_else(|why| {
                let macs = (convolution_weights(sub_module) * output[1] * output[2]) as u64;
                gaps.push(Gap { name, kind: kind_name, why, macs });
                FeatureMap::from_features(recorder.input(output))
            })
        });
        let graph = recorder.finish(&scores).map_err(|why| self.no_graph("the network", &why))?;
        Ok(Recording { graph, gaps })
    }

    fn no_graph(&self, part: &str, why: &Unrecorded) -> Error {
        let problem = format!("= {}: {part} has no graph: {why}", self.blueprint.network);
        Error::config("network.name", problem).with_hint(match why {
            Unrecorded::Unknown(_) => {
                "export as safetensors; its author can tell the graph by `SubModule::describe`"
            }
            Unrecorded::Mismatch(_) => {
                "`SubModule::describe` is another forward pass than `SubModule::forward`"
            }
        })
    }
}
