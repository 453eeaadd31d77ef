//! Pictures that belong to no data set, prepared for a network: decoded by all threads, a batch
//! ahead of the one that is being worked on.

use crate::bad::Bad;
use crate::class_folders;
use crate::content::Content;
use crate::error::of_file;
use crate::planes::Planes;
use crate::prefetch::Prefetch;
use crate::transform::Transform;
use autogrow_core::config::OnBadImage;
use autogrow_core::data::{Batch, Pass, Preprocessing, Split, Targets};
use autogrow_core::{Error, Result};
use autogrow_formats::geometry::Scaler;
use autogrow_formats::picture::decode;
use rayon::prelude::*;
use std::borrow::Cow;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

thread_local! {
    /// Memory for scaling, used again by the next picture of the thread.
    static SCALER: RefCell<Scaler> = RefCell::default();
}

/// A picture.
#[derive(Clone, Debug)]
pub enum Picture {
    /// In a file.
    File(PathBuf),
    /// The bytes of a file, and what errors call it.
    Bytes(Arc<[u8]>, PathBuf),
}

/// Pictures with labels, as a split. Those that cannot be read are left out of their batches, and are
/// [told](Pictures::bad) afterwards.
#[derive(Clone, Debug)]
pub struct Pictures {
    pictures: Arc<[(Picture, usize)]>,
    transform: Arc<Transform>,
    shorter_side: Option<usize>,
    bad: Arc<Mutex<Bad>>,
}

impl Pictures {
    /// Pictures for a network that sees images of `[height, width]`.
    pub fn new(
        pictures: Vec<(Picture, usize)>,
        preprocessing: &Preprocessing,
        size: [usize; 2],
    ) -> Self {
        let transform = Arc::new(Transform::prepare(preprocessing, size));
        let shorter_side = preprocessing.shorter_side;
        Self { pictures: pictures.into(), transform, shorter_side, bad: Arc::default() }
    }

    /// What a pass over the pictures has found to be unreadable, and has left out: an error about all of
    /// them where `on_bad_image` asks for one, else a warning.
    ///
    /// # Errors
    /// [`Error::Data`] that names them.
    pub fn bad(&self, on_bad_image: OnBadImage) -> Result<()> {
        // A thread that panicked with the lock has lost no more than names.
        let bad = std::mem::take(&mut *self.bad.lock().unwrap_or_else(PoisonError::into_inner));
        match on_bad_image {
            OnBadImage::Error => bad.error().map_or(Ok(()), Err),
            OnBadImage::Skip if bad.is_empty() => Ok(()),
            OnBadImage::Skip => {
                tracing::warn!("{}", bad.left_out(self.len()));
                Ok(())
            }
        }
    }

    /// All pictures of a folder of class folders, labelled by the place of the folder's name in
    /// `classes`.
    ///
    /// # Errors
    /// [`Error::Data`] where a folder is no class, holds no picture or cannot be listed.
    pub fn of_classes(
        folder: &Path,
        classes: &[String],
        preprocessing: &Preprocessing,
        size: [usize; 2],
    ) -> Result<Self> {
        let mut sorted = classes.to_vec();
        sorted.sort();
        let (listing, _) = class_folders::list_some(folder, &sorted)?;
        // Folders are found in alphabetical order; the network has an order of its own.
        let place =
            |label: u16| classes.iter().position(|class| *class == sorted[usize::from(label)]);
        let pictures = listing.labels().iter().enumerate().map(|(index, &label)| {
            (Picture::File(folder.join(listing.name(index))), place(label).unwrap_or(0))
        });
        Ok(Self::new(pictures.collect(), preprocessing, size))
    }

