//! The parts of a network from the image on, of which some may be frozen and each may have a step size of
//! its own: the stem, the sub-networks, the head with what closes the last sub-network.

use super::Network;
use autogrow_kernels::with_statistics_kept;
use burn::module::{Module, ParamGroup};

impl Network {
    /// Freezes so many parts from the image on: their parameters do not train, and their batch norms
    /// normalise by running statistics and keep them, in training and where statistics are measured anew.
    /// The backward pass ends above them.
    pub fn freeze_first(self, parts: usize) -> Self {
        let Self { stem, layer, .. } = self;
        let layer = layer.into_iter().enumerate();
        let layer = layer.map(|(i, own)| if i + 1 < parts { own.no_grad() } else { own });
        Self {
            frozen: parts,
            stem: if parts > 0 { stem.no_grad() } else { stem },
            layer: layer.collect(),
            ..self
        }
    }

    /// Whether a part, counted from 0, is frozen.
    pub(super) fn is_frozen(&self, part: usize) -> bool {
        part < self.frozen
    }

    /// Computes a part, with its statistics kept where it is frozen.
    pub(super) fn in_stage<R>(&self, part: usize, work: impl FnOnce() -> R) -> R {
        if self.is_frozen(part) { with_statistics_kept(work) } else { work() }
    }

    /// The parameters of each part.
    pub(crate) fn stages(&self) -> Vec<ParamGroup> {
        let mut stages = vec![ParamGroup::ids_from_module(self.stem.clone())];
        stages.extend(self.layer.iter().cloned().map(ParamGroup::ids_from_module));
        stages.push(ParamGroup::ids_from_module((self.closing.clone(), self.head.clone())));
        stages
    }
}
