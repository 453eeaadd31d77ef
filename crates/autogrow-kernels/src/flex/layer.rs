//! The forward pass of one layer: convolution, batch norm, skip and activation.
//!
//! While training the norm needs the whole batch before it can be applied, so the layer leaves a
//! pending map. Otherwise, if no gradient will be asked for, everything is applied as the
//! convolution writes, and nothing else is kept.

use std::sync::Arc;

use super::buffer::Buffer;
use super::conv::{Forward, Method, Methods, group};
use super::extent::{Extent, HALO};
use super::geometry::Shape;
use super::map::{Map, Pending, SkipView, Trace};
use super::parallel::{self, Cut, PARTS, spread};
use super::pointwise::{Affine, finish, moments};
use super::statistics::{Moments, Statistics};
use crate::peers::Peers;

/// A layer to be computed.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) input: Arc<Map>,
    pub(crate) shape: Shape,
    pub(crate) methods: Methods,
    pub(crate) norm: Norm,
    pub(crate) skip: Option<Arc<Map>>,
    pub(crate) relu: bool,
    /// Whether the result is the projected skip of one other layer.
    pub(crate) projection: bool,
}

/// How a layer normalises.
#[derive(Clone, Debug)]
pub(crate) enum Norm {
    /// Not at all.
    None,
    /// By the batch's own statistics, or those of all peers' batches.
    Batch { epsilon: f64, peers: Option<Arc<dyn Peers>> },
    /// By fixed statistics.
    Fixed(Statistics),
}

/// What a layer has computed.
#[derive(Clone, Debug)]
pub(crate) struct Computed {
    pub(crate) map: Arc<Map>,
    /// The convolution's output and what normalised it, if they were kept.
    pub(crate) kept: Option<Kept>,
}

/// What the backward pass needs of a forward pass.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) raw: Arc<Buffer>,
    pub(crate) statistics: Option<Statistics>,
}

/// The learned parameters of a layer.
pub(crate) struct Parameters<'a> {
    /// `[out, in, kernel, kernel]`
    pub(crate) weight: &'a [f32],
    pub(crate) gamma: &'a [f32],
    pub(crate) beta: &'a [f32],
}

/// How a batch is cut on the way forward.
pub(crate) fn forward_cut(shape: &Shape, method: Method) -> Cut {
    Cut::new(shape.input.images, PARTS, group(shape, method), shape.work())
}

impl Layer {
    /// Computes the layer; with `keep`, in a way that [`gradients`](Self::gradients) can follow.
    pub(crate) fn forward(&self, parameters: &Parameters<'_>, keep: bool) -> Computed {
        match &self.norm {
            Norm::Batch { epsilon, peers } => {
                let (raw, moments) = self.convolve(parameters.weight, true);
                let (output, peers) = (self.shape.output, peers.as_deref());
                let statistics = Statistics::of(&moments, output, *epsilon, peers);
                let affine = statistics.affine(parameters, output);
                self.pending(raw, affine, Some(statistics), keep)
            }
            norm => {
                let statistics = match norm {
                    Norm::Fixed(statistics) => Some(statistics.clone()),
                    _ => None,
                };
                let affine = match &statistics {
                    Some(statistics) => statistics.affine(parameters, self.shape.output),
                    None => Affine::identity(self.shape.output.lanes()),
                };
                if keep {
                    let (raw, _) = self.convolve(parameters.weight, false);
                    self.pending(raw, affine, statistics, keep)
                } else {
                    Computed {
                        map: Arc::new(self.evaluate(parameters.weight, &affine)),
                        kept: None,
                    }
                }
            }
        }
    }

    fn pending(
        &self,
        raw: Buffer,
        affine: Affine,
        statistics: Option<Statistics>,
        keep: bool,
    ) -> Computed {
        let raw = Arc::new(raw);
        let skip = self.skip.clone();
        let pending = Pending { raw: raw.clone(), affine: Arc::new(affine), skip, relu: self.relu };
        let map = Map::pending(self.shape.output, pending);
        if keep {
            let own = statistics.as_ref().map(|s| (raw.clone(), Arc::new(s.mean.clone())));
            let skip = self.skip.as_ref().and_then(|skip| skip.projection());
            map.record(Trace { relu: self.relu, projection: self.projection, raws: [own, skip] });
        }
        Computed { map: Arc::new(map), kept: Some(Kept { raw, statistics }) }
    }

