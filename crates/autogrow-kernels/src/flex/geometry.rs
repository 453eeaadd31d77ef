//! Which pixels a direct convolution reads and writes, as tables: one engine serves every kernel
//! size, stride and padding, forward and for the gradient of the input.

use super::extent::Extent;
use crate::layers::out_size;

/// The sizes of one convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) input: Extent,
    pub(crate) output: Extent,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

/// A contiguous run of source floats, and the row of the packed weights that its first one meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) offset: usize,
    pub(crate) row: usize,
    pub(crate) len: usize,
}

/// For every target pixel the offsets of where it reads and writes, and the runs, relative to the
/// former, that are multiplied by the weights.
#[derive(Debug)]
pub(crate) struct Gather {
    pub(crate) reads: Vec<u32>,
    pub(crate) writes: Vec<u32>,
    pub(crate) runs: Vec<Run>,
    /// Floats of the source and target images that the tables stay within.
    pub(crate) source: usize,
    pub(crate) target: usize,
}

impl Shape {
    pub(crate) fn new(
        input: Extent,
        channels: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
    ) -> Self {
        let size = |size| out_size(size, kernel, stride, padding);
        let [height, width] = [size(input.height), size(input.width)];
        let output = Extent { channels, height, width, ..input };
        Self { input, output, kernel, stride, padding }
    }

    /// The same convolution of all lanes that the channels are stored in, those of padding among them:
    /// then neighbouring pixels are one run.
    pub(crate) fn padded(&self) -> Self {
        let whole = |extent: Extent| Extent { channels: extent.lanes(), ..extent };
        Self { input: whole(self.input), output: whole(self.output), ..*self }
    }

    /// The halo that the forward convolution needs around its input.
    pub(crate) fn input_halo(&self) -> usize {
        self.padding
    }

    /// The halo that the gradient of the input needs around the gradient of the output.
    pub(crate) fn output_halo(&self) -> usize {
        let before = (self.kernel - 1).saturating_sub(self.padding).div_ceil(self.stride);
        let last = |input: usize| (input - 1 + self.padding) / self.stride;
        let after = |input, output| (last(input) + 1_usize).saturating_sub(output);
        before
            .max(after(self.input.height, self.output.height))
            .max(after(self.input.width, self.output.width))
    }

    /// Rows of the packed weights: taps times input channels.
    pub(crate) fn rows(&self) -> usize {
        self.kernel * self.kernel * self.input.channels
    }

    /// Multiplications of one image.
    pub(crate) fn work(&self) -> usize {
        self.output.pixels() * self.rows() * self.output.channels
    }

    /// The forward convolution of an input with `halo` pixels of border.
    pub(crate) fn forward(&self, halo: usize) -> Gather {
        let (input, output) = (self.input, self.output);
        assert!(halo >= self.padding);
        let inset = halo - self.padding;
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        for y in 0..output.height {
            for x in 0..output.width {
                let first = [y * self.stride + inset, x * self.stride + inset];
                reads.push(input.pixel(0, [0, first[1]]) + first[0] * input.row(halo));
                writes.push(output.pixel(0, [y, x]));
            }
        }
        let channels = input.channels;
        let mut runs = Vec::new();
        for tap_y in 0..self.kernel {
            for tap_x in 0..self.kernel {
                let offset = tap_y * input.row(halo) + tap_x * input.lanes();
                let row = (tap_y * self.kernel + tap_x) * channels;
                push(&mut runs, Run { offset, row, len: channels });
            }
        }
        Gather::new(reads, writes, runs, input.image(halo), output.image(0))
    }

    /// The gradient of the input from that of the output, which has `halo` pixels of border: one
    /// gather for every residue of the input's pixels modulo the stride. The weights' rows run
    /// backwards over the taps, so that with stride 1 the runs join.
    pub(crate) fn backward(&self, halo: usize) -> Vec<Gather> {
        let (input, output, stride) = (self.input, self.output, self.stride);
        assert!(halo >= self.output_halo());
        let phases = (0..stride).flat_map(|y| (0..stride).map(move |x| [y, x]));
        phases
            .filter(|phase| phase[0] < input.height && phase[1] < input.width)
            .map(|phase| {
                let (mut reads, mut writes) = (Vec::new(), Vec::new());
                for y in (phase[0]..input.height).step_by(stride) {
                    for x in (phase[1]..input.width).step_by(stride) {
                        reads.push(y / stride * output.row(halo) + x / stride * output.lanes());
                        writes.push(input.pixel(0, [y, x]));
                    }
                }
                let mut runs = Vec::new();
                for flip_y in 0..self.kernel {
                    for flip_x in 0..self.kernel {
                        let tap = [self.kernel - 1 - flip_y, self.kernel - 1 - flip_x];
                        let [Some(from_y), Some(from_x)] =
                            [0, 1].map(|axis| self.tap_source(phase[axis], tap[axis], halo))
                        else {
                            continue;
                        };
                        let offset = from_y * output.row(halo) + from_x * output.lanes();
                        let row = (flip_y * self.kernel + flip_x) * output.channels;
                        push(&mut runs, Run { offset, row, len: output.channels });
                    }
                }
                Gather::new(reads, writes, runs, output.image(halo), input.image(0))
            })
            .collect()
    }

    /// Where, from a target pixel of residue `phase`, the output pixel lies that `tap` joins it
    /// to, counted from the edge of the halo; none if the stride skips it.
    fn tap_source(&self, phase: usize, tap: usize, halo: usize) -> Option<usize> {
        let distance = (phase + self.padding + halo * self.stride).checked_sub(tap)?;
        distance.is_multiple_of(self.stride).then_some(distance / self.stride)
    }
}

impl Gather {
    fn new(
        reads: Vec<usize>,
        writes: Vec<usize>,
        runs: Vec<Run>,
        source: usize,
        target: usize,
    ) -> Self {
        // What the kernels rely on instead of testing every access.
        let reach = runs.iter().map(|run| run.offset + run.len).max().unwrap_or(0);
        assert!(reads.iter().all(|read| read + reach <= source));
        assert!(u32::try_from(source.max(target)).is_ok(), "an image of 16 GiB");
        let narrow = |offsets: Vec<usize>| offsets.into_iter().map(|at| at as u32).collect();
        Self { reads: narrow(reads), writes: narrow(writes), runs, source, target }
    }
}

/// A table of one image's places, repeated for `images` images of `image` floats.
pub(crate) fn repeated(table: &[u32], images: usize, image: usize) -> Vec<u32> {
    assert!(u32::try_from(images * image).is_ok(), "images of 16 GiB");
    let images = 0..images as u32;
    images.flat_map(|i| table.iter().map(move |at| at + i * image as u32)).collect()
}

/// Appends a run, joining it to the last one if both its floats and its weights follow on.
fn push(runs: &mut Vec<Run>, run: Run) {
    match runs.last_mut() {
        Some(last) if last.offset + last.len == run.offset && last.row + last.len == run.row => {
            last.len += run.len;
        }
        _ => runs.push(run),
    }
}
