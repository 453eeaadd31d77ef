//! Parameter names as PyTorch has them, so that weights load elsewhere by name.
//!
//! Small nets: `conv1`, `bn1`, `layer1.0.conv1`, `layer2.0.shortcut.0`, `linear`. Nets with a stem of
//! torchvision's have its `downsample` and `fc` instead.

/// The PyTorch name of the parameter at `path` (the fields from the network down to it), whose
/// innermost module has the type `container`.
pub(super) fn pytorch_name(path: &[String], container: &str, torchvision: bool) -> String {
    let mut name: Vec<String> = Vec::new();
    let mut rest = path.iter();
    while let Some(field) = rest.next() {
        name.push(match (field.as_str(), torchvision) {
            // Their parts are the network's own there.
            ("stem" | "head", _) if name.is_empty() => continue,
            // Sub-networks count from 1 there.
            ("layer", _) if name.is_empty() => {
                let index = rest.next().and_then(|index| index.parse::<usize>().ok());
                format!("layer{}", index.map_or(0, |index| index + 1))
            }
            ("shortcut", true) => "downsample".into(),
            ("linear", true) if name.is_empty() => "fc".into(),
            ("gamma", _) if is_norm(container) => "weight".into(),
            ("beta", _) if is_norm(container) => "bias".into(),
            (field, _) => field.into(),
        });
    }
    name.join(".")
}

/// Whether a module type, as Burn's visitors name it, is a norm of Burn's.
fn is_norm(container: &str) -> bool {
    ["BatchNorm", "LayerNorm"].iter().any(|norm| container.ends_with(norm))
}

/// Whether a module type is a linear layer, whose weights PyTorch keeps as `[out, in]`.
pub(super) fn is_linear(container: &str) -> bool {
    container.ends_with("Linear")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_pytorch_and_torchvision() {
        let name = |path: &str, container, torchvision| {
            let path: Vec<_> = path.split('.').map(String::from).collect();
            pytorch_name(&path, container, torchvision)
        };
        let norm = "Struct:BatchNorm";
        assert_eq!(name("stem.bn1.gamma", norm, false), "bn1.weight");
        assert_eq!(name("closing.norm.beta", "Struct:LayerNorm", false), "closing.norm.bias");
        let shortcut = "layer.1.0.shortcut.1.running_var";
        assert_eq!(name(shortcut, norm, false), "layer2.0.shortcut.1.running_var");
        assert_eq!(name(shortcut, norm, true), "layer2.0.downsample.1.running_var");
        assert_eq!(name("head.linear.bias", "Struct:Linear", false), "linear.bias");
        assert_eq!(name("head.linear.bias", "Struct:Linear", true), "fc.bias");
        // Of sub-modules only what is called so at the top.
        assert_eq!(name("layer.0.0.head.stem", "", true), "layer1.0.head.stem");
    }
}
