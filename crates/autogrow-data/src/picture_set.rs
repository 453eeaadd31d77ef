//! Listed pictures for training, validation and tests, opened as one data set.

use crate::archives::Part;
use crate::bad::Bad;
use crate::by_content;
use crate::class_folders::some;
use crate::images::SourceTargets;
use crate::parts::{Parts, spread};
use crate::pictures::Pictures;
use autogrow_core::config::OnBadImage;
use autogrow_core::data::{DataRequest, DataSet, Outputs, Statistics};
use autogrow_core::{Error, Result};
use std::path::Path;

/// The pictures of a data set as published.
pub(crate) struct PictureSet {
    pub(crate) classes: Vec<String>,
    pub(crate) train: Part,
    pub(crate) validation: Option<Part>,
    pub(crate) test: Part,
    /// What pixels are normalised with. None: it is measured on the training pictures.
    pub(crate) statistics: Option<[Statistics; 3]>,
}

impl PictureSet {
    /// Opens the set as the configuration asks.
    ///
    /// # Errors
    /// [`Error::Data`] about all pictures that cannot be read, where pictures are read at once; about a
    /// class of which no training picture is left.
    pub(crate) fn open(self, request: &DataRequest<'_>) -> Result<DataSet> {
        let config = request.config;
        let nothing = Statistics { mean: 0.0, std: 1.0 };
        let pictures = |part, statistics| Pictures::new(part, request.size, statistics, config);
        let train = pictures(self.train, self.statistics.unwrap_or([nothing; 3]));
        let (train, some_are_bad) = match self.statistics {
            Some(_) => (train, false),
            None => {
                let (statistics, some_are_bad) = train.measure();
                (pictures(train.into_part(), statistics), some_are_bad)
            }
        };
        let statistics = train.statistics();
        let validation = self.validation.map(|part| pictures(part, statistics));
        let test = pictures(self.test, statistics);
        let all = || [Some(&train), validation.as_ref(), Some(&test)].into_iter().flatten();
        let count = all().map(Pictures::len).sum();
        let mut bad = Bad::default();
        if some_are_bad && config.on_bad_image == OnBadImage::Error {
            all().filter(|part| !part.are_kept()).for_each(|part| part.search(&mut bad));
        }
        let (train, marks) = train.source(&mut bad)?;
        let validation = validation.map(|part| part.source(&mut bad)).transpose()?;
        let (test, _) = test.source(&mut bad)?;
        if !bad.is_empty() {
            match config.on_bad_image {
                OnBadImage::Error => bad.error().map_or(Ok(()), Err)?,
                OnBadImage::Skip => tracing::warn!("{}", bad.left_out(count)),
            }
        }
        let labels = match train.targets() {
            SourceTargets::Classes(labels) if marks.len() == labels.len() => labels.to_vec(),
            _ => Vec::new(),
        };
        let classes = self.classes;
        let outputs = Outputs::Classes(classes.clone());
        let validation = validation.map(|(source, _)| source);
        let parts = Parts { validation, test, train, outputs };
        if labels.is_empty() {
            return Ok(parts.open(request));
        }
        let set = parts.open_in(by_content::order(&labels, &marks, request.seed), request);
        refuse_missing(&set, &classes, request)?;
        Ok(set)
    }
}

/// Refuses a set where no training picture of a class is left.
fn refuse_missing(set: &DataSet, classes: &[String], request: &DataRequest<'_>) -> Result<()> {
    let targets = set.train.targets()?;
    let mut missing: Vec<_> = classes.iter().map(|class| (class, true)).collect();
    for &class in targets.classes().unwrap_or_default() {
        missing[class].1 = false;
    }
    let missing: Vec<_> =
        missing.into_iter().filter(|(_, is)| *is).map(|(class, _)| class.clone()).collect();
    if missing.is_empty() || set.train.is_empty() {
        return Ok(());
    }
    let fraction = request.config.fraction;
    let problem = format!(
        "no training pictures of {} are left with data.fraction = {fraction}",
        some(&missing)
    );
    let hint = match fraction < 1.0 {
        true => "a larger `data.fraction` leaves some",
        false => "these classes need more pictures that can be read",
    };
    Err(Error::data(&request.config.dir, problem).with_hint(hint))
}

/// Divides pictures that nobody divided, and that are too many to be read: for training, for tests. A
/// fifth of each class is set aside, spread evenly over the stored order.
pub(crate) fn set_aside((listing, store): &Part) -> Result<[Part; 2]> {
    let chosen = spread(listing.labels(), |images| images.div_ceil(5).min(images - 1));
    let parts = listing.divide(Path::new("data.dir"), &chosen)?;
    Ok(parts.map(|listing| (listing, store.clone())))
}
