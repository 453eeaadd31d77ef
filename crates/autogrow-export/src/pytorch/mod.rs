//! A network as Python text: PyTorch modules that hold and compute the same, written to be read; as
//! a file, with a function that loads the weights beside it.

mod body;
mod operation;
mod template;

use crate::preparation;
use autogrow_core::data::{Feature, Outputs, TableInput, ValueOutput};
use autogrow_core::network::ModelInfo;
use autogrow_core::network::graph::{Block, Graph, Op};
use body::{Step, methods};
use std::collections::BTreeMap;
use template::{Class, Methods, Template, class};

/// What the first line of a module ends in: who wrote it.
pub const MODULE_MARK: &str = "exported by AutoGrow.";

/// Characters of a line of a docstring.
const LINE: usize = 88;

/// The text of a Python file that defines the network of `graph` and loads the file `weights`,
/// which is looked for beside it.
pub fn pytorch(graph: &Graph, info: &ModelInfo, weights: &str) -> String {
    let load = format!(
        "\n\ndef load(path=Path(__file__).with_name({})):\n    \
         \"\"\"The network with the weights at `path`, in evaluation mode.\"\"\"\n    \
         network = Network()\n    \
         network.load_state_dict(load_file(path), strict=True)\n    \
         return network.eval()\n",
        json(&weights),
    );
    let from_files = "from pathlib import Path\n\n";
    let from_weights = "from safetensors.torch import load_file\n";
    let (gives, needs) =
        ("`load()` gives the\nnetwork with its weights. ", "packages torch and safetensors");
    text(graph, info, &Parts { from_files, from_weights, gives, needs, load: &load })
}

/// The text of Python that defines the network of `graph` alone, as the class `Network`.
pub fn pytorch_module(graph: &Graph, info: &ModelInfo) -> String {
    let parts =
        Parts { from_files: "", from_weights: "", gives: "", needs: "package torch", load: "" };
    text(graph, info, &parts)
}

/// What a file that loads weights has more.
struct Parts<'a> {
    from_files: &'a str,
    from_weights: &'a str,
    gives: &'a str,
    needs: &'a str,
    load: &'a str,
}

fn text(graph: &Graph, info: &ModelInfo, parts: &Parts<'_>) -> String {
    let Parts { from_files, from_weights, gives, needs, load } = parts;
    let (classes, made) = sub_modules(graph);
    let given = match &info.outputs {
        Outputs::Classes(_) => "Class scores",
        Outputs::Values(_) => "Standardised values",
        Outputs::Labels(_) => "Log odds of labels",
    };
    let network = network(graph, &made, given, info.table.is_some());
    let architecture = &info.architecture;
    let [channels, height, width] = architecture.image;
    let preprocessing = match &info.preprocessing {
        None => info.table.as_ref().map(features).unwrap_or_default(),
        Some(p) => format!(
            "# How pictures become images, as above.\n\
             SHORTER_SIDE = {}\nSIZE = {}\nMEAN = {}\nSTD = {}\n",
            p.shorter_side.map_or("None".into(), |side| side.to_string()),
            json(&p.size),
            json(&p.mean),
            json(&p.std)
        ),
    };
    let (images, rows) = match &info.table {
        Some(table) => (
            "Rows are [batch, features] as they stand in the table, named by FEATURES".into(),
            match table.has_pieces() {
                true => operation::PIECES_HELPER,
                false => operation::STANDARDISE_HELPER,
            },
        ),
        None => (format!("Images are [batch, {channels}, {height}, {width}], normalised"), ""),
    };
    let steps = preparation::steps(info).join(" ");
    let prepared = match steps.is_empty() {
        true => String::new(),
        false => format!("\n{}\n", preparation::wrapped(&steps, LINE)),
    };
    let helper = if classes.contains(operation::ADD_POSITIONS) { operation::HELPER } else { "" };
    let functional = if classes.contains("F.") || network.contains("F.") {
        "from torch.nn import functional as F\n"
    } else {
        ""
    };
    format!(
        "\"\"\"{} {}, {MODULE_MARK}\n\n\
         {images}; {}. {gives}Needs the {needs}.\n{prepared}\"\"\"\n\n\
         {from_files}import torch\n{from_weights}from torch import nn\n{functional}\n\
         {}{preprocessing}\n\n{rows}{helper}{classes}{network}{load}",
        architecture.network,
        architecture.depth,
        answers(&info.outputs),
        constants(&info.outputs),
    )
}

