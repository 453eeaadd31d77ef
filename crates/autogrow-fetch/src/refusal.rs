//! [`Refusal`]: why an archive is not unpacked.

/// Why an archive is not unpacked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A link, a device, a pipe, or something that describes another member.
    #[error("`{0}` is neither a file nor a folder")]
    Kind(String),
    /// A path from the root, or with `..`.
    #[error("`{0}` leads out of the folder")]
    LeadsOut(String),
    /// More than the published archive has.
    #[error("there are more than {0} members")]
    Members(usize),
    /// More than the published archive has.
    #[error("there are more than the {0} bytes that it may unpack to")]
    Bytes(u64),
    /// The archive lacks what the set is known to hold, or ends before.
    #[error("`{0}` is not in it, or not all of it")]
    Lacks(String),
    /// It cannot be read as a `.tar.gz`.
    #[error("damaged ({0})")]
    Damaged(String),
}
