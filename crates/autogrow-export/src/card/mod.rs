//! The model card: what a model is, where it comes from and what to expect of it, in Markdown.

/// Adds a line. Writing to a text cannot fail.
macro_rules! line {
    ($text:expr) => { $text.push('\n') };
    ($text:expr, $($rest:tt)*) => {{ let _ = writeln!($text, $($rest)*); }};
}

mod columns;

use crate::onnx::output_name;
use crate::preparation;
use autogrow_core::config::SelectOn;
use autogrow_core::config::{Compat, Config};
use autogrow_core::data::{Baselines, Linear, Outputs};
use autogrow_core::network::ModelInfo;
use autogrow_core::run::Outcome;
use autogrow_core::training::objective;
use std::fmt::Write;

/// What a card is written from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What the model file says.
    pub info: &'a ModelInfo,
    /// Trainable parameters.
    pub parameters: usize,
    /// Multiply-accumulate operations for one image.
    pub macs: u64,
    /// Name of the model's file.
    pub file: &'a str,
    /// What kind of file it is: `safetensors`, `onnx` or `burnpack`.
    pub format: &'a str,
    /// The run that found it, where that is known: its settings and what it came to.
    pub run: Option<(&'a Config, &'a Outcome)>,
    /// Scores of simple models on the test images of that run, where they were measured.
    pub baselines: Option<&'a Baselines>,
}

/// The last line of a card: who wrote it.
pub const CARD_MARK: &str = "<!-- Written by AutoGrow. -->";
/// Classes that are listed one by one.
const LISTED: usize = 20;

/// The text of a model card. The same facts give the same text.
pub fn card(facts: &Facts<'_>) -> String {
    let architecture = &facts.info.architecture;
    let mut text = format!("# {} {}", architecture.network, architecture.depth);
    if !facts.info.data.is_empty() {
        text += &format!(" for {}", facts.info.data);
    }
    text += "\n\n";
    summary(facts, &mut text);
    let inputs = if facts.info.table.is_some() { "Columns" } else { "Images" };
    let task = facts.info.outputs.task().name();
    line!(text, "\n## {inputs} and {task}\n");
    match &facts.info.table {
        Some(table) => columns::columns(table, &mut text),
        None => images(facts.info, &mut text),
    }
    outputs(&facts.info.outputs, &mut text);
    if let Some((config, outcome)) = facts.run {
        found(facts.info, config, outcome, &mut text);
        scores(facts, config, outcome, &mut text);
    }
    usage(facts, &mut text);
    limits(facts, &mut text);
    line!(text, "\n{CARD_MARK}");
    text
}

fn summary(facts: &Facts<'_>, text: &mut String) {
    let architecture = &facts.info.architecture;
    let [channels, height, width] = architecture.image;
    let grown = facts.run.is_some_and(|(config, _)| config.growth.policy != "none");
    let found =
        if grown { " whose depth was found by AutoGrow (Wen et al., KDD 2020)" } else { "" };
    let kind = match facts.info.outputs {
        Outputs::Classes(_) if facts.info.table.is_some() => "A classifier of rows of a table",
        Outputs::Classes(_) => "An image classifier",
        Outputs::Values(_) => "A network for regression",
        Outputs::Labels(_) => "A network that gives any number of labels",
    };
    line!(text, "{kind}{found}.");
    line!(text);
    line!(text, "| | |");
    line!(text, "|---|---|");
    line!(text, "| network | {} |", architecture.network);
    line!(text, "| sub-modules of each sub-network | {} |", architecture.depth);
    line!(text, "| channels of the first sub-network | {} |", architecture.width);
    line!(text, "| trainable parameters | {} |", grouped(facts.parameters as u64));
    let macs = grouped(facts.macs);
    line!(text, "| multiply-accumulate operations {} | {macs} |", a_input(facts.info));
    line!(text, "| size as float32 | {:.1} MB |", 4e-6 * facts.parameters as f64);
    match facts.info.table {
        Some(_) => line!(text, "| input | {channels} features of a row |"),
        None => line!(text, "| input | {channels}x{height}x{width} |"),
    }
    line!(text, "| {} | {} |", facts.info.outputs.task().name(), architecture.classes);
}

/// One input of the network, with its article.
fn a_input(info: &ModelInfo) -> &'static str {
    if info.table.is_some() { "a row" } else { "an image" }
}

/// Inputs of the network.
fn inputs(info: &ModelInfo) -> &'static str {
    if info.table.is_some() { "rows" } else { "images" }
}

