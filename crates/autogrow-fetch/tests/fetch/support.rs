//! What these tests share: a catalogue of one small set, and a watcher that does not wait.

use autogrow_fetch::{
    Catalogue, Event, FetchError, Options, Outcome, Patience, Places, Watch, get,
};
use md5::Md5;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes without a pattern that a wrong offset would keep.
pub(crate) fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    })
    .take(bytes)
    .collect()
}

/// A catalogue with the set `set`, whose file `file.bin` is `body`.
pub(crate) fn catalogue(body: &[u8], addresses: &[&str], has_size: bool) -> Catalogue {
    catalogue_of("file.bin", body, addresses, has_size, "")
}

/// The same, with another name and more lines about the file.
pub(crate) fn catalogue_of(
    name: &str,
    body: &[u8],
    addresses: &[&str],
    has_size: bool,
    more: &str,
) -> Catalogue {
    let size = if has_size { format!("size = {}", body.len()) } else { String::new() };
    let (md5, sha256) = (Md5::digest(body), Sha256::digest(body));
    Catalogue::parse(&format!(
        "[[set]]\nname = 'set'\ntitle = ''\npage = 'http://set.example'\n\
         addresses = {addresses:?}\nfolders = ['top']\nholds = [['file.bin']]\n\
         [[set.file]]\nname = '{name}'\n{size}\nmd5 = '{md5:x}'\nsha256 = '{sha256:x}'\n{more}"
    ))
    .unwrap()
}

/// Remembers what happened, and does not wait.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) pauses: Vec<Duration>,
    pub(crate) events: Vec<String>,
}

impl Watch for Log {
    fn event(&mut self, _: &str, _: &str, event: &Event<'_>) {
        match event {
            Event::Fetching { from, .. } => self.events.push(format!("from {from}")),
            Event::Retrying { problem, .. } => self.events.push(format!("again: {problem}")),
            Event::GivenUp { problem, .. } => self.events.push(format!("given up: {problem}")),
            Event::Fetched { .. } | Event::Checked { .. } | Event::Unpacked { .. } => {}
        }
    }

    fn wait(&mut self, pause: Duration) {
        self.pauses.push(pause);
    }
}

/// Options that put sets into `base` and lose patience soon.
pub(crate) fn options(base: &Path) -> Options {
    Options {
        places: Places::only(base),
        from: None,
        mirror: None,
        patience: Patience {
            connect: Duration::from_secs(5),
            // Long for a loaded machine to answer in, short for a test to wait for.
            stall: Duration::from_secs(5),
            attempts: 4,
        },
    }
}

/// Fetches the set of a catalogue into `base`.
pub(crate) fn fetch(base: &Path, catalogue: &Catalogue) -> (Result<Vec<Outcome>, FetchError>, Log) {
    let mut log = Log::default();
    (get(catalogue, &["set"], &options(base), &mut log), log)
}

/// Where the file of the set is put.
pub(crate) fn target(base: &Path) -> PathBuf {
    base.join("set/file.bin")
}

/// Names in a folder, sorted, without locks.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| !name.ends_with(".lock")).collect();
    names.sort();
    names
}
