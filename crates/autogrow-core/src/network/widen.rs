//! More inputs for what reads a sub-network whose channels grow with its depth (DenseNet, Huang et
//! al. 2017): it is built anew, wider, and keeps what the narrower one has learnt.

use super::Initializer;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Tensor, TensorData};
use std::collections::VecDeque;

/// `wider`, freshly built like `old` but for more inputs, with the numbers and identities of `old`
/// where that has them. The weights of new inputs are the initializer's business; their norms
/// stay as they were built.
pub(super) fn widen<M: Module>(old: &M, wider: M, initializer: &dyn Initializer) -> M {
    let mut learnt = Learnt(VecDeque::new());
    // Running statistics are written behind by one step; `valid` catches up.
    old.valid().visit(&mut learnt);
    wider.map(&mut Widen { learnt, initializer })
}

/// Every parameter and running statistic of a module, in its order.
struct Learnt(VecDeque<(ParamId, TensorData)>);

impl ModuleVisitor for Learnt {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push_back((param.id, param.val().into_data()));
    }
}

struct Widen<'a> {
    learnt: Learnt,
    initializer: &'a dyn Initializer,
}

impl ModuleMapper for Widen<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((id, old)) = self.learnt.0.pop_front() else { return param };
        let (_, fresh, mapper) = param.consume();
        let shape = fresh.dims();
        let mut values: Vec<f32> = fresh.to_data().iter::<f32>().collect();
        // Norms have vectors, one number a channel; what mixes channels has matrices and more.
        if D > 1 {
            self.initializer.initialize_new_inputs(&mut values);
        }
        let learnt: Vec<f32> = old.iter::<f32>().collect();
        paste(old.shape(), &learnt, &mut values, &shape);
        let tensor = Tensor::from_data(TensorData::new(values, shape), &fresh.device())
            .set_require_grad(fresh.is_require_grad());
        Param::from_mapped_value(id, tensor, mapper)
    }
}

/// Puts an array into the first corner of a larger one of the same rank, each with its shape.
pub(crate) fn paste(own: &[usize], small: &[f32], large: &mut [f32], shape: &[usize]) {
    fn rows(small: &[f32], own: &[usize], large: &mut [f32], shape: &[usize]) {
        if let ([_, own @ ..], [_, shape @ ..]) = (own, shape)
            && !own.is_empty()
        {
            let [step, large_step] = [own, shape].map(|sizes| sizes.iter().product());
            for (small, large) in small.chunks(step).zip(large.chunks_mut(large_step)) {
                rows(small, own, large, shape);
            }
        } else {
            large[..small.len()].copy_from_slice(small);
        }
    }
    rows(small, own, large, shape);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_array_keeps_its_rows() {
        let (own, small) = ([2, 2, 1], [1., 2., 3., 4.]);
        let mut large = vec![0.0; 12];
        paste(&own, &small, &mut large, &[2, 3, 2]);
        assert_eq!(large, [1., 0., 2., 0., 0., 0., 3., 0., 4., 0., 0., 0.]);
        let mut same = vec![0.0; 4];
        paste(&own, &small, &mut same, &[2, 2, 1]);
        assert_eq!(same, [1., 2., 3., 4.]);
    }
}
