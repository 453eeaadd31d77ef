//! Pages of Markdown: which there are, the commands and the code in them, and parts that are
//! generated.

use std::fs;
use std::path::{Path, PathBuf};

/// A page.
pub(crate) struct Page {
    /// Its path from the workspace's folder.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A command as a page shows it.
#[derive(Debug, PartialEq)]
pub(crate) struct Shown {
    /// The line it begins on, from 1.
    pub(crate) line: usize,
    /// Without the prompt, continued lines joined.
    pub(crate) command: String,
    /// What is shown below it.
    pub(crate) output: Vec<String>,
}

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().into()
}

/// Every page, in order of their names.
pub(crate) fn pages() -> Vec<Page> {
    let root = root();
    let docs = fs::read_dir(root.join("docs")).unwrap();
    let docs = docs.map(|entry| format!("docs/{}", entry.unwrap().file_name().display()));
    let mut names: Vec<_> = docs.filter(|name| name.ends_with(".md")).collect();
    names.extend(["README.md", "CONTRIBUTING.md"].map(String::from));
    names.sort();
    let page = |name: String| Page { text: fs::read_to_string(root.join(&name)).unwrap(), name };
    names.into_iter().map(page).collect()
}

impl Page {
    /// The commands of its `console` blocks, in order.
    pub(crate) fn commands(&self) -> Vec<Shown> {
        let (mut shown, mut within) = (Vec::<Shown>::new(), false);
        let mut lines = (1..).zip(self.text.lines());
        while let Some((number, line)) = lines.next() {
            if line.starts_with("```") {
                within = line == "```console";
            } else if within && let Some((_, command)) = prompt(line) {
                let mut command = command.to_string();
                while let Some(begun) = command.strip_suffix('\\') {
                    let (_, more) = lines.next().unwrap_or_default();
                    command = format!("{begun}{}", more.trim_start());
                }
                shown.push(Shown { line: number, command, output: Vec::new() });
            } else if within {
                let last = shown.last_mut().unwrap_or_else(|| panic!("{}:{number}", self.name));
                last.output.push(line.into());
            }
        }
        shown
    }

    /// The text between single backticks, outside blocks.
    pub(crate) fn spans(&self) -> Vec<String> {
        let mut within = false;
        let mut prose = String::new();
        for line in self.text.lines() {
            if line.starts_with("```") {
                within = !within;
            } else if !within {
                prose.push_str(line);
                prose.push(' ');
            }
        }
        prose.split('`').skip(1).step_by(2).map(|span| span.trim().to_string()).collect()
    }
}

/// Takes `$ command` or `name$ command` apart.
fn prompt(line: &str) -> Option<(&str, &str)> {
    let (name, command) = line.split_once("$ ")?;
    name.chars().all(char::is_alphanumeric).then_some((name, command))
}

/// Compares what a page holds between `<!-- begin: NAME -->` and `<!-- end -->` with what was
/// generated. With `AUTOGROW_BLESS` set, writes it instead.
pub(crate) fn assert_generated(page: &str, name: &str, generated: &str) {
    let path = root().join(page);
    let text = fs::read_to_string(&path).unwrap();
    let begin = format!("<!-- begin: {name} -->\n");
    let (head, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{page} has no {begin}"));
    let (kept, tail) = rest.split_once("<!-- end -->").unwrap();
    let generated = format!("\n{}\n\n", generated.trim());
    if std::env::var_os("AUTOGROW_BLESS").is_some() {
        fs::write(&path, format!("{head}{begin}{generated}<!-- end -->{tail}")).unwrap();
    } else {
        let differs = kept.lines().zip(generated.lines()).find(|(kept, made)| kept != made);
        assert!(kept == generated, "{page} is out of date, {differs:?}: AUTOGROW_BLESS=1 makes it");
    }
}

#[test]
fn commands_are_found_with_their_output() {
    let text =
        "```console\n$ one --two \\\n      three # why\nsaid\n\nmore\nhere$ four\n```\n$ five\n";
    let page = Page { name: String::new(), text: format!("a `b c` d\n{text}`e\nf`") };
    let shown = |line, command: &str, output: &[&str]| Shown {
        line,
        command: command.into(),
        output: output.iter().map(ToString::to_string).collect(),
    };
    let expected =
        [shown(3, "one --two three # why", &["said", "", "more"]), shown(8, "four", &[])];
    assert_eq!(page.commands()[..], expected);
    assert_eq!(page.spans(), ["b c", "e f"]);
}
