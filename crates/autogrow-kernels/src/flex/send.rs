//! Sending a map the gradient of an operation that is not a layer.

use super::buffer::Buffer;
use super::extent::HALO;
use super::gate::Gate;
use super::layer_backward::{join, no_sums};
use super::map::{Gradient, Map};
use super::parallel::{self, Cut};

/// Adds to the gradient of `map` what `write(image, values, gradient)` writes for every image:
/// `values` is the image itself, with its halo, if `needs_values`, and otherwise empty; `gradient`
/// is without halo and holds anything.
pub(crate) fn send(
    map: &Map,
    needs_values: bool,
    write: impl Fn(usize, &[f32], &mut [f32]) + Sync,
) {
    let extent = map.extent;
    let image = extent.image(0);
    let last = map.remove_reader();
    let trace = map.trace().filter(|_| last);
    let relu = trace.is_some_and(|trace| trace.relu);
    let arrived = map.take_gradient();
    let replace = arrived.is_none();
    let mut sent = match arrived {
        Some(Gradient { values, .. }) => values,
        None => Buffer::stale(extent.images * image),
    };
    let view = map.view();
    let Cut { chunk, .. } = Cut::images(extent.images);
    let chunks = sent.chunks_mut(chunk * image).enumerate();
    let parts = parallel::map(chunks.collect(), |(index, sent)| {
        let mut sums = no_sums(extent);
        let needs_values = needs_values || relu;
        let mut scratch = Buffer::stale(if needs_values { extent.image(HALO) } else { 0 });
        let mut more = Buffer::stale(image);
        for (offset, sent) in sent.chunks_exact_mut(image).enumerate() {
            let index = index * chunk + offset;
            let values: &[f32] = if needs_values {
                view.images(extent, index..index + 1, (&mut scratch, HALO), 1)
            } else {
                &[]
            };
            write(index, values, &mut more);
            let gate = match trace {
                Some(trace) => trace.gate(extent, index, values, HALO),
                None => Gate { relu: None, raws: [None, None] },
            };
            gate.apply(extent, sent, Some(&more), replace, &mut sums);
        }
        sums
    });
    let sums = trace.is_some().then(|| join(extent, &parts));
    map.set_gradient(Gradient { values: sent, sums });
}