    /// The normalised pixels of those of a range of pictures that can be read.
    fn batch(&self, range: std::ops::Range<usize>) -> Batch {
        let numbers = self.transform.image().iter().product::<usize>();
        let mut images = vec![0.0; range.len() * numbers];
        let made: Vec<Result<()>> = self.pictures[range.clone()]
            .par_iter()
            .zip(images.par_chunks_exact_mut(numbers))
            .map(|((picture, _), out)| self.fill(picture, out))
            .collect();
        let mut labels = Vec::with_capacity(range.len());
        for (position, (made, (_, label))) in
            made.into_iter().zip(&self.pictures[range]).enumerate()
        {
            match made {
                Ok(()) => {
                    let image = position * numbers..(position + 1) * numbers;
                    images.copy_within(image, labels.len() * numbers);
                    labels.push(*label);
                }
                Err(error) => {
                    self.bad.lock().unwrap_or_else(PoisonError::into_inner).push(error);
                }
            }
        }
        images.truncate(labels.len() * numbers);
        Batch { images, targets: Targets::Classes(labels) }
    }

    /// Fills `out` with a picture's normalised pixels, `[channels, height, width]`.
    fn fill(&self, picture: &Picture, out: &mut [f32]) -> Result<()> {
        let (path, content) = picture.read()?;
        let picture =
            decode(path, &content).map_err(|error| match Content::of_bytes(&content) {
                Content::Table => Error::data(path, "looks like a table, not like a picture")
                    .with_hint("tables are for a model that was trained on a table"),
                Content::Picture | Content::Other => of_file(error),
            })?;
        let [channels, height, width] = self.transform.stored();
        let size = [width as u32, height as u32];
        let planes = SCALER.with_borrow_mut(|scaler| {
            let cut = match self.shorter_side {
                Some(side) => scaler.centre(path, &picture, side as u32, size),
                None => scaler.cover(path, &picture, size),
            };
            cut.map(|cut| Planes::of(cut, channels)).map_err(of_file)
        })?;
        self.transform.fill_planes(&planes, None, out);
        Ok(())
    }
}

impl Split for Pictures {
    fn len(&self) -> usize {
        self.pictures.len()
    }

    /// In order, whatever the seed.
    fn batches(&self, pass: Pass) -> Box<dyn Iterator<Item = Result<Batch>> + '_> {
        let (size, count) = (pass.batch_size.max(1), self.len());
        let ranges = (0..count).step_by(size).map(move |start| start..(start + size).min(count));
        let pictures = self.clone();
        match Prefetch::start(ranges.clone().map(move |range| Ok(pictures.batch(range)))) {
            Ok(ahead) => Box::new(ahead),
            // The system grants no thread: the same batches, not ahead of time.
            Err(_) => Box::new(ranges.map(|range| Ok(self.batch(range)))),
        }
    }

    fn name(&self, position: usize) -> Option<String> {
        self.pictures.get(position).map(|(picture, _)| match picture {
            Picture::File(path) | Picture::Bytes(_, path) => path.display().to_string(),
        })
    }
}

impl Picture {
    /// What errors call it, and its bytes.
    fn read(&self) -> Result<(&Path, Cow<'_, [u8]>)> {
        match self {
            Self::Bytes(bytes, name) => Ok((name, Cow::Borrowed(bytes))),
            Self::File(path) => match std::fs::read(path) {
                Ok(bytes) => Ok((path, Cow::Owned(bytes))),
                Err(cause) => Err(Error::data(path, format!("cannot be read: {cause}"))
                    .with_hint("check the path")),
            },
        }
    }
}

/// The pictures in and below a folder, in order of their paths.
///
/// # Errors
/// [`Error::Data`] where there is none, or where a folder cannot be listed.
pub fn pictures_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let listing = class_folders::images_below(folder)?;
    Ok((0..listing.len()).map(|index| folder.join(listing.name(index))).collect())
}

