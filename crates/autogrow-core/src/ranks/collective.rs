//! Sums, broadcasts and agreement, made of [`Transport::exchange`](super::Transport::exchange)
//! alone. Numbers are added in the order of ranks, whatever the transport.

use super::Ranks;
use crate::share::Share;
use crate::{Error, Result};
use std::sync::atomic::Ordering;

impl Ranks {
    /// Replaces `numbers` by their sums over all ranks: the same bits everywhere, and the same from
    /// run to run.
    ///
    /// Each rank adds up one part and hands it to all others, so that it sends `2 (n - 1) / n` times
    /// the bytes of `numbers`, the least that is possible.
    ///
    /// # Errors
    /// [`Error::Ranks`] where a rank is lost.
    pub fn sum(&self, numbers: &mut [f32]) -> Result<()> {
        if !self.are_several() {
            return Ok(());
        }
        let (rank, size) = (self.rank(), self.size());
        let part = |index| Share { index, of: size }.range(numbers.len());
        let parts: Vec<_> = (0..size).map(part).collect();
        let outgoing: Vec<Vec<u8>> =
            parts.iter().map(|part| to_bytes(&numbers[part.clone()])).collect();
        let mut incoming = vec![vec![0; outgoing[rank].len()]; size];
        self.exchange(&outgoing, &mut incoming)?;
        incoming[rank].copy_from_slice(&outgoing[rank]);

        let own = &mut numbers[parts[rank].clone()];
        own.fill(0.0);
        for bytes in &incoming {
            own.iter_mut().zip(floats(bytes)).for_each(|(sum, number)| *sum += number);
        }
        let outgoing = vec![to_bytes(own); size];
        let mut incoming: Vec<_> = parts.iter().map(|part| vec![0; 4 * part.len()]).collect();
        self.exchange(&outgoing, &mut incoming)?;
        for (from, (part, bytes)) in parts.into_iter().zip(&incoming).enumerate() {
            if from != rank {
                numbers[part].iter_mut().zip(floats(bytes)).for_each(|(to, sum)| *to = sum);
            }
        }
        Ok(())
    }

    /// The numbers of every rank, in the order of ranks; as many on each.
    ///
    /// # Errors
    /// [`Error::Ranks`] where a rank is lost.
    pub fn gather(&self, own: &[f64]) -> Result<Vec<Vec<f64>>> {
        if !self.are_several() {
            return Ok(vec![own.to_vec()]);
        }
        let bytes: Vec<u8> = own.iter().flat_map(|number| number.to_le_bytes()).collect();
        let gathered = self.gather_bytes(bytes)?;
        let numbers = |bytes: &Vec<u8>| {
            let words = bytes.as_chunks::<8>().0;
            words.iter().map(|word| f64::from_le_bytes(*word)).collect()
        };
        Ok(gathered.iter().map(numbers).collect())
    }

    /// Sums over all ranks of a few numbers.
    ///
    /// # Errors
    /// [`Error::Ranks`] where a rank is lost.
    pub fn sums<const N: usize>(&self, own: [f64; N]) -> Result<[f64; N]> {
        let mut sums = [0.0; N];
        for numbers in self.gather(&own)? {
            sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
        }
        Ok(sums)
    }

    /// What the first rank has, on all; the others' is not looked at.
    ///
    /// # Errors
    /// [`Error::Ranks`] where a rank is lost.
    pub fn broadcast(&self, own: Vec<u8>) -> Result<Vec<u8>> {
        if !self.are_several() {
            return Ok(own);
        }
        let lengths = self.gather(&[own.len() as f64])?;
        let length = lengths[0][0] as usize;
        let mut outgoing = vec![Vec::new(); self.size()];
        let mut incoming = outgoing.clone();
        if self.is_first() {
            outgoing.fill(own);
            self.exchange(&outgoing, &mut incoming)?;
            Ok(outgoing.swap_remove(0))
        } else {
            incoming[0] = vec![0; length];
            self.exchange(&outgoing, &mut incoming)?;
            Ok(incoming.swap_remove(0))
        }
    }

