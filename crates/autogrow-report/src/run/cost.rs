//! What training has cost, in multiply-accumulates (MACs).

use super::Run;
use autogrow_growth::Depth;
use autogrow_run::Event;
use std::collections::BTreeMap;

impl Run {
    /// MACs of an image by depth, as far as the run tells them.
    pub(crate) fn macs_by_depth(&self) -> BTreeMap<Depth, u64> {
        let told = self.events.iter().filter_map(|event| match event {
            Event::Started { depth, macs, .. } | Event::Grew { depth, macs, .. } => {
                Some((depth.clone(), *macs))
            }
            _ => None,
        });
        let found = self.outcome.iter().map(|outcome| (outcome.found.clone(), outcome.macs));
        // Journals of older programs do not tell them of every network.
        told.chain(found).filter(|(_, macs)| *macs > 0).collect()
    }

    /// MACs of all epochs for an image of the training set, forward passes alone; none where they are
    /// not known of every epoch.
    pub(crate) fn training_macs(&self) -> Option<f64> {
        let known = self.macs_by_depth();
        let epochs =
            self.epochs.iter().map(|epoch| known.get(&epoch.depth).map(|&macs| macs as f64));
        epochs.sum()
    }
}
