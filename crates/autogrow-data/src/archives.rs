//! Where the contents of listed pictures are: files in a folder, or members of a tar archive that
//! is never unpacked.

use crate::class_folders::is_image;
use crate::error::of_file;
use crate::listing::Listing;
use autogrow_core::{Error, Result};
use autogrow_formats::picture::size;
use autogrow_formats::{ReadAt, tar};
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of a picture's file at most.
const LARGEST: u64 = 256 << 20;
/// Bytes within which most headers of pictures end, those of cameras with a small picture in them too.
const HEADER: u64 = 128 << 10;

/// Listed pictures and where they are.
pub(crate) type Part = (Listing, Store);

/// Where pictures are read from, from any thread.
#[derive(Clone, Debug)]
pub(crate) enum Store {
    /// Files below this folder.
    Folder(PathBuf),
    /// Members of this archive.
    Archive(Archive),
}

/// An archive that stays open.
#[derive(Clone, Debug)]
pub(crate) struct Archive {
    path: PathBuf,
    file: Arc<File>,
}

impl Store {
    /// What errors call a listed picture.
    pub(crate) fn path(&self, listing: &Listing, index: usize) -> PathBuf {
        match self {
            Self::Folder(root) => root.join(listing.name(index)),
            Self::Archive(archive) => archive.path.join(listing.name(index)),
        }
    }

    /// Width and height of a listed picture, as its header has them. A header is at the beginning of
    /// most files; all of a large one is read for the others alone.
    ///
    /// # Errors
    /// [`Error::Data`] where it cannot be read or is no header of a picture.
    pub(crate) fn size(&self, listing: &Listing, index: usize) -> Result<[u32; 2]> {
        let (path, beginning) = self.read_up_to(listing, index, HEADER)?;
        size(&path, &beginning).or_else(|_| {
            let (path, content) = self.read(listing, index)?;
            size(&path, &content).map_err(of_file)
        })
    }

    /// The content of a listed picture, and what errors call it.
    ///
    /// # Errors
    /// [`Error::Data`] where it cannot be read.
    pub(crate) fn read(&self, listing: &Listing, index: usize) -> Result<(PathBuf, Vec<u8>)> {
        self.read_up_to(listing, index, LARGEST)
    }

    /// The same of its first `most` bytes.
    fn read_up_to(&self, listing: &Listing, index: usize, most: u64) -> Result<(PathBuf, Vec<u8>)> {
        let path = self.path(listing, index);
        let content = match (self, listing.place(index)) {
            (Self::Archive(archive), Some((offset, length))) => {
                let mut content = vec![0; u64::from(length).min(most) as usize];
                archive.file.read_exact_at(offset, &mut content).map(|()| content)
            }
            _ => File::open(&path).and_then(|file| {
                let length = file.metadata()?.len();
                let mut content = Vec::with_capacity(length.min(most) as usize);
                file.take(most).read_to_end(&mut content)?;
                Ok(content)
            }),
        };
        match content {
            Ok(content) => Ok((path, content)),
            Err(cause) => Err(Error::data(path, format!("cannot be read: {cause}"))
                .with_hint("the file has to be there, and readable")),
        }
    }
}

/// Bytes of each end of a file that [`Store::ends`] reads.
const END: u64 = 32 << 10;

impl Store {
    /// The length of a listed picture's file and the bytes of both ends: all of it, where it is small.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(crate) fn ends(&self, listing: &Listing, index: usize) -> std::io::Result<Vec<u8>> {
        let path = self.path(listing, index);
        let open;
        let (file, offset, length) = match (self, listing.place(index)) {
            (Self::Archive(archive), Some((offset, length))) => {
                (&*archive.file, offset, u64::from(length))
            }
            _ => {
                open = File::open(path)?;
                let length = open.metadata()?.len();
                (&open, 0, length)
            }
        };
        let (first, last) = (length.min(END), length.saturating_sub(END).min(END));
        let mut ends = vec![0; (first + last) as usize];
        let (start, end) = ends.split_at_mut(first as usize);
        file.read_exact_at(offset, start)?;
        file.read_exact_at(offset + length - last, end)?;
        ends.extend(length.to_le_bytes());
        Ok(ends)
    }
}

impl Archive {
    /// Opens an archive.
    ///
    /// # Errors
    /// [`Error::Data`] where it cannot be opened.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path)
            .map_err(|cause| Error::data(path, format!("cannot be read: {cause}")))?;
        Ok(Self { path: path.into(), file: Arc::new(file) })
    }

    /// The pictures in a part of the archive, sorted by name; their label is for the caller to
    /// give.
    ///
    /// # Errors
    /// [`Error::Data`] where that part is no archive.
    pub(crate) fn pictures(&self, within: Range<u64>) -> Result<Vec<(String, (u64, u32))>> {
        let mut pictures = self.members(within)?;
        pictures.retain(|(name, ..)| is_image(name));
        let mut listed = Vec::with_capacity(pictures.len());
        for (name, offset, length) in pictures {
            let length = u32::try_from(length).ok().filter(|&length| length as u64 <= LARGEST);
            let length = length.ok_or_else(|| {
                Error::data(self.path.join(&name), "is too large to be a picture")
            })?;
            listed.push((name, (offset, length)));
        }
        listed.sort_unstable();
        Ok(listed)
    }

    /// Archives within the archive: name without `.tar`, and place; sorted by name.
    ///
    /// # Errors
    /// As [`Self::pictures`].
    pub(crate) fn archives(&self) -> Result<Vec<(String, Range<u64>)>> {
        let members = self.members(self.all()?)?.into_iter();
        let mut archives: Vec<_> = members
            .filter_map(|(name, offset, length)| {
                Some((name.strip_suffix(".tar")?.to_string(), offset..offset + length))
            })
            .collect();
        archives.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(archives)
    }

    /// All of it.
    ///
    /// # Errors
    /// [`Error::Data`] where its length cannot be had.
    pub(crate) fn all(&self) -> Result<Range<u64>> {
        let metadata = self.file.metadata();
        let metadata = metadata
            .map_err(|cause| Error::data(&self.path, format!("cannot be read: {cause}")))?;
        Ok(0..metadata.len())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn members(&self, within: Range<u64>) -> Result<Vec<(String, u64, u64)>> {
        let mut members = Vec::new();
        let walked = tar::members(&self.path, &*self.file, within, |member| {
            let name = member.name.strip_prefix("./").unwrap_or(member.name);
            members.push((name.to_string(), member.offset, member.length));
            Ok(())
        });
        walked.map_err(of_file)?;
        Ok(members)
    }
}
