//! A look at a folder of pictures before it is opened: how many there are, and how large.

use crate::archives::{Part, Store};
use crate::class_folders::{classes, list_some};
use crate::layout::layout;
use crate::waiting::Waiting;
use autogrow_core::Result;
use rayon::prelude::*;
use std::path::Path;
use tracing::subscriber::{NoSubscriber, with_default};

/// Pictures whose size is looked at, spread evenly.
const SIZED: usize = 100;

/// What the pictures of a folder are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Pictures to train on, with those that are set aside of them where no tests are published.
    pub pictures: usize,
    /// The median of their shorter sides, in pixels.
    pub shorter_side: usize,
}

/// Looks at the training pictures in `root`, a folder as the data set `folder` takes it. What there is to
/// warn of is left to the opening of the set.
///
/// # Errors
/// [`autogrow_core::Error::Data`] as where the set is opened; none of its pictures need be readable.
pub fn survey(root: &Path) -> Result<Survey> {
    let (listing, store): Part = with_default(NoSubscriber::default(), || {
        let train = layout(root)?.train;
        let (listing, _) = list_some(&train, &classes(&train)?)?;
        Ok((listing, Store::Folder(train)))
    })?;
    let pictures = listing.len();
    let looked_at = pictures.min(SIZED);
    let waiting = Waiting::for_pass("looking at sizes", looked_at);
    let shorter_side = |part: usize| {
        let size = store.size(&listing, part * pictures / looked_at);
        waiting.add(1);
        size.ok()?.into_iter().min()
    };
    let mut sides: Vec<u32> = (0..looked_at).into_par_iter().filter_map(shorter_side).collect();
    sides.sort_unstable();
    let shorter_side = sides.get(sides.len() / 2).map_or(0, |&side| side as usize);
    Ok(Survey { pictures, shorter_side })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fixture, pictures};

    #[test]
    fn training_pictures_are_counted_and_measured() {
        let survey_of = |names: &[&str]| survey(pictures(names).path());
        let set = survey_of(&["a/1.png", "a/2.png", "b/3.png"]).unwrap();
        assert_eq!(set.pictures, 3);
        assert!(set.shorter_side > 1, "{set:?}");
        let parts = ["train/a/1.png", "train/b/2.png", "test/a/3.png"];
        assert_eq!(survey_of(&parts).unwrap(), Survey { pictures: 2, ..set });
        assert!(survey_of(&["a/notes.txt"]).is_err());
        assert_eq!(survey(&fixture("folder")).unwrap().pictures, 6);
    }
}
