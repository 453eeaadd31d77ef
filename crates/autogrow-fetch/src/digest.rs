//! Whether a file is the published one: its length, then its MD5 and SHA-256 in one pass.

use crate::catalogue::File;
use crate::error::FetchError;
use crate::mismatch::Mismatch;
use crate::watch::{Event, Told};
use md5::Md5;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// Bytes that are read at once.
const BLOCK: usize = 1 << 18;

/// Compares the file at `path` with what is published of `file`.
///
/// # Errors
/// [`FetchError::Io`] where it cannot be read. That it differs is no error but the result.
pub(crate) fn compare(
    path: &Path,
    file: &File,
    told: &mut Told<'_>,
) -> Result<Result<(), Mismatch>, FetchError> {
    let mut reader = fs::File::open(path).map_err(FetchError::io(path, "read"))?;
    let found = reader.metadata().map_err(FetchError::io(path, "read"))?.len();
    if let Some(expected) = file.size.filter(|&expected| expected != found) {
        return Ok(Err(Mismatch::Size { expected, found }));
    }
    let (mut md5, mut sha256) = (Md5::new(), file.sha256.as_ref().map(|_| Sha256::new()));
    let mut bytes = 0;
    blocks(&mut reader, |block| {
        md5.update(block);
        if let Some(sha256) = &mut sha256 {
            sha256.update(block);
        }
        bytes += block.len() as u64;
        told.event(&Event::Checked { bytes, size: found });
        Ok(())
    })
    .map_err(FetchError::io(path, "read"))?;
    let differs = |algorithm, expected: &str, found: String| {
        (found != expected).then(|| Mismatch::Sum { algorithm, expected: expected.into(), found })
    };
    let sha256 = file.sha256.as_ref().zip(sha256).and_then(|(expected, sha256)| {
        differs("SHA-256", expected, format!("{:x}", sha256.finalize()))
    });
    let md5 = differs("MD5", &file.md5, format!("{:x}", md5.finalize()));
    Ok(md5.or(sha256).map_or(Ok(()), Err))
}

/// The SHA-256 of the file at `path`, in hexadecimal.
///
/// # Errors
/// What the system says.
pub(crate) fn sha256(path: &Path) -> io::Result<String> {
    let mut sum = Sha256::new();
    blocks(&mut fs::File::open(path)?, |block| {
        sum.update(block);
        Ok(())
    })?;
    Ok(format!("{:x}", sum.finalize()))
}

/// Hands all that `reader` has to `take`.
///
/// # Errors
/// Those of either.
pub(crate) fn blocks(
    reader: &mut impl Read,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    loop {
        match reader.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(read) => take(&block[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the RFCs 1321 and 6234 say of "abc".
    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn compare_with(size: Option<u64>, md5: &str, sha256: &str) -> Result<(), Mismatch> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "abc").unwrap();
        let (name, md5, sha256) = ("file".into(), md5.into(), Some(sha256.into()));
        let file = File { name, size, md5, sha256, unpacks: None };
        let mut told = Told { watcher: &mut (), set: "", file: "" };
        assert_eq!(super::sha256(&path).unwrap(), SHA256);
        compare(&path, &file, &mut told).unwrap()
    }

    #[test]
    fn length_and_both_sums_must_agree() {
        assert_eq!(compare_with(Some(3), MD5, SHA256), Ok(()));
        assert_eq!(compare_with(None, MD5, SHA256), Ok(()));
        let size = compare_with(Some(4), MD5, SHA256);
        assert_eq!(size, Err(Mismatch::Size { expected: 4, found: 3 }));
        let zeros = "0".repeat(64);
        let text = |result: Result<(), Mismatch>| result.unwrap_err().to_string();
        let expected = format!("has the MD5 {MD5} instead of {}", &zeros[..32]);
        assert_eq!(text(compare_with(Some(3), &zeros[..32], SHA256)), expected);
        let expected = format!("has the SHA-256 {SHA256} instead of {zeros}");
        assert_eq!(text(compare_with(Some(3), MD5, &zeros)), expected);
    }
}