    /// The convolution of the whole batch without halo, and part by part the moments of its output.
    fn convolve(&self, weight: &[f32], measure: bool) -> (Buffer, Vec<Moments>) {
        let (input, output) = (self.shape.input, self.shape.output);
        let halo = self.shape.input_halo().max(HALO);
        let method = self.methods.forward;
        let forward = Forward::new(&self.shape, method, halo, weight);
        let cut = forward_cut(&self.shape, method);
        let view = self.input.view();
        // A sum is finished on the way, for its other readers.
        let mut finished = (halo == HALO && self.input.wants_finishing())
            .then(|| Buffer::stale(input.images * input.image(HALO)));
        let mut raw = Buffer::stale(output.images * output.image(0));

        let mut kept = finished.as_mut().map(|b| b.chunks_mut(cut.chunk * input.image(HALO)));
        let tasks = raw.chunks_mut(cut.chunk * output.image(0)).enumerate().map(|(index, raw)| {
            let finished = kept.as_mut().and_then(Iterator::next);
            (index * cut.chunk, raw, finished)
        });
        let moments = parallel::map(tasks.collect(), |(first, raw, mut finished)| {
            let images = first..first + raw.len() / output.image(0).max(1);
            let scratch = if finished.is_some() || view.stored(halo) { 0 } else { cut.group };
            let mut scratch = Buffer::stale(scratch * input.image(halo));
            let mut moments = vec![Moments::new(output); cut.group.div_ceil(cut.piece())];
            for part in cut.groups(images) {
                let (from, to) = (part.start - first, part.end - first);
                let source = match &mut finished {
                    Some(finished) => {
                        let finished =
                            &mut finished[from * input.image(HALO)..to * input.image(HALO)];
                        view.images(input, part.clone(), (finished, HALO), cut.piece())
                    }
                    None => view.images(input, part.clone(), (&mut scratch, halo), cut.piece()),
                };
                let raw = &mut raw[from * output.image(0)..to * output.image(0)];
                forward.run(source, raw, cut.pieces);
                if measure {
                    let pieces = raw.chunks(cut.piece() * output.image(0));
                    parallel::each(
                        moments.iter_mut().zip(pieces).collect(),
                        |(moments, images)| {
                            moments.add(output, images);
                        },
                    );
                }
            }
            moments
        });
        if let Some(finished) = finished {
            self.input.keep(finished);
        }
        (raw, moments.into_iter().flatten().collect())
    }

    /// The finished map in one go, when everything is known beforehand.
    fn evaluate(&self, weight: &[f32], affine: &Affine) -> Map {
        let (input, output) = (self.shape.input, self.shape.output);
        let halo = self.shape.input_halo().max(HALO);
        let method = self.methods.forward;
        let forward = Forward::new(&self.shape, method, halo, weight);
        let cut = forward_cut(&self.shape, method);
        let (view, skip) = (self.input.view(), SkipView::of(self.skip.as_ref()));
        let mut values = Buffer::stale(output.images * output.image(HALO));
        let chunks = values.chunks_mut(cut.chunk * output.image(HALO)).enumerate();
        parallel::each(chunks.collect(), |(index, values)| {
            let first = index * cut.chunk;
            let images = first..first + values.len() / output.image(HALO);
            let scratch = if view.stored(halo) { 0 } else { cut.group };
            let mut scratch = Buffer::stale(scratch * input.image(halo));
            let mut raw = Buffer::stale(cut.group * output.image(0));
            for part in cut.groups(images) {
                let raw = &mut raw[..part.len() * output.image(0)];
                let source = view.images(input, part.clone(), (&mut scratch, halo), cut.piece());
                forward.run(source, raw, cut.pieces);
                let values = &mut values[(part.start - first) * output.image(HALO)..];
                let images = values.chunks_exact_mut(output.image(HALO));
                let images = part.zip(raw.chunks_exact(output.image(0))).zip(images).collect();
                spread(cut.pieces, images, |((index, raw), out)| {
                    let addend = skip.addend(output, index);
                    finish(output, raw, affine, addend, self.relu, (out, HALO));
                });
            }
        });
        Map::finished(output, values)
    }
}

impl Affine {
    /// Leaves everything as it is.
    pub(crate) fn identity(lanes: usize) -> Self {
        Self { scale: vec![1.0; lanes], shift: vec![0.0; lanes] }
    }
}

/// Adds one or more images to the moments; see [`Moments`].
impl Moments {
    fn add(&mut self, extent: Extent, images: &[f32]) {
        for image in images.chunks_exact(extent.image(0)) {
            let centre = self.centre.get_or_insert_with(|| {
                let middle = extent.pixel(0, [extent.height / 2, extent.width / 2]);
                image[middle..middle + extent.lanes()].to_vec()
            });
            moments(extent, image, centre, &mut self.sums);
            self.count += extent.pixels();
        }
    }
}
