//! Every `cargo xtask` command that a page shows could be typed.

use crate::Cli;
use crate::tree::Tree;
use clap::Parser;

/// The commands of a page's `console` blocks, continued lines joined, comments left out.
fn commands(text: &str) -> Vec<Vec<String>> {
    let text = text.replace("\\\n", "");
    let lines = text.lines().filter_map(|line| line.split_once("$ cargo xtask"));
    lines.map(|(_, rest)| words(rest.split('#').next().unwrap_or_default())).collect()
}

/// Words between spaces, and what is in quotes.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate().flat_map(|(number, part)| match number % 2 {
        0 => part.split_whitespace().collect(),
        _ => vec![part],
    });
    parts.map(String::from).collect()
}

#[test]
fn commands_that_pages_show_could_be_typed() {
    let tree = Tree::here().unwrap();
    let mut tried = 0;
    let is_page = |path: &&std::path::PathBuf| path.extension().is_some_and(|end| end == "md");
    for path in tree.files().unwrap().iter().filter(is_page) {
        let text = std::fs::read_to_string(tree.root.join(path)).unwrap();
        for words in commands(&text) {
            let all = std::iter::once("xtask").chain(words.iter().map(String::as_str));
            let parsed = Cli::try_parse_from(all);
            assert!(parsed.is_ok(), "{}: {words:?}\n{}", path.display(), parsed.unwrap_err());
            tried += 1;
        }
    }
    assert!(tried > 5, "{tried}");
}
