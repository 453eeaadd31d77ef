//! An initializer: new residual branches begin at a tenth of their strength, between ZeroInit, which
//! leaves them out, and GauInit, which lets them in at full strength.

use autogrow_core::initializer::InitializerKind;
use autogrow_core::network::{Gate, Initializer};
use burn::module::Param;
use burn::tensor::Tensor;
use rand::RngCore;

/// What every scale begins with.
const SCALE: f64 = 0.1;

struct Small;

impl Initializer for Small {
    fn initialize(&self, gate: Gate<'_>, _: &mut dyn RngCore) {
        fill(gate.scale, SCALE);
        if let Some(shift) = gate.shift {
            fill(shift, 0.0);
        }
    }

    // A sub-module may add channels instead of a branch: what follows reads them by small weights.
    fn initialize_new_inputs(&self, weights: &mut [f32]) {
        weights.iter_mut().for_each(|weight| *weight *= SCALE as f32);
    }
}

/// Gives all numbers of a parameter one value, and keeps its identity.
fn fill(param: &mut Param<Tensor<1>>, value: f64) {
    *param = param.clone().map(|old| {
        Tensor::full(old.dims(), value, &old.device()).set_require_grad(old.is_require_grad())
    });
}

autogrow_core::register! {
    InitializerKind {
        name: "small",
        origin: env!("CARGO_PKG_NAME"),
        summary: "new branches begin at a tenth of their strength",
        build: |_, _| Ok(Box::new(Small)),
    },
}
