//! Pictures that belong to no data set, prepared for a network: decoded by all threads, a batch
//! ahead of the one that is being worked on.

use crate::class_folders;
use crate::prefetch::Prefetch;
use crate::transform::Transform;
use autogrow_core::data::{Batch, Pass, Preprocessing, Split};
use autogrow_core::{Error, Result};
use image::imageops::FilterType;
use image::{ImageReader, Limits};
use rayon::prelude::*;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest height or width.
const LONGEST_SIDE: u32 = 20_000;
/// Bytes that decoding one picture may take.
const MEMORY: u64 = 512 << 20;

/// A picture.
#[derive(Clone, Debug)]
pub enum Picture {
    /// In a file.
    File(PathBuf),
    /// The bytes of a file, and what errors call it.
    Bytes(Arc<[u8]>, PathBuf),
}

/// Pictures with labels, as a split.
#[derive(Clone, Debug)]
pub struct Pictures {
    pictures: Arc<[(Picture, usize)]>,
    transform: Arc<Transform>,
}

impl Pictures {
    /// Pictures for a network that sees images of `[height, width]`.
    pub fn new(
        pictures: Vec<(Picture, usize)>,
        preprocessing: &Preprocessing,
        size: [usize; 2],
    ) -> Self {
        let transform = Arc::new(Transform::prepare(preprocessing, size));
        Self { pictures: pictures.into(), transform }
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
        let files = class_folders::list(folder, &sorted)?;
        // Folders are found in alphabetical order; the network has an order of its own.
        let place =
            |label: u16| classes.iter().position(|class| *class == sorted[usize::from(label)]);
        let pictures =
            files.into_iter().map(|(path, label)| (Picture::File(path), place(label).unwrap_or(0)));
        Ok(Self::new(pictures.collect(), preprocessing, size))
    }

    /// The normalised pixels of a range of pictures. The first one that cannot be decoded is the
    /// error, whatever the number of threads.
    fn batch(&self, range: std::ops::Range<usize>) -> Result<Batch> {
        let stored = self.transform.stored();
        let (bytes, numbers) =
            (stored.iter().product::<usize>(), self.transform.image().iter().product::<usize>());
        let mut images = Vec::with_capacity(range.len() * numbers);
        let decoded: Vec<Result<Vec<u8>>> = self.pictures[range.clone()]
            .par_iter()
            .map(|(picture, _)| {
                let mut pixels = vec![0; bytes];
                picture.decode(stored, &mut pixels).map(|()| pixels)
            })
            .collect();
        for pixels in decoded {
            self.transform.append(&pixels?, None, &mut images);
        }
        let labels = self.pictures[range].iter().map(|(_, label)| *label).collect();
        Ok(Batch { images, labels })
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
        match Prefetch::start(ranges.clone().map(move |range| pictures.batch(range))) {
            Ok(ahead) => Box::new(ahead),
            // The system grants no thread: the same batches, not ahead of time.
            Err(_) => Box::new(ranges.map(|range| self.batch(range))),
        }
    }
}

impl Picture {
    /// Writes its bytes, `[channels, height, width]` as `stored`, to `out`.
    fn decode(&self, stored: [usize; 3], out: &mut [u8]) -> Result<()> {
        match self {
            Self::Bytes(bytes, name) => decode(Cursor::new(bytes), name, stored, out),
            Self::File(path) => {
                let file = File::open(path).map_err(|cause| {
                    Error::data(path, format!("cannot be read: {cause}"))
                        .with_hint("check the path")
                })?;
                decode(BufReader::new(file), path, stored, out)
            }
        }
    }
}

