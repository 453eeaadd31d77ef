//! A data file being read front to back: plain or compressed, each error with path and offset.
//!
//! The numbers in a header are promises. Memory is taken for what the file can hold, never for
//! what its header says, and no more is unpacked than the header declares.

use autogrow_core::{Error, Result};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Deflate's best ratio: a byte of a compressed file stands for at most so many.
const DEFLATE_LIMIT: u64 = 1032;

/// What to do about a damaged file.
const GET_AGAIN: &str = "the file is damaged or incomplete: get it again";

/// A file being read.
pub(crate) struct Input<'a> {
    path: PathBuf,
    content: Content<'a>,
    /// Bytes of content read so far, after decompression.
    offset: u64,
    /// Bytes of content at most.
    limit: u64,
}

enum Content<'a> {
    Plain(Box<dyn BufRead + 'a>),
    Gzip(MultiGzDecoder<Box<dyn BufRead + 'a>>),
}

impl Input<'static> {
    /// Opens a file; gzip is recognised by its first two bytes, whatever the file is called.
    ///
    /// # Errors
    /// [`Error::Data`] where it cannot be opened.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let cannot = |cause: std::io::Error| Error::data(path, format!("cannot be read: {cause}"));
        let file = File::open(path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if !metadata.is_file() {
            return Err(Error::data(path, "is not a file"));
        }
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let gzip = reader.fill_buf().map_err(cannot)?.starts_with(&[0x1f, 0x8b]);
        Ok(Self::new(path, Box::new(reader), gzip, metadata.len()))
    }
}

impl<'a> Input<'a> {
    /// Reads what is part of the program, or of another file.
    pub(crate) fn embedded(name: &str, bytes: &'a [u8]) -> Self {
        let gzip = bytes.starts_with(&[0x1f, 0x8b]);
        Self::new(Path::new(name), Box::new(Cursor::new(bytes)), gzip, bytes.len() as u64)
    }

    fn new(path: &Path, reader: Box<dyn BufRead + 'a>, gzip: bool, length: u64) -> Self {
        let (content, limit) = if gzip {
            (Content::Gzip(MultiGzDecoder::new(reader)), length.saturating_mul(DEFLATE_LIMIT))
        } else {
            (Content::Plain(reader), length)
        };
        Self { path: path.into(), content, offset: 0, limit }
    }

    /// An error about this file.
    pub(crate) fn problem(&self, problem: impl Into<String>) -> Error {
        Error::data(&self.path, problem).with_hint(GET_AGAIN)
    }

    /// Bytes of content read so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next four bytes as a number, most significant byte first.
    ///
    /// # Errors
    /// As [`Self::bytes`].
    pub(crate) fn u32_be(&mut self, what: &str) -> Result<u32> {
        let bytes = self.bytes(4, what)?;
        Ok(bytes.iter().fold(0, |number, &byte| number << 8 | u32::from(byte)))
    }

    /// The next `count` bytes, called `what` in errors.
    ///
    /// # Errors
    /// [`Error::Data`] where the file ends before, saying how many bytes are missing, or where it
    /// cannot be unpacked.
    pub(crate) fn bytes(&mut self, count: u64, what: &str) -> Result<Vec<u8>> {
        let start = self.offset;
        let bytes = self.up_to(count)?;
        let missing = count - bytes.len() as u64;
        if missing > 0 {
            return Err(self.problem(format!(
                "truncated: {missing} of {count} bytes of {what} (from offset {start}) are missing"
            )));
        }
        Ok(bytes)
    }

    /// Everything up to the end of the file, which must come within `limit` bytes.
    ///
    /// # Errors
    /// [`Error::Data`] where there is more, or where it cannot be unpacked.
    pub(crate) fn rest(&mut self, limit: u64) -> Result<Vec<u8>> {
        let bytes = self.up_to(limit)?;
        self.end()?;
        Ok(bytes)
    }

    /// Makes sure that nothing is left, and that checksums are right.
    ///
    /// # Errors
    /// [`Error::Data`] where something is left.
    pub(crate) fn end(&mut self) -> Result<()> {
        let end = self.offset;
        if self.up_to(1)?.is_empty() {
            return Ok(());
        }
        let left = match self.content {
            Content::Plain(_) => format!("{} bytes of ", self.limit.saturating_sub(end).max(1)),
            Content::Gzip(_) => String::new(),
        };
        Err(self.problem(format!("{left}trailing garbage from offset {end}")))
    }

