//! Why an archive is not unpacked.

use std::fmt;

/// A reason, and where in the archive it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The member's name, with what is not printable escaped; none where no member is to blame.
    pub member: Option<String>,
    /// Bytes of the unpacked `tar` stream before the member, or before the place.
    pub offset: u64,
    /// What is wrong.
    pub reason: Reason,
}

/// What no published archive does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Not a file or folder: links, devices, pipes, and members that describe other members.
    #[error("is {0}, where only files and folders may be")]
    Kind(&'static str),
    /// No name at all.
    #[error("has no name")]
    Nameless,
    /// A path from the root.
    #[error("has an absolute path")]
    Absolute,
    /// A path with `..`.
    #[error("has a path that leads out of the folder")]
    LeadsOut,
    /// A path with an empty name in the middle.
    #[error("has a path with an empty name in it")]
    EmptyName,
    /// Bytes after the name's end, which other programs may read.
    #[error("has a NUL byte in its name")]
    Nul,
    /// Letters that are not the same on every system, or not printable.
    #[error("has a name that is not printable ASCII")]
    NotAscii,
    /// What Windows reads as a drive, a stream, a device or another name.
    #[error("has a name that Windows reads as something else")]
    Windows,
    /// A path that some system cannot hold.
    #[error("has a path of more than {0} bytes")]
    LongPath(usize),
    /// More folders in folders than any set has.
    #[error("lies more than {0} folders deep")]
    Deep(usize),
    /// Twice the same path, upper and lower case being the same.
    #[error("is there twice")]
    Twice,
    /// A file and a folder have the same path.
    #[error("is a file in one place and a folder in another")]
    FileAndFolder,
    /// A folder with content of its own.
    #[error("is a folder of {0} bytes")]
    FullFolder(u64),
    /// More than the published archive has.
    #[error("there are more than {0} members")]
    Members(usize),
    /// More than the published archive has.
    #[error("there are more than the {0} bytes that it may unpack to")]
    Bytes(u64),
    /// Compressed more than data can be.
    #[error("it unpacks to more than {0} times its size")]
    Ratio(u64),
    /// The archive ends too early.
    #[error("truncated: the archive ends here")]
    Truncated,
    /// Something follows the archive.
    #[error("something follows the end of the archive")]
    AfterEnd,
    /// A header that contradicts itself.
    #[error("damaged header ({0})")]
    Header(String),
    /// Compressed data that contradict themselves.
    #[error("damaged compression ({0})")]
    Compression(String),
    /// The archive lacks what the set is known to hold.
    #[error("`{0}` is not in it")]
    Lacks(String),
    /// The archive cannot be read at all.
    #[error("cannot be read ({0})")]
    Unreadable(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.member {
            Some(member) => write!(f, "member `{member}` at byte {}: {}", self.offset, self.reason),
            None => write!(f, "at byte {}: {}", self.offset, self.reason),
        }
    }
}

impl std::error::Error for Refusal {}
