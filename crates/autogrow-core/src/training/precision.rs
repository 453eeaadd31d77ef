//! `training.precision`: what the kernels make products of.

use crate::config::PrecisionName;
use crate::{Error, Result};
use autogrow_kernels::supports_bf16;
pub use autogrow_kernels::{Precision, set_precision};
use burn::tensor::Device;
use std::sync::Once;

/// The precision that a name stands for on a device.
///
/// # Errors
/// [`Error::Config`] where bf16 is asked for and the device does not have it.
pub fn precision_on(device: &Device, name: PrecisionName) -> Result<Precision> {
    match name {
        PrecisionName::F32 => Ok(Precision::F32),
        _ if supports_bf16(device) => Ok(Precision::Bf16),
        PrecisionName::Bf16 => {
            let problem =
                "= \"bf16\" needs the device flex, and a processor with AMX or AVX-512 BF16";
            let hint = "\"f32\", or \"auto\": bf16 where it can be had";
            Err(Error::config("training.precision", problem).with_hint(hint))
        }
        PrecisionName::Auto => {
            static WARNED: Once = Once::new();
            WARNED.call_once(|| {
                tracing::warn!(
                    "`training.precision = \"auto\"` is f32 here: bf16 needs the device flex, and a \
                     processor with AMX or AVX-512 BF16"
                );
            });
            Ok(Precision::F32)
        }
    }
}