    /// The next `count` bytes, or fewer where the file ends.
    fn up_to(&mut self, count: u64) -> Result<Vec<u8>> {
        let expected = count.min(self.limit.saturating_sub(self.offset));
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(expected as usize)
            .map_err(|_| self.problem(format!("{expected} bytes do not fit into memory")))?;
        let read = match &mut self.content {
            Content::Plain(reader) => reader.take(count).read_to_end(&mut bytes),
            Content::Gzip(reader) => reader.take(count).read_to_end(&mut bytes),
        };
        self.offset += bytes.len() as u64;
        match read {
            Ok(_) => Ok(bytes),
            Err(cause) if cause.kind() == ErrorKind::UnexpectedEof => Err(self.problem(format!(
                "truncated: the compressed data end after {} bytes of content",
                self.offset
            ))),
            Err(cause) => Err(self.problem(match self.content {
                Content::Plain(_) => format!("cannot be read at offset {}: {cause}", self.offset),
                Content::Gzip(_) => {
                    format!("broken gzip after {} bytes of content: {cause}", self.offset)
                }
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::gzip;

    fn problem<T>(result: Result<T>) -> String {
        result.err().unwrap().to_string()
    }

    #[test]
    fn plain_and_compressed_read_the_same() {
        let content = [1, 2, 3, 4, 5, 6];
        for bytes in [content.to_vec(), gzip(&content)] {
            let mut input = Input::embedded("x", &bytes);
            assert_eq!(input.u32_be("a number").unwrap(), 0x0102_0304);
            assert_eq!(input.bytes(2, "the rest").unwrap(), [5, 6]);
            input.end().unwrap();
        }
    }

    #[test]
    fn what_is_missing_or_too_much_is_counted() {
        let content = [0; 10];
        let mut plain = Input::embedded("x", &content);
        plain.bytes(4, "a head").unwrap();
        assert_eq!(problem(plain.end()), "x: 6 bytes of trailing garbage from offset 4");
        assert_eq!(
            problem(plain.bytes(7, "a body")),
            "x: truncated: 2 of 7 bytes of a body (from offset 5) are missing"
        );
        let packed = gzip(&content);
        let mut input = Input::embedded("x", &packed);
        input.bytes(4, "a head").unwrap();
        assert_eq!(problem(input.end()), "x: trailing garbage from offset 4");
    }

    #[test]
    fn broken_gzip_is_recognised() {
        let whole = gzip(&[7; 1_000]);
        let mut checksum = whole.clone();
        let at = checksum.len() - 6;
        checksum[at] ^= 1;
        let mut behind = whole.clone();
        behind.extend([7; 20]);
        for (bytes, expected) in [
            (&whole[..whole.len() - 9], "x: truncated: the compressed data end after"),
            (&checksum, "x: broken gzip after 1000 bytes of content: "),
            (&behind, "x: broken gzip after 1000 bytes of content: "),
        ] {
            let found = problem(Input::embedded("x", bytes).rest(2_000));
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn no_more_is_unpacked_than_asked_for() {
        let bomb = gzip(&vec![0; 50 << 20]);
        let mut input = Input::embedded("x", &bomb);
        let bytes = input.bytes(1_000, "a body").unwrap();
        assert!(bytes.capacity() < 2_000);
        assert_eq!(problem(input.end()), "x: trailing garbage from offset 1000");
        // Nor is memory taken that the file cannot fill.
        let tiny = [0; 8];
        let mut input = Input::embedded("x", &tiny);
        assert_eq!(
            problem(input.bytes(u64::MAX, "a body")),
            "x: truncated: 18446744073709551607 of 18446744073709551615 bytes of a body (from \
             offset 0) are missing"
        );
    }

    #[test]
    fn a_folder_is_not_a_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(problem(Input::open(folder.path())).ends_with(": is not a file"));
        let missing = problem(Input::open(&folder.path().join("x")));
        assert!(missing.contains("cannot be read"), "{missing}");
    }
}
