//! What each crate may know: the table in `ARCHITECTURE.md`, held to manifests and source files.
//!
//! A crate may depend on those that its row names, and these stand in rows above it, so that all
//! dependencies point one way. Its code, but for tests, names none of the paths in the last column:
//!
//! ```text
//! | crate | may depend on | must not name |
//! |---|---|---|
//! | `a` | – | `std::net` |
//! | `b` | `a` | `std::net`; `std::fs` outside `disk`; `c`, `std::time` in `pure` |
//! ```
//!
//! `in` and `outside` are followed by a top-level module of the crate. A path of one name is also no
//! dependency.

use super::sources::{Crate, Source};
use super::{Findings, Violation};
use std::path::Path;

/// The file of the table, and its first line.
pub(super) const FILE: &str = "ARCHITECTURE.md";
const HEAD: &str = "| crate | may depend on | must not name |";

const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// A row of the table.
struct Row<'a> {
    name: &'a str,
    may: Vec<&'a str>,
    bans: Vec<Ban<'a>>,
}

/// Something that is not named.
struct Ban<'a> {
    path: &'a str,
    place: Place<'a>,
}

#[derive(Clone, Copy)]
enum Place<'a> {
    Anywhere,
    In(&'a str),
    Outside(&'a str),
}

/// Holds the crates of the workspace to the table in this text of [`FILE`].
pub(super) fn check(text: &str, crates: &[Crate]) -> Vec<Violation> {
    let mut findings = Findings::of(Path::new(FILE));
    let members: Vec<_> = crates.iter().filter(|of| of.is_member()).collect();
    let lines = (1..).zip(text.lines()).skip_while(|(_, line)| *line != HEAD).skip(2);
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (line, text) in lines.take_while(|(_, line)| line.starts_with('|')) {
        let Some(row) = row(text) else {
            findings.add(line, "this row cannot be read; see xtask/src/tidy/borders.rs");
            continue;
        };
        match members.iter().find(|of| of.name() == row.name) {
            None => findings.add(line, format!("there is no crate {}", row.name)),
            Some(of) => {
                let modules = row.bans.iter().filter_map(|ban| ban.place.module());
                for module in modules.filter(|name| !of.has_module(name)) {
                    findings.add(line, format!("{} has no module {module}", row.name));
                }
            }
        }
        if rows.iter().any(|above| above.name == row.name) {
            findings.add(line, format!("a second row of {}", row.name));
        }
        for may in &row.may {
            if !rows.iter().any(|above| above.name == *may) {
                findings.add(line, format!("{may} has no row above {}", row.name));
            }
        }
        rows.push(row);
    }
    let mut found = findings.found;
    for of in members {
        match rows.iter().find(|row| row.name == of.name()) {
            Some(row) => {
                found.extend(dependencies(row, &rows, of));
                found.extend(of.sources().flat_map(|source| names(row, source)));
            }
            None => {
                let mut findings = Findings::of(&of.path);
                findings.add(1, format!("{} has no row in the table of {FILE}", of.name()));
                found.extend(findings.found);
            }
        }
    }
    found
}

/// Violations in a manifest.
fn dependencies(row: &Row<'_>, rows: &[Row<'_>], of: &Crate) -> Vec<Violation> {
    let mut findings = Findings::of(&of.path);
    let used = DEPENDENCIES.iter().filter_map(|kind| of.manifest.get(*kind)?.as_table());
    for dependency in used.flat_map(toml::Table::keys) {
        let is_ours = rows.iter().any(|row| row.name == dependency);
        let name = dependency.replace('-', "_");
        let banned = row.bans.iter().any(|ban| ban.path == name && ban.place.module().is_none());
        if is_ours && !row.may.contains(&dependency.as_str()) || banned {
            let rule = format!("{} must not depend on {dependency}: see {FILE}", row.name);
            findings.add(line_of(&of.text, dependency), rule);
        }
    }
    findings.found
}

/// Violations in a source file.
fn names(row: &Row<'_>, source: &Source) -> Vec<Violation> {
    let mut findings = Findings::of(&source.path);
    for ban in row.bans.iter().filter(|ban| ban.place.holds(source.module())) {
        let banned = |path: &[String]| {
            let mut names = path.iter();
            ban.path.split("::").all(|name| names.next().is_some_and(|own| own == name))
        };
        for named in source.paths.named.iter().filter(|named| banned(&named.path)) {
            findings
                .add(named.line, format!("{} must not name {}: see {FILE}", row.name, ban.path));
        }
    }
    findings.found
}

impl<'a> Place<'a> {
    fn module(self) -> Option<&'a str> {
        match self {
            Self::Anywhere => None,
            Self::In(module) | Self::Outside(module) => Some(module),
        }
    }

    /// Whether a top-level module belongs to it; none is the root of the crate.
    fn holds(self, own: Option<&str>) -> bool {
        match self {
            Self::Anywhere => true,
            Self::In(module) => own == Some(module),
            Self::Outside(module) => own != Some(module),
        }
    }
}

