//! Listed pictures for training, validation and tests, opened as one data set.

use crate::archives::Store;
use crate::listing::Listing;
use crate::parts::{Parts, spread};
use crate::pictures::Pictures;
use autogrow_core::Result;
use autogrow_core::data::{DataRequest, DataSet, Outputs, Statistics};
use std::path::Path;

/// Listed pictures and where they are.
pub(crate) type Part = (Listing, Store);

/// The pictures of a data set as published.
pub(crate) struct PictureSet {
    pub(crate) classes: Vec<String>,
    pub(crate) train: Part,
    pub(crate) validation: Option<Part>,
    /// None: a fifth of each class of the training pictures is set aside, spread evenly over the
    /// stored order and the same for every seed.
    pub(crate) test: Option<Part>,
    /// What pixels are normalised with. None: it is measured on the training pictures.
    pub(crate) statistics: Option<[Statistics; 3]>,
}

impl PictureSet {
    /// Opens the set as the configuration asks.
    ///
    /// # Errors
    /// [`autogrow_core::Error::Data`] where pictures that are read at once cannot be.
    pub(crate) fn open(self, request: &DataRequest<'_>) -> Result<DataSet> {
        let on_bad_image = request.config.on_bad_image;
        let (train, test) = match self.test {
            Some(test) => (self.train, test),
            None => set_aside(&self.train)?,
        };
        let nothing = Statistics { mean: 0.0, std: 1.0 };
        let pictures = |(listing, store): Part, statistics| {
            Pictures::new(listing, store, request.size, statistics)
        };
        let train = match self.statistics {
            Some(statistics) => pictures(train, statistics),
            None => pictures(train, [nothing; 3]).measured(on_bad_image)?,
        };
        let statistics = train.statistics();
        let source = |part| pictures(part, statistics).source(on_bad_image);
        Ok(Parts {
            validation: self.validation.map(source).transpose()?,
            test: source(test)?,
            train: train.source(on_bad_image)?,
            outputs: Outputs::Classes(self.classes),
        }
        .open(request))
    }
}

/// Divides pictures that nobody divided: for training, for tests.
fn set_aside((listing, store): &Part) -> Result<(Part, Part)> {
    let chosen = spread(listing.labels(), |images| images.div_ceil(5).min(images - 1));
    let [train, test] = listing.divide(Path::new("data.dir"), &chosen)?;
    Ok(((train, store.clone()), (test, store.clone())))
}
