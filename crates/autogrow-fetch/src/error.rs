//! What can go wrong when a set is fetched, each with its cause and what to do about it.

use crate::http::Problem;
use crate::mismatch::Mismatch;
use crate::refusal::Refusal;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a set is not there.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No set of this name is in the catalogue.
    Unknown {
        /// The name as the user wrote it.
        name: String,
        /// Every valid name.
        known: Vec<String>,
    },
    /// The address of a mirror is none.
    Mirror {
        /// The address as the user wrote it.
        address: String,
    },
    /// There is neither a folder for data nor a home folder.
    NoPlace,
    /// Its publishers give the set out by hand.
    ByHand {
        /// Name of the set.
        set: String,
        /// What to do.
        how_to_get: String,
    },
    /// The folder with files fetched by hand lacks one.
    NotGiven {
        /// The folder.
        folder: PathBuf,
        /// The file that is not there.
        file: String,
        /// Where it can be fetched.
        page: String,
    },
    /// A file that was fetched by hand is not the published one.
    Wrong {
        /// The file.
        path: PathBuf,
        /// What distinguishes it.
        mismatch: Mismatch,
    },
    /// No address had the file.
    Unavailable {
        /// Where it was to be put.
        target: PathBuf,
        /// Every address, and what was wrong there.
        tried: Vec<Failure>,
    },
    /// An archive holds what no published archive does.
    Refused {
        /// The archive.
        archive: PathBuf,
        /// What is in it.
        refusal: Refusal,
    },
    /// Another process is at the same set.
    Busy {
        /// The folder of the set.
        folder: PathBuf,
    },
    /// A file or folder could not be read or written.
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried: "read", "written".
        doing: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The catalogue cannot be read.
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

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path() {
            Some(path) => write!(f, "{}: {}", path.display(), self.problem()),
            None => write!(f, "{}", self.problem()),
        }
    }
}

impl FetchError {
    /// The file or folder that it is about, where there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::NotGiven { folder: path, .. }
            | Self::Wrong { path, .. }
            | Self::Unavailable { target: path, .. }
            | Self::Refused { archive: path, .. }
            | Self::Busy { folder: path }
            | Self::Io { path, .. } => Some(path),
            Self::Unknown { .. }
            | Self::Mirror { .. }
            | Self::NoPlace
            | Self::ByHand { .. }
            | Self::Catalogue { .. } => None,
        }
    }

    /// What is wrong, to be read after the path.
    pub fn problem(&self) -> String {
        match self {
            Self::Unknown { name, .. } => format!("unknown data set `{name}`"),
            Self::Mirror { address } => format!("`{address}` is no address of a mirror"),
            Self::NoPlace => "there is no folder to put data sets into".into(),
            Self::ByHand { set, .. } => format!("{set} is not given out to everybody"),
            Self::NotGiven { file, .. } => format!("there is no {file}"),
            Self::Wrong { mismatch, .. } => mismatch.to_string(),
            Self::Unavailable { tried, .. } => format!("could not be fetched\n{}", lines(tried)),
            Self::Refused { refusal, .. } => refusal.to_string(),
            Self::Busy { .. } => "another process is fetching this set".into(),
            Self::Io { doing, source, .. } => format!("cannot be {doing} ({source})"),
            Self::Catalogue { problem } => format!("the catalogue is wrong: {problem}"),
        }
    }

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
            Self::Unavailable { tried, .. }
                if tried.iter().any(|of| matches!(of.problem, Problem::Certificate(_))) =>
            {
                "a proxy that looks into connections, or a server of your own, has a certificate of an \
                 authority that this machine does not trust: add that to the system's certificates, or \
                 name its file in SSL_CERT_FILE. A wrong clock does the same"
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
        assert!(
            error.to_string().ends_with("\n  http://example.org/train_32x32.mat: answered 404")
        );
        assert!(error.hint().contains("fetch http://example.org/train_32x32.mat with a browser"));
        assert!(error.hint().contains("--from") && error.hint().contains("--mirror"));
    }
}
