//! Files that an export must not replace: those that no export has written.

use autogrow::{Error, Result};
use autogrow_export::{CARD_MARK, MODULE_MARK};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes at the beginning of a file in which a model says who wrote it.
const HEAD: u64 = 64 << 10;

/// Refuses to write `files`, the model first, where one of them is there and is another's.
///
/// # Errors
/// [`Error::Config`] that names it.
pub(super) fn refuse(files: &[PathBuf]) -> Result<()> {
    let Some(out) = files.first() else { return Ok(()) };
    // Formats without a place for a name are known by the card beside them.
    let has_card = is_ours(&out.with_extension("md"));
    match files
        .iter()
        .find(|file| file.is_file() && !is_ours(file) && !(has_card && is_nameless(file)))
    {
        Some(file) => Err(Error::config(
            "OUT",
            format!("would replace {}, which no export has written", file.display()),
        )
        .with_hint("name another file, or insist with --force")),
        None => Ok(()),
    }
}

fn is_nameless(file: &Path) -> bool {
    !matches!(
        file.extension().and_then(|ending| ending.to_str()),
        Some("md" | "py" | "onnx" | "safetensors")
    )
}

/// Whether an export has written a file, or it is empty.
fn is_ours(file: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(file).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    let mark = match file.extension().and_then(|ending| ending.to_str()) {
        Some("md") => CARD_MARK,
        Some("py") => MODULE_MARK,
        _ => "autogrow",
    };
    read.is_ok()
        && (head.is_empty() || head.windows(mark.len()).any(|part| part == mark.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_of_others_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let files = ["net.onnx", "net.md"].map(path);
        refuse(&files).unwrap();
        fs::write(path("net.md"), "My own notes on autogrow").unwrap();
        let error = refuse(&files).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("net.md") && error.hint().unwrap().contains("--force"));
        fs::write(path("net.md"), format!("# net\n{CARD_MARK}\n")).unwrap();
        fs::write(path("net.onnx"), "").unwrap();
        refuse(&files).unwrap();
        fs::write(path("net.onnx"), b"\x08\x08\x12\x07pytorch").unwrap();
        assert!(refuse(&files).unwrap_err().to_string().contains("net.onnx"));
        fs::write(path("net.bpk"), b"\x01\x02").unwrap();
        refuse(&["net.bpk", "net.md"].map(path)).unwrap();
        fs::remove_file(path("net.md")).unwrap();
        assert!(refuse(&["net.bpk", "net.md"].map(path)).is_err());
    }
}
