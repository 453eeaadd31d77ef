//! [`Map`], an activation on its way between layers: either finished, or still a convolution's
//! output with its norm, skip and ReLU pending, to be applied by whoever reads it.
//!
//! The autodiff graph holds a token per map; the numbers and the gradient that arrives live here.
//! That keeps them in their own layout, and lets the last operation that sends a map its gradient
//! do the first part of the map's own backward while the numbers are in the cache.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::buffer::Buffer;
use super::extent::{Extent, HALO};
use super::gate::{Gate, GateSums};
use super::parallel::{PARTS, each, spread};
use super::pointwise::{Addend, Affine, finish};

/// An activation in the fast layout.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) extent: Extent,
    values: Mutex<Values>,
    /// What the gradient needs of the layer that made this map; unset if it has none.
    trace: OnceLock<Trace>,
    gradient: Mutex<Option<Gradient>>,
    /// Recorded operations that have not sent their gradient yet.
    readers: AtomicUsize,
}

#[derive(Clone, Debug)]
enum Values {
    Pending(Pending),
    Finished(Arc<Buffer>),
}

/// A convolution's output (without halo) and what is still to be applied to it.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) raw: Arc<Buffer>,
    pub(crate) affine: Arc<Affine>,
    pub(crate) skip: Option<Arc<Map>>,
    pub(crate) relu: bool,
}

/// The convolution outputs behind a map (its own, and that of a projected skip) with the means
/// that centre them.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) relu: bool,
    /// Whether this is a projected skip, which one layer alone reads.
    pub(crate) projection: bool,
    pub(crate) raws: [Option<Centred>; 2],
}

/// A convolution's output and its mean per channel.
pub(crate) type Centred = (Arc<Buffer>, Arc<Vec<f32>>);

/// A gradient that has arrived at a map, without halo. With sums it has already gone through the
/// map's activation.
#[derive(Debug)]
pub(crate) struct Gradient {
    pub(crate) values: Buffer,
    pub(crate) sums: Option<GateSums>,
}

/// The values of a map at one moment, which nothing can change.
pub(crate) enum View {
    Finished(Arc<Buffer>),
    Pending(Pending, SkipView),
}

