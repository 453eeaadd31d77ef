//! What the tests of this crate share: a run folder of their own to damage, and committed files to
//! compare with.

use autogrow_report::{Report, Run};
use serde_json::Value;
use std::collections::BTreeMap;
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

/// What `result.json` holds.
pub(crate) fn result(folder: &Path) -> BTreeMap<String, Value> {
    serde_json::from_slice(&fs::read(folder.join("result.json")).unwrap()).unwrap()
}

/// Changes `result.json`.
pub(crate) fn amend(folder: &Path, key: &str, value: Value) {
    let mut result = result(folder);
    result.insert(key.into(), value);
    fs::write(folder.join("result.json"), serde_json::to_vec(&result).unwrap()).unwrap();
}

/// The page of the run in a folder.
pub(crate) fn page(folder: &Path) -> String {
    Report::new().page(&Run::read(folder).unwrap())
}

/// Changes lines of `config.toml`.
pub(crate) fn configure(folder: &Path, changes: &[(&str, &str)]) {
    let file = folder.join("config.toml");
    let mut config = fs::read_to_string(&file).unwrap();
    for (from, to) in changes {
        assert!(config.contains(from), "{from}");
        config = config.replace(from, to);
    }
    fs::write(file, config).unwrap();
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
