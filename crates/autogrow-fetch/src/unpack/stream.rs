//! The bytes of a `tar` stream, compressed or not, with an end to them.

use super::refusal::Reason;
use flate2::bufread::GzDecoder;
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::rc::Rc;

/// How many times its size an archive may unpack to. Pictures hardly shrink at all; `gzip` reaches
/// a thousand.
const RATIO: u64 = 100;
/// Bytes that may be unpacked before ratios mean anything.
const SLACK: u64 = 1 << 20;
/// How a compressed file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What is known of a stream while others read it.
#[derive(Clone, Default)]
pub(super) struct Gauge {
    /// Bytes that came out.
    plain: Rc<Cell<u64>>,
    /// Bytes that went in.
    packed: Rc<Cell<u64>>,
    /// Whether the end was reached.
    ended: Rc<Cell<bool>>,
}

impl Gauge {
    /// Bytes of the stream that were read.
    pub(super) fn position(&self) -> u64 {
        self.plain.get()
    }

    /// Whether there is no more.
    pub(super) fn ended(&self) -> bool {
        self.ended.get()
    }
}

/// A `tar` stream. Errors carry a [`Reason`].
pub(super) struct Stream<R: Read> {
    source: Source<R>,
    gauge: Gauge,
    at_most: u64,
    /// What to say where there is more.
    allowed: u64,
}

enum Source<R: Read> {
    Plain(Start<R>),
    Gzip(Box<GzDecoder<BufReader<Start<R>>>>),
}

/// The archive, its first bytes having been looked at.
type Start<R> = Chain<Cursor<Vec<u8>>, Counted<R>>;

impl<R: Read> Stream<R> {
    /// Unpacks `reader` where it is compressed. The stream has at most `overhead` bytes more than
    /// the `allowed` ones of its files.
    pub(super) fn new(reader: R, allowed: u64, overhead: u64) -> Result<Self, Reason> {
        let gauge = Gauge::default();
        let mut counted = Counted { inner: reader, bytes: gauge.packed.clone() };
        let mut first = Vec::new();
        let looked = (&mut counted).take(GZIP.len() as u64).read_to_end(&mut first);
        looked.map_err(|error| Reason::Unreadable(error.to_string()))?;
        let is_packed = first == GZIP;
        let start = Cursor::new(first).chain(counted);
        let source = if is_packed {
            Source::Gzip(Box::new(GzDecoder::new(BufReader::new(start))))
        } else {
            Source::Plain(start)
        };
        Ok(Self { source, gauge, at_most: allowed.saturating_add(overhead), allowed })
    }

    /// What is known of it from now on.
    pub(super) fn gauge(&self) -> Gauge {
        self.gauge.clone()
    }

    /// Reads what follows the last member: zeros, and nothing behind the compressed data.
    pub(super) fn finish(mut self) -> Result<(), Reason> {
        let mut block = [0; 4096];
        loop {
            match self.read(&mut block).map_err(reason)? {
                0 => break,
                read if block[..read].iter().any(|&byte| byte != 0) => {
                    return Err(Reason::AfterEnd);
                }
                _ => {}
            }
        }
        match &mut self.source {
            Source::Plain(_) => Ok(()),
            Source::Gzip(decoder) => match decoder.get_mut().fill_buf() {
                Ok([]) => Ok(()),
                Ok(_) => Err(Reason::AfterEnd),
                Err(error) => Err(Reason::Unreadable(error.to_string())),
            },
        }
    }
}

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.source {
            Source::Plain(reader) => reader.read(block),
            Source::Gzip(decoder) => decoder.read(block),
        };
        let read = match read {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                return Err(io::Error::other(match (error.raw_os_error(), error.kind()) {
                    (Some(_), _) => Reason::Unreadable(error.to_string()),
                    (None, io::ErrorKind::UnexpectedEof) => Reason::Truncated,
                    (None, _) => Reason::Compression(error.to_string()),
                }));
            }
        };
        let gauge = &self.gauge;
        gauge.ended.set(read == 0 && !block.is_empty());
        gauge.plain.set(gauge.plain.get() + read as u64);
        if gauge.plain.get() > self.at_most {
            return Err(io::Error::other(Reason::Bytes(self.allowed)));
        }
        let is_packed = matches!(self.source, Source::Gzip(_));
        if is_packed && gauge.plain.get() > SLACK + RATIO * gauge.packed.get() {
            return Err(io::Error::other(Reason::Ratio(RATIO)));
        }
        Ok(read)
    }
}

/// The reason that an error of a stream, or of who reads it, carries.
pub(super) fn reason(error: io::Error) -> Reason {
    error.downcast::<Reason>().unwrap_or_else(|error| Reason::Header(error.to_string()))
}

/// A reader that counts.
pub(super) struct Counted<R> {
    inner: R,
    bytes: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(block)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
}
