//! Operations in Python: how a module is made, and how a value is computed.

use super::template::Template;
use autogrow_core::network::graph::{Node, Op, Window};

/// The Python function that [`HELPER`] defines.
pub(super) const ADD_POSITIONS: &str = "add_positions";
/// What [`Op::AddPositions`] needs.
pub(super) const HELPER: &str = r#"def add_positions(x, height, width):
    """Tokens, plus sines and cosines of the row and column where each of them is."""
    channel = torch.arange(x.shape[-1], device=x.device)
    pixel = torch.arange(height * width, device=x.device)[:, None]
    place = torch.where(channel % 2 == 0, pixel // width, pixel % width)
    waves = (x.shape[-1] + 3) // 4
    angle = place / 10_000 ** (channel // 4 / waves)
    return x + torch.where(channel % 4 < 2, angle.sin(), angle.cos())


"#;

/// The Python function that [`STANDARDISE_HELPER`] defines.
pub(super) const STANDARDISE: &str = "standardise";
/// What makes the input of a network of rows of a table.
pub(super) const STANDARDISE_HELPER: &str = r#"def standardise(x):
    """Rows [batch, features] as they stand in the table, as the network was trained on them."""
    rows = x.reshape(len(x), len(FEATURES), 1, 1).cpu().double()
    means, deviations = (
        torch.tensor(numbers, dtype=rows.dtype).view(-1, 1, 1)
        for numbers in (FEATURE_MEANS, FEATURE_DEVIATIONS)
    )
    return ((rows - means) / deviations).float().to(x.device)


"#;
/// The same where numbers are seen in pieces as well.
pub(super) const PIECES_HELPER: &str = r#"def standardise(x):
    """Rows [batch, features] as they stand in the table, as the network was trained on them."""
    rows = x.reshape(len(x), len(FEATURES), 1, 1).cpu().double()
    starts, widths = (
        torch.tensor(numbers, dtype=rows.dtype).view(-1, 1, 1) for numbers in (STARTS, WIDTHS)
    )
    seen = (rows[:, torch.tensor(PLACES)] - starts) / widths
    limited = torch.tensor(IS_PIECE).view(-1, 1, 1)
    return torch.where(limited, seen.clamp(0, 1), seen).float().to(x.device)


"#;

/// The module or parameter that an operation keeps its tensors in; none where it keeps none.
pub(super) fn module(node: &Node) -> Option<Template> {
    let text = |text: &str| Template::text(text);
    let no_bias = |bias: bool| if bias { "" } else { ", bias=False" };
    Some(match &node.op {
        &Op::Conv { channels, kernel, stride, padding, groups, bias } => {
            let mut conv = text("nn.Conv2d(").list("channels", &channels).and(", ");
            conv = conv.pair("kernel", kernel).and(", stride=").pair("stride", stride);
            conv = conv.and(", padding=").pair("padding", padding);
            if groups > 1 {
                conv = conv.and(", groups=").number("groups", groups);
            }
            conv.and(no_bias(bias)).and(")")
        }
        Op::BatchNorm { channels, epsilon } => {
            text("nn.BatchNorm2d(").number("channels", *channels).and(&eps(*epsilon)).and(")")
        }
        Op::LayerNorm { channels, epsilon, bias } => {
            let norm = text("nn.LayerNorm(").number("channels", *channels).and(&eps(*epsilon));
            norm.and(no_bias(*bias)).and(")")
        }
        Op::Linear { features, bias } => {
            text("nn.Linear(").list("features", features).and(no_bias(*bias)).and(")")
        }
        Op::Parameter { stored, .. } => {
            text("nn.Parameter(torch.zeros(").list("channels", stored).and("))")
        }
        _ => return None,
    })
}

/// Where it is not PyTorch's default.
fn eps(epsilon: f64) -> String {
    if epsilon == 1e-5 { String::new() } else { format!(", eps={epsilon:e}") }
}

/// The value, from expressions of its inputs; `module` is an expression of what [`module`] made.
pub(super) fn value(node: &Node, inputs: &[Template], module: &str) -> Template {
    let nothing = Template::default();
    let x = inputs.first().unwrap_or(&nothing);
    let y = inputs.get(1).unwrap_or(&nothing);
    let call = |function: &str| Template::text(function).and("(").append(x);
    match &node.op {
        Op::Input => nothing,
        Op::Conv { .. } | Op::BatchNorm { .. } | Op::LayerNorm { .. } | Op::Linear { .. } => {
            call(module).and(")")
        }
        Op::Parameter { stored, shape } if stored == shape => Template::text(module),
        Op::Parameter { shape, .. } => {
            Template::text(module).and(".view(").list("size", shape).and(")")
        }
        Op::Relu => call("torch.relu").and(")"),
        Op::Relu6 => call("F.relu6").and(")"),
        Op::Gelu => call("F.gelu").and(")"),
        Op::Sigmoid => call("torch.sigmoid").and(")"),
        Op::Softmax => call("torch.softmax").and(", -1)"),
        Op::Add => Template::text("").append(x).and(" + ").append(y),
        Op::Mul => bracketed(x).and(" * ").append(&bracketed(y)),
        Op::Scale(factor) => bracketed(x).and(&format!(" * {factor:?}")),
        Op::MatMul => bracketed(x).and(" @ ").append(&bracketed(y)),
        Op::Concat { axis } => {
            let mut joined = Template::text("torch.cat([");
            for (index, input) in inputs.iter().enumerate() {
                joined = joined.and(if index > 0 { ", " } else { "" }).append(input);
            }
            joined.and(&format!("], {})", axis + 1))
        }
        &Op::MaxPool(Window { kernel, stride, padding }) => {
            let pool = call("F.max_pool2d").and(", ").number("kernel", kernel).and(", ");
            pool.number("stride", stride).and(", ").number("padding", padding).and(")")
        }
        Op::AveragePool(size) => {
            call("F.avg_pool2d").and(", ").number("kernel", *size).and(", ceil_mode=True)")
        }
        Op::GlobalAverage => bracketed(x).and(".mean((2, 3))"),
        Op::Subsample(stride) => {
            let sampled = bracketed(x).and("[:, :, ::").number("stride", *stride);
            sampled.and(", ::").number("stride", *stride).and("]")
        }
        Op::PadChannels(channels) => {
            call("F.pad").and(", (0, 0, 0, 0, ").list("padding", channels).and("))")
        }
        // The batch is whatever is left: the other sizes are known.
        Op::Reshape(shape) => bracketed(x).and(".reshape(-1, ").list("size", shape).and(")"),
        Op::Transpose(order) => {
            let order: Vec<_> = order.iter().map(|axis| (axis + 1).to_string()).collect();
            bracketed(x).and(&format!(".permute(0, {})", order.join(", ")))
        }
        &Op::AddPositions([height, width]) => {
            let sum = call(ADD_POSITIONS).and(", ").number("height", height);
            sum.and(", ").number("width", width).and(")")
        }
        Op::Slice { axis, start, length } => {
            let sliced = bracketed(x).and(&format!(".narrow({}, ", axis + 1));
            sliced.number("start", *start).and(", ").number("length", *length).and(")")
        }
    }
}

/// In brackets, unless it is a name, a call or an index.
fn bracketed(x: &Template) -> Template {
    if x.is_sum() { Template::text("(").append(x).and(")") } else { x.clone() }
}
