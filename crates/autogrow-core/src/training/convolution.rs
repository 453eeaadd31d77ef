//! `training.convolution`: how the kernels compute 3x3 convolutions.

use crate::config::ConvolutionName;
use autogrow_kernels::{Convolution, set_convolution};

/// Lets the CPU's kernels compute 3x3 convolutions so from now on.
pub fn use_convolution(name: ConvolutionName) {
    set_convolution(match name {
        ConvolutionName::Auto => Convolution::Auto,
        ConvolutionName::Direct => Convolution::Direct,
        ConvolutionName::Winograd => Convolution::Winograd,
    });
}
