//! The backward pass of one layer: the gradients of its input, skip and parameters from the
//! gradient that has arrived at its map.
//!
//! Two passes over the batch, because the gradient through a batch norm needs sums over all of
//! it: the first takes the gradient through the activation and sums up, the second does the rest,
//! group by group of images. The first pass of a map is usually done already, within the second
//! pass of the last operation that sent it a gradient.

use super::buffer::Buffer;
use super::conv::{InputGradient, Methods, WeightSums, group};
use super::extent::{Extent, HALO};
use super::gate::{Gate, GateSums, NormGradient};
use super::geometry::Shape;
use super::layer::{Kept, Layer, Norm, Parameters};
use super::map::{Gradient, Map};
use super::parallel::{self, Cut, PARTS, WORKERS, spread};
use super::statistics::Statistics;
use crate::peers::Peers;

/// Which gradients are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) input: bool,
    pub(crate) weight: bool,
    pub(crate) skip: bool,
}

/// The gradients of a layer's parameters; those of its maps are sent to the maps.
pub(crate) struct ParameterGradients {
    /// `[out, in, kernel, kernel]`, if wanted.
    pub(crate) weight: Option<Vec<f32>>,
    pub(crate) gamma: Vec<f32>,
    pub(crate) beta: Vec<f32>,
}

/// Bytes that all chunks' sums of a weight gradient may take together: they are held at once, and
/// have to be summed.
const SUMS: usize = 5 << 20;

/// How a batch is cut on the way back, with or without the gradient of the weights.
pub(crate) fn backward_cut(shape: &Shape, methods: Methods, weights: bool) -> Cut {
    let bytes = 4 * WeightSums::floats(shape, methods.weights);
    let most = if weights { SUMS / bytes.max(1) } else { PARTS };
    let chunks = 1 << most.clamp(1, PARTS).ilog2();
    // Where chunks are few, a group has images for all threads.
    let group = group(shape, methods.weights).max(WORKERS / chunks);
    Cut::new(shape.input.images, chunks, group, shape.work())
}

pub(crate) fn no_sums(extent: Extent) -> GateSums {
    std::array::from_fn(|_| vec![0.0; extent.lanes()])
}

/// Sums per channel over parts, in their order.
pub(crate) fn join(extent: Extent, parts: &[GateSums]) -> GateSums {
    let mut total = no_sums(extent);
    for part in parts {
        for (total, part) in total.iter_mut().zip(part) {
            total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
        }
    }
    total
}

/// The sums that a batch norm's gradient needs over the batches of all peers, in their order.
fn across(peers: &dyn Peers, [ones, products, _]: &GateSums) -> GateSums {
    let lanes = ones.len();
    let mut all = [vec![0.0; lanes], vec![0.0; lanes], Vec::new()];
    for part in peers.gather(&[&ones[..], &products[..]].concat()) {
        for (total, part) in all.iter_mut().flatten().zip(part) {
            *total += part;
        }
    }
    all
}

/// Takes a gradient that has arrived at `map` through the map's activation.
fn gated(map: &Map, gradient: Gradient) -> (Buffer, GateSums) {
    let Gradient { mut values, sums } = gradient;
    if let Some(sums) = sums {
        return (values, sums);
    }
    let extent = map.extent;
    let Some(trace) = map.trace() else { return (values, no_sums(extent)) };
    let view = map.view();
    let Cut { chunk, .. } = Cut::images(extent.images);
    let chunks = values.chunks_mut(chunk * extent.image(0)).enumerate();
    let parts = parallel::map(chunks.collect(), |(index, values)| {
        let mut sums = no_sums(extent);
        let mut scratch = Buffer::stale(if trace.relu { extent.image(HALO) } else { 0 });
        for (offset, values) in values.chunks_exact_mut(extent.image(0)).enumerate() {
            let index = index * chunk + offset;
            let out: &[f32] = if trace.relu {
                view.images(extent, index..index + 1, (&mut scratch, HALO), 1)
            } else {
                &[]
            };
            trace.gate(extent, index, out, HALO).apply(extent, values, None, false, &mut sums);
        }
        sums
    });
    (values, join(extent, &parts))
}

