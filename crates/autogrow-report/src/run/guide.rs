//! [`Guide`]: the images by which growth is guided and the model chosen.

/// The images whose accuracy guides growth and selects the model. An epoch's `val_loss` and
/// `val_accuracy` are on these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guide {
    /// Images held out from the training images.
    Validation,
    /// The test images themselves, as in the paper; the accuracy on them is optimistic then.
    Test,
}

impl Guide {
    /// That which `data.select_on` names; without a word, or with one that is not known here, no
    /// test image was looked at.
    pub(super) fn named(name: Option<&str>) -> Self {
        if name == Some("test") { Self::Test } else { Self::Validation }
    }

    /// What its images are called: `validation` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// What the images that guide several runs are called together.
    pub(crate) fn common(guides: impl Iterator<Item = Self>) -> &'static str {
        let mut names = guides.map(Self::name);
        let first = names.next().unwrap_or("validation");
        if names.all(|name| name == first) { first } else { "guiding" }
    }
}