/// The picture in `reader`, scaled so that it covers `[height, width]` and cut to its middle;
/// `[channels, height, width]` bytes, one channel for grey, three for red, green and blue.
fn decode(
    reader: impl BufRead + Seek,
    name: &Path,
    [channels, height, width]: [usize; 3],
    out: &mut [u8],
) -> Result<()> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MEMORY);
    let decoded = ImageReader::new(reader)
        .with_guessed_format()
        .map_err(image::ImageError::IoError)
        .and_then(|mut reader| {
            reader.limits(limits);
            reader.decode()
        })
        .map_err(|cause| {
            Error::data(name, format!("is not an image that can be decoded: {cause}"))
                .with_hint("replace the file or take it out of the folder")
        })?;
    let cut = decoded.resize_to_fill(width as u32, height as u32, FilterType::Triangle);
    let pixels =
        if channels == 1 { cut.into_luma8().into_raw() } else { cut.into_rgb8().into_raw() };
    for (channel, plane) in out.chunks_exact_mut(height * width).enumerate() {
        let values = pixels.iter().skip(channel).step_by(channels);
        plane.iter_mut().zip(values).for_each(|(value, pixel)| *value = *pixel);
    }
    Ok(())
}

/// The pictures in and below a folder, in order of their paths.
///
/// # Errors
/// [`Error::Data`] where there is none, or where a folder cannot be listed.
pub fn pictures_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    class_folders::walk(folder, 0, 0, &mut files)?;
    if files.is_empty() {
        return Err(Error::data(folder, "holds no picture")
            .with_hint("pictures end in .jpg, .jpeg, .png, .webp or .bmp"));
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
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

    fn walk(split: &dyn Split, batch_size: usize) -> (Vec<f32>, Vec<usize>) {
        let batches: Vec<_> =
            split.batches(Pass { batch_size, seed: None }).map(Result::unwrap).collect();
        let images = batches.iter().flat_map(|batch| batch.images.clone()).collect();
        (images, batches.iter().flat_map(|batch| batch.labels.clone()).collect())
    }

    #[test]
    fn pictures_are_prepared_as_the_data_set_does() {
        let dir = fixture("folder");
        let config = DataConfig { name: "folder".into(), dir, ..DataConfig::default() };
        let set = testing::open(&config, 0).unwrap();
        let preprocessing = set.preprocessing.clone().unwrap();
        let test = fixture("folder/test");
        let pictures = Pictures::of_classes(&test, &set.classes, &preprocessing, [32, 32]).unwrap();
        assert_eq!(walk(&pictures, 3), walk(&*set.test, 3));
        assert_eq!(walk(&pictures, 1), walk(&pictures, 100));
        assert!(is_class_folder(&test, &set.classes));
        assert!(!is_class_folder(&test, &["ant".into()]));
        let file = std::fs::read(fixture("folder/test/ant/h.png")).unwrap();
        let bytes = Picture::Bytes(file.into(), "-".into());
        let one = Pictures::new(vec![(bytes, 0)], &preprocessing, [32, 32]);
        assert_eq!(walk(&one, 1).0, walk(&pictures, 1).0[..3 * 32 * 32]);
    }

    #[test]
    fn labels_follow_the_order_of_the_network() {
        let grey = Preprocessing { size: [8, 6], mean: vec![0.0], std: vec![1.0] };
        let classes = ["bee", "ant"].map(String::from);
        let test = fixture("folder/test");
        let pictures = Pictures::of_classes(&test, &classes, &grey, [10, 6]).unwrap();
        let (images, labels) = walk(&pictures, 9);
        assert_eq!((images.len(), labels), (2 * 10 * 6, vec![1, 0]));
        assert!(images[..6].iter().all(|&value| value == 0.0), "black above");
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let grey = Preprocessing { size: [8, 8], mean: vec![0.0], std: vec![1.0] };
        let bytes = Picture::Bytes(b"GIF89a".as_slice().into(), "(standard input)".into());
        let pictures = Pictures::new(vec![(bytes, 0)], &grey, [8, 8]);
        let mut batches = pictures.batches(Pass { batch_size: 1, seed: None });
        let error = batches.next().unwrap().unwrap_err();
        assert!(error.to_string().starts_with("(standard input): is not an image"), "{error}");
        assert_eq!(pictures_in(&fixture("folder")).unwrap().len(), 9);
        assert!(pictures_in(tempfile::tempdir().unwrap().path()).is_err());
    }
}
