//! What the ranks of a run take over from the first one, and what has to be the same before they
//! start.

use crate::config::RunConfig;
use crate::growth::Decision;
use crate::job::Job;
use crate::ranks::Ranks;
use crate::run::{Checkpoint, Origin};
use crate::{Error, Result};
use std::path::PathBuf;

impl Ranks {
    /// Nothing, if all ranks have the same settings and data, and the device can do what is asked.
    ///
    /// # Errors
    /// [`Error::Ranks`] where they differ; [`Error::Config`] about `training.sync_batch_norm`.
    pub(crate) fn check_alike(&self, Job { config, data, device, .. }: Job<'_>) -> Result<()> {
        if !self.are_several() {
            return Ok(());
        }
        if config.training.sync_batch_norm && !autogrow_kernels::supports_peers(device) {
            let key = "training.sync_batch_norm";
            return Err(Error::config(key, "= true needs the device flex where ranks are several")
                .with_hint("--device flex, or leave it false: batch norms by rank"));
        }
        // Where the data lies and how many threads there are may differ from machine to machine.
        let mut settings = config.config().clone();
        settings.data.dir = PathBuf::new();
        settings.run = RunConfig { seed: config.run.seed, ..RunConfig::default() };
        self.check_same("settings", &to_json(&settings)?)?;
        let origin = self.agree(Origin::of(config, data))?;
        self.check_same("images or plugins", &to_json(&origin)?)
    }

    /// The checkpoint of the first rank.
    ///
    /// # Errors
    /// [`Error::Ranks`] where it does not arrive.
    pub(crate) fn checkpoint_of_first(
        &self,
        own: Option<Checkpoint>,
    ) -> Result<Option<Checkpoint>> {
        if !self.are_several() {
            return Ok(own);
        }
        let bytes = match &own {
            Some(checkpoint) if self.is_first() => checkpoint.to_bytes()?,
            _ => Vec::new(),
        };
        let bytes = self.broadcast(bytes)?;
        match bytes.is_empty() {
            _ if self.is_first() => Ok(own),
            true => Ok(None),
            false => Checkpoint::from_bytes(&bytes).map(Some),
        }
    }

    /// The decisions of the first rank.
    ///
    /// # Errors
    /// [`Error::Ranks`] where they do not arrive.
    pub(crate) fn decisions_of_first(&self, own: Vec<Decision>) -> Result<Vec<Decision>> {
        if !self.are_several() {
            return Ok(own);
        }
        let bytes = self.broadcast(to_json(&own)?)?;
        serde_json::from_slice(&bytes).map_err(|error| Error::ranks(error.to_string()))
    }
}

fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::ranks(error.to_string()))
}
