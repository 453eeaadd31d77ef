//! A part of a source as the algorithm walks it: in what order, augmented or not, in batches.

use crate::augment::erase;
use crate::bad::Bad;
use crate::images::Source;
use crate::prefetch::Prefetch;
use crate::random::{Draws, Purpose};
use autogrow_core::config::OnBadImage;
use autogrow_core::data::{
    Batch, Normalisation, Pass, RawBatch, RawBatches, RawImages, Split, Targets,
};
use autogrow_core::{Error, Result};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Images that are warned of one by one at most.
const WARNED: usize = 10;

/// Some images of a source.
pub(crate) struct Subset {
    source: Arc<dyn Source>,
    /// Which images, in stored order.
    indices: Arc<[u32]>,
    /// Whether a pass with a seed has an order of its own.
    shuffle: bool,
    /// Whether a pass with a seed is augmented.
    augment: bool,
    /// Part of the augmented images in which a random box is blanked.
    erasing: f64,
    on_bad_image: OnBadImage,
    /// Images that were found to be unreadable and told of.
    told: Arc<Mutex<BTreeSet<u32>>>,
}

impl Subset {
    /// The images of `indices`, kept in stored order.
    pub(crate) fn new(source: Arc<dyn Source>, mut indices: Vec<u32>) -> Self {
        indices.sort_unstable();
        let on_bad_image = OnBadImage::Error;
        let (indices, told) = (indices.into(), Arc::default());
        let (shuffle, augment, erasing) = (true, false, 0.0);
        Self { source, indices, shuffle, augment, erasing, on_bad_image, told }
    }

    /// Sets what a pass with a seed does to the images: a random order, augmentation.
    pub(crate) fn training(self, shuffle: bool, augment: bool) -> Self {
        Self { shuffle, augment, ..self }
    }

    /// Sets in which part of the augmented images a random box is blanked.
    pub(crate) fn erasing(self, erasing: f64) -> Self {
        Self { erasing, ..self }
    }

    /// Sets what becomes of an image that cannot be read.
    pub(crate) fn on_bad_image(self, on_bad_image: OnBadImage) -> Self {
        Self { on_bad_image, ..self }
    }
}

impl Split for Subset {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn batches(&self, pass: Pass) -> Box<dyn Iterator<Item = Result<Batch>> + '_> {
        self.walk(pass).ahead(Walk::batch)
    }

    fn raw_batches(&self, pass: Pass) -> Option<(Normalisation, RawBatches<'_>)> {
        let walk = self.walk(pass);
        // A blank box is one of numbers.
        if walk.augmentation.is_some() && walk.erasing > 0.0 {
            return None;
        }
        let normalisation = self.source.normalisation(walk.augmentation.is_some())?;
        Some((normalisation, walk.ahead(Walk::raw_batch)))
    }

    fn targets(&self) -> Result<Targets> {
        Ok(self.source.targets().of(&self.indices))
    }

    fn name(&self, position: usize) -> Option<String> {
        self.source.name(*self.indices.get(position)? as usize)
    }

    fn stored_size(&self, position: usize) -> Result<Option<[usize; 2]>> {
        let index = self.indices.get(position);
        index.map(|&index| self.source.stored_size(index as usize)).transpose()
    }
}

impl Subset {
    /// How a pass goes.
    fn walk(&self, pass: Pass) -> Walk {
        let mut order = self.indices.clone();
        if let Some(seed) = pass.seed.filter(|_| self.shuffle) {
            Draws::new(seed, Purpose::Order, 0).shuffle(Arc::make_mut(&mut order));
        }
        Walk {
            source: self.source.clone(),
            order,
            pass,
            augmentation: pass.seed.filter(|_| self.augment),
            erasing: self.erasing,
            on_bad_image: self.on_bad_image,
            told: self.told.clone(),
            workers: workers(),
        }
    }
}

/// As many threads as the pool of whoever asks has; none where that is one, or where the system
/// grants none: then images are made one after the other.
fn workers() -> Option<Arc<ThreadPool>> {
    let threads = rayon::current_num_threads();
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("images {number}"));
    if threads > 1 { pool.build().ok().map(Arc::new) } else { None }
}

