//! Rules for the `Cargo.toml` of a member: what it inherits, and that dependencies point one way.

use super::{Findings, Violation};
use std::path::Path;
use toml::{Table, Value};

/// The workspace's crates in layers: a crate may use those of lower layers alone.
const LAYERS: &[(&str, u8)] = &[
    ("autogrow-fetch", 0),
    ("autogrow-formats", 0),
    ("autogrow-kernels", 0),
    ("autogrow-report", 0),
    ("autogrow-signals", 0),
    ("autogrow-core", 1),
    ("autogrow-data", 2),
    ("autogrow-export", 2),
    ("autogrow-models", 2),
    ("autogrow-mpi", 2),
    ("autogrow-cli", 3),
    ("autogrow-tests", 4),
    ("xtask", 4),
];

/// What a member inherits from `[workspace.package]`.
const INHERITED: [&str; 6] =
    ["version", "edition", "rust-version", "license", "repository", "publish"];

const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Checks a manifest; the workspace's own and those of the examples have no rules.
pub(super) fn check(path: &Path, content: &str) -> Vec<Violation> {
    let mut findings = Findings::of(path);
    match content.parse::<Table>() {
        Ok(manifest) if !manifest.contains_key("workspace") => {
            check_inheritance(&manifest, &mut findings);
            check_layers(&manifest, content, &mut findings);
        }
        Ok(_) => {}
        Err(error) => findings.add(1, format!("this is no TOML: {}", error.message())),
    }
    findings.found
}

fn check_inheritance(manifest: &Table, findings: &mut Findings<'_>) {
    let inherits = |value: Option<&Value>| {
        value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
    };
    for key in INHERITED {
        if !inherits(manifest.get("package").and_then(|package| package.get(key))) {
            findings.add(1, format!("`{key}.workspace = true` is missing"));
        }
    }
    if !inherits(manifest.get("lints")) {
        findings.add(1, "`[lints] workspace = true` is missing");
    }
}

fn check_layers(manifest: &Table, content: &str, findings: &mut Findings<'_>) {
    let name = manifest.get("package").and_then(|package| package.get("name"));
    let name = name.and_then(Value::as_str).unwrap_or_default();
    let Some(own) = layer(name) else {
        findings.add(1, format!("{name} has no layer yet: give it one in {}", file!()));
        return;
    };
    let used = DEPENDENCIES.iter().filter_map(|kind| manifest.get(*kind)?.as_table());
    for dependency in used.flat_map(Table::keys) {
        if layer(dependency).is_some_and(|layer| layer >= own) {
            let line = line_of(content, dependency);
            findings.add(line, format!("{name} does not know {dependency}: data flows one way"));
        }
    }
}

fn layer(name: &str) -> Option<u8> {
    LAYERS.iter().find(|(own, _)| *own == name).map(|(_, layer)| *layer)
}

/// The line on which a dependency is named.
fn line_of(content: &str, dependency: &str) -> usize {
    let names = |line: &str| {
        line.strip_prefix(dependency).is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    content.lines().position(names).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str, rest: &str) -> String {
        let inherited = INHERITED.map(|key| format!("{key}.workspace = true")).join("\n");
        format!("[package]\nname = \"{name}\"\n{inherited}\n[lints]\nworkspace = true\n{rest}")
    }

    fn rules(content: &str) -> Vec<String> {
        let found = check(Path::new("crates/a/Cargo.toml"), content);
        found.into_iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn dependencies_point_one_way() {
        let of = |kind, dependency| format!("[{kind}]\n{dependency}.workspace = true\n");
        let core = |rest: String| rules(&manifest("autogrow-core", &rest));
        assert!(core(of("dependencies", "autogrow-kernels")).is_empty());
        assert!(core(of("dependencies", "burn")).is_empty());
        for above in ["autogrow-models", "autogrow-data", "autogrow-cli", "xtask"] {
            assert_eq!(core(of("dependencies", above)).len(), 1, "{above}");
            assert_eq!(core(of("dev-dependencies", above)).len(), 1, "{above}");
        }
        let found = check(
            Path::new("Cargo.toml"),
            &manifest("autogrow-models", &of("dependencies", "autogrow-cli")),
        );
        assert_eq!(found[0].line, 12);
        assert_eq!(rules(&manifest("autogrow-new", "")).len(), 1);
    }

    #[test]
    fn members_inherit() {
        assert_eq!(rules(&manifest("xtask", "")), [""; 0]);
        let own = manifest("xtask", "").replace("edition.workspace = true", "edition = \"2024\"");
        assert_eq!(rules(&own), ["`edition.workspace = true` is missing"]);
        let lax = manifest("xtask", "").replace("[lints]\nworkspace = true", "");
        assert_eq!(rules(&lax), ["`[lints] workspace = true` is missing"]);
        assert_eq!(rules("[workspace]\n[package]\nname = \"a-user's\"\n"), [""; 0]);
    }
}
