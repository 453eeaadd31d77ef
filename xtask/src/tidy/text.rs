//! Rules for every tracked file, whatever is in it.

use super::{Findings, Violation};
use std::path::Path;

/// The largest file that may be tracked, in bytes.
const MAX_SIZE: usize = 1_000_000;

/// Words for work put off. In two parts, or this line would be found.
const LATER: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// Files of which a tool decides every byte.
const WRITTEN_BY_TOOLS: [&str; 2] = ["snap", "lock"];

/// Folders of files that stay as whatever program wrote them.
const FIXTURES: &str = "fixtures";

/// No large files: history keeps them for ever.
pub(super) fn size(path: &Path, bytes: usize) -> Vec<Violation> {
    let mut findings = Findings::of(path);
    if bytes > MAX_SIZE {
        findings.add(1, format!("{bytes} bytes; tracked files have at most {MAX_SIZE}"));
    }
    findings.found
}

/// White space, and work put off.
pub(super) fn check(path: &Path, content: &str) -> Vec<Violation> {
    let mut findings = Findings::of(path);
    let by_hand = !path.components().any(|folder| folder.as_os_str() == FIXTURES)
        && !WRITTEN_BY_TOOLS.iter().any(|tool| path.extension().is_some_and(|own| own == *tool));
    for (line, text) in (1..).zip(content.split('\n')) {
        if by_hand && text.ends_with(char::is_whitespace) {
            findings.add(line, "trailing white space");
        }
        for word in LATER {
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            if words.any(|own| own == word) {
                findings.add(line, format!("{word}: do it, or tell the issue tracker"));
            }
        }
    }
    if by_hand && !content.is_empty() && !content.ends_with('\n') {
        findings.add(content.lines().count(), "no newline at the end");
    }
    findings.found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, content: &str) -> Vec<usize> {
        check(Path::new(path), content).iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn white_space() {
        assert_eq!(lines("a.md", "one\ntwo \n\t\n"), [2, 3]);
        assert_eq!(lines("a.md", "one\r\n"), [1]);
        assert_eq!(lines("a.md", "one\ntwo"), [2]);
        assert_eq!(lines("a.md", ""), [0; 0]);
        assert_eq!(lines("help.snap", "two \n"), [0; 0]);
    }

    #[test]
    fn work_put_off() {
        let word = LATER[0];
        assert_eq!(lines("a.py", &format!("x = 1  # {word}: y\n")), [1]);
        assert_eq!(lines("a.py", &format!("MAS{word}N = 1\n")), [0; 0]);
    }

    #[test]
    fn large_files() {
        assert!(size(Path::new("a.bin"), MAX_SIZE).is_empty());
        assert_eq!(size(Path::new("a.bin"), MAX_SIZE + 1).len(), 1);
    }
}
