//! The names of a set's pictures, which may be more than a million: one text and where each name
//! ends in it, in place of a path of its own for each.

use autogrow_core::{Error, Result};
use std::path::Path;

/// Pictures that are not decoded yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    names: String,
    ends: Vec<u32>,
    labels: Vec<u16>,
    /// In an archive: where the content starts, and how long it is.
    places: Vec<(u64, u32)>,
    /// A hash of the content of each, where they were looked at.
    marks: Vec<u64>,
}

impl Listing {
    /// Adds a picture in a folder, by its path below `root`, with `/` between folders.
    ///
    /// # Errors
    /// [`Error::Data`] about `root` where names together are longer than 4 GB.
    pub(crate) fn push(&mut self, root: &Path, name: &str, label: u16) -> Result<()> {
        self.names.push_str(name);
        let end = u32::try_from(self.names.len());
        let end = end.map_err(|_| Error::data(root, "the names of its files are too long"))?;
        self.ends.push(end);
        self.labels.push(label);
        Ok(())
    }

    /// Adds a picture in an archive, by its name and its place.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) fn push_member(
        &mut self,
        archive: &Path,
        name: &str,
        label: u16,
        place: (u64, u32),
    ) -> Result<()> {
        self.push(archive, name, label)?;
        self.places.push(place);
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn labels(&self) -> &[u16] {
        &self.labels
    }

    pub(crate) fn name(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.names[start as usize..self.ends[index] as usize]
    }

    /// The same pictures with a hash of the content of each.
    pub(crate) fn marked(self, marks: Vec<u64>) -> Self {
        Self { marks, ..self }
    }

    /// A hash of the content of each; none where nobody looked.
    pub(crate) fn marks(&self) -> &[u64] {
        &self.marks
    }

    /// Where a picture lies in its archive, if it is in one.
    pub(crate) fn place(&self, index: usize) -> Option<(u64, u32)> {
        self.places.get(index).copied()
    }

    /// The pictures that are not `chosen`, and those that are.
    pub(crate) fn divide(&self, root: &Path, chosen: &[bool]) -> Result<[Self; 2]> {
        let mut parts = [Self::default(), Self::default()];
        for (index, &chosen) in chosen.iter().enumerate() {
            let part = &mut parts[usize::from(chosen)];
            part.push(root, self.name(index), self.labels[index])?;
            part.places.extend(self.place(index));
            part.marks.extend(self.marks.get(index));
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_labels_and_places_stay_together() {
        let root = Path::new("root");
        let mut listing = Listing::default();
        for (index, name) in ["a/1.png", "", "größe", "b/2.png"].into_iter().enumerate() {
            let place = (10 * index as u64, index as u32);
            listing.push_member(root, name, index as u16, place).unwrap();
        }
        assert_eq!((listing.len(), listing.name(2), listing.name(1)), (4, "größe", ""));
        let [rest, chosen] = listing.divide(root, &[false, true, true, false]).unwrap();
        assert_eq!(
            (rest.name(1), rest.labels(), rest.place(1)),
            ("b/2.png", &[0, 3][..], Some((30, 3)))
        );
        assert_eq!(
            (chosen.name(1), chosen.labels(), chosen.place(0)),
            ("größe", &[1, 2][..], Some((10, 1)))
        );
    }
}
