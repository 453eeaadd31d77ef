//! What a sub-module is: the unit that AutoGrow stacks (section 3.1 of the paper).

use super::AnySubModule;
use crate::Result;
use crate::config::Shortcut;
use autogrow_kernels::FeatureMap;
use burn::module::{Module, ModuleDisplay, Param};
use burn::nn::{BatchNorm, conv::Conv2d};
use burn::tensor::{Device, Tensor, TensorData};
use rand::{Rng, RngCore};

/// One or more layers that are stacked as a whole. Written by plugin authors on top of
/// `#[derive(Module, Debug)]`. Stems are written like it, too, and heads with outputs in place of a
/// feature map: [`StemKind`](super::StemKind), [`HeadKind`](super::HeadKind).
pub trait SubModule<Output = FeatureMap>: Module + ModuleDisplay {
    /// From `[batch, channels_in, height, width]` to `[batch, channels, height / stride, width /
    /// stride]`, rounded up; see [`Builder`] and [`SubModuleKind::channels`].
    fn forward(&self, input: FeatureMap) -> Output;

    /// What closes each residual branch, on which initializers act. A block that a batch norm
    /// closes has `vec![Gate::from(&mut self.bn2)]`; a sub-module without a branch has none, and
    /// its weights stay random.
    fn gates(&mut self) -> Vec<Gate<'_>> {
        Vec::new()
    }

    /// What stands between the last sub-network and the classifier and keeps the shape: the norm
    /// and activation that pre-activation blocks leave to whatever comes next. Asked of the last
    /// sub-module when the network is built.
    fn closing(&self, builder: &mut Builder<'_>) -> Option<AnySubModule> {
        let _ = builder;
        None
    }

    /// The forward pass as graphs record it, for exports and for counting operations: `forward`
    /// itself. A sub-module that computes on plain tensors there may say the same here by
    /// operations of [`FeatureMap`] and [`Features`](autogrow_kernels::Features) alone.
    fn describe(&self, input: FeatureMap) -> Output {
        self.forward(input)
    }
}

/// The scale, and the shift where there is one, that a residual branch goes through before it is
/// added: of a batch norm, a layer scale (a number a channel) or a switch (one number). With both
/// 0 the branch adds nothing.
#[derive(Debug)]
pub struct Gate<'a> {
    /// Multiplies the branch.
    pub scale: &'a mut Param<Tensor<1>>,
    /// Is added to the product.
    pub shift: Option<&'a mut Param<Tensor<1>>>,
}

impl<'a> From<&'a mut BatchNorm> for Gate<'a> {
    fn from(norm: &'a mut BatchNorm) -> Self {
        Self { scale: &mut norm.gamma, shift: Some(&mut norm.beta) }
    }
}

impl<'a> From<&'a mut Param<Tensor<1>>> for Gate<'a> {
    fn from(scale: &'a mut Param<Tensor<1>>) -> Self {
        Self { scale, shift: None }
    }
}

/// A kind of sub-module, registered with `inventory`.
#[derive(Clone, Debug)]
pub struct SubModuleKind {
    /// Name that [`SeedNetwork`](super::SeedNetwork)s refer to.
    pub name: &'static str,
    /// Crate that registers it: `env!("CARGO_PKG_NAME")`.
    pub origin: &'static str,
    /// One line for `autogrow list`.
    pub summary: &'static str,
    /// Whether a shortcut goes around it. Plain networks learn at a smaller rate.
    pub residual: bool,
    /// Output channels of a sub-network of this width after so many sub-modules: `|width, _| width`
    /// for most, `|width, _| 4 * width` for bottlenecks, a sum for dense layers. Where they grow
    /// with depth, what follows gets more inputs at each growth.
    pub channels: fn(usize, usize) -> usize,
    /// Layers with weights, as papers count them: a network has their sum and 2 more.
    pub layers: usize,
    /// Builds one with random weights.
    pub build: fn(&mut Builder<'_>) -> Result<AnySubModule>,
}

crate::kind!(SubModuleKind, "sub-module", "");

/// What a sub-module is built with. [`Builder::conv`] and [`Builder::norm`] give layers with the
/// network's own initialisation.
pub struct Builder<'a> {
    /// Channels of the input.
    pub channels_in: usize,
    /// Width of the sub-network, from which [`SubModuleKind::channels`] has its output channels; of
    /// a head, the outputs.
    pub width: usize,
    /// 2 where the sub-module halves the resolution, else 1.
    pub stride: usize,
    /// What a residual sub-module does where shape changes.
    pub shortcut: Shortcut,
    /// How convolution weights are drawn.
    pub weight_init: WeightInit,
    /// How scales of batch norms are drawn.
    pub norm_init: NormInit,
    /// Source of everything random in the sub-module.
    pub rng: &'a mut dyn RngCore,
    /// Where the parameters live.
    pub device: &'a Device,
}

/// How convolution weights are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightInit {
    /// PyTorch's default: uniform in ±1/sqrt(fan in).
    KaimingUniform,
    /// The ImageNet ResNets': normal of variance 2 / fan out.
    KaimingNormal,
}

/// How scales of batch norms are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormInit {
    /// All 1.
    Ones,
    /// Uniform in 0 to 1, as PyTorch did before version 1.2 and so the released code.
    Uniform,
}

impl Builder<'_> {
    /// A square convolution without bias, `[in, out]` channels, that keeps the size at stride 1.
    pub fn conv(&mut self, channels: [usize; 2], kernel: usize, stride: usize) -> Conv2d {
        let conv = autogrow_kernels::conv(channels, kernel, stride, self.rng, self.device);
        match self.weight_init {
            WeightInit::KaimingUniform => conv,
            WeightInit::KaimingNormal => autogrow_kernels::kaiming_normal_fan_out(conv, self.rng),
        }
    }

    /// A batch norm.
    pub fn norm(&mut self, channels: usize) -> BatchNorm {
        let norm = autogrow_kernels::batch_norm(channels, self.device);
        match self.norm_init {
            NormInit::Ones => norm,
            NormInit::Uniform => {
                let gamma: Vec<f32> = (0..channels).map(|_| self.rng.random()).collect();
                let data = TensorData::new(gamma, [channels]);
                let gamma = Param::from_tensor(Tensor::from_data(data, self.device));
                BatchNorm { gamma, ..norm }
            }
        }
    }
}

impl std::fmt::Debug for Builder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("channels_in", &self.channels_in)
            .field("width", &self.width)
            .field("stride", &self.stride)
            .finish_non_exhaustive()
    }
}
