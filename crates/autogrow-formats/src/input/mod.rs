//! A data file being read front to back: plain or compressed, each error with path and offset.
//!
//! The numbers in a header are promises. Memory is taken for what the file can hold, never for
//! what its header says; no more is unpacked than the header declares, nor more than
//! [`MOST_UNPACKED`].

use crate::{Error, Result};
use flate2::bufread::MultiGzDecoder;
use flate2::read::ZlibDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Deflate's best ratio: a byte of a compressed file stands for at most so many.
const DEFLATE_LIMIT: u64 = 1032;

/// Bytes that packed content may unpack to. A small file that was made to fill the memory is
/// refused there; a plain file may be as long as it is.
const MOST_UNPACKED: u64 = 1 << 30;

/// How a gzip file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What to do about a damaged file.
const GET_AGAIN: &str = "the file is damaged or incomplete: get it again";

/// What to do about a file that unpacks to more than [`MOST_UNPACKED`].
const STORE_PLAIN: &str = "the file may have been made to fill the memory; if it is right, store it \
                           without compression";

/// A file being read.
pub struct Input<'a> {
    path: PathBuf,
    reader: Box<dyn Read + 'a>,
    /// How the content is packed, if it is: "gzip", "zlib".
    packing: Option<&'static str>,
    /// What offsets count in, where it is not the file, to be read after the number.
    within: String,
    /// Bytes of content read so far, after unpacking.
    offset: u64,
    /// Bytes of content at most.
    limit: u64,
    /// Bytes that packed content may unpack to.
    most: u64,
}

impl Input<'static> {
    /// Opens a file; gzip is recognised by its first two bytes, whatever the file is called.
    ///
    /// # Errors
    /// [`Error`] where it cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let cannot = |cause: std::io::Error| {
            Error::new(path, format!("cannot be read: {cause}"))
                .with_hint("the file has to be there, and readable")
        };
        let file = File::open(path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if !metadata.is_file() {
            return Err(Error::new(path, "is not a file"));
        }
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let gzip = reader.fill_buf().map_err(cannot)?.starts_with(&GZIP);
        Ok(Self::new(path, reader, gzip, metadata.len(), MOST_UNPACKED))
    }
}

impl<'a> Input<'a> {
    /// Reads what is part of the program.
    pub fn embedded(name: &str, bytes: &'a [u8]) -> Self {
        Self::bounded(name, bytes, MOST_UNPACKED)
    }

    /// The same, refused where it is packed and unpacks to more than `most` bytes.
    pub(crate) fn bounded(name: &str, bytes: &'a [u8], most: u64) -> Self {
        Self::new(Path::new(name), bytes, bytes.starts_with(&GZIP), bytes.len() as u64, most)
    }

    fn new(path: &Path, reader: impl BufRead + 'a, gzip: bool, length: u64, most: u64) -> Self {
        let (reader, packing, limit): (Box<dyn Read + 'a>, _, _) = match gzip {
            true => {
                let reader = Bounded { reader: MultiGzDecoder::new(reader), left: most };
                (Box::new(reader), Some("gzip"), length.saturating_mul(DEFLATE_LIMIT))
            }
            false => (Box::new(reader), None, length),
        };
        Self { path: path.into(), reader, packing, within: String::new(), offset: 0, limit, most }
    }

