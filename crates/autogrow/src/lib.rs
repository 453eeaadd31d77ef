//! Finds how deep a network should be for your data, in one training run (Wen, Yan, Chen, Li;
//! KDD 2020).
//!
//! ```no_run
//! use autogrow::{AutoGrow, Dataset};
//!
//! # fn pictures() -> (Vec<u8>, Vec<usize>) { (vec![0; 784 * 9], (0..9).collect()) }
//! # fn main() -> autogrow::Result<()> {
//! let (pixels, labels) = pictures(); // 28x28 grey, a byte a pixel
//! let data = Dataset::from_arrays(pixels, [1, 28, 28], labels)?.split(0.1, 0)?;
//! let found = AutoGrow::new("basic3resnet").on_epoch(|epoch| println!("{epoch}")).run(&data)?;
//! println!("{}: {:.2} % of the test images", found.depth, found.test_accuracy);
//! found.save("net.safetensors")?;
//! # Ok(())
//! # }
//! ```
//!
//! [`AutoGrow`] has the settings that are set most often; [`AutoGrow::configure`] reaches all others.
//! What it returns is a value: the network, the history, the result. Nothing is written to disk
//! unless [`AutoGrow::folder`] asks for a run folder. Runs may go on side by side in one process.
//! [`Found::certifier`] asks whether the depth is worth its cost.
//!
//! What is beneath it is here as well, for programs that want more control: [`config`], [`data`],
//! [`growth`], [`network`], [`training`], [`run`], and [`autogrow`](autogrow()), Algorithm 1 itself.

mod builder;
mod cancel;
mod certify;
mod dataset;
pub mod device;
mod found;
mod launches;
mod model;
mod partial;
mod settings_by_key;
mod threads;

pub use autogrow_core::{
    Error, Job, Resolved, Result, at_depth, autogrow, config, cooldown, data, depth_of_weights,
    growth, initializer, landscape, network, random, ranks, register, registry, run, settings,
    testing, training,
};
pub use builder::AutoGrow;
pub use cancel::Cancel;
pub use certify::{Certifier, Trial};
pub use dataset::{Dataset, Pixels};
pub use found::{Found, Progress};
pub use launches::Launches;
pub use model::Model;

// Linked for what they register: networks and data sets.
use autogrow_data as _;
use autogrow_models as _;
use autogrow_policies as _;
