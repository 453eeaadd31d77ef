//! Tar archives (POSIX ustar, with the long names of GNU and pax), walked without unpacking: the
//! name, the place and the length of each file in it, as the archives of ImageNet are read.
//!
//! Only headers are read. A member that is an archive itself is walked by the place it has.

use crate::read_at::ReadAt;
use crate::{Error, Result};
use std::ops::Range;
use std::path::Path;

/// Size of a header; contents are filled up to a multiple of it.
const BLOCK: u64 = 512;
/// What is read at once: headers of small files, but no contents of large ones.
const WINDOW: usize = 4096;
/// Longest list of attributes, and longest name, that is taken seriously.
const LONGEST: u64 = 64 << 10;

const GET_AGAIN: &str = "the archive is damaged or incomplete: get it again";

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
    file: &(impl ReadAt + ?Sized),
    within: Range<u64>,
    mut visit: impl FnMut(Member<'_>) -> Result<()>,
) -> Result<()> {
    let mut walk = Walk { path, file, within, window: Vec::new(), start: 0 };
    let mut offset = walk.within.start;
    let mut given = Given::default();
    let mut name = String::new();
    while let Some(header) = walk.header(offset)? {
        let length = match given.length.take() {
            Some(length) => length,
            None => header.length().ok_or_else(|| walk.problem(offset, "no length"))?,
        };
        let content = offset + BLOCK;
        if length > walk.within.end - content {
            let missing = length - (walk.within.end - content);
            return Err(walk.error(format!(
                "truncated: {missing} of {length} bytes of a member (from offset {content}) are \
                 missing"
            )));
        }
        match header.kind() {
            b'0' | b'7' | 0 => {
                match given.name.take() {
                    Some(long) => name = long,
                    None => header.name(&mut name),
                }
                // A folder, as archives from before POSIX have them.
                if !name.ends_with('/') {
                    visit(Member { name: &name, offset: content, length })?;
                }
            }
            // Links, devices and folders: whatever was said about them is over.
            b'1'..=b'6' => given = Given::default(),
            b'L' => given.name = Some(text(&walk.content(content, length)?)),
            b'x' => given
                .read(&walk.content(content, length)?, |problem| walk.problem(content, problem))?,
            // Attributes of all members, long targets of links, labels: nothing that is needed.
            b'g' | b'K' | b'V' => {}
            kind => {
                let kind = kind.escape_ascii();
                return Err(walk.problem(offset, &format!("a member of the unknown type `{kind}`")));
            }
        }
        offset = content.saturating_add(length.next_multiple_of(BLOCK));
    }
    Ok(())
}

/// What a member says about the one behind it.
#[derive(Default)]
struct Given {
    name: Option<String>,
    length: Option<u64>,
}

