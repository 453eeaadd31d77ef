//! Tar archives, walked without unpacking: the name, the place and the length of each file in one,
//! as the archives of ImageNet are read.
//!
//! Only headers are read, by the crate `tar`. A member that is an archive itself is walked by the
//! place it has. What is refused here is what that crate lets pass: an archive that ends early,
//! attributes that it does not understand, and members of a kind that no data set holds.

use crate::{Error, ReadAt, Result};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

/// Size of a header; contents are filled up to a multiple of it.
const BLOCK: u64 = 512;
/// What is read at once: headers of small files, but no contents of large ones.
const WINDOW: u64 = 4096;
/// Bytes of a header and of the attributes or the long name behind it, at most.
const LONGEST: u64 = BLOCK + (64 << 10);

/// A file in an archive.
#[derive(Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its name with folders, `/` between them.
    pub name: &'a str,
    /// Where its content starts, counted from the start of the outermost file.
    pub offset: u64,
    /// Bytes of content.
    pub length: u64,
}

/// Calls `visit` for each file of the archive that the bytes `within` of `file` are, in stored
/// order. `path` is what errors call it.
///
/// # Errors
/// [`Error`] where the bytes are anything but a whole archive, and whatever `visit` returns.
pub fn members(
    path: &Path,
    file: impl ReadAt,
    within: Range<u64>,
    mut visit: impl FnMut(Member<'_>) -> Result<()>,
) -> Result<()> {
    let error = |problem: String| {
        Error::new(path, problem).with_hint("the archive is damaged or incomplete: get it again")
    };
    let problem = |offset: u64, problem: &dyn std::fmt::Display| {
        error(format!("offset {}: {problem}", within.start + offset))
    };
    let truncated = |offset: u64, length: u64, what: &str| {
        let missing = length - (within.end - within.start).saturating_sub(offset).min(length);
        match missing {
            0 => Ok(()),
            _ => Err(error(format!(
                "truncated: {missing} of {length} bytes of {what} (from offset {}) are missing",
                within.start + offset
            ))),
        }
    };
    let mut archive = tar::Archive::new(Headers {
        file: &file,
        within: within.clone(),
        position: 0,
        limit: LONGEST,
        window: Vec::new(),
        start: 0,
    });
    // Where the last member ends, from the start of the archive.
    let mut end = 0;
    for entry in archive.entries_with_seek().map_err(|cause| problem(0, &cause))? {
        let mut entry = entry.map_err(|cause| problem(end, &cause))?;
        let (offset, length) = (entry.raw_file_position(), entry.size());
        truncated(offset, length, "a member")?;
        let attributes = entry.pax_extensions().map_err(|cause| problem(end, &cause))?;
        if let Some(Err(cause)) = attributes.and_then(|mut all| all.find(io::Result::is_err)) {
            return Err(problem(end, &cause));
        }
        match entry.header().entry_type().as_byte() {
            b'0' | b'7' => {
                let name = entry.path_bytes();
                let name = String::from_utf8_lossy(&name);
                // A folder, as archives from before POSIX have them.
                if !name.ends_with('/') {
                    visit(Member { name: &name, offset: within.start + offset, length })?;
                }
            }
            // Links, devices and folders; attributes of all members, labels.
            b'1'..=b'6' | b'g' | b'V' => {}
            kind => {
                let kind = kind.escape_ascii();
                return Err(problem(end, &format!("a member of the unknown type `{kind}`")));
            }
        }
        end = offset + length.next_multiple_of(BLOCK);
    }
    // `tar` is content with one block of zeros, or none.
    let mut zeros = [0; 2 * BLOCK as usize];
    truncated(end, zeros.len() as u64, "the end of the archive")?;
    let read = file.read_exact_at(within.start + end, &mut zeros);
    read.map_err(|cause| problem(end, &cause))?;
    match zeros.iter().all(|&byte| byte == 0) {
        true => Ok(()),
        false => Err(problem(end, &"a single block of zeros")),
    }
}

/// The bytes of an archive, for who reads headers: to go over a content takes no reading, and no
/// more is read in one go than a header and what may stand in front of one.
struct Headers<R> {
    file: R,
    within: Range<u64>,
    /// Where the next byte is, from the start of the archive.
    position: u64,
    /// Where reading has to stop.
    limit: u64,
    /// The bytes of the file from `start` on.
    window: Vec<u8>,
    start: u64,
}

impl<R: ReadAt> Read for Headers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.limit {
            return Err(io::Error::other("too many attributes of a member"));
        }
        let start = self.within.start.saturating_add(self.position);
        let inside = start.checked_sub(self.start).and_then(|from| usize::try_from(from).ok());
        let mut ahead = inside.and_then(|from| self.window.get(from..)).unwrap_or_default();
        if ahead.is_empty() {
            let left = self.within.end.saturating_sub(start).min(WINDOW);
            self.window.resize(left as usize, 0);
            self.start = start;
            self.file.read_exact_at(start, &mut self.window)?;
            ahead = &self.window;
        }
        let read = ahead.read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl<R: ReadAt> Seek for Headers<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => (self.within.end - self.within.start).checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        self.limit = self.position.saturating_add(LONGEST);
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests;
