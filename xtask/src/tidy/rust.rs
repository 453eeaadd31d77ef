//! Rules for the form of Rust files, and against switching off what the compiler or the test
//! harness would say. What may be called where is clippy's business: see `clippy.toml`.

use super::{Findings, Violation};
use std::path::Path;

/// Lines of a file at most; 100 to 300 are what to aim at.
const MAX_LINES: usize = 500;

/// Where `unsafe` is allowed.
const UNSAFE: [&str; 2] = ["crates/autogrow-kernels", "benches"];

/// The lint that denies it elsewhere. In two parts, or this line would be found.
const LINT: &str = concat!("unsafe", "_code");

/// Checks a Rust file.
pub(super) fn check(path: &Path, content: &str) -> Vec<Violation> {
    let mut findings = Findings::of(path);
    if !content.starts_with("//!") {
        findings.add(1, "no `//!` on top saying what the file is for");
    }
    let lines = content.lines().count();
    if lines > MAX_LINES {
        findings.add(lines, format!("{lines} lines; a file of one idea has at most {MAX_LINES}"));
    }
    let may_be_unsafe = UNSAFE.iter().any(|place| path.starts_with(place));
    for (line, text) in (1..).zip(content.lines().map(str::trim_start)) {
        if text.starts_with("#[ignore") {
            findings.add(line, "an ignored test tests nothing: mend it or delete it");
        }
        if !may_be_unsafe && text.contains(LINT) {
            findings.add(line, "`unsafe` lives in autogrow-kernels and its benchmarks alone");
        }
    }
    findings.found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines at which a file with this code, after a line of `//!`, breaks a rule.
    fn lines(path: &str, code: &str) -> Vec<usize> {
        let content = format!("//! What it is for.\n{code}\n");
        check(Path::new(path), &content).iter().map(|violation| violation.line).collect()
    }

    const NONE: [usize; 0] = [];
    const CLI: &str = "crates/autogrow-cli/src/lib.rs";

    #[test]
    fn form() {
        assert_eq!(check(Path::new(CLI), "fn f() {}\n").len(), 1);
        assert_eq!(lines(CLI, "fn f() {}"), NONE);
        assert_eq!(lines(CLI, &"\n".repeat(MAX_LINES)), [MAX_LINES + 2]);
    }

    #[test]
    fn tests_are_run() {
        assert_eq!(lines("tests/tests/a.rs", "#[test]\n    #[ignore = \"slow\"]\nfn f() {}"), [3]);
    }

    #[test]
    fn code_that_is_not_safe_lives_in_one_place() {
        let allowed = format!("#[expect(\n    {LINT},\n    reason = \"fast\"\n)]");
        assert_eq!(lines(CLI, &allowed), [3]);
        assert_eq!(lines("crates/autogrow-kernels/src/map.rs", &allowed), NONE);
    }
}