    /// Waits until all ranks are here.
    ///
    /// # Errors
    /// [`Error::Ranks`] where a rank is lost.
    pub fn barrier(&self) -> Result<()> {
        self.gather(&[0.0]).map(|_| ())
    }

    /// The value, if no rank has failed; else every rank returns the error of the first that has,
    /// as [`Error::Elsewhere`].
    ///
    /// # Errors
    /// As said.
    pub fn agree<T>(&self, result: Result<T>) -> Result<T> {
        if !self.are_several() {
            return result;
        }
        let failed = self.gather(&[f64::from(u8::from(result.is_err()))])?;
        let Some(first) = failed.iter().position(|failed| failed[0] > 0.0) else { return result };
        self.0.failed.store(true, Ordering::Relaxed);
        let own = result.as_ref().err().map_or_else(Vec::new, told);
        let lengths = self.gather(&[own.len() as f64])?;
        let mut incoming: Vec<_> =
            lengths.iter().map(|length| vec![0; length[0] as usize]).collect();
        let outgoing = vec![own; self.size()];
        self.exchange(&outgoing, &mut incoming)?;
        if first == self.rank() {
            incoming[first].clone_from(&outgoing[first]);
        }
        match result {
            // The first rank speaks to the user: its own error is told as it is.
            Err(error) if first == 0 && self.is_first() => Err(error),
            _ => Err(elsewhere(first, &incoming[first])),
        }
    }

    /// Nothing, if all ranks have the same `bytes`; `what` says what they are of.
    ///
    /// # Errors
    /// [`Error::Ranks`] where they differ, on all ranks, or where a rank is lost.
    pub fn check_same(&self, what: &str, bytes: &[u8]) -> Result<()> {
        if !self.are_several() {
            return Ok(());
        }
        let hashes = self.gather_bytes(blake3::hash(bytes).as_bytes().to_vec())?;
        match hashes.iter().position(|hash| *hash != hashes[0]) {
            None => Ok(()),
            Some(other) => {
                self.0.failed.store(true, Ordering::Relaxed);
                Err(Error::ranks(format!("{what} of rank {other} are not those of rank 0"))
                    .with_hint(
                        "give all ranks the same program, settings and data, and processors of the \
                         same kind; `autogrow resume` goes on from the last checkpoint",
                    ))
            }
        }
    }

    /// As many bytes from every rank, in the order of ranks.
    fn gather_bytes(&self, own: Vec<u8>) -> Result<Vec<Vec<u8>>> {
        let mut incoming = vec![vec![0; own.len()]; self.size()];
        let outgoing = vec![own; self.size()];
        self.exchange(&outgoing, &mut incoming)?;
        incoming[self.rank()].clone_from(&outgoing[self.rank()]);
        Ok(incoming)
    }

    fn exchange(&self, outgoing: &[Vec<u8>], incoming: &mut [Vec<u8>]) -> Result<()> {
        let rank = self.rank();
        let others = outgoing.iter().enumerate().filter(|(other, _)| *other != rank);
        let bytes: usize = others.map(|(_, bytes)| bytes.len()).sum();
        self.0.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        let outgoing: Vec<&[u8]> = outgoing.iter().map(Vec::as_slice).collect();
        self.0.transport.exchange(&outgoing, incoming)
    }
}

fn to_bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word))
}

/// An error as it is told to other ranks: its exit code, its text and its hint.
fn told(error: &Error) -> Vec<u8> {
    let hint = error.hint().unwrap_or_default();
    [&[error.exit_code()], error.to_string().as_bytes(), b"\0", hint.as_bytes()].concat()
}

fn elsewhere(rank: usize, told: &[u8]) -> Error {
    let (exit_code, text) = told.split_first().unwrap_or((&1, &[]));
    let text = String::from_utf8_lossy(text);
    let (problem, hint) = text.split_once('\0').unwrap_or((&text, ""));
    let hint = (!hint.is_empty()).then(|| hint.to_string());
    Error::Elsewhere { rank, exit_code: *exit_code, problem: problem.into(), hint }
}
