//! [`WeightFormat`]: formats that weights can be read from, besides safetensors. Registered with
//! `inventory`, as everything that knows more than the algorithm needs.

use super::StateDict;
use crate::Result;
use std::path::Path;

/// A format of weights by PyTorch name.
pub struct WeightFormat {
    /// What it is called.
    pub name: &'static str,
    /// Crate that registers it: `env!("CARGO_PKG_NAME")`.
    pub origin: &'static str,
    /// One line of description.
    pub summary: &'static str,
    /// Whether a file that begins with these bytes is one.
    pub recognises: fn(&[u8]) -> bool,
    /// Reads a whole file; the path is for errors.
    ///
    /// # Errors
    /// [`crate::Error::Run`] where it is damaged or not what it should be.
    pub read: fn(&[u8], &Path) -> Result<StateDict>,
}

crate::kind!(WeightFormat, "weight format", "");