/// The values of a pending map's skip.
pub(crate) enum SkipView {
    None,
    Finished(Arc<Buffer>),
    Normed(Pending),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every guarded value is replaced as a whole, so a panic elsewhere leaves it right.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Map {
    fn new(extent: Extent, values: Values) -> Self {
        Self {
            extent,
            values: Mutex::new(values),
            trace: OnceLock::new(),
            gradient: Mutex::new(None),
            readers: AtomicUsize::new(0),
        }
    }

    /// A map of finished values, with halo.
    pub(crate) fn finished(extent: Extent, values: Buffer) -> Self {
        assert_eq!(values.len(), extent.images * extent.image(HALO));
        Self::new(extent, Values::Finished(Arc::new(values)))
    }

    pub(crate) fn pending(extent: Extent, pending: Pending) -> Self {
        assert_eq!(pending.raw.len(), extent.images * extent.image(0));
        Self::new(extent, Values::Pending(pending))
    }

    /// Remembers what the gradient will need.
    pub(crate) fn record(&self, trace: Trace) {
        let fresh = self.trace.set(trace).is_ok();
        debug_assert!(fresh, "a map is made once");
    }

    pub(crate) fn trace(&self) -> Option<&Trace> {
        self.trace.get()
    }

    /// The convolution output and mean of a projected skip.
    pub(crate) fn projection(&self) -> Option<Centred> {
        self.trace.get().filter(|trace| trace.projection)?.raws[0].clone()
    }

    /// The values as they are now.
    pub(crate) fn view(&self) -> View {
        // Not within the match: what a skip computes may come back to this map.
        let values = lock(&self.values).clone();
        match values {
            Values::Finished(values) => View::Finished(values),
            Values::Pending(pending) => {
                let skip = pending.skip.as_ref().map_or(SkipView::None, |skip| skip.skip_view());
                View::Pending(pending, skip)
            }
        }
    }

    /// The values for being added: a pending sum is finished first, a norm alone is applied anew.
    fn skip_view(&self) -> SkipView {
        match self.alone() {
            Some(pending) => SkipView::Normed(pending),
            None => SkipView::Finished(self.finish()),
        }
    }

    /// The pending norm, if nothing is added to it.
    fn alone(&self) -> Option<Pending> {
        match &*lock(&self.values) {
            Values::Pending(pending) if pending.skip.is_none() => Some(pending.clone()),
            _ => None,
        }
    }

    /// Whether the next reader should keep what it computes: other readers will want a sum too.
    pub(crate) fn wants_finishing(&self) -> bool {
        matches!(&*lock(&self.values), Values::Pending(pending) if pending.skip.is_some())
    }

    /// Keeps values that a reader has finished; what was pending is let go.
    pub(crate) fn keep(&self, values: Buffer) {
        assert_eq!(values.len(), self.extent.images * self.extent.image(HALO));
        let pending =
            std::mem::replace(&mut *lock(&self.values), Values::Finished(Arc::new(values)));
        drop(pending);
    }

    /// The finished values, computed now if they are pending.
    pub(crate) fn finish(&self) -> Arc<Buffer> {
        let view = self.view();
        if let View::Finished(values) = view {
            return values;
        }
        let extent = self.extent;
        let mut values = Buffer::stale(extent.images * extent.image(HALO));
        let images = values.chunks_mut(extent.image(HALO)).enumerate().collect();
        spread(PARTS, images, |(index, out)| view.write(extent, index, (out, HALO)));
        self.keep(values);
        match &*lock(&self.values) {
            Values::Finished(values) => values.clone(),
            Values::Pending(_) => unreachable!("values are never taken back"),
        }
    }

    /// Counts an operation that will send a gradient.
    pub(crate) fn add_reader(&self) {
        self.readers.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an operation whose gradient is about to arrive; true if it is the last.
    pub(crate) fn remove_reader(&self) -> bool {
        self.readers.fetch_sub(1, Ordering::Relaxed) == 1
    }

    pub(crate) fn take_gradient(&self) -> Option<Gradient> {
        lock(&self.gradient).take()
    }

    pub(crate) fn set_gradient(&self, gradient: Gradient) {
        let old = lock(&self.gradient).replace(gradient);
        debug_assert!(old.is_none(), "a gradient was lost");
    }

    /// Adds a gradient to what has arrived.
    pub(crate) fn add_gradient(&self, more: Buffer) {
        let values = match self.take_gradient() {
            None => more,
            Some(Gradient { mut values, .. }) => {
                let part = values.len().div_ceil(PARTS).max(1 << 12);
                let pairs = values.chunks_mut(part).zip(more.chunks(part)).collect();
                each(pairs, |(sum, more)| {
                    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
                });
                values
            }
        };
        self.set_gradient(Gradient { values, sums: None });
    }
}

impl View {
    /// Writes one image with `halo` pixels of border.
    pub(crate) fn write(&self, extent: Extent, index: usize, (out, halo): (&mut [f32], usize)) {
        match self {
            Self::Finished(values) => {
                let image = &values[index * extent.image(HALO)..][..extent.image(HALO)];
                extent.zero_halo(halo, out);
                for y in 0..extent.height {
                    let (from, to) = (extent.pixel(HALO, [y, 0]), extent.pixel(halo, [y, 0]));
                    out[to..][..extent.row(0)].copy_from_slice(&image[from..][..extent.row(0)]);
                }
            }
            Self::Pending(pending, skip) => {
                let plain = index * extent.image(0)..(index + 1) * extent.image(0);
                let addend = skip.addend(extent, index);
                let raw = &pending.raw[plain];
                finish(extent, raw, &pending.affine, addend, pending.relu, (out, halo));
            }
        }
    }

    /// Whether the values are finished with `halo` pixels of border.
    pub(crate) fn stored(&self, halo: usize) -> bool {
        halo == HALO && matches!(self, Self::Finished(_))
    }

    /// Consecutive images with `halo` pixels of border: a slice of the finished ones if their
    /// halo is that wide, otherwise written to `scratch`, `piece` images by one thread.
    pub(crate) fn images<'a>(
        &'a self,
        extent: Extent,
        indices: std::ops::Range<usize>,
        (scratch, halo): (&'a mut [f32], usize),
        piece: usize,
    ) -> &'a [f32] {
        let image = extent.image(halo);
        match self {
            Self::Finished(values) if halo == HALO => {
                &values[indices.start * image..indices.end * image]
            }
            _ => {
                let scratch = &mut scratch[..indices.len() * image];
                let pieces = indices.step_by(piece).zip(scratch.chunks_mut(piece * image));
                each(pieces.collect(), |(first, piece)| {
                    for (index, out) in (first..).zip(piece.chunks_exact_mut(image)) {
                        self.write(extent, index, (out, halo));
                    }
                });
                scratch
            }
        }
    }
}

impl SkipView {
    /// The skip of image `index`.
    pub(crate) fn addend(&self, extent: Extent, index: usize) -> Addend<'_> {
        match self {
            Self::None => Addend::None,
            Self::Finished(values) => {
                Addend::Image(&values[index * extent.image(HALO)..][..extent.image(HALO)])
            }
            Self::Normed(Pending { raw, affine, relu, .. }) => {
                let raw = &raw[index * extent.image(0)..][..extent.image(0)];
                Addend::Normed(raw, affine, *relu)
            }
        }
    }

    pub(crate) fn of(map: Option<&Arc<Map>>) -> Self {
        map.map_or(Self::None, |map| map.skip_view())
    }
}

impl Trace {
    /// The gate of image `index`, whose values `out` have `halo` pixels of border.
    pub(crate) fn gate<'a>(
        &'a self,
        extent: Extent,
        index: usize,
        out: &'a [f32],
        halo: usize,
    ) -> Gate<'a> {
        let image = extent.image(0);
        Gate {
            relu: self.relu.then_some((out, halo)),
            raws: [0, 1].map(|which| {
                let (raw, mean) = self.raws[which].as_ref()?;
                Some((&raw[index * image..][..image], mean.as_slice()))
            }),
        }
    }
}