impl Given {
    /// Reads pax attributes: lines of `<length of the line> <key>=<value>`.
    fn read(&mut self, mut lines: &[u8], problem: impl Fn(&str) -> Error) -> Result<()> {
        while !lines.is_empty() {
            let line = line(lines).ok_or_else(|| problem("attributes of a member are no lines"))?;
            lines = &lines[line.whole..];
            match line.key {
                b"path" => self.name = Some(text(line.value)),
                b"size" => {
                    let length = str::from_utf8(line.value).ok().and_then(|text| text.parse().ok());
                    let length = length.ok_or_else(|| problem("a length that is no number"))?;
                    self.length = Some(length);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A pax attribute.
struct Line<'a> {
    /// Length of the line.
    whole: usize,
    key: &'a [u8],
    value: &'a [u8],
}

fn line(lines: &[u8]) -> Option<Line<'_>> {
    let space = lines.iter().position(|&byte| byte == b' ')?;
    let whole = str::from_utf8(&lines[..space]).ok()?.parse().ok()?;
    let pair = lines.get(space + 1..whole)?.strip_suffix(b"\n")?;
    let equals = pair.iter().position(|&byte| byte == b'=')?;
    Some(Line { whole, key: &pair[..equals], value: &pair[equals + 1..] })
}

/// An archive that is being walked.
struct Walk<'a, R: ?Sized> {
    path: &'a Path,
    file: &'a R,
    within: Range<u64>,
    /// The bytes of the file from `start` on.
    window: Vec<u8>,
    start: u64,
}

impl<R: ReadAt + ?Sized> Walk<'_, R> {
    /// The header at `offset`, or none where the archive ends: at two blocks of zeros.
    fn header(&mut self, offset: u64) -> Result<Option<Header>> {
        let mut block = self.block(offset)?;
        let mut end = offset;
        while block.iter().all(|&byte| byte == 0) {
            if end > offset {
                return Ok(None);
            }
            end += BLOCK;
            block = self.block(end)?;
        }
        if end > offset {
            return Err(self.problem(offset, "a single block of zeros"));
        }
        let header = Header(block);
        if !header.is_whole() {
            return Err(self.problem(offset, "no header of a member: its checksum is wrong"));
        }
        Ok(Some(header))
    }

    fn block(&mut self, offset: u64) -> Result<[u8; BLOCK as usize]> {
        let left = self.within.end.saturating_sub(offset);
        if left < BLOCK {
            return Err(self.error(format!(
                "truncated: {} of {BLOCK} bytes of a header (from offset {offset}) are missing",
                BLOCK - left
            )));
        }
        let inside = |walk: &Self| {
            let start = usize::try_from(offset.checked_sub(walk.start)?).ok()?;
            walk.window.get(start..)?.first_chunk().copied()
        };
        if let Some(block) = inside(self) {
            return Ok(block);
        }
        self.window.resize(left.min(WINDOW as u64) as usize, 0);
        self.start = offset;
        let read = self.file.read_exact_at(&mut self.window, offset);
        read.map_err(|cause| self.problem(offset, &format!("cannot be read: {cause}")))?;
        inside(self).ok_or_else(|| self.problem(offset, "no header"))
    }

    /// The content of a member that is about the next one.
    fn content(&self, offset: u64, length: u64) -> Result<Vec<u8>> {
        if length > LONGEST {
            return Err(self.problem(offset, &format!("{length} bytes of attributes of a member")));
        }
        let mut bytes = vec![0; length as usize];
        let read = self.file.read_exact_at(&mut bytes, offset);
        read.map_err(|cause| self.problem(offset, &format!("cannot be read: {cause}")))?;
        Ok(bytes)
    }

    fn problem(&self, offset: u64, problem: &str) -> Error {
        self.error(format!("offset {offset}: {problem}"))
    }

    fn error(&self, problem: String) -> Error {
        Error::new(self.path, problem).with_hint(GET_AGAIN)
    }
}

/// A header of a member.
struct Header([u8; BLOCK as usize]);

impl Header {
    /// Whether its checksum is right: the sum of its bytes, those of the sum itself as spaces.
    fn is_whole(&self) -> bool {
        let sum =
            |range: Range<usize>| self.0[range].iter().map(|&byte| u64::from(byte)).sum::<u64>();
        number(&self.0[148..156]) == Some(sum(0..148) + 8 * u64::from(b' ') + sum(156..512))
    }

    fn kind(&self) -> u8 {
        self.0[156]
    }

    fn length(&self) -> Option<u64> {
        number(&self.0[124..136])
    }

    /// Puts the name into `name`.
    fn name(&self, name: &mut String) {
        name.clear();
        let prefix = &self.0[345..500];
        // GNU's older format has other things there.
        if self.0[257..263] == *b"ustar\0" && prefix[0] != 0 {
            name.push_str(&text(prefix));
            name.push('/');
        }
        name.push_str(&text(&self.0[..100]));
    }
}

/// Bytes up to the first zero as text.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// A number as headers have it: octal digits, or, where the first bit is set, bytes.
fn number(field: &[u8]) -> Option<u64> {
    if let [0x80, bytes @ ..] = field {
        let (high, low) = bytes.split_last_chunk::<8>()?;
        return high.iter().all(|&byte| byte == 0).then_some(u64::from_be_bytes(*low));
    }
    let digits = str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

#[cfg(test)]
mod tests;