/// Whether a folder holds folders that are all named after one of `classes`.
pub fn is_class_folder(folder: &Path, classes: &[String]) -> bool {
    class_folders::classes(folder)
        .is_ok_and(|found| found.iter().all(|name| classes.contains(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, fixture};
    use autogrow_core::config::DataConfig;
    use autogrow_core::data::Statistics;

    fn walk(split: &dyn Split, batch_size: usize) -> (Vec<f32>, Vec<usize>) {
        let batches: Vec<_> =
            split.batches(Pass { batch_size, ..Pass::default() }).map(Result::unwrap).collect();
        let images = batches.iter().flat_map(|batch| batch.images.clone()).collect();
        let labels = batches.iter().flat_map(|batch| batch.targets.classes().unwrap().to_vec());
        (images, labels.collect())
    }

    #[test]
    fn pictures_are_prepared_as_the_data_set_does() {
        let dir = fixture("folder");
        let config = DataConfig { name: "folder".into(), dir, ..DataConfig::default() };
        let set = testing::open(&config, 0).unwrap();
        let preprocessing = set.preprocessing.clone().unwrap();
        let test = fixture("folder/test");
        let classes = set.outputs.classes().unwrap();
        let pictures = Pictures::of_classes(&test, classes, &preprocessing, [32, 32]).unwrap();
        assert_eq!(walk(&pictures, 3), walk(&*set.test, 3));
        assert_eq!(walk(&pictures, 1), walk(&pictures, 100));
        assert!(is_class_folder(&test, classes));
        assert!(!is_class_folder(&test, &["ant".into()]));
        let file = std::fs::read(fixture("folder/test/ant/h.png")).unwrap();
        let bytes = Picture::Bytes(file.into(), "-".into());
        let one = Pictures::new(vec![(bytes, 0)], &preprocessing, [32, 32]);
        assert_eq!(walk(&one, 1).0, walk(&pictures, 1).0[..3 * 32 * 32]);
    }

    #[test]
    fn labels_follow_the_order_of_the_network() {
        let grey = Preprocessing::of(&[Statistics { mean: 0.0, std: 1.0 }], [8, 6]);
        let classes = ["bee", "ant"].map(String::from);
        let test = fixture("folder/test");
        let pictures = Pictures::of_classes(&test, &classes, &grey, [10, 6]).unwrap();
        let (images, labels) = walk(&pictures, 9);
        assert_eq!((images.len(), labels), (2 * 10 * 6, vec![1, 0]));
        assert!(images[..6].iter().all(|&value| value == 0.0), "black above");
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let grey = Preprocessing::of(&[Statistics { mean: 0.0, std: 1.0 }], [8, 8]);
        let bytes = Picture::Bytes(b"GIF89a".as_slice().into(), "(standard input)".into());
        let pictures = Pictures::new(vec![(bytes, 0)], &grey, [8, 8]);
        let passed: Vec<_> = pictures.batches(Pass { batch_size: 1, ..Pass::default() }).collect();
        assert!(passed[0].as_ref().unwrap().is_empty());
        let error = pictures.bad(OnBadImage::Error).unwrap_err();
        assert!(error.to_string().starts_with("(standard input): is not an image"), "{error}");
        assert!(pictures.bad(OnBadImage::Error).is_ok(), "told once");
        let table = Picture::Bytes(b"a,b\n1,2\n".as_slice().into(), "a.csv".into());
        let pictures = Pictures::new(vec![(table, 0)], &grey, [8, 8]);
        assert_eq!(pictures.batches(Pass { batch_size: 1, ..Pass::default() }).count(), 1);
        let error = pictures.bad(OnBadImage::Error).unwrap_err();
        assert_eq!(error.to_string(), "a.csv: looks like a table, not like a picture");
        assert_eq!(pictures_in(&fixture("folder")).unwrap().len(), 9);
        assert!(pictures_in(tempfile::tempdir().unwrap().path()).is_err());
    }

    #[test]
    fn pictures_before_and_after_a_broken_one_are_read() {
        let grey = Preprocessing::of(&[Statistics { mean: 0.0, std: 1.0 }], [8, 8]);
        let root = testing::distinct(&[("a", 5)]);
        std::fs::write(root.path().join("a/2.png"), "").unwrap();
        let files = pictures_in(root.path()).unwrap().into_iter().map(Picture::File);
        let pictures = Pictures::new(files.zip(0..).collect(), &grey, [8, 8]);
        for size in [1, 2, 9] {
            let (images, labels) = walk(&pictures, size);
            assert_eq!((images.len(), labels), (4 * 64, vec![0, 1, 3, 4]));
            let error = pictures.bad(OnBadImage::Error).unwrap_err();
            assert!(error.to_string().contains("2.png"), "{error}");
            assert!(pictures.bad(OnBadImage::Skip).is_ok());
        }
    }
}
