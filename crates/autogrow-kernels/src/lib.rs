//! What every network of AutoGrow computes with: convolution, batch norm, activation and skip
//! addition, behind one type of activation, the [`FeatureMap`].
//!
//! A sub-module never sees in which layout an activation lies in memory. It asks a feature map
//! for a convolution, gets a [`Convolved`] that still waits for its batch norm, and closes it with
//! [`Convolved::norm`], which applies norm, skip and activation at once. That is the shape in
//! which they can be fused: on Flex they are kernels of this crate, in a layout of their own from
//! the first map to the last; on every other device they are Burn's own operations.
//!
//! What needs another shape than a feature map's is done with [`Features`]. Both can be recorded
//! instead of computed: a [`Recorder`] makes a [`graph::Graph`] of a forward pass.
//!
//! [`set_convolution`] chooses between exactness and speed for 3x3 convolutions, [`set_precision`]
//! between f32 and bf16 for the products of all, and [`Sgd`] is the optimiser step that belongs to it. Results on Flex are the same, bit for bit, from run to run and
//! for any number of threads.
//!
//! ```
//! # use autogrow_kernels::{Activation, FeatureMap, Skip, batch_norm, conv};
//! # use burn::tensor::{Device, Tensor};
//! # use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
//! let device = Device::flex();
//! let mut rng = ChaCha8Rng::seed_from_u64(0);
//! let (conv1, bn1) = (conv([3, 16], 3, 1, &mut rng, &device), batch_norm(16, &device));
//!
//! let image = FeatureMap::from_nchw(Tensor::ones([1, 3, 8, 8], &device));
//! let map = image.conv(&conv1).norm(&bn1, Skip::None, Activation::Relu);
//! assert_eq!(map.dims(), [1, 16, 8, 8]);
//! ```

mod activation;
mod choice;
mod descent;
mod features;
mod flex;
pub mod graph;
mod layers;
mod map;
mod paths;
mod peers;
mod plain;
mod recalibration;
mod recorder;
mod running;
mod sgd;
#[allow(unsafe_code, reason = "registers are loaded and stored through pointers")]
mod simd;

pub use activation::Activation;
pub use choice::{Convolution, Precision, set_convolution, set_precision};
pub use descent::Sgd;
pub use features::Features;
pub use flex::{is_flex, supports_bf16, supports_peers};
pub use layers::{
    batch_norm, conv, kaiming_normal_fan_out, linear, out_size, standard_normal, with_bias,
};
pub use map::{Convolved, FeatureMap, Skip};
pub use paths::with_paths_dropped;
pub use peers::{Peers, with_peers};
pub use recalibration::recalibrate;
pub use recorder::Recorder;
pub use running::with_statistics_kept;
