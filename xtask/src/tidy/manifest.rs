//! Rules for the `Cargo.toml` of a member: what it inherits from the workspace's, and what a crate
//! that is published tells.

use super::{Findings, Violation};
use std::path::Path;
use toml::{Table, Value};

/// What a member inherits from `[workspace.package]`.
const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "repository"];

/// Checks a manifest; the workspace's own and those of the examples have no rules.
pub(super) fn check(path: &Path, content: &str) -> Vec<Violation> {
    let mut findings = Findings::of(path);
    match content.parse::<Table>() {
        Ok(manifest) if !manifest.contains_key("workspace") => {
            check_inheritance(&manifest, &mut findings);
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
    let package = |key: &str| manifest.get("package").and_then(|package| package.get(key));
    for key in INHERITED {
        if !inherits(package(key)) {
            findings.add(1, format!("`{key}.workspace = true` is missing"));
        }
    }
    // Published, like the others, or not at all.
    match package("publish") {
        Some(Value::Boolean(false)) => {}
        publish if !inherits(publish) => {
            findings.add(1, "neither `publish.workspace = true` nor `publish = false`");
        }
        _ if package("description").is_none() => findings.add(1, "no description"),
        _ => {}
    }
    if !inherits(manifest.get("lints")) {
        findings.add(1, "`[lints] workspace = true` is missing");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> String {
        let inherited = INHERITED.map(|key| format!("{key}.workspace = true")).join("\n");
        format!(
            "[package]\nname = \"a\"\ndescription = \"b\"\npublish.workspace = true\n{inherited}\n\
             [lints]\nworkspace = true\n"
        )
    }

    fn rules(content: &str) -> Vec<String> {
        let found = check(Path::new("crates/a/Cargo.toml"), content);
        found.into_iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn members_inherit() {
        assert_eq!(rules(&manifest()), [""; 0]);
        let own = manifest().replace("edition.workspace = true", "edition = \"2024\"");
        assert_eq!(rules(&own), ["`edition.workspace = true` is missing"]);
        let own = manifest().replace("publish.workspace = true", "publish = false");
        assert_eq!(rules(&own), [""; 0]);
        let own = manifest().replace("publish.workspace = true", "publish = true");
        assert_eq!(rules(&own), ["neither `publish.workspace = true` nor `publish = false`"]);
        let untold = manifest().replace("description = \"b\"\n", "");
        assert_eq!(rules(&untold), ["no description"]);
        let lax = manifest().replace("[lints]\nworkspace = true", "");
        assert_eq!(rules(&lax), ["`[lints] workspace = true` is missing"]);
        assert_eq!(rules("[workspace]\n[package]\nname = \"a-user's\"\n"), [""; 0]);
    }
}
