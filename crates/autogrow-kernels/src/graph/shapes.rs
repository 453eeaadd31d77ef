//! The shape that an operation of a [`Graph`](super::Graph) makes of those of its inputs.

use super::{Op, Window};
use crate::layers::out_size;

/// The shape of the output, or what is wrong with the inputs.
pub(super) fn shape(op: &Op, inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
    let wrong = || Err(format!("{op:?} cannot work on {inputs:?}"));
    Ok(match (op, inputs) {
        (Op::Parameter { stored, shape }, []) if count(stored) == count(shape) => shape.clone(),
        (&Op::Conv { channels, kernel, stride, padding, groups, .. }, [[c, h, w]])
            if *c == channels[0] && c % groups == 0 =>
        {
            let side =
                |size, axis: usize| out_size(size, kernel[axis], stride[axis], padding[axis]);
            vec![channels[1], side(*h, 0), side(*w, 1)]
        }
        (Op::BatchNorm { channels, .. }, [input @ [c, ..]]) if c == channels => input.to_vec(),
        (Op::LayerNorm { channels, .. }, [input @ [.., c]]) if c == channels => input.to_vec(),
        (Op::Linear { features: [inputs, out], .. }, [[leading @ .., last]]) if last == inputs => {
            [leading, &[*out]].concat()
        }
        (Op::Relu | Op::Relu6 | Op::Gelu | Op::Sigmoid | Op::Scale(_), [input]) => input.to_vec(),
        (Op::Softmax, [input @ [_, ..]]) => input.to_vec(),
        (Op::Add | Op::Mul, [a, b]) => match stretched(a, b) {
            Some(shape) => shape,
            None => return wrong(),
        },
        (Op::MatMul, [[a @ .., m, k], [b @ .., k2, n]]) if k == k2 => match stretched(a, b) {
            Some(leading) => [&leading[..], &[*m, *n]].concat(),
            None => return wrong(),
        },
        (&Op::Concat { axis }, [first, rest @ ..]) if axis < first.len() => {
            let mut joined = first.to_vec();
            for input in rest {
                let alike = input.len() == joined.len()
                    && (0..joined.len()).all(|i| i == axis || input[i] == joined[i]);
                if !alike {
                    return wrong();
                }
                joined[axis] += input[axis];
            }
            joined
        }
        (&Op::MaxPool(Window { kernel, stride, padding }), [[c, h, w]]) => {
            vec![*c, out_size(*h, kernel, stride, padding), out_size(*w, kernel, stride, padding)]
        }
        (Op::GlobalAverage, [[c, _, _]]) => vec![*c],
        (Op::Subsample(step) | Op::AveragePool(step), [[c, h, w]]) => {
            vec![*c, h.div_ceil(*step), w.div_ceil(*step)]
        }
        (Op::PadChannels([before, after]), [[c, h, w]]) => vec![before + c + after, *h, *w],
        (Op::Reshape(shape), [input]) if count(shape) == count(input) => shape.clone(),
        (Op::Transpose(order), [input]) => {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            if !sorted.into_iter().eq(0..input.len()) {
                return wrong();
            }
            order.iter().map(|&axis| input[axis]).collect()
        }
        (Op::AddPositions([h, w]), [input @ [tokens, _]]) if h * w == *tokens => input.to_vec(),
        (&Op::Slice { axis, start, length }, [input])
            if axis < input.len() && start + length <= input[axis] =>
        {
            let mut cut = input.to_vec();
            cut[axis] = length;
            cut
        }
        _ => return wrong(),
    })
}

/// The shape that two have in common once axes of size 1 are stretched.
fn stretched(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let pairs = a.iter().zip(b).map(|(&a, &b)| (a == b || a == 1 || b == 1).then_some(a.max(b)));
    if a.len() == b.len() { pairs.collect() } else { None }
}

fn count(shape: &[usize]) -> usize {
    shape.iter().product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_follow_from_those_of_the_inputs() {
        let window = Window { kernel: 3, stride: 2, padding: 1 };
        let conv = |groups| Op::Conv {
            channels: [4, 8],
            kernel: [3, 3],
            stride: [2, 1],
            padding: [1, 0],
            groups,
            bias: false,
        };
        type Case<'a> = (Op, &'a [&'a [usize]], &'a [usize]);
        let cases: [Case<'_>; 15] = [
            (conv(2), &[&[4, 7, 7]], &[8, 4, 5]),
            (Op::Linear { features: [4, 9], bias: true }, &[&[5, 4]], &[5, 9]),
            (Op::Mul, &[&[4, 7, 7], &[4, 1, 1]], &[4, 7, 7]),
            (Op::MatMul, &[&[2, 5, 3], &[2, 3, 6]], &[2, 5, 6]),
            (Op::MatMul, &[&[2, 5, 3], &[1, 3, 6]], &[2, 5, 6]),
            (Op::Concat { axis: 0 }, &[&[4, 7, 7], &[2, 7, 7]], &[6, 7, 7]),
            (Op::MaxPool(window), &[&[4, 7, 8]], &[4, 4, 4]),
            (Op::GlobalAverage, &[&[4, 7, 8]], &[4]),
            (Op::Subsample(2), &[&[4, 7, 8]], &[4, 4, 4]),
            (Op::AveragePool(3), &[&[4, 7, 9]], &[4, 3, 3]),
            (Op::AddPositions([7, 8]), &[&[56, 4]], &[56, 4]),
            (Op::PadChannels([1, 2]), &[&[4, 7, 8]], &[7, 7, 8]),
            (Op::Reshape(vec![4, 56]), &[&[4, 7, 8]], &[4, 56]),
            (Op::Transpose(vec![1, 0]), &[&[4, 56]], &[56, 4]),
            (Op::Slice { axis: 1, start: 2, length: 3 }, &[&[4, 5]], &[4, 3]),
        ];
        for (op, inputs, expected) in cases {
            assert_eq!(shape(&op, inputs).unwrap(), expected, "{op:?}");
        }
    }

    #[test]
    fn inputs_that_do_not_fit_are_told() {
        let cases: [(Op, &[&[usize]]); 9] = [
            (Op::BatchNorm { channels: 4, epsilon: 1e-5 }, &[&[5, 7, 7]]),
            (Op::Linear { features: [4, 9], bias: true }, &[&[5, 5]]),
            (Op::Add, &[&[4, 7, 7], &[4, 2, 7]]),
            (Op::MatMul, &[&[2, 5, 3], &[4, 3, 6]]),
            (Op::Concat { axis: 1 }, &[&[4, 7, 7], &[2, 7, 7]]),
            (Op::Reshape(vec![4, 57]), &[&[4, 7, 8]]),
            (Op::Transpose(vec![1, 1]), &[&[4, 56]]),
            (Op::AddPositions([7, 8]), &[&[55, 4]]),
            (Op::Slice { axis: 1, start: 3, length: 3 }, &[&[4, 5]]),
        ];
        for (op, inputs) in cases {
            assert!(shape(&op, inputs).unwrap_err().contains("cannot work on"), "{op:?}");
        }
    }
}