    /// Hands the next `length` bytes, packed with zlib, to `read` as an input of their own, and
    /// goes on behind them, however much of them was read.
    ///
    /// # Errors
    /// Those of `read`; [`Error`] where the file ends before.
    pub fn zlib<T>(
        &mut self,
        length: u64,
        read: impl FnOnce(&mut Input<'_>) -> Result<T>,
    ) -> Result<T> {
        let start = self.offset;
        let mut packed = (&mut self.reader).take(length);
        let mut content = Input {
            path: self.path.clone(),
            reader: Box::new(Bounded { reader: ZlibDecoder::new(&mut packed), left: self.most }),
            packing: Some("zlib"),
            within: format!(" of what is packed at offset {start}"),
            offset: 0,
            limit: length.min(self.limit.saturating_sub(start)).saturating_mul(DEFLATE_LIMIT),
            most: self.most,
        };
        let result = read(&mut content)?;
        drop(content);
        let skipped = std::io::copy(&mut packed, &mut std::io::sink());
        let missing = packed.limit();
        self.offset += length - missing;
        match skipped {
            Ok(_) if missing == 0 => Ok(result),
            Ok(_) => Err(self.truncated(missing, length, "packed data", start)),
            Err(cause) => Err(self.failed(&cause)),
        }
    }

    /// An error about this file.
    pub fn problem(&self, problem: impl Into<String>) -> Error {
        Error::new(&self.path, problem).with_hint(GET_AGAIN)
    }

    /// How much has been read so far, for an error.
    pub fn position(&self) -> String {
        self.at(self.offset)
    }

    /// Where a byte is, for an error.
    pub fn at(&self, offset: u64) -> String {
        format!("offset {offset}{}", self.within)
    }

    /// Bytes of content read so far, after unpacking.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The part of `count` more bytes to take memory for at once: what a plain file does hold; of
    /// packed content no more than is easily had, since how much there is only shows on the way.
    pub fn plausible(&self, count: u64) -> usize {
        let left = self.limit.saturating_sub(self.offset);
        count.min(if self.packing.is_some() { left.min(64 << 20) } else { left }) as usize
    }

    /// The next four bytes as a number, most significant byte first.
    ///
    /// # Errors
    /// As [`Self::fill`].
    pub fn u32_be(&mut self, what: &str) -> Result<u32> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes, what)?;
        Ok(u32::from_be_bytes(bytes))
    }

    /// The next `count` bytes, called `what` in errors.
    ///
    /// # Errors
    /// As [`Self::fill`].
    pub fn bytes(&mut self, count: u64, what: &str) -> Result<Vec<u8>> {
        let start = self.offset;
        let bytes = self.up_to(count)?;
        let missing = count - bytes.len() as u64;
        if missing > 0 {
            return Err(self.truncated(missing, count, what, start));
        }
        Ok(bytes)
    }

    /// Fills `buffer` with the next bytes, called `what` in errors.
    ///
    /// # Errors
    /// [`Error`] where the file ends before, saying how many bytes are missing, or where it
    /// cannot be unpacked.
    pub fn fill(&mut self, buffer: &mut [u8], what: &str) -> Result<()> {
        let start = self.offset;
        match self.record(buffer, what)? {
            true => Ok(()),
            false => {
                let count = buffer.len() as u64;
                Err(self.truncated(count, count, what, start))
            }
        }
    }

    /// Fills `buffer` with the next bytes, or finds that the file ends here: false.
    ///
    /// # Errors
    /// As [`Self::fill`], where the file ends within the record.
    pub fn record(&mut self, buffer: &mut [u8], what: &str) -> Result<bool> {
        let (start, mut filled) = (self.offset, 0);
        while filled < buffer.len() {
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => {
                    let count = buffer.len() as u64;
                    return Err(self.truncated(count - filled as u64, count, what, start));
                }
                Ok(read) => {
                    filled += read;
                    self.offset += read as u64;
                }
                Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
                Err(cause) => return Err(self.failed(&cause)),
            }
        }
        Ok(true)
    }

    /// Everything up to the end of the file, which must come within `limit` bytes.
    ///
    /// # Errors
    /// [`Error`] where there is more, or where it cannot be unpacked.
    pub fn rest(&mut self, limit: u64) -> Result<Vec<u8>> {
        let bytes = self.up_to(limit)?;
        self.end()?;
        Ok(bytes)
    }

    /// Makes sure that nothing is left, and that checksums are right.
    ///
    /// # Errors
    /// [`Error`] where something is left.
    pub fn end(&mut self) -> Result<()> {
        let end = self.offset;
        if !self.record(&mut [0], "the end")? {
            return Ok(());
        }
        let left = match self.packing {
            None => format!("{} bytes of ", self.limit.saturating_sub(end).max(1)),
            Some(_) => String::new(),
        };
        Err(self.problem(format!("{left}trailing garbage from {}", self.at(end))))
    }

    /// The next `count` bytes, or fewer where the file ends.
    ///
    /// # Errors
    /// [`Error`] where it cannot be read or unpacked.
    pub fn up_to(&mut self, count: u64) -> Result<Vec<u8>> {
        let expected = self.plausible(count);
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(expected)
            .map_err(|_| self.problem(format!("{expected} bytes do not fit into memory")))?;
        let read = (&mut self.reader).take(count).read_to_end(&mut bytes);
        self.offset += bytes.len() as u64;
        read.map_err(|cause| self.failed(&cause))?;
        Ok(bytes)
    }

    fn truncated(&self, missing: u64, count: u64, what: &str, start: u64) -> Error {
        self.problem(format!(
            "truncated: {missing} of {count} bytes of {what} (from {}) are missing",
            self.at(start)
        ))
    }

    fn failed(&self, cause: &std::io::Error) -> Error {
        let position = self.position();
        if cause.kind() == ErrorKind::FileTooLarge {
            let problem = format!("unpacks to more than {} bytes at {position}", self.most);
            return Error::new(&self.path, problem).with_hint(STORE_PLAIN);
        }
        self.problem(match self.packing {
            Some(packing) if cause.kind() == ErrorKind::UnexpectedEof => {
                format!("truncated: the {packing} data end at {position}")
            }
            Some(packing) => format!("broken {packing} at {position}: {cause}"),
            None => format!("cannot be read at {position}: {cause}"),
        })
    }
}

/// Refuses what comes after `left` more bytes, with [`ErrorKind::FileTooLarge`].
struct Bounded<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or(ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