fn images(info: &ModelInfo, text: &mut String) {
    let steps = preparation::steps(info);
    if steps.is_empty() {
        line!(text, "How images are prepared is not known from the model file.");
    }
    for step in steps {
        line!(text, "- {step}");
    }
}

/// What the network gives, by name.
fn outputs(outputs: &Outputs, text: &mut String) {
    if let Outputs::Values(values) = outputs {
        line!(text, "\nA value is mean + deviation x output.\n");
        line!(text, "| value | mean | deviation |");
        line!(text, "|---|---|---|");
        for value in values.iter().take(LISTED) {
            line!(text, "| `{}` | {} | {} |", plain(&value.name), value.mean, value.deviation);
        }
        return;
    }
    let listed = outputs.names().into_iter().take(LISTED).map(|name| format!("`{}`", plain(name)));
    let listed = listed.collect::<Vec<_>>().join(", ");
    let more = if outputs.len() > LISTED { ", ..." } else { "" };
    match outputs {
        Outputs::Labels(_) => line!(
            text,
            "\nLabels in order: {listed}{more}. The sigmoid of an output is the probability of a label."
        ),
        _ => line!(text, "\nClasses in order: {listed}{more}."),
    }
}

fn found(info: &ModelInfo, config: &Config, outcome: &Outcome, text: &mut String) {
    let inputs = inputs(info);
    line!(text, "\n## How it was found\n");
    let growth = &config.growth;
    if growth.policy == "none" {
        line!(text, "The depth was given; the network was trained without growing.");
    } else if growth.policy == "worth" {
        line!(
            text,
            "Grown from {} by the policy `worth`: of networks that were trained for as many epochs, a \
             deeper one had to be {} percentage points better for each doubling of its cost (multiply-\
             accumulates). New sub-modules were initialised by `{}`.",
            config.network.depth,
            growth.price,
            growth.initializer
        );
    } else {
        line!(
            text,
            "Grown from {} by the policy `{}`: a sub-module at most every K = {} epochs, until {} \
             epochs brought less than {} percentage points. New sub-modules were initialised by \
             `{}`.",
            config.network.depth,
            growth.policy,
            growth.interval,
            if growth.policy == "convergent" {
                "K".into()
            } else {
                format!("J = {}", growth.patience)
            },
            growth.threshold,
            growth.initializer
        );
    }
    let compat = match config.compat {
        Compat::Paper => "the paper",
        Compat::Code => "the code",
    };
    line!(
        text,
        "Growing took {} epochs, fine-tuning {}. Batches of {}, step size {}, weight decay {}, seed {}. \
         Where the paper and its authors' released code differ, this is as in {compat}.",
        outcome.growing_epochs,
        outcome.fine_tuning_epochs,
        config.training.batch_size,
        config.training.learning_rate,
        config.training.weight_decay,
        config.run.seed
    );
    match config.data.select_on {
        SelectOn::Val => line!(
            text,
            "Some of the training {inputs}, held out, guided growth and selected the model."
        ),
        SelectOn::Test => {
            line!(text, "The test {inputs} guided growth and selected the model, as in the paper.");
        }
    }
}

fn scores(facts: &Facts<'_>, config: &Config, outcome: &Outcome, text: &mut String) {
    let info = facts.info;
    let (title, column) = match outcome.objective.as_str() {
        "classes" => ("Accuracy", "top-1"),
        objective => ("Score", objective),
    };
    // The objective of a plugin that is not linked is told as it stands in the result.
    let objective = objective(&config.training, &config.plugin).ok();
    let score = |score: f64| match &objective {
        Some(objective) => objective.score_text(score),
        None => format!("{score:.2}"),
    };
    line!(text, "\n## {title}\n");
    line!(text, "| {} of {} | {} |", inputs(info), outcome.data, plain(column));
    line!(text, "|---|---|");
    line!(text, "| test | {} |", score(outcome.test_accuracy));
    if config.data.select_on == SelectOn::Val {
        line!(text, "| validation (selected the model) | {} |", score(outcome.val_accuracy));
    }
    let Some(Baselines { constant, class, linear, tested }) = facts.baselines else { return };
    let always = match (&info.outputs, class) {
        (Outputs::Classes(_), Some(class)) => {
            format!("always `{}`, the biggest class", plain(class))
        }
        (Outputs::Values(_), _) => "always the mean".into(),
        _ => "always the same answer".into(),
    };
    line!(text, "| without a network, {always} | {} |", score(*constant));
    let Some(Linear { score: of_linear, trained, features }) = linear else { return };
    let simple = match info.outputs {
        Outputs::Values(_) => "least squares",
        Outputs::Classes(_) | Outputs::Labels(_) => "logistic regression",
    };
    line!(text, "| without a network, {simple} | {} |", score(*of_linear));
    line!(
        text,
        "\nWithout a network: fitted on {features} standardised numbers of {trained} training {}, \
         judged on {tested} test {0}.",
        inputs(info)
    );
}

