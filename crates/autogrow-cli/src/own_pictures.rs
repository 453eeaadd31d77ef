//! With what pictures of one's own are trained where no network is named: by their size and number.

use autogrow::config::{Preset, batch_for};
use autogrow_data::Survey;

/// Pictures whose shorter side is below this show no more at 64x64 than at 32x32.
const TINY: usize = 48;
/// Pictures whose shorter side is below this show no more at 224x224 than at 64x64.
const LARGE: usize = 160;
/// Fewer pictures than this are learnt by heart at 224x224, at some twenty times the cost of 64x64.
const MANY: usize = 10_000;
/// With more pictures than this, the whole of `standard` takes hours on a few cores.
const QUICK_BEYOND: usize = 5_000;
/// Large images need more memory.
const LARGEST_BATCH_OF_LARGE: usize = 64;

/// What pictures are trained with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// `network.name`.
    pub(crate) network: &'static str,
    /// `data.size`: what pictures are made to, in pixels.
    pub(crate) size: usize,
    /// `training.batch_size`.
    pub(crate) batch_size: usize,
    /// `preset`.
    pub(crate) preset: Preset,
    /// Why images are of that size.
    pub(crate) why: &'static str,
}

/// Chooses for pictures like these. `size` is what they are to be made to, where that is set, and
/// `has_limit` whether `run.max_minutes` ends the run.
pub(crate) fn choose(pictures: Survey, size: Option<usize>, has_limit: bool) -> Choice {
    let Survey { pictures, shorter_side } = pictures;
    let (size, why) = match (size, shorter_side) {
        (Some(size), _) => (size, "as is set"),
        (None, ..TINY) => (32, "they are tiny"),
        (None, TINY..LARGE) => (64, "they are small"),
        (None, LARGE..) if pictures < MANY => (64, "too few for 224x224"),
        (None, LARGE..) => (224, "large, and many"),
    };
    let is_large = size >= LARGE;
    let largest_batch = if is_large { LARGEST_BATCH_OF_LARGE } else { usize::MAX };
    let is_long = is_large || pictures > QUICK_BEYOND;
    Choice {
        network: if is_large { "basic4resnet-imagenet" } else { "basic3resnet" },
        size,
        batch_size: batch_for(pictures).min(largest_batch),
        preset: if is_long && !has_limit { Preset::Quick } else { Preset::Standard },
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_and_number_decide() {
        let (small, large) = ("basic3resnet", "basic4resnet-imagenet");
        let (standard, quick) = (Preset::Standard, Preset::Quick);
        for (shorter_side, pictures, expected) in [
            // Icons.
            (28, 60_000, (small, 32, 128, quick)),
            (32, 300, (small, 32, 32, standard)),
            (47, 2_500, (small, 32, 128, standard)),
            (48, 1_000, (small, 64, 64, standard)),
            // Thumbnails.
            (100, 5_000, (small, 64, 128, standard)),
            (159, 100_000, (small, 64, 128, quick)),
            // Photographs.
            (160, 10_000, (large, 224, 64, quick)),
            (480, 40, (small, 64, 16, standard)),
            (480, 9_999, (small, 64, 128, quick)),
            (3_000, 1_000_000, (large, 224, 64, quick)),
            // None of those that were looked at can be read.
            (0, 10, (small, 32, 16, standard)),
        ] {
            let choice = choose(Survey { pictures, shorter_side }, None, false);
            let Choice { network, size, batch_size, preset, .. } = choice;
            let found = (network, size, batch_size, preset);
            assert_eq!(found, expected, "{pictures} of {shorter_side}");
        }
    }

    #[test]
    fn a_size_or_a_limit_that_is_set_counts() {
        let photos = Survey { pictures: 500, shorter_side: 480 };
        let choice = choose(photos, Some(224), false);
        assert_eq!((choice.network, choice.size), ("basic4resnet-imagenet", 224));
        assert_eq!((choice.batch_size, choice.preset), (32, Preset::Quick));
        assert_eq!(choose(photos, Some(224), true).preset, Preset::Standard);
        assert_eq!(choose(photos, Some(96), false).network, "basic3resnet");
    }
}
