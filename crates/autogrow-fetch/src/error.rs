//! What can go wrong when a set is fetched, each with its cause and what to do about it.

use crate::digest::Mismatch;
use crate::http::Problem;
use crate::unpack::Refusal;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a set is not there.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No set of this name is in the catalogue.
    #[error("unknown data set `{name}`")]
    Unknown {
        /// The name as the user wrote it.
        name: String,
        /// Every valid name.
        known: Vec<String>,
    },
    /// The address of a mirror is none.
    #[error("`{address}` is no address of a mirror")]
    Mirror {
        /// The address as the user wrote it.
        address: String,
    },
    /// There is neither a folder for data nor a home folder.
    #[error("there is no folder to put data sets into")]
    NoPlace,
    /// Its publishers give the set out by hand.
    #[error("{set} is not given out to everybody")]
    ByHand {
        /// Name of the set.
        set: String,
        /// What to do.
        how_to_get: String,
    },
    /// The folder with files fetched by hand lacks one.
    #[error("{}: there is no {file}", .folder.display())]
    NotGiven {
        /// The folder.
        folder: PathBuf,
        /// The file that is not there.
        file: String,
        /// Where it can be fetched.
        page: String,
    },
    /// A file that was fetched by hand is not the published one.
    #[error("{}: {mismatch}", .path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What distinguishes it.
        mismatch: Mismatch,
    },
    /// No address had the file.
    #[error("{}: could not be fetched\n{}", .target.display(), lines(.tried))]
    Unavailable {
        /// Where it was to be put.
        target: PathBuf,
        /// Every address, and what was wrong there.
        tried: Vec<Failure>,
    },
    /// An archive holds what no published archive does.
    #[error("{}: {refusal}", .archive.display())]
    Refused {
        /// The archive.
        archive: PathBuf,
        /// What is in it.
        refusal: Refusal,
    },
    /// Another process is at the same set.
    #[error("{}: another process is fetching this set", .folder.display())]
    Busy {
        /// The folder of the set.
        folder: PathBuf,
    },
    /// A file or folder could not be read or written.
    #[error("{}: cannot be {doing} ({source})", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried: "read", "written".
        doing: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The catalogue cannot be read.
    #[error("the catalogue is wrong: {problem}")]
    Catalogue {
        /// Where and why.
        problem: String,
    },
}

/// An address that did not have a file.
#[derive(Debug)]
pub struct Failure {
    /// The address of the file.
    pub address: String,
    /// What was wrong there.
    pub problem: Problem,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {}: {}", self.address, self.problem)
    }
}

fn lines(tried: &[Failure]) -> String {
    tried.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl FetchError {
    /// Whether it is about what the user typed, not about data or the network.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Mirror { .. } | Self::NoPlace)
    }

    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { known, .. } => format!("valid: {}", known.join(", ")),
            Self::Mirror { .. } => "an address begins with http:// or https://".into(),
            Self::NoPlace => "name a folder with --dir, or with AUTOGROW_DATA".into(),
            Self::ByHand { how_to_get, .. } => how_to_get.clone(),
            Self::NotGiven { page, .. } => {
                format!("{page} says where it can be had; its name must stay as published")
            }
            Self::Wrong { .. } => {
                "the file is damaged or another version: fetch it once more, from another place \
                 if need be"
                    .into()
            }
            Self::Unavailable { tried, .. } => {
                let by_hand = match tried.first() {
                    Some(first) => format!("fetch {} with a browser", first.address),
                    None => "fetch the file by hand".into(),
                };
                format!(
                    "the same command goes on where this one stopped; or {by_hand} and name its \
                     folder with --from; or name another server with --mirror. HTTPS_PROXY is \
                     respected"
                )
            }
            Self::Refused { .. } => {
                "nothing was unpacked; the archive is not the published one".into()
            }
            Self::Busy { .. } => "wait until it has ended".into(),
            Self::Io { source, path, .. } if source.kind() == io::ErrorKind::StorageFull => {
                format!(
                    "make room on the disk of {}, or choose another with --dir; the same command \
                     goes on where this one stopped",
                    path.parent().unwrap_or(path).display()
                )
            }
            Self::Io { .. } => "check that the folder is there and yours, or use --dir".into(),
            Self::Catalogue { .. } => "this is a bug".into(),
        }
    }

    /// Makes an error of what the system says of a file.
    pub(crate) fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.into(), doing, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_file_to_fetch_by_hand_are_named() {
        let path = Path::new("/data/svhn/train_32x32.mat.part");
        let full = FetchError::io(path, "written")(io::ErrorKind::StorageFull.into());
        assert!(full.hint().starts_with("make room on the disk of /data/svhn, or"), "{full}");
        assert!(full.to_string().starts_with("/data/svhn/train_32x32.mat.part: cannot be written"));

        let address = "http://example.org/train_32x32.mat".to_string();
        let tried = vec![Failure { address, problem: Problem::Status(404) }];
        let error = FetchError::Unavailable { target: "/data/train_32x32.mat".into(), tried };
        assert!(error.to_string().ends_with("\n  http://example.org/train_32x32.mat: answered 404"));
        assert!(error.hint().contains("fetch http://example.org/train_32x32.mat with a browser"));
        assert!(error.hint().contains("--from") && error.hint().contains("--mirror"));
    }
}