/// One pass over the images.
#[derive(Clone)]
struct Walk {
    source: Arc<dyn Source>,
    order: Arc<[u32]>,
    pass: Pass,
    augmentation: Option<u64>,
    erasing: f64,
    on_bad_image: OnBadImage,
    told: Arc<Mutex<BTreeSet<u32>>>,
    workers: Option<Arc<ThreadPool>>,
}

/// The batches of a pass, made when asked for, each by all workers together: so the number of
/// batches in memory does not depend on theirs.
#[derive(Clone)]
struct Batches<T> {
    walk: Walk,
    next: usize,
    make: fn(&Walk, &[u32]) -> Result<T>,
}

impl<T> Iterator for Batches<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        let Walk { order, pass, .. } = &self.walk;
        let size = pass.batch_size.max(1).min(order.len() - self.next);
        if size == 0 {
            return None;
        }
        let indices = &order[self.next..self.next + size];
        self.next += size;
        Some((self.make)(&self.walk, &indices[pass.share.range(size)]))
    }
}

impl Walk {
    /// What `make` makes of the images of each batch, ahead of time.
    fn ahead<T: Clone + Send + 'static>(
        self,
        make: fn(&Self, &[u32]) -> Result<T>,
    ) -> Box<dyn Iterator<Item = Result<T>>> {
        let pass = self.pass;
        let next = pass.skip.saturating_mul(pass.batch_size.max(1)).min(self.order.len());
        let batches = Batches { walk: self, next, make };
        match Prefetch::start(batches.clone()) {
            Ok(ahead) => Box::new(ahead),
            // The system grants no thread: the same batches, not ahead of time.
            Err(_) => Box::new(batches),
        }
    }

    fn batch(&self, indices: &[u32]) -> Result<Batch> {
        let shape = self.source.image();
        let fill = |index, mut draws: Option<&mut Draws>, image: &mut [f32]| {
            self.source.fill(index, draws.as_deref_mut(), image)?;
            if let Some(draws) = draws.filter(|_| self.erasing > 0.0) {
                erase(self.erasing, draws, shape, image);
            }
            Ok(true)
        };
        let (images, targets) = self
            .made(indices, fill)?
            .unwrap_or_else(|| (Vec::new(), self.source.targets().of(&[])));
        Ok(Batch { images, targets })
    }

    /// Bytes where all images of the batch are made of such.
    fn raw_batch(&self, indices: &[u32]) -> Result<RawBatch> {
        let fill = |index, draws: Option<&mut Draws>, image: &mut [u8]| {
            self.source.fill_bytes(index, draws, image)
        };
        Ok(match self.made(indices, fill)? {
            Some((bytes, targets)) => RawBatch { images: RawImages::Bytes(bytes), targets },
            None => self.batch(indices)?.into(),
        })
    }

    /// The images that `fill` has made of those that can be read, and their targets; none where it says
    /// that it cannot make one.
    fn made<P: Copy + Default + Send>(
        &self,
        indices: &[u32],
        fill: impl Fn(usize, Option<&mut Draws>, &mut [P]) -> Result<bool> + Sync,
    ) -> Result<Option<(Vec<P>, Targets)>> {
        let values = self.source.image().iter().product::<usize>().max(1);
        let mut images = vec![P::default(); indices.len() * values];
        let make = |(image, &index): (&mut [P], &u32)| {
            let index = index as usize;
            let mut draws =
                self.augmentation.map(|seed| Draws::new(seed, Purpose::Augmentation, index));
            fill(index, draws.as_mut(), image)
        };
        let made: Vec<Result<bool>> = match &self.workers {
            Some(workers) => workers
                .install(|| images.par_chunks_exact_mut(values).zip(indices).map(make).collect()),
            None => images.chunks_exact_mut(values).zip(indices).map(make).collect(),
        };
        if made.iter().any(|made| matches!(made, Ok(false))) {
            return Ok(None);
        }
        let (mut made_of, mut bad) = (Vec::with_capacity(indices.len()), Bad::default());
        for (position, (made, &index)) in made.into_iter().zip(indices).enumerate() {
            match made {
                Ok(_) => {
                    // Moves up to where images are missing.
                    if made_of.len() < position {
                        let image = position * values..(position + 1) * values;
                        images.copy_within(image, made_of.len() * values);
                    }
                    made_of.push(index);
                }
                Err(error) if self.on_bad_image == OnBadImage::Skip => self.tell(index, &error),
                Err(error) => bad.push(error),
            }
        }
        if let Some(error) = bad.error() {
            return Err(error);
        }
        images.truncate(made_of.len() * values);
        Ok(Some((images, self.source.targets().of(&made_of))))
    }

    /// Warns of an image that is left out: once, not in every epoch.
    fn tell(&self, index: u32, error: &Error) {
        // A thread that panicked with the lock has lost no more than a warning.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(index) {
            match told.len() {
                ..=WARNED => tracing::warn!("{error}; it is left out"),
                count => tracing::debug!("{error}; it is left out, as are {} others", count - 1),
            }
            if told.len() == WARNED {
                tracing::warn!("further pictures that cannot be read are left out without a word");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Numbers, assert_bytes_are_the_same, fixture, open_at, pictures};
    use autogrow_core::config::{Augment, DataConfig, SelectOn};
    use autogrow_core::data::Share;
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    const SEED: Pass =
        Pass { batch_size: 4, seed: Some(1), skip: 0, share: Share { index: 0, of: 1 } };

    fn subset() -> Subset {
        Subset::new(Arc::new(Numbers::new(20)), vec![7, 3, 11, 2, 19, 5])
    }

    fn walk(subset: &Subset, pass: Pass) -> Vec<Batch> {
        subset.batches(pass).collect::<Result<_>>().unwrap()
    }

    fn labels(batches: &[Batch]) -> Vec<usize> {
        batches.iter().flat_map(|batch| batch.targets.classes().unwrap().to_vec()).collect()
    }

    /// Sets of all kinds, one with a picture of 16 bits among them, in every kind of pass.
    #[test]
    fn bytes_are_what_is_normalised() {
        let deep = pictures(&["train/a/1.png", "train/a/2.png", "train/b/3.png", "test/a/4.png"]);
        let picture = fixture("../../autogrow-formats/fixtures/colour-16.png");
        std::fs::copy(picture, deep.path().join("train/b/5.png")).unwrap();
        let sets = [
            ("digits", PathBuf::new(), 8),
            ("cifar10", fixture(""), 32),
            ("folder", fixture("folder"), 32),
            ("folder", fixture("folder"), 224),
            ("imagenet", fixture("imagenet"), 224),
            ("folder", deep.path().into(), 32),
            ("folder", deep.path().into(), 224),
        ];
        for (name, dir, size) in &sets {
            for augment in [Augment::Standard, Augment::Trivial, Augment::Rand] {
                let (name, dir) = (name.to_string(), dir.clone());
                let is_deep = dir == deep.path();
                let config = DataConfig { name, dir, augment, ..DataConfig::default() };
                let config = DataConfig { select_on: SelectOn::Test, ..config };
                let set = open_at(&config, 0, *size).unwrap();
                let passes = [(&set.train, Some(1)), (&set.train, None), (&set.test, None)];
                for (number, (split, seed)) in passes.into_iter().enumerate() {
                    let pass = Pass { batch_size: 2, seed, ..Pass::default() };
                    let of_bytes = assert_bytes_are_the_same(&**split, pass);
                    let others = split.len().div_ceil(2) - of_bytes;
                    assert_eq!(others, usize::from(is_deep && number < 2), "{config:?}");
                }
            }
        }
    }

    #[test]
    fn numbers_and_blank_boxes_are_not_made_of_bytes() {
        let config = DataConfig { name: "digits".into(), erasing: 0.5, ..DataConfig::default() };
        let set = open_at(&config, 0, 8).unwrap();
        assert!(set.train.raw_batches(SEED).is_none());
        assert!(set.train.raw_batches(Pass { seed: None, ..SEED }).is_some());
        assert!(subset().raw_batches(SEED).is_none());
    }

    #[test]
    fn without_a_seed_images_come_as_stored() {
        let batches =
            walk(&subset().training(true, true), Pass { batch_size: 4, ..Pass::default() });
        assert_eq!(batches.len(), 2);
        assert_eq!(labels(&batches), [2, 3, 5, 7, 11, 19]);
        assert_eq!(batches[1].images, [11.0, 0.0, 19.0, 0.0]);
    }

    #[test]
    fn a_seed_gives_an_order_of_its_own() {
        let subset = subset().training(true, false);
        let epoch = |seed| labels(&walk(&subset, Pass { seed: Some(seed), ..SEED }));
        assert_eq!(epoch(1), epoch(1));
        assert!((2..20).any(|seed| epoch(seed) != epoch(1)));
        let all = |seed| epoch(seed).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(all(1), all(2));
        assert_eq!(all(1).len(), 6);
    }

    #[test]
    fn order_and_augmentation_are_switched_off_separately() {
        let ordered = walk(&subset().training(false, true), SEED);
        assert_eq!(labels(&ordered), [2, 3, 5, 7, 11, 19]);
        assert!(ordered[0].images.iter().skip(1).step_by(2).all(|&drawn| drawn > 0.0));
        let plain = walk(&subset().training(true, false), SEED);
        assert!(plain[0].images.iter().skip(1).step_by(2).all(|&drawn| drawn == 0.0));
        // Only training images are augmented, whatever the pass.
        assert!(walk(&subset(), SEED)[0].images[1] == 0.0);
    }

    #[test]
    fn an_image_is_augmented_alike_in_every_subset_and_position() {
        let drawn = |subset: &Subset, batch_size| {
            let pass = Pass { batch_size, ..SEED };
            let pixels: Vec<f32> =
                walk(subset, pass).into_iter().flat_map(|batch| batch.images).collect();
            pixels.chunks(2).find(|image| image[0] == 11.0).unwrap().to_vec()
        };
        let other = Subset::new(Arc::new(Numbers::new(20)), vec![1, 11]).training(true, true);
        assert_eq!(drawn(&subset().training(true, true), 4), drawn(&other, 1));
    }

    #[test]
    fn batches_do_not_depend_on_threads() {
        let subset = subset().training(true, true);
        let in_pool = |threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| walk(&subset, SEED))
        };
        assert_eq!(in_pool(1), in_pool(3));
        let (first, second) = rayon::join(|| walk(&subset, SEED), || walk(&subset, SEED));
        assert_eq!(first, second);
    }

    #[test]
    fn an_unreadable_image_is_an_error_in_its_place() {
        let mut source = Numbers::new(20);
        source.unreadable = vec![7];
        let subset = Subset::new(Arc::new(source), (0..20).collect());
        let mut batches = subset.batches(Pass { batch_size: 5, ..Pass::default() });
        assert!(batches.next().unwrap().is_ok());
        let error = batches.next().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "numbers: record 7 is unreadable");
        assert!(batches.next().is_none());
    }

    #[test]
    fn an_unreadable_image_is_left_out_of_its_batch_where_that_is_allowed() {
        let mut source = Numbers::new(20);
        source.unreadable = vec![0, 7, 9, 15, 16, 17, 18, 19];
        let subset =
            Subset::new(Arc::new(source), (0..20).collect()).on_bad_image(OnBadImage::Skip);
        let batches = walk(&subset, Pass { batch_size: 5, ..Pass::default() });
        let labels: Vec<_> = batches.chunks(1).map(labels).collect();
        assert_eq!(labels, [vec![1, 2, 3, 4], vec![5, 6, 8], (10..15).collect(), vec![]]);
        assert_eq!(batches[1].images, [5.0, 0.0, 6.0, 0.0, 8.0, 0.0]);
        let [one, three] = [1, 3].map(|threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| walk(&subset, SEED))
        });
        assert_eq!(one, three);
    }

    #[test]
    fn shares_of_batches_are_the_batches() {
        let subset = subset().training(true, true);
        let whole = walk(&subset, SEED);
        for of in 1..6 {
            let share = |index| walk(&subset, Pass { share: Share { index, of }, ..SEED });
            let shares: Vec<_> = (0..of).map(share).collect();
            for (number, batch) in whole.iter().enumerate() {
                let parts = || shares.iter().map(|batches| &batches[number]);
                let images: Vec<f32> = parts().flat_map(|part| part.images.clone()).collect();
                let labels: Vec<_> =
                    parts().flat_map(|part| labels(std::slice::from_ref(part))).collect();
                let targets = Targets::Classes(labels);
                assert_eq!((&images, &targets), (&batch.images, &batch.targets), "{of}");
            }
        }
    }

    #[test]
    fn batches_that_were_seen_before_are_skipped() {
        let subset = subset().training(true, true);
        let all = walk(&subset, SEED);
        for skip in 0..4 {
            assert_eq!(walk(&subset, Pass { skip, ..SEED }), all[skip.min(2)..]);
        }
    }
}
