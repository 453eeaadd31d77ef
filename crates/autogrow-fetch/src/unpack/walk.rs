//! The members of an archive, one after the other, each refused unless it is a plain file or
//! folder with a plain path. Memory is bounded by the number of members that is allowed.
//!
//! The archives of the catalogue hold nothing else, and what else `tar` can say (links, devices,
//! sparse files, long names, PAX headers) is what archives lie with.

use super::names::{self, Paths};
use super::refusal::{Reason, Refusal};
use super::stream::{Stream, reason};
use std::io::{self, Read};
use tar::{Archive, EntryType, Header};

/// Bytes of a block of `tar`.
const BLOCK: u64 = 512;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 16;
/// Bytes that may follow the last member: a record or two of zeros.
const TAIL: u64 = 1 << 20;

/// What an archive may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all its files.
    pub bytes: u64,
    /// Files and folders.
    pub members: usize,
}

/// A file or folder that an archive holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Path in the archive: printable ASCII, names joined by `/`, none of them `.` or `..`.
    pub path: String,
    /// Bytes of a file; none for a folder.
    pub bytes: Option<u64>,
}

/// Who is given the members.
pub(super) trait Sink {
    /// What can go wrong.
    type Error: From<Refusal>;
    /// A member begins.
    fn member(&mut self, member: Member) -> Result<(), Self::Error>;
    /// More bytes of the file that began last.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
    /// All bytes of the file were written.
    fn end(&mut self) -> Result<(), Self::Error>;
}

/// Gives every member of the `tar` or `tar.gz` in `reader` to `sink`.
pub(super) fn walk<S: Sink>(
    reader: impl Read,
    limits: &Limits,
    sink: &mut S,
) -> Result<(), S::Error> {
    let nowhere = |reason, offset| Refusal { member: None, offset, reason };
    // A header and less than a block of padding a member.
    let overhead = (limits.members as u64).saturating_mul(2 * BLOCK).saturating_add(TAIL);
    let stream = Stream::new(reader, limits.bytes, overhead).map_err(|why| nowhere(why, 0))?;
    let gauge = stream.gauge();
    let mut archive = Archive::new(stream);
    let entries = archive.entries().map_err(|error| nowhere(reason(error), 0))?;
    let (mut paths, mut members, mut bytes, mut end) = (Paths::default(), 0, 0_u64, 0);
    let mut block = vec![0; CHUNK];
    for entry in entries.raw(true) {
        let mut entry = entry.map_err(|error| {
            let why = if gauge.ended() { Reason::Truncated } else { reason(error) };
            nowhere(why, gauge.position())
        })?;
        let (offset, size) = (entry.raw_header_position(), entry.size());
        let name = printable(&entry.header().path_bytes());
        let refuse = |reason| Refusal { member: Some(name.clone()), offset, reason };
        members += 1;
        bytes = bytes.saturating_add(size);
        if members > limits.members {
            return Err(refuse(Reason::Members(limits.members)).into());
        }
        if bytes > limits.bytes {
            return Err(refuse(Reason::Bytes(limits.bytes)).into());
        }
        let member = member(entry.header(), size).map_err(&refuse)?;
        let data = entry.raw_file_position();
        end = data.saturating_add(size.next_multiple_of(BLOCK));
        if member.path.is_empty() {
            continue;
        }
        paths.add(&member.path, member.bytes.is_none()).map_err(&refuse)?;
        let is_file = member.bytes.is_some();
        sink.member(member)?;
        if !is_file {
            continue;
        }
        let mut left = size;
        while left > 0 {
            let read = match entry.read(&mut block) {
                Ok(0) => return Err(refuse(Reason::Truncated).into()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(refuse(reason(error)).into()),
            };
            left = left.saturating_sub(read as u64);
            sink.write(&block[..read])?;
        }
        sink.end()?;
    }
    // A block of zeros is the end; an archive that was cut after a member has none.
    let position = gauge.position();
    if position <= end {
        return Err(nowhere(Reason::Truncated, position).into());
    }
    archive.into_inner().finish().map_err(|why| nowhere(why, gauge.position()).into())
}

fn member(header: &Header, size: u64) -> Result<Member, Reason> {
    let kind = header.entry_type();
    let is_folder = match kind {
        EntryType::Regular => false,
        EntryType::Directory => true,
        EntryType::Symlink => return Err(Reason::Kind("a symbolic link")),
        EntryType::Link => return Err(Reason::Kind("a hard link")),
        EntryType::Char | EntryType::Block => return Err(Reason::Kind("a device")),
        EntryType::Fifo => return Err(Reason::Kind("a pipe")),
        EntryType::GNUSparse => return Err(Reason::Kind("a sparse file")),
        EntryType::GNULongName | EntryType::GNULongLink => {
            return Err(Reason::Kind("a long name for another member"));
        }
        EntryType::XHeader | EntryType::XGlobalHeader => {
            return Err(Reason::Kind("a PAX header for other members"));
        }
        _ => return Err(Reason::Kind("of an unknown kind")),
    };
    // What is read stops at a NUL; other programs may read on.
    let hides = |field: &[u8]| {
        let rest = field.iter().skip_while(|&&byte| byte != 0);
        rest.into_iter().any(|&byte| byte != 0)
    };
    if hides(&header.as_old().name) || header.as_ustar().is_some_and(|own| hides(&own.prefix)) {
        return Err(Reason::Nul);
    }
    let bytes = header.path_bytes();
    let path = names::path(&bytes)?;
    // Before there were folders, a slash at the end said so.
    let is_folder = is_folder || bytes.ends_with(b"/");
    if is_folder && size > 0 {
        return Err(Reason::FullFolder(size));
    }
    if !is_folder && path.is_empty() {
        return Err(Reason::Nameless);
    }
    Ok(Member { path, bytes: (!is_folder).then_some(size) })
}

/// A name as it can be shown.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).escape_debug().to_string()
}
