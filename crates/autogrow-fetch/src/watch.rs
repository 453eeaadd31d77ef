//! What a caller can watch, and how it waits. Nothing here talks to a terminal.

use crate::http::Problem;
use std::time::Duration;

/// Something that happened to a file.
#[derive(Debug)]
pub enum Event<'a> {
    /// An address answers.
    Fetching {
        /// The address of the file.
        address: &'a str,
        /// The byte that it begins with; not 0 where an earlier attempt is gone on with.
        from: u64,
    },
    /// So many bytes of the file are there.
    Fetched {
        /// From the beginning of the file.
        bytes: u64,
        /// Bytes of the file, where they are known.
        size: Option<u64>,
    },
    /// The same address will be asked again.
    Retrying {
        /// The address of the file.
        address: &'a str,
        /// What went wrong.
        problem: &'a Problem,
        /// How long will be waited first.
        pause: Duration,
    },
    /// An address is given up.
    GivenUp {
        /// The address of the file.
        address: &'a str,
        /// What went wrong.
        problem: &'a Problem,
    },
    /// So many bytes were compared with the published checksum.
    Checked {
        /// From the beginning of the file.
        bytes: u64,
        /// Bytes of the file.
        size: u64,
    },
    /// So many bytes of the archive were unpacked.
    Unpacked {
        /// From the beginning of the archive.
        bytes: u64,
        /// Bytes of the archive.
        size: u64,
    },
}

/// Somebody who is told what happens to the files of a set.
pub trait Watch {
    /// Something happened to a file of a set.
    fn event(&mut self, set: &str, file: &str, event: &Event<'_>);

    /// Waits before an address is asked again.
    fn wait(&mut self, pause: Duration) {
        std::thread::sleep(pause);
    }
}

/// Nobody watches.
impl Watch for () {
    fn event(&mut self, _: &str, _: &str, _: &Event<'_>) {}
}

/// A watcher, told of one file.
pub(crate) struct Told<'a> {
    pub(crate) watcher: &'a mut dyn Watch,
    pub(crate) set: &'a str,
    pub(crate) file: &'a str,
}

impl Told<'_> {
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        self.watcher.event(self.set, self.file, event);
    }
}
