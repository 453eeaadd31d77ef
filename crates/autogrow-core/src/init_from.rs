//! `training.init_from`: a seed network that begins with weights that were trained before.

use crate::Result;
use crate::growth::Depth;
use crate::network::{Network, StateDict};
use crate::run::{ModelFile, check_finite, read_weights};
use std::path::Path;

/// How deep the network is whose weights `file` holds, of so many sub-networks: the seed that begins with
/// them. None where there is no file; one that cannot be used is told when the network is built.
pub fn depth_of_weights(file: &Path, sub_networks: usize) -> Option<Depth> {
    let is_named = !file.as_os_str().is_empty();
    is_named.then(|| ModelFile::read(file).and_then(|file| file.depth(sub_networks)).ok())?
}

/// `network` with the weights of `file`. A classifier with another number of outputs stays as it was
/// drawn, for there are other classes to learn; everything else has to fit.
///
/// # Errors
/// [`Error::Run`](crate::Error::Run) where the weights are not those of such a network.
pub(crate) fn begin_with(network: Network, file: &Path) -> Result<Network> {
    let (mut state, _) = read_weights(file)?;
    check_finite(&state, file)?;
    if let Some((has, wanted)) = keep_own_head(&mut state, StateDict::of_head(&network)?) {
        tracing::warn!(
            "{}: its classifier has {has} outputs and the data ask for {wanted}, so a new one is drawn",
            file.display()
        );
    }
    state.load_into(network, file)
}

/// Where only the number of outputs differs, puts the head of `own` into `state`; returns both numbers.
fn keep_own_head(state: &mut StateDict, own: StateDict) -> Option<(usize, usize)> {
    let numbers = own.0.iter().find_map(|(name, ours)| {
        let theirs = state.0.get(name)?;
        let numbers = (*theirs.shape.first()?, *ours.shape.first()?);
        (numbers.0 != numbers.1 && theirs.shape[1..] == ours.shape[1..]).then_some(numbers)
    })?;
    state.0.extend(own.0);
    Some(numbers)
}
