//! Growing policies of others, as their papers tell them, so that one suite can compare the field:
//! `autogrow reproduce field`. Linking this crate registers them; nothing else in AutoGrow knows of it.
//!
//! They differ from the paper's policies in what they need: [`FraGrow`], [`Late`] and [`Target`] grow to
//! a depth that is given, `growth.max_depth`. They find *when* to grow, or how much of that depth is
//! enough, not how deep a network may become. [`Trim`] is this project's own rival of `worth`.

mod fragrow;
mod late;
mod target;
mod trim;

pub use fragrow::FraGrow;
pub use late::Late;
pub use target::Target;
pub use trim::Trim;

use autogrow_base::{Error, Result};
use autogrow_growth::{Depth, GrowthConfig};

const ORIGIN: &str = env!("CARGO_PKG_NAME");

/// The depth that a policy grows to.
///
/// # Errors
/// [`Error::Config`] where none is given.
fn goal(config: &GrowthConfig) -> Result<Depth> {
    config.max_depth.clone().ok_or_else(|| {
        Error::config("growth.max_depth", format!("is not set; {} grows to it", config.policy))
            .with_hint("name a depth, for example --set growth.max_depth=3-3-3")
    })
}
