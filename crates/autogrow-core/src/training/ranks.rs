//! What the networks of all ranks have in common: parameters always, running statistics when they
//! are asked for.

use crate::network::{Network, StateDict, is_statistic};
use crate::random::{Purpose, generator};
use crate::ranks::Ranks;
use crate::{Error, Result};
use burn::tensor::Device;
use std::path::Path;

/// What errors about a network from another rank name.
const PLACE: &str = "rank 0";

impl Ranks {
    /// `network` with the first rank's parameters in place of its own. Its running statistics on
    /// other ranks are of no use afterwards.
    ///
    /// # Errors
    /// [`Error::Ranks`] where a rank is lost; [`Error::Run`] where the networks are not alike.
    pub(crate) fn with_parameters_of_first(&self, network: Network) -> Result<Network> {
        if !self.are_several() {
            return Ok(network);
        }
        let own =
            if self.is_first() { StateDict::of(&network)?.to_safetensors()? } else { Vec::new() };
        let bytes = self.broadcast(own)?;
        if self.is_first() {
            return Ok(network);
        }
        let place = Path::new(PLACE);
        StateDict::from_safetensors(&bytes, place)?.load_into(network, place)
    }

    /// `network`, in evaluation mode on `device`, with the first rank's running statistics: those
    /// that are evaluated and kept.
    ///
    /// # Errors
    /// As [`Ranks::with_parameters_of_first`].
    pub(crate) fn with_statistics_of_first(
        &self,
        network: Network,
        device: &Device,
    ) -> Result<Network> {
        if !self.are_several() {
            return Ok(network);
        }
        let mut state = StateDict::of(&network)?;
        let own = if self.is_first() {
            let running = state.0.iter().filter(|(name, _)| is_statistic(name));
            let running = running.map(|(name, entry)| (name.clone(), entry.clone()));
            StateDict(running.collect()).to_safetensors()?
        } else {
            Vec::new()
        };
        let bytes = self.broadcast(own)?;
        if self.is_first() {
            return Ok(network);
        }
        let place = Path::new(PLACE);
        state.0.extend(StateDict::from_safetensors(&bytes, place)?.0);
        // Every weight is overwritten, so it does not matter how they are drawn.
        let mut rng = generator(0, Purpose::Seed, 0);
        state.load_into(Network::new(network.blueprint().clone(), &mut rng, device)?, place)
    }

    /// Nothing, if all ranks have the same architecture and parameters.
    ///
    /// # Errors
    /// [`Error::Ranks`] where they differ or a rank is lost.
    pub(crate) fn check_network(&self, network: &Network) -> Result<()> {
        if !self.are_several() {
            return Ok(());
        }
        let mut state = StateDict::of(network)?;
        state.0.retain(|name, _| !is_statistic(name));
        let mut bytes = serde_json::to_vec(network.blueprint())
            .map_err(|error| Error::ranks(error.to_string()))?;
        for (name, entry) in &state.0 {
            bytes.extend(name.as_bytes());
            bytes.extend(entry.values.iter().flat_map(|value| value.to_le_bytes()));
        }
        self.check_same("architecture and parameters", &bytes)
    }
}