impl Layer {
    /// Computes the wanted gradients from the one at `map`, which this layer has made.
    pub(crate) fn gradients(
        &self,
        map: &Map,
        kept: &Kept,
        parameters: &Parameters<'_>,
        wanted: Wanted,
    ) -> ParameterGradients {
        let output = self.shape.output;
        let gradient = map.take_gradient().unwrap_or_else(|| Gradient {
            values: Buffer::zeroed(output.images * output.image(0)),
            sums: None,
        });
        let (values, sums) = gated(map, gradient);
        let through = self.through_norm(kept, parameters, &sums);
        let weight = (wanted.input || wanted.weight)
            .then(|| self.convolution_gradients(&values, kept, &through, parameters, wanted))
            .flatten();
        if let (true, Some(skip)) = (wanted.skip, &self.skip) {
            skip.remove_reader();
            self.send_to_skip(skip, values, &sums);
        }
        let [beta, gamma, _] = sums;
        let inverse = kept.statistics.as_ref().map(|statistics| &statistics.inverse);
        let gamma = gamma
            .iter()
            .enumerate()
            .map(|(channel, sum)| (sum * inverse.map_or(0.0, |inverse| inverse[channel])) as f32);
        ParameterGradients {
            weight,
            gamma: gamma.take(output.channels).collect(),
            beta: beta.iter().take(output.channels).map(|sum| *sum as f32).collect(),
        }
    }

    /// The skip's gradient is that of the sum. A projection's sums are known with it.
    fn send_to_skip(&self, skip: &Map, values: Buffer, sums: &GateSums) {
        if skip.projection().is_some() {
            let [ones, _, products] = sums;
            let sums = [ones.clone(), products.clone(), products.clone()];
            skip.set_gradient(Gradient { values, sums: Some(sums) });
        } else {
            skip.add_gradient(values);
        }
    }

    /// The gradient through the batch norm as a function of the pixel.
    fn through_norm(
        &self,
        kept: &Kept,
        parameters: &Parameters<'_>,
        sums: &GateSums,
    ) -> NormGradient {
        let lanes = self.shape.output.lanes();
        let zeros = || vec![0.0; lanes];
        let mut through = NormGradient { own: zeros(), raw: zeros(), constant: zeros() };
        let Some(Statistics { count, mean, inverse, .. }) = &kept.statistics else {
            through.own.fill(1.0);
            return through;
        };
        let all = match &self.norm {
            Norm::Batch { peers: Some(peers), .. } => Some(across(&**peers, sums)),
            _ => None,
        };
        let [ones, products, _] = all.as_ref().unwrap_or(sums);
        for channel in 0..self.shape.output.channels {
            let own = f64::from(parameters.gamma[channel]) * inverse[channel];
            through.own[channel] = own as f32;
            if let Norm::Batch { .. } = self.norm {
                let count = *count as f64;
                let raw = -own * inverse[channel].powi(2) * products[channel] / count;
                let constant = -own * ones[channel] / count - raw * f64::from(mean[channel]);
                through.raw[channel] = raw as f32;
                through.constant[channel] = constant as f32;
            }
        }
        through
    }

