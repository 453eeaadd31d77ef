//! Parameter names as PyTorch has them, so that weights load elsewhere by name.
//!
//! Small nets: `conv1`, `bn1`, `layer1.0.conv1`, `layer2.0.shortcut.0`, `linear`. Nets with the
//! ImageNet stem follow torchvision: `downsample` and `fc` instead.

use super::Stem;

/// The PyTorch name of the parameter at `path` (the fields from the network down to it), whose
/// innermost module has the type `container`.
pub(super) fn pytorch_name(path: &[String], container: &str, stem: Stem) -> String {
    let mut name: Vec<String> = Vec::new();
    let mut rest = path.iter();
    while let Some(field) = rest.next() {
        name.push(match (field.as_str(), stem) {
            // Sub-networks count from 1 there.
            ("layer", _) if name.is_empty() => {
                let index = rest.next().and_then(|index| index.parse::<usize>().ok());
                format!("layer{}", index.map_or(0, |index| index + 1))
            }
            ("shortcut", Stem::ImageNet) => "downsample".into(),
            ("linear", Stem::ImageNet) if name.is_empty() => "fc".into(),
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
    fn names_of_both_stems() {
        let name = |path: &str, container, stem| {
            let path: Vec<_> = path.split('.').map(String::from).collect();
            pytorch_name(&path, container, stem)
        };
        let norm = "Struct:BatchNorm";
        assert_eq!(name("bn1.gamma", norm, Stem::Small), "bn1.weight");
        let layer_norm = "Struct:LayerNorm";
        assert_eq!(
            name("closing.norm.beta", layer_norm, Stem::Patches { patch: 4, image: 32 }),
            "closing.norm.bias"
        );
        let shortcut = "layer.1.0.shortcut.1.running_var";
        assert_eq!(name(shortcut, norm, Stem::Small), "layer2.0.shortcut.1.running_var");
        assert_eq!(name(shortcut, norm, Stem::ImageNet), "layer2.0.downsample.1.running_var");
        assert_eq!(name("linear.bias", "Struct:Linear", Stem::ImageNet), "fc.bias");
    }
}
