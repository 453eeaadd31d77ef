//! The fast path of the Flex backend: whole layers as single operations on activations in a
//! layout of their own.
//!
//! [`FusedMap`] and [`FusedConv`] are what the public types hold on Flex. Below them lie, from the
//! outside in: the autodiff operations (`extension`), the forward and backward passes over a batch
//! (`layer`, `layer_backward`, `ends`, `pool`), the values between layers (`map`), and the kernels
//! on some images (`conv`, `direct`, `bf16`, `winograd`, `products`, `pointwise`, `gate`). How all of it is
//! spread over threads is said in `parallel`.

#[allow(unsafe_code, reason = "kernels on raw pointers")]
mod bf16;
#[allow(unsafe_code, reason = "kernels on raw pointers")]
mod bf16_convolve;
#[allow(unsafe_code, reason = "kernels on raw pointers")]
mod bf16_weights;
#[allow(unsafe_code, reason = "casts lines of floats to floats, and shares them")]
mod buffer;
mod conv;
#[cfg(test)]
mod conv_tests;
#[allow(unsafe_code, reason = "kernels on raw pointers")]
mod direct;
#[allow(unsafe_code, reason = "kernels on raw pointers")]
mod direct_weights;
mod ends;
mod extension;
mod extent;
mod fused;
#[allow(unsafe_code, reason = "kernels on raw pointers")]
mod gate;
mod geometry;
#[cfg(test)]
mod graph_tests;
mod layer;
mod layer_backward;
#[cfg(test)]
mod layer_tests;
mod map;
mod parallel;
#[cfg(test)]
mod peers_tests;
mod pixel_places;
#[allow(unsafe_code, reason = "kernels on raw pointers")]
mod pointwise;
mod pool;
#[allow(unsafe_code, reason = "kernels on raw pointers")]
mod products;
#[cfg(test)]
mod scaling_tests;
mod send;
mod sgd;
#[cfg(test)]
mod shape_tests;
mod standardise;
mod statistics;
#[allow(unsafe_code, reason = "kernels on raw pointers")]
mod winograd;
#[allow(unsafe_code, reason = "kernels on raw pointers")]
mod winograd_transforms;
#[allow(unsafe_code, reason = "kernels on raw pointers")]
mod winograd_weights;

pub(crate) use fused::{FusedConv, FusedMap, FusedSkip, supports, update_running};
pub use fused::{is_flex, supports_bf16, supports_peers};
pub(crate) use sgd::sgd_step;
