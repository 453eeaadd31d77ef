//! [`Mismatch`]: how a file differs from the published one.

/// How a file differs from the published one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// It is longer or shorter.
    #[error("has {found} bytes instead of {expected}")]
    Size {
        /// Bytes of the published file.
        expected: u64,
        /// Bytes of this one.
        found: u64,
    },
    /// Its checksum is another.
    #[error("has the {algorithm} {found} instead of {expected}")]
    Sum {
        /// `MD5` or `SHA-256`.
        algorithm: &'static str,
        /// That of the published file, in hexadecimal.
        expected: String,
        /// That of this one.
        found: String,
    },
}
