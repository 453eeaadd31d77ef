//! A network as an ONNX model: IR version 8, operator set 17, float32.
//!
//! Input `images` `[batch, channels, height, width]`, normalised, or raw rows of a table `[batch,
//! features, 1, 1]`, which the graph standardises; output `logits` `[batch,
//! outputs]`, or `values` for regression; the batch may have any size. Initializers have the names of
//! the state dict. The metadata (`metadata_props`) hold `network`, `depth`, `objective`, and as JSON
//! `preprocessing` (in words: `preparation`) or `table` (and `features`, the names of the input in order)
//! and one of `classes` (names; softmax of the logits gives probabilities), `labels` (names; their sigmoid
//! does) and `values` (name, mean and deviation: a value is mean + deviation x output).

mod lower;
mod proto;

use crate::preparation;
use autogrow_core::data::{Outputs, TableInput};
use autogrow_core::network::{Graph, ModelInfo, StateDict};
use autogrow_core::{Error, Result};
use prost::Message;
use proto::{Entry, Model, OperatorSet, ValueInfo};
use std::path::Path;

/// Of the format.
const IR_VERSION: i64 = 8;
/// The first one with layer norms.
const OPERATOR_SET: i64 = 17;
/// Protocol buffers end there.
const LARGEST: usize = 2 << 30;

/// The bytes of an ONNX file; `path` is for errors.
///
/// # Errors
/// [`Error::Run`] where a tensor of `graph` is not in `state`, or where the network is too large
/// for the format.
pub fn onnx(graph: &Graph, state: &StateDict, info: &ModelInfo, path: &Path) -> Result<Vec<u8>> {
    if 4 * state.numbers() > LARGEST {
        return Err(Error::run(path, "would be larger than the 2 GiB that ONNX files may have")
            .with_hint("export as safetensors"));
    }
    let output = output_name(&info.outputs);
    let features = info.table.as_ref().map(TableInput::features).unwrap_or_default();
    let taken = match &info.table {
        Some(table) => vec![table.inputs().len(), 1, 1],
        None => graph.nodes[0].shape.clone(),
    };
    let (nodes, initializers) = lower::lower(graph, state, output, &features)
        .map_err(|name| Error::run(path, format!("cannot be written: {name} is missing")))?;
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "autogrow".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: Some(proto::Graph {
            node: nodes,
            name: info.architecture.network.clone(),
            initializer: initializers,
            input: vec![ValueInfo::batch(lower::INPUT, &taken)],
            output: vec![ValueInfo::batch(output, &graph.nodes[graph.output].shape)],
        }),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPERATOR_SET }],
        metadata_props: metadata(info).map_err(|error| Error::run(path, error.to_string()))?,
    };
    Ok(model.encode_to_vec())
}

fn metadata(info: &ModelInfo) -> serde_json::Result<Vec<Entry>> {
    let entry = |key: &str, value: String| Entry { key: key.into(), value };
    let mut entries = vec![
        entry("network", info.architecture.network.clone()),
        entry("depth", info.architecture.depth.to_string()),
        entry("objective", info.objective.clone()),
        match &info.outputs {
            Outputs::Classes(names) => entry("classes", serde_json::to_string(names)?),
            Outputs::Values(values) => entry("values", serde_json::to_string(values)?),
            Outputs::Labels(names) => entry("labels", serde_json::to_string(names)?),
        },
    ];
    if let Some(preprocessing) = &info.preprocessing {
        entries.push(entry("preprocessing", serde_json::to_string(preprocessing)?));
        entries.push(entry("preparation", preparation::steps(info).join(" ")));
    }
    if let Some(table) = &info.table {
        entries.push(entry("table", serde_json::to_string(table)?));
        entries.push(entry("features", serde_json::to_string(&table.inputs())?));
    }
    Ok(entries)
}

/// Name of what the network gives.
pub(crate) fn output_name(outputs: &Outputs) -> &'static str {
    match outputs {
        Outputs::Classes(_) | Outputs::Labels(_) => "logits",
        Outputs::Values(_) => "values",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autogrow_core::data::Feature;
    use autogrow_core::network::graph::{Node, Op};

    #[test]
    fn raw_rows_are_standardised_in_the_graph() {
        let input =
            Node { op: Op::Input, inputs: vec![], name: String::new(), shape: vec![1, 1, 1] };
        let relu = Node { op: Op::Relu, inputs: vec![0], ..input.clone() };
        let graph = Graph { nodes: vec![input, relu], blocks: vec![], output: 1 };
        // Float32 tells whole numbers of this size from each other, but not their mean from them.
        let (mean, deviation) = (16_000_000.3, 2.0);
        let features =
            [Feature { name: "time".into(), input: 0, mean, deviation, is_piece: false }];
        let state = StateDict::default();
        let (nodes, tensors) = lower::lower(&graph, &state, "logits", &features).unwrap();
        let steps: Vec<_> =
            nodes.iter().map(|node| (&*node.op_type, &*node.input[0], &*node.output[0])).collect();
        assert_eq!(
            steps,
            [
                ("Sub", "images", "images.moved"),
                ("Sub", "images.moved", "images.centred"),
                ("Div", "images.centred", "images.standardised"),
                ("Relu", "images.standardised", "logits"),
            ]
        );
        let number =
            |place: usize| f32::from_le_bytes(tensors[place].raw_data.clone().try_into().unwrap());
        let standardised = (16_000_001.0_f32 - number(0) - number(1)) / number(2);
        assert!((standardised - 0.35).abs() < 1e-6, "{standardised}");
    }
}
