//! The shortcut around a residual sub-module (He et al. 2016, section 3.3).

use autogrow_core::config::Shortcut;
use autogrow_core::network::Builder;
use autogrow_kernels::{Activation, FeatureMap, Skip};
use burn::nn::{BatchNorm, conv::Conv2d};

/// The convolution and batch norm of a projecting shortcut. As a field named `shortcut` its
/// parameters have the names of PyTorch's `nn.Sequential`: `shortcut.0`, `shortcut.1`.
pub type Projection = (Conv2d, BatchNorm);

/// The projection to `channels` that a sub-module needs where it changes shape; none where the
/// identity does, or where the builder asks for shortcuts without parameters.
pub fn projection(builder: &mut Builder<'_>, channels: usize) -> Option<Projection> {
    let (channels_in, stride) = (builder.channels_in, builder.stride);
    let changes = stride != 1 || channels_in != channels;
    (changes && builder.shortcut == Shortcut::Projection)
        .then(|| (builder.conv([channels_in, channels], 1, stride), builder.norm(channels)))
}

/// What is added to the residual branch: the projected input, the input itself, or every
/// `stride`-th pixel of it padded to `channels`.
pub fn skip<'a>(
    projection: &'a Option<Projection>,
    input: &FeatureMap,
    channels: usize,
    stride: usize,
) -> Skip<'a> {
    match projection {
        Some((conv, norm)) => Skip::Projected(input.conv(conv), norm),
        None if stride == 1 && input.dims()[1] == channels => Skip::Identity(input.clone()),
        None => Skip::Identity(input.subsample_and_pad(stride, channels)),
    }
}

/// The same as a map of its own, for a branch that is not closed by a batch norm.
pub fn shortcut(
    projection: &Option<Projection>,
    input: &FeatureMap,
    channels: usize,
    stride: usize,
) -> FeatureMap {
    match skip(projection, input, channels, stride) {
        Skip::Projected(conv, norm) => conv.norm(norm, Skip::None, Activation::Identity),
        Skip::Identity(map) => map,
        Skip::None => input.clone(),
    }
}
