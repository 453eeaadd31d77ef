//! The top-level modules of a crate form no circle: each can be read, and moved elsewhere, without
//! those that build on it.

use super::Violation;
use super::paths::Named;
use super::sources::{Crate, Source};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

/// For each module those that it uses, and where it was first seen to: file and line.
type Arrows<'a> = BTreeMap<&'a str, BTreeMap<&'a str, (&'a Path, usize)>>;

/// The shortest circle of modules, with a line for each arrow of it; none if there is none.
pub(super) fn check(of: &Crate) -> Option<Violation> {
    let arrows = arrows(&of.sources().collect::<Vec<_>>());
    let circles = arrows.keys().filter_map(|module| shortest(&arrows, module));
    let circle = circles.min_by_key(Vec::len)?;
    let pairs = circle.iter().zip(circle.iter().cycle().skip(1));
    let told = pairs.map(|(from, to)| {
        let (path, line) = arrows[from][to];
        format!("{from} uses {to} ({}:{line})", path.display())
    });
    let told = told.collect::<Vec<_>>().join(", ");
    let (path, line) = arrows[circle[0]][circle.get(1)?];
    let rule = format!("modules of {} in a circle: {told}", of.name());
    Some(Violation { path: path.to_path_buf(), line, rule })
}

fn arrows<'a>(files: &[&'a Source]) -> Arrows<'a> {
    let modules: Vec<_> = files.iter().filter_map(|file| file.module()).collect();
    let exported = exported(files);
    let mut arrows = Arrows::new();
    for file in files {
        let Some(from) = file.module() else { continue };
        for named in &file.paths.named {
            let Some(first) = first_below_root(&file.module_path, named) else { continue };
            let to = match modules.iter().find(|module| **module == first) {
                Some(module) => module,
                None => exported.get(first).copied().unwrap_or_default(),
            };
            if to != from && modules.contains(&to) {
                let seen = (file.path.as_path(), named.line);
                arrows.entry(from).or_default().entry(to).or_insert(seen);
            }
        }
    }
    arrows
}

/// What the root of a crate imports, by the name it has there, and the first name of where it comes
/// from.
fn exported<'a>(files: &[&'a Source]) -> BTreeMap<&'a str, &'a str> {
    let root = files.iter().filter(|file| file.module().is_none());
    let imports = root.flat_map(|file| &file.paths.named).filter_map(|named| {
        let names = named.path.iter().map(String::as_str);
        let from = names.into_iter().find(|name| !["crate", "self"].contains(name))?;
        Some((named.imported.as_deref()?, from))
    });
    imports.collect()
}

/// The first name of a path, counted from the root of the crate; none where the path leads
/// elsewhere. It is written in the file of the module at `own`.
fn first_below_root<'a>(own: &'a [String], named: &'a Named) -> Option<&'a str> {
    let mut path = named.path.iter().map(String::as_str).peekable();
    let mut at: Vec<_> = own.iter().chain(&named.inside).map(String::as_str).collect();
    match path.next()? {
        "crate" => at.clear(),
        "super" => drop(at.pop()),
        "self" => {}
        _ => return None,
    }
    while path.next_if_eq(&"super").is_some() {
        at.pop();
    }
    at.first().copied().or_else(|| path.next())
}

/// The shortest way along the arrows from a module back to it.
fn shortest<'a>(arrows: &Arrows<'a>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut ways = VecDeque::from([vec![start]]);
    let mut seen = Vec::new();
    while let Some(way) = ways.pop_front() {
        let next =
            way.last().and_then(|last| arrows.get(last)).into_iter().flat_map(BTreeMap::keys);
        for &module in next {
            if module == start {
                return Some(way);
            }
            if !seen.contains(&module) {
                seen.push(module);
                ways.push_back(way.iter().copied().chain([module]).collect());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::sources::example;

    /// What is said of a crate of these files.
    fn circle(files: &[(&str, &str)]) -> Option<String> {
        check(&example("[package]\nname = 'x'", files)).map(|violation| violation.to_string())
    }

    const A_TO_B: (&str, &str) = ("a.rs", "use crate::b::B;");

    #[test]
    fn the_shortest_circle_is_told_with_a_line_for_each_arrow() {
        let long = [A_TO_B, ("b/mod.rs", "use crate::c;"), ("c.rs", "\nfn f() { crate::a::f() }")];
        assert_eq!(
            circle(&long).unwrap(),
            "src/a.rs:1: modules of x in a circle: a uses b (src/a.rs:1), b uses c \
             (src/b/mod.rs:1), c uses a (src/c.rs:2)"
        );
        let short = [&long[..], &[("b/d.rs", "use super::super::a::A;")]].concat();
        assert_eq!(
            circle(&short).unwrap(),
            "src/a.rs:1: modules of x in a circle: a uses b (src/a.rs:1), b uses a \
             (src/b/d.rs:1)"
        );
        assert_eq!(circle(&long[..2]), None);
    }

    #[test]
    fn files_of_one_folder_may_know_each_other() {
        let files = [("a/mod.rs", "mod b; use self::b::B;"), ("a/b.rs", "use super::{A, c};")];
        assert_eq!(circle(&[&files[..], &[("a/c.rs", "use crate::a::b::B;")]].concat()), None);
    }

    #[test]
    fn super_leads_out_of_a_file_and_of_a_module_inside_it() {
        let of = |code| circle(&[A_TO_B, ("b.rs", code)]).is_some();
        assert!(of("use super::a;"));
        assert!(of("mod c { use super::super::a::A; }"));
        assert!(!of("mod c { use super::a::A; }"));
        assert!(!of("use a::A;"));
    }

    #[test]
    fn what_the_root_re_exports_belongs_to_its_module() {
        let lib = ("lib.rs", "mod a; mod b; pub use a::{A, x as y}; use self::a::f; use b::g;");
        let of = |code| circle(&[lib, A_TO_B, ("b.rs", code)]).is_some();
        assert!(of("use crate::A;"));
        assert!(of("use crate::{y, b};"));
        assert!(of("fn h() { crate::f() }"));
        assert!(!of("use crate::{B, g, x};"));
        // The root may know them all.
        assert_eq!(circle(&[lib, ("a.rs", "use crate::B; use std::io;"), ("b.rs", "")]), None);
    }

    #[test]
    fn tests_may_form_circles() {
        let inline = ("b.rs", "#[cfg(test)] mod tests { use crate::a::A; }");
        assert_eq!(circle(&[A_TO_B, inline]), None);
        let files = [("b/mod.rs", "#[cfg(test)]\nmod checks;"), ("b/checks.rs", "use crate::a;")];
        assert_eq!(circle(&[A_TO_B, files[0], files[1]]), None);
    }
}
