//! Rules for Rust files: their form, and what may be said where.

use super::tokens::{Token, begins, calls, mentions, tokens};
use super::{Findings, Violation};
use std::path::Path;

/// Lines of a file at most; 100 to 300 are what to aim at.
const MAX_LINES: usize = 500;

/// Something that is not to be said.
struct Ban {
    /// Whether it is said where these tokens begin.
    said: fn(&[Token]) -> bool,
    /// Whether it is forbidden in a file.
    here: fn(&Path) -> bool,
    /// Whether code for tests may say it.
    tests_may: bool,
    rule: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        said: |tokens| begins(tokens, &["unsafe"]),
        here: |path| !["crates/autogrow-kernels", "benches"].iter().any(|at| path.starts_with(at)),
        tests_may: false,
        rule: "`unsafe` lives in autogrow-kernels and its benchmarks alone",
    },
    Ban {
        said: |tokens| ["todo", "unimplemented"].iter().any(|name| calls(tokens, name)),
        here: |_| true,
        tests_may: false,
        rule: "unfinished code",
    },
    Ban {
        said: |tokens| begins(tokens, &["#", "[", "ignore"]),
        here: |_| true,
        tests_may: false,
        rule: "an ignored test tests nothing: mend it or delete it",
    },
    Ban {
        said: |tokens| calls(tokens, "dbg"),
        here: |_| true,
        tests_may: false,
        rule: "`dbg!` is for your own eyes",
    },
    Ban {
        said: |tokens| {
            ["print", "println", "eprint", "eprintln"].iter().any(|name| calls(tokens, name))
        },
        here: |path| !speaks_for_itself(path),
        tests_may: false,
        rule: "what a user reads goes through the command line's output",
    },
    Ban {
        said: |tokens| mentions(tokens, "process", "exit"),
        here: |path| !speaks_for_itself(path),
        tests_may: false,
        rule: "errors are returned; `main` alone decides how a process ends",
    },
    Ban {
        said: |tokens| mentions(tokens, "std", "fs") || begins(tokens, &["File", ":", ":"]),
        here: |path| {
            path.starts_with("crates/autogrow-core/src")
                && !path.starts_with("crates/autogrow-core/src/run")
        },
        tests_may: true,
        rule: "the core reads and writes files in run/ alone, through its storage",
    },
    Ban {
        said: |tokens| {
            begins(tokens, &["burn"])
                || mentions(tokens, "std", "fs")
                || mentions(tokens, "std", "time")
        },
        here: |path| path.starts_with("crates/autogrow-core/src/growth"),
        tests_may: false,
        rule: "growth is a function of its inputs: no tensors, no files, no clock",
    },
];

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
    match tokens(content) {
        Ok(tokens) => check_bans(path, &tokens, &mut findings),
        Err(error) => findings.add(error.span().start().line, "this is no Rust"),
    }
    findings.found
}

fn check_bans(path: &Path, tokens: &[Token], findings: &mut Findings<'_>) {
    let for_tests = is_for_tests(path);
    for ban in BANS.iter().filter(|ban| (ban.here)(path)) {
        for (start, token) in tokens.iter().enumerate() {
            let excused = ban.tests_may && (for_tests || token.test);
            if !excused && (ban.said)(&tokens[start..]) {
                findings.add(token.line, ban.rule);
            }
        }
    }
}

/// Whether a file is part of a chore, an example or a benchmark: programs without the command
/// line's output.
fn speaks_for_itself(path: &Path) -> bool {
    path.starts_with("xtask") || ["examples", "benches"].iter().any(|name| has_folder(path, name))
}

/// Whether all of a file is for tests.
fn is_for_tests(path: &Path) -> bool {
    let stem = path.file_stem().is_some_and(|stem| stem == "tests" || stem == "testing");
    stem || has_folder(path, "tests")
}

fn has_folder(path: &Path, name: &str) -> bool {
    path.components().any(|part| part.as_os_str() == name)
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
    const CORE: &str = "crates/autogrow-core/src/error.rs";

    #[test]
    fn form() {
        assert_eq!(check(Path::new(CLI), "fn f() {}\n").len(), 1);
        assert_eq!(lines(CLI, "fn f() {}"), NONE);
        assert_eq!(lines(CLI, &"\n".repeat(MAX_LINES)), [MAX_LINES + 2]);
        assert_eq!(lines(CLI, "\nfn f() {"), [3]);
    }

    #[test]
    fn what_is_banned_everywhere() {
        assert_eq!(lines(CLI, "fn f() { todo!() }\nfn g() { unimplemented!() }"), [2, 3]);
        assert_eq!(lines("tests/tests/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}"), [3]);
        assert_eq!(lines(CLI, "fn f() { dbg!(1); }"), [2]);
    }

    #[test]
    fn what_is_banned_but_in_one_place() {
        let printing = "fn f() { println!(); std::process::exit(1) }";
        assert_eq!(lines(CLI, printing), [2, 2]);
        assert_eq!(lines("xtask/src/main.rs", printing), NONE);
        assert_eq!(lines("benches/conv.rs", printing), NONE);
        let pointer = "fn f(p: *const u8) -> u8 { unsafe { *p } }";
        assert_eq!(lines(CLI, pointer), [2]);
        assert_eq!(lines("crates/autogrow-kernels/src/map.rs", pointer), NONE);
        assert_eq!(lines(CLI, "#![deny(unsafe_code)]"), NONE);
    }

    #[test]
    fn the_core_opens_files_in_one_place() {
        let open = "use std::fs::File;\nfn f() { File::open(\"x\") }";
        assert_eq!(lines(CORE, open), [2, 3]);
        assert_eq!(lines("crates/autogrow-core/src/run/storage.rs", open), NONE);
        assert_eq!(lines(CORE, "#[cfg(test)]\nmod tests { use std::fs; }"), NONE);
        assert_eq!(lines("crates/autogrow-core/tests/a.rs", open), NONE);
    }

    #[test]
    fn growth_is_pure() {
        let growth = "crates/autogrow-core/src/growth/ring.rs";
        assert_eq!(lines(growth, "use burn::tensor::Tensor;\nuse std::time::Instant;"), [2, 3]);
        assert_eq!(lines(growth, "use std::collections::HashMap; // burn"), NONE);
    }
}