fn row(line: &str) -> Option<Row<'_>> {
    let mut cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|');
    let [name, may, bans] = [cells.next()?, cells.next()?, cells.next()?];
    let bans = bans.split(';').map(clause).collect::<Option<Vec<_>>>()?;
    let bans = bans.into_iter().flatten().collect();
    cells.next().is_none().then_some(Row { name: span(name)?, may: spans(may)?, bans })
}

/// Paths that are not named in the same place.
fn clause(text: &str) -> Option<Vec<Ban<'_>>> {
    let (paths, place) = match (text.split_once(" in "), text.split_once(" outside ")) {
        (Some((paths, module)), _) => (paths, Place::In(span(module)?)),
        (_, Some((paths, module))) => (paths, Place::Outside(span(module)?)),
        _ => (text, Place::Anywhere),
    };
    Some(spans(paths)?.into_iter().map(|path| Ban { path, place }).collect())
}

fn span(text: &str) -> Option<&str> {
    match spans(text)?[..] {
        [only] => Some(only),
        _ => None,
    }
}

/// What stands in back quotes, between commas; nothing else but a dash may stand there.
fn spans(text: &str) -> Option<Vec<&str>> {
    let parts = text.split('`').enumerate();
    let (between, spans): (Vec<_>, Vec<_>) = parts.partition(|(number, _)| number % 2 == 0);
    let is_separator = |text: &str| text.chars().all(|c| matches!(c, ' ' | ',' | '–'));
    let whole = between.len() == spans.len() + 1;
    (whole && between.iter().all(|(_, text)| is_separator(text)))
        .then(|| spans.into_iter().map(|(_, text)| text).collect())
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
    use crate::tidy::sources::example;

    /// What is said of crates, each of a name, its dependencies and a file `pure.rs`.
    fn rules(rows: &str, crates: &[(&str, &str, &str)]) -> Vec<String> {
        let crates = crates.iter().map(|(name, dependencies, code)| {
            let manifest = format!("[package]\nname = '{name}'\n[dependencies]\n{dependencies}");
            example(&manifest, &[("pure.rs", code), ("disk/mod.rs", code)])
        });
        let text = format!("# Map\n\n{HEAD}\n|---|---|---|\n{rows}\nAnd so on.\n| `z` | | |\n");
        let found = check(&text, &crates.collect::<Vec<_>>());
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn dependencies_point_upward_in_the_table() {
        let of = |dependencies| {
            rules("| `a` | – | |\n| `b` | `a` | – |", &[("a", "", ""), dependencies])
        };
        assert_eq!(of(("b", "a.workspace = true\nrand = '0.9'", "")), [""; 0]);
        let both = [("a", "b = { path = 'b' }", ""), ("b", "", "")];
        assert_eq!(
            rules("| `a` | | |\n| `b` | `a` | |", &both),
            ["Cargo.toml:4: a must not depend on b: see ARCHITECTURE.md"]
        );
        assert_eq!(
            rules("| `a` | `b` | |\n| `b` | | |", &both),
            ["ARCHITECTURE.md:5: b has no row above a"]
        );
    }

    #[test]
    fn rows_and_crates_belong_together() {
        assert_eq!(
            rules("| `a` | | |\n| `a` | | |\n| `c` | | |", &[("a", "", ""), ("b", "", "")]),
            [
                "ARCHITECTURE.md:6: a second row of a",
                "ARCHITECTURE.md:7: there is no crate c",
                "Cargo.toml:1: b has no row in the table of ARCHITECTURE.md"
            ]
        );
        let unread =
            ["| a | | |", "| `a` | b | |", "| `a` | | `b |", "| `a` | |", "| `a` | | `b` on `c` |"];
        for row in unread {
            assert!(rules(row, &[("a", "", "")])[0].contains("this row cannot be read"), "{row}");
        }
        let elsewhere = rules("| `a` | | `b` in `c` |", &[("a", "", "")]);
        assert_eq!(elsewhere, ["ARCHITECTURE.md:5: a has no module c"]);
    }

    #[test]
    fn what_must_not_be_named_is_found_where_it_must_not() {
        let of = |bans: &str, code| rules(&format!("| `a` | | {bans} |"), &[("a", "", code)]);
        let fs = |file| format!("src/{file}:1: a must not name std::fs: see ARCHITECTURE.md");
        let (pure, disk) = (fs("pure.rs"), fs("disk/mod.rs"));
        let code = "use std::{fs::File, io};";
        assert_eq!(of("`std::fs`", code), [&*pure, &disk]);
        assert_eq!(of("`std::fs` outside `disk`", code), [&*pure]);
        assert_eq!(of("`b`; `c`, `std::fs` in `disk`", code), [&*disk]);
        assert_eq!(of("`std::fs`", "use std::fsx; #[cfg(test)] mod t { use std::fs; }"), [""; 0]);
        assert_eq!(of("`burn`", "fn f(burn: u8) { burn::<u8>(); x::burn::y() }"), [""; 0]);
        assert_eq!(of("`burn`", "fn f() { burn::g() }").len(), 2);
        let depends = rules("| `a` | | `burn` |", &[("a", "burn = '1'", "")]);
        assert_eq!(depends, ["Cargo.toml:4: a must not depend on burn: see ARCHITECTURE.md"]);
    }
}
