//! A file from the first address that has it: begun, cut, gone on with, checked, published.

use crate::catalogue::File;
use crate::digest::compare;
use crate::error::{Failure, FetchError};
use crate::http::{Answer, Client, Patience, Problem, Resume};
use crate::part::{Notes, Part};
use crate::watch::{Event, Told};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

/// Bytes that are read at once.
const BLOCK: usize = 1 << 16;
/// A connection that brought so many bytes counts as one that works.
const PROGRESS: u64 = 1 << 16;
/// The longest pause before an address is asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Fetches `file` from the first of `addresses` that has it, to `target`. What an earlier attempt
/// left is gone on with.
///
/// # Errors
/// [`FetchError::Unavailable`] where no address has it; [`FetchError::Io`] where it cannot be
/// written.
pub(crate) fn download(
    file: &File,
    addresses: &[String],
    target: &Path,
    client: &Client,
    patience: &Patience,
    told: &mut Told<'_>,
) -> Result<(), FetchError> {
    let part = Part::of(target);
    let mut download = Download { file, part, client, patience, told };
    let mut tried = Vec::new();
    for address in addresses {
        match download.from(address)? {
            Ok(()) => return Ok(()),
            Err(problem) => {
                download.told.event(&Event::GivenUp { address, problem: &problem });
                tried.push(Failure { address: address.clone(), problem });
            }
        }
    }
    Err(FetchError::Unavailable { target: target.into(), tried })
}

struct Download<'a, 'b> {
    file: &'a File,
    part: Part,
    client: &'a Client,
    patience: &'a Patience,
    told: &'a mut Told<'b>,
}

/// What an attempt came to that was not cut.
enum End {
    /// The file is complete, and all of it is of this attempt.
    Whole,
    /// The file is complete; some of it was there before.
    Pieced,
}

impl Download<'_, '_> {
    /// Asks one address, again where that may help.
    fn from(&mut self, address: &str) -> Result<Result<(), Problem>, FetchError> {
        let mut in_vain = 0;
        // What was there before may be of another file: that is found out at the end, once.
        let mut may_restart = true;
        loop {
            let before = self.part.len();
            let (problem, restart) = match self.attempt(address)? {
                Ok(end) => match compare(self.part.path(), self.file, self.told)? {
                    Ok(()) => return self.part.publish().map(Ok),
                    Err(mismatch) => {
                        self.part.discard()?;
                        (Problem::Mismatch(mismatch), matches!(end, End::Pieced))
                    }
                },
                Err(problem @ Problem::Changed) => {
                    self.part.discard()?;
                    (problem, true)
                }
                Err(problem) => (problem, false),
            };
            if restart && may_restart {
                may_restart = false;
                continue;
            }
            if !problem.is_passing() {
                return Ok(Err(problem));
            }
            if self.part.len() >= before + PROGRESS {
                in_vain = 0;
            }
            in_vain += 1;
            if in_vain >= self.patience.attempts {
                return Ok(Err(problem));
            }
            let pause = Duration::from_secs(1 << (in_vain - 1).min(5)).min(LONGEST_PAUSE);
            self.told.event(&Event::Retrying { address, problem: &problem, pause });
            self.told.watcher.wait(pause);
        }
    }

    /// One request, and as much of the file as it brings.
    fn attempt(&mut self, address: &str) -> Result<Result<End, Problem>, FetchError> {
        let size = self.file.size;
        let mut there = self.part.len();
        if size.is_some_and(|size| there > size) {
            self.part.discard()?;
            there = 0;
        }
        if there > 0 && size == Some(there) {
            return Ok(Ok(End::Pieced));
        }
        let notes = self.part.notes().filter(|notes| notes.address == address);
        // Bytes of another address are gone on with as well: the checksum is the judge.
        let version = notes.as_ref().and_then(|notes| notes.version.as_deref());
        let resume = (there > 0).then_some(Resume { from: there, version });
        let (from, announced, version, body) = match self.client.get(address, resume.as_ref()) {
            Ok(Answer::File { from, size, version, body }) => (from, size, version, body),
            Ok(Answer::NoMore) => return Ok(Ok(End::Pieced)),
            Err(problem) => return Ok(Err(problem)),
        };
        if let Some((expected, announced)) = size.zip(announced).filter(|(one, other)| one != other)
        {
            return Ok(Err(Problem::Announced { expected, announced }));
        }
        self.told.event(&Event::Fetching { address, from });
        let output = if from == 0 {
            self.part.begin(&Notes { address: address.into(), version })?
        } else {
            self.part.go_on()?
        };
        let end = if from == 0 { End::Whole } else { End::Pieced };
        Ok(self.copy(body, output, from, size.or(announced))?.map(|()| end))
    }

    /// Appends the body to the part.
    fn copy(
        &mut self,
        mut body: impl Read,
        mut output: impl Write,
        from: u64,
        size: Option<u64>,
    ) -> Result<Result<(), Problem>, FetchError> {
        let mut block = vec![0; BLOCK];
        let mut bytes = from;
        loop {
            let read = match body.read(&mut block) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Err(self.client.reading(error, bytes))),
            };
            if let Some(expected) = size.filter(|size| bytes + read as u64 > *size) {
                // A part as long as the file would pass for complete.
                self.part.discard()?;
                return Ok(Err(Problem::TooLong { expected }));
            }
            let written = output.write_all(&block[..read]);
            written.map_err(FetchError::io(self.part.path(), "written"))?;
            bytes += read as u64;
            self.told.event(&Event::Fetched { bytes, size });
        }
        Ok(if size.is_some_and(|size| bytes < size) {
            Err(Problem::Cut { received: bytes })
        } else {
            Ok(())
        })
    }
}