fn usage(facts: &Facts<'_>, text: &mut String) {
    let Facts { file, format, info, .. } = facts;
    line!(text, "\n## Use\n");
    match *format {
        "onnx" if info.table.is_some() => line!(
            text,
            "`{file}` has the input `images` `[batch, features, 1, 1]`: raw rows, which it \
             standardises itself, and the output `{}` `[batch, {task}]`. Its metadata hold the names \
             of the features in order (`features`), the columns (`table`) and the {task}. Of `a = b` \
             the number is 1 where column a is b, else 0; of `a is missing` 1 where it is missing, \
             and then a is its mean.",
            output_name(&info.outputs),
            task = info.outputs.task().name()
        ),
        "onnx" => line!(
            text,
            "`{file}` has the input `images` `[batch, channels, height, width]`, normalised, and the \
             output `{}` `[batch, {task}]`. Its metadata hold the {task} and how images are \
             prepared.",
            output_name(&info.outputs),
            task = info.outputs.task().name()
        ),
        "burnpack" => line!(
            text,
            "`{file}` is a record of Burn's: build the network from the `.json` beside it, then \
             load the record."
        ),
        _ => {
            line!(text, "```console");
            let example = if info.table.is_some() { "rows.csv" } else { "picture.png" };
            line!(text, "$ autogrow predict {file} {example}");
            line!(text, "$ autogrow evaluate {file}");
            line!(text, "$ autogrow export {file} model.onnx");
            line!(text, "```\n");
            line!(
                text,
                "`{file}` has PyTorch's names: `load_state_dict` takes it, and `autogrow export \
                 {file} copy.safetensors --pytorch` writes the module for it."
            );
        }
    }
}

fn limits(facts: &Facts<'_>, text: &mut String) {
    line!(text, "\n## Limits\n");
    let inputs = inputs(facts.info);
    match facts.info.outputs {
        Outputs::Classes(_) => line!(
            text,
            "- It knows its classes alone: all {inputs} are taken for one of them, whatever they show."
        ),
        Outputs::Values(_) => line!(
            text,
            "- It gives numbers for all {inputs}, whatever they show, and does not say how sure it is."
        ),
        Outputs::Labels(_) => {
            line!(text, "- It knows its labels alone: whatever else {inputs} show has no name.");
        }
    }
    let rounded = facts.info.table.as_ref().map(columns::rounded_by_float32).unwrap_or_default();
    if facts.format == "onnx" && !rounded.is_empty() {
        let names: Vec<_> = rounded.iter().map(|name| format!("`{}`", plain(name))).collect();
        line!(
            text,
            "- The input of the ONNX file is float32, which rounds {}: `autogrow predict` reads them \
             in float64 and may answer otherwise.",
            names.join(", ")
        );
    }
    let Some((config, outcome)) = facts.run else {
        line!(
            text,
            "- Its accuracy is not known from the model file: evaluate it on {inputs} of your own."
        );
        return;
    };
    line!(
        text,
        "- The accuracy is that on {inputs} of {}; others, or the same prepared in another way, may \
         be classified worse. One run with one seed was measured.",
        outcome.data
    );
    if config.data.select_on == SelectOn::Test {
        line!(text, "- The test {inputs} selected the model, so its test accuracy is optimistic.");
    }
    if config.data.fraction < 1.0 {
        line!(
            text,
            "- It was trained on a part of the training {inputs} ({}).",
            config.data.fraction
        );
    }
    if let (Some(floor), true) = (&outcome.floor, outcome.at_floor) {
        line!(
            text,
            "- Its depth is the floor {floor} of these settings, the shallowest that they can \
             find: a shallower network may do as well."
        );
    }
}

/// A name without what Markdown would take for something else.
fn plain(name: &str) -> String {
    name.replace(['`', '|', '\r', '\n'], " ")
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_grouped() {
        let grouped = [0, 999, 1_000, 12_345, 1_234_567].map(grouped);
        assert_eq!(grouped, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
