//! What the tests of this crate share: a run folder of their own to damage, and committed files to
//! compare with.

use std::fs;
use std::path::{Path, PathBuf};

/// A file or folder of `tests/fixtures`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A copy of the finished run of the fixtures.
pub(crate) fn run_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixture("run")).unwrap() {
        let file = entry.unwrap().path();
        fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
    }
    folder
}

/// Compares with a committed file. With `AUTOGROW_BLESS` set, writes it instead.
pub(crate) fn assert_same(name: &str, made: &[u8]) {
    let path = fixture(name);
    if std::env::var_os("AUTOGROW_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, made).unwrap();
    }
    let kept = fs::read(&path).unwrap_or_default();
    let same = kept == made;
    assert!(same, "{name} has changed; look at it, then keep it with AUTOGROW_BLESS=1");
}
