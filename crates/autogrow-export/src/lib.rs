//! Models for other programs, and from them.
//!
//! Out: ONNX ([`onnx()`]), a PyTorch module in Python ([`pytorch()`]), a model card ([`card()`]);
//! safetensors, which both sides read, are the core's. In: what `torch.save` writes, registered
//! with the core as a weight format when this crate is linked.

mod card;
mod fold;
mod import;
mod onnx;
mod preparation;
mod pytorch;

pub use card::{CARD_MARK, Facts, card};
pub use fold::fold_batch_norms;
pub use onnx::onnx;
pub use pytorch::{MODULE_MARK, pytorch, pytorch_module};
