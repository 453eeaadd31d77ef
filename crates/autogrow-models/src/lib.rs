//! Sub-modules and seed networks, registered with `inventory`: those of the paper (section 3.1 and
//! figure 1) and the families that came before and after. Link this crate with
//! `use autogrow_models as _;` and they can be named.

mod basic;
mod bottleneck;
mod convnext;
mod dense;
mod encoder;
mod grouped;
mod inception;
mod inverted;
pub mod layers;
mod mlp;
mod plain;
mod plain_bias;
mod preact;
mod seeds;
pub mod shortcut;
mod squeeze;
mod switched;
mod vgg;

pub use basic::Basic;
pub use bottleneck::Bottleneck;
pub use convnext::ConvNext;
pub use dense::Dense;
pub use encoder::Encoder;
pub use inception::Inception;
pub use inverted::Inverted;
pub use plain::Plain;
pub use plain_bias::PlainBias;
pub use preact::PreActivation;
pub use squeeze::Squeeze;
pub use switched::Switched;
pub use vgg::Vgg;