/// What the network gives, in words.
fn answers(outputs: &Outputs) -> String {
    let count = outputs.len();
    match outputs {
        Outputs::Classes(_) => format!("there are {count} classes"),
        Outputs::Values(_) => format!("{count} values are MEANS + DEVIATIONS * output"),
        Outputs::Labels(_) => {
            format!("the sigmoid of outputs is the probability of {count} labels")
        }
    }
}

/// Names of the outputs, and what makes values of them.
fn constants(outputs: &Outputs) -> String {
    match outputs {
        Outputs::Classes(names) => format!("CLASSES = {}\n", json(names)),
        Outputs::Labels(names) => format!("LABELS = {}\n", json(names)),
        Outputs::Values(values) => {
            let [means, deviations] = [|of: &ValueOutput| of.mean, |of: &ValueOutput| of.deviation]
                .map(|number| json(&values.iter().map(number).collect::<Vec<_>>()));
            let names = json(&outputs.names());
            format!("VALUES = {names}\nMEANS = {means}\nDEVIATIONS = {deviations}\n")
        }
    }
}

/// Names of what a row tells, and what makes features of it.
fn features(table: &TableInput) -> String {
    let features = table.features();
    let [means, deviations] = [|of: &Feature| of.mean, |of: &Feature| of.deviation]
        .map(|number| json(&features.iter().map(number).collect::<Vec<_>>()));
    let numbers = if table.has_pieces() {
        let places = json(&features.iter().map(|of| of.input).collect::<Vec<_>>());
        let limited = features.iter().map(|of| if of.is_piece { "True" } else { "False" });
        let limited = limited.collect::<Vec<_>>().join(", ");
        format!(
            "# What the network sees: (number at PLACES - STARTS) / WIDTHS, of a piece from 0 to 1.\n\
             PLACES = {places}\nSTARTS = {means}\nWIDTHS = {deviations}\nIS_PIECE = [{limited}]\n"
        )
    } else {
        format!("FEATURE_MEANS = {means}\nFEATURE_DEVIATIONS = {deviations}\n")
    };
    format!(
        "# Of `a = b` the number is 1 where column a is b, else 0; of `a is missing` 1 where it is.\n\
         FEATURES = {}\n{numbers}",
        json(&table.inputs())
    )
}

/// JSON is Python as well: strings, lists, numbers.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The classes of sub-modules, and the expression that makes each block.
fn sub_modules(graph: &Graph) -> (String, Vec<String>) {
    let templates: Vec<_> = graph.blocks.iter().map(|block| block_methods(graph, block)).collect();
    let mut made = vec![String::new(); templates.len()];
    let mut text = String::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for first in 0..templates.len() {
        if !made[first].is_empty() {
            continue;
        }
        let (init, forward) = &templates[first];
        let alike = |&i: &usize| templates[i].0.alike(init) && templates[i].1.alike(forward);
        let members: Vec<_> = (first..templates.len()).filter(alike).collect();
        let kind = &graph.blocks[first].kind;
        let count = names.entry(kind.clone()).or_default();
        *count += 1;
        let name = camel_case(kind) + &if *count > 1 { count.to_string() } else { String::new() };

        let channels = |of: fn(&Block) -> usize| -> Vec<usize> {
            let channels = |&i: &usize| graph.nodes[of(&graph.blocks[i])].shape.first().copied();
            members.iter().map(|i| channels(i).unwrap_or(0)).collect()
        };
        let (before, after) = (channels(|block| block.input), channels(|block| block.output));
        let known = if before == after {
            vec![("channels", before)]
        } else {
            vec![("channels_in", before), ("channels_out", after)]
        };
        let of_members: Vec<_> = members.iter().map(|&i| &templates[i]).collect();
        let Class { arguments, attributes, init, forward, values } = class(&of_members, &known);
        let kept = attributes.iter().map(|name| format!("        self.{name} = {name}\n"));
        let kept: String = kept.collect();
        let parameters: String = arguments.iter().map(|name| format!(", {name}")).collect();
        text += &format!(
            "class {name}(nn.Module):\n    \"\"\"Sub-module `{kind}`, first as {}.\"\"\"\n\n    \
             def __init__(self{parameters}):\n{init}{kept}\n{forward}\n\n",
            graph.blocks[first].name
        );
        for (&member, values) in members.iter().zip(values) {
            let values: Vec<_> = values.iter().map(ToString::to_string).collect();
            made[member] = format!("{name}({})", values.join(", "));
        }
    }
    (text, made)
}

