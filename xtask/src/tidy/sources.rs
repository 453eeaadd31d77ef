//! A crate as far as its rules look: its manifest, and what its source files name.

use super::paths::Paths;
use proc_macro2::LexError;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// A crate.
#[derive(Debug)]
pub(super) struct Crate {
    /// Its `Cargo.toml`, from the workspace's folder.
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) manifest: Table,
    files: Vec<Source>,
    /// The paths of modules that are compiled for tests alone.
    for_tests: Vec<Vec<String>>,
}

/// A file below a crate's `src`.
#[derive(Debug)]
pub(super) struct Source {
    /// From the workspace's folder.
    pub(super) path: PathBuf,
    /// The modules that lead to it; none for the root of the crate.
    pub(super) module_path: Vec<String>,
    pub(super) paths: Paths,
}

impl Crate {
    /// The crate of a manifest, without its files; none if the text is not that of a crate.
    pub(super) fn of(path: &Path, text: &str) -> Option<Self> {
        let manifest = text.parse::<Table>().ok().filter(|table| table.contains_key("package"))?;
        let (path, text) = (path.to_path_buf(), text.to_string());
        Some(Self { path, text, manifest, files: Vec::new(), for_tests: Vec::new() })
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        let name = self.manifest.get("package").and_then(|package| package.get("name"));
        name.and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether it belongs to the workspace, not to one of its own.
    pub(super) fn is_member(&self) -> bool {
        !self.manifest.contains_key("workspace")
    }

    /// Reads a file that lies in the crate's `src`, or does nothing. A binary beside the library
    /// is passed over: it is a crate of its own.
    ///
    /// # Errors
    /// Where it is not Rust.
    pub(super) fn read(&mut self, path: &Path, content: &str) -> Result<(), LexError> {
        let src = self.path.with_file_name("src");
        let Ok(below) = path.strip_prefix(src) else { return Ok(()) };
        if below.starts_with("bin") {
            return Ok(());
        }
        let (module_path, paths) = (module_path(below), Paths::of(content)?);
        for module in &paths.for_tests {
            self.for_tests.push(module_path.iter().chain([module]).cloned().collect());
        }
        self.files.push(Source { path: path.to_path_buf(), module_path, paths });
        Ok(())
    }

    /// Its files without those that are compiled for tests alone.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        let is_for_tests =
            |module_path: &[String]| self.for_tests.iter().any(|of| module_path.starts_with(of));
        self.files.iter().filter(move |file| !is_for_tests(&file.module_path))
    }

    /// Whether it has a top-level module of this name, with a file of its own.
    pub(super) fn has_module(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.module() == Some(name))
    }
}

impl Source {
    /// Its top-level module; none for the root of the crate.
    pub(super) fn module(&self) -> Option<&str> {
        self.module_path.first().map(String::as_str)
    }
}

fn module_path(below_src: &Path) -> Vec<String> {
    let path = below_src.with_extension("");
    let mut module_path: Vec<_> =
        path.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let last = module_path.last().map(String::as_str);
    if last == Some("mod") || module_path.len() == 1 && matches!(last, Some("lib" | "main")) {
        module_path.pop();
    }
    module_path
}

/// A crate of these files below `src`, for the tests of rules.
#[cfg(test)]
pub(super) fn example(manifest: &str, files: &[(&str, &str)]) -> Crate {
    let mut example = Crate::of(Path::new("Cargo.toml"), manifest).unwrap();
    for (below_src, content) in files {
        example.read(&Path::new("src").join(below_src), content).unwrap();
    }
    example
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_know_the_module_that_they_are() {
        let paths =
            ["lib.rs", "a.rs", "a/mod.rs", "a/b.rs", "a/lib.rs"].map(Path::new).map(module_path);
        assert_eq!(
            paths.map(|module_path| module_path.join("::")),
            ["", "a", "a", "a::b", "a::lib"]
        );
    }

    #[test]
    fn files_for_tests_and_other_programs_are_left_out() {
        let files = [
            ("lib.rs", "#[cfg(test)] mod a; mod b;"),
            ("a/mod.rs", ""),
            ("b.rs", "#[cfg(test)] mod tests;"),
            ("b/tests.rs", ""),
            ("bin/c.rs", ""),
        ];
        let example = example("[package]\nname = 'd'", &files);
        let left: Vec<_> = example.sources().map(|source| source.module_path.join("::")).collect();
        assert_eq!(left, ["", "b"]);
        assert_eq!(example.name(), "d");
        assert!(Crate::of(Path::new("Cargo.toml"), "[workspace]").is_none());
    }
}