    /// The second pass: sends the input its gradient and returns that of the weights.
    fn convolution_gradients(
        &self,
        gradient: &[f32],
        kept: &Kept,
        through: &NormGradient,
        parameters: &Parameters<'_>,
        wanted: Wanted,
    ) -> Option<Vec<f32>> {
        let (shape, methods) = (&self.shape, self.methods);
        let (input, output) = (shape.input, shape.output);
        let (halo, output_halo) = (shape.input_halo().max(HALO), shape.output_halo());
        let cut = backward_cut(shape, methods, wanted.weight);
        let backward = wanted.input.then(|| {
            let layout = (output_halo, cut.group);
            InputGradient::new(shape, methods.input, layout, parameters.weight)
        });
        let last = wanted.input && self.input.remove_reader();
        // Only the last gradient to arrive may pass the input's activation.
        let trace = self.input.trace().filter(|_| last);
        let relu = trace.is_some_and(|trace| trace.relu);

        let arrived = wanted.input.then(|| self.input.take_gradient()).flatten();
        let replace = arrived.is_none();
        let mut sent = match arrived {
            Some(Gradient { values, .. }) => values,
            None if wanted.input => Buffer::stale(input.images * input.image(0)),
            None => Buffer::stale(0),
        };

        let view = self.input.view();

        let mut parts_sent = sent.chunks_mut(cut.chunk * input.image(0));
        let tasks = (0..input.images).step_by(cut.chunk).map(|first| {
            let images = first..(first + cut.chunk).min(input.images);
            (images, parts_sent.next().unwrap_or_default())
        });
        let needs_input = wanted.weight || relu;
        let plains = [input.image(0), output.image(0)];
        let parts = parallel::map(tasks.collect(), |(images, sent)| {
            let first = images.start;
            let scratch =
                |wanted, image: usize| Buffer::stale(if wanted { cut.group * image } else { 0 });
            let mut input_scratch = scratch(needs_input && !view.stored(halo), input.image(halo));
            let mut output_scratch = scratch(true, output.image(output_halo));
            let mut sent_scratch = scratch(wanted.input, plains[0]);
            let halos = [halo, output_halo];
            let mut weights =
                wanted.weight.then(|| WeightSums::new(shape, methods.weights, halos, cut.group));
            let mut sums = vec![no_sums(input); cut.group.div_ceil(cut.piece())];
            for part in cut.groups(images) {
                let out = &mut output_scratch[..part.len() * output.image(output_halo)];
                let outs = out.chunks_exact_mut(output.image(output_halo));
                spread(cut.pieces, part.clone().zip(outs).collect(), |(index, out)| {
                    let gradient = &gradient[index * plains[1]..][..plains[1]];
                    let raw = &kept.raw[index * plains[1]..][..plains[1]];
                    through.apply(output, gradient, raw, (out, output_halo));
                });
                let values: &[f32] = if needs_input {
                    view.images(input, part.clone(), (&mut input_scratch, halo), cut.piece())
                } else {
                    &[]
                };
                if let Some(weights) = &mut weights {
                    weights.add(values, out, cut.pieces);
                }
                let Some(backward) = &backward else { continue };
                let more = &mut sent_scratch[..part.len() * plains[0]];
                backward.run(out, more, cut.pieces);
                let sent = &mut sent[(part.start - first) * plains[0]..][..part.len() * plains[0]];
                let piece = cut.piece() * plains[0];
                let pieces = sent.chunks_mut(piece).zip(more.chunks(piece)).zip(&mut sums);
                parallel::each(pieces.enumerate().collect(), |(index, ((sent, more), sums))| {
                    let images = sent.chunks_exact_mut(plains[0]).zip(more.chunks_exact(plains[0]));
                    for (offset, (sent, more)) in (index * cut.piece()..).zip(images) {
                        let values: &[f32] = if relu {
                            &values[offset * input.image(halo)..][..input.image(halo)]
                        } else {
                            &[]
                        };
                        let gate = match trace {
                            Some(trace) => trace.gate(input, part.start + offset, values, halo),
                            None => Gate { relu: None, raws: [None, None] },
                        };
                        gate.apply(input, sent, Some(more), replace, sums);
                    }
                });
            }
            (weights, sums)
        });
        let (weights, sums): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        if wanted.input {
            let sums = trace.is_some().then(|| join(input, &sums.concat()));
            self.input.set_gradient(Gradient { values: sent, sums });
        }
        let weights = weights.into_iter().flatten().collect::<Vec<_>>();
        wanted.weight.then(|| WeightSums::total(shape, weights))
    }
}