/// `__init__` and `forward` of a block.
fn block_methods(graph: &Graph, block: &Block) -> Methods {
    let prefix = format!("{}.", block.name);
    let steps: Vec<_> = block.nodes.clone().map(|value| step(graph, value, &prefix)).collect();
    methods(&steps, block.input, block.output)
}

fn step(graph: &Graph, value: usize, prefix: &str) -> Step {
    let node = graph.nodes[value].clone();
    Step {
        name: node.name.strip_prefix(prefix).unwrap_or(&node.name).to_string(),
        made: operation::module(&node),
        inputs: node.inputs.clone(),
        output: value,
        closes: matches!(node.op, Op::Relu | Op::Relu6 | Op::Gelu),
        value: Box::new(move |inputs, module| operation::value(&node, inputs, module)),
    }
}

/// The class of the whole network: what is outside of blocks, and the blocks as sequences. Rows of a
/// table are standardised first.
fn network(graph: &Graph, made: &[String], given: &str, of_rows: bool) -> String {
    let mut steps = Vec::new();
    if of_rows {
        steps.push(Step {
            name: String::new(),
            made: None,
            inputs: vec![0],
            output: 0,
            closes: true,
            value: Box::new(|inputs, _| {
                let call = Template::text(operation::STANDARDISE).and("(");
                inputs.iter().fold(call, Template::append).and(")")
            }),
        });
    }
    let mut value = 1;
    let mut blocks = graph.blocks.iter().enumerate().peekable();
    while value < graph.nodes.len() {
        let Some((first, block)) = blocks.next_if(|(_, block)| block.nodes.start == value) else {
            steps.push(step(graph, value, ""));
            value += 1;
            continue;
        };
        let group = |block: &Block| block.name.rsplit_once('.').map(|(name, _)| name.to_string());
        let (mut last, mut end) = (block, first + 1);
        let (name, module) = match group(block) {
            // What closes the sub-networks stands alone.
            None => (block.name.clone(), made[first].clone()),
            Some(name) => {
                while let Some((index, next)) =
                    blocks.next_if(|(_, next)| group(next).as_deref() == Some(&name))
                {
                    (last, end) = (next, index + 1);
                }
                (name, sequence(&made[first..end]))
            }
        };
        steps.push(Step {
            name,
            made: Some(Template::text(module)),
            inputs: vec![block.input],
            output: last.output,
            closes: true,
            value: Box::new(|inputs, module| {
                let call = Template::text(module).and("(");
                inputs.iter().fold(call, Template::append).and(")")
            }),
        });
        value = last.nodes.end;
    }
    let (init, forward) = methods(&steps, 0, graph.output);
    format!(
        "class Network(nn.Module):\n    \"\"\"{} of {}.\"\"\"\n\n    \
         def __init__(self):\n{}\n{}",
        given,
        if of_rows { "rows" } else { "normalised images" },
        init.filled(),
        forward.filled()
    )
}

/// Sub-modules one behind the other; those that are made alike in one line.
fn sequence(made: &[String]) -> String {
    let mut text = "nn.Sequential(".to_string();
    for run in made.chunk_by(|a, b| a == b) {
        text += &match run {
            [one] => format!("\n            {one},"),
            [one, ..] => format!("\n            *[{one} for _ in range({})],", run.len()),
            [] => String::new(),
        };
    }
    text + "\n        )"
}

fn camel_case(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let capital = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    };
    words.map(capital).collect()
}
