//! Batch norms folded into the convolutions before them: the same function in fewer operations,
//! up to rounding.

use autogrow_core::network::graph::{Block, Graph, Node, Op};
use autogrow_core::network::{StateDict, TensorEntry};

/// The network with every batch norm that follows a convolution made part of it, as a bias and
/// other weights. Batch norms elsewhere stay, and so do those of layers that are used twice or whose
/// tensors are not there.
pub fn fold_batch_norms(graph: &Graph, mut state: StateDict) -> (Graph, StateDict) {
    let mut uses = vec![0; graph.nodes.len()];
    for input in graph.nodes.iter().flat_map(|node| &node.inputs) {
        uses[*input] += 1;
    }
    // A layer that is used twice has one tensor for two places.
    let is_used_once =
        |name: &str| graph.nodes.iter().filter(|node| node.name == name).count() == 1;
    let mut nodes: Vec<Node> = Vec::new();
    // Where each value is now.
    let mut places: Vec<usize> = Vec::new();
    for node in &graph.nodes {
        let inputs: Vec<_> = node.inputs.iter().map(|&input| places[input]).collect();
        if let (Op::BatchNorm { epsilon, .. }, [input]) = (&node.op, &node.inputs[..])
            && uses[*input] == 1
            && let Some(conv) = nodes.get_mut(places[*input])
            && let Op::Conv { bias, .. } = &mut conv.op
            && is_used_once(&conv.name)
            && is_used_once(&node.name)
            && fold(&mut state, &conv.name, &node.name, *epsilon).is_some()
        {
            *bias = true;
            places.push(places[*input]);
            continue;
        }
        places.push(nodes.len());
        nodes.push(Node { inputs, ..node.clone() });
    }
    let place = |value: usize| places.get(value).copied().unwrap_or(nodes.len());
    let block = |block: &Block| Block {
        input: place(block.input),
        output: place(block.output),
        nodes: place(block.nodes.start)..place(block.nodes.end),
        ..block.clone()
    };
    let blocks = graph.blocks.iter().map(block).collect();
    let output = place(graph.output);
    (Graph { blocks, output, nodes }, state)
}

/// Moves the numbers of batch norm `norm` into those of `conv`. None, and nothing moved, where one
/// is missing.
fn fold(state: &mut StateDict, conv: &str, norm: &str, epsilon: f64) -> Option<()> {
    let of_norm = |field: &str| Some(&state.0.get(&format!("{norm}.{field}"))?.values);
    let [gamma, beta] = [of_norm("weight")?, of_norm("bias")?];
    let [mean, variance] = [of_norm("running_mean")?, of_norm("running_var")?];
    let (weight, bias) = (format!("{conv}.weight"), format!("{conv}.bias"));
    let channels = gamma.len();
    let old_bias = state.0.get(&bias);
    let mut scales = Vec::new();
    let mut shifts = Vec::new();
    for (c, &gamma) in gamma.iter().enumerate() {
        let number = |numbers: &[f32]| numbers.get(c).map(|&number| f64::from(number));
        let scale = f64::from(gamma) / (number(variance)? + epsilon).sqrt();
        let before = old_bias.and_then(|bias| number(&bias.values)).unwrap_or(0.0);
        scales.push(scale);
        shifts.push((number(beta)? + (before - number(mean)?) * scale) as f32);
    }
    let filters = state.0.get_mut(&weight)?;
    let size = filters.values.len() / channels.max(1);
    for (filter, scale) in filters.values.chunks_exact_mut(size.max(1)).zip(scales) {
        for value in filter {
            *value = (f64::from(*value) * scale) as f32;
        }
    }
    state.0.insert(bias, TensorEntry { shape: vec![channels], values: shifts });
    for field in ["weight", "bias", "running_mean", "running_var"] {
        state.0.remove(&format!("{norm}.{field}"));
    }
    Some(())
}
