//! Batch norms over the batches of several threads, against the whole batch in one.

use std::sync::{Arc, Barrier, Mutex};

use burn::module::Param;
use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use super::layer_tests::random;
use crate::activation::Activation;
use crate::layers::{batch_norm, conv};
use crate::map::{FeatureMap, Skip};
use crate::peers::{Peers, with_peers};

const IMAGES: usize = 7;

/// One of some threads.
#[derive(Debug)]
struct Thread {
    rank: usize,
    meeting: Arc<(Mutex<Vec<Vec<f64>>>, Barrier)>,
}

impl Peers for Thread {
    fn gather(&self, own: &[f64]) -> Vec<Vec<f64>> {
        let (numbers, barrier) = &*self.meeting;
        numbers.lock().unwrap()[self.rank] = own.to_vec();
        barrier.wait();
        let all = numbers.lock().unwrap().clone();
        barrier.wait();
        all
    }
}

/// Layers of every kind: fused, with a projected skip, alone, and behind a grouped convolution.
struct Layers {
    convs: Vec<Conv2d>,
    norms: Vec<BatchNorm>,
}

impl Layers {
    fn new(device: &Device) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut convs: Vec<_> = [[3, 6], [6, 6], [3, 6]]
            .into_iter()
            .map(|channels| conv(channels, 3, 1, &mut rng, device))
            .collect();
        // Weights `[out, in / groups, kernel, kernel]`.
        let grouped = conv([3, 6], 3, 1, &mut rng, device);
        convs.push(Conv2d { groups: 2, ..grouped });
        let norms = (0..5).map(|_| {
            let norm = batch_norm(6, device);
            let parameter = |tensor: Tensor<1>| Param::from_data(tensor.into_data(), device);
            BatchNorm {
                gamma: parameter(random([6], &mut rng, device) + 1.5),
                beta: parameter(random([6], &mut rng, device)),
                ..norm
            }
        });
        Self { norms: norms.collect(), convs }
    }

    fn forward(&self, image: Tensor<4>) -> Tensor<4> {
        let map = FeatureMap::from_nchw(image);
        let first = map.conv(&self.convs[0]).norm(&self.norms[0], Skip::None, Activation::Relu);
        let skip = Skip::Projected(map.conv(&self.convs[2]), &self.norms[1]);
        let sum = first.conv(&self.convs[1]).norm(&self.norms[2], skip, Activation::Relu);
        let alone = sum.norm(&self.norms[3], Activation::Relu);
        let grouped = alone.conv(&self.convs[3]).norm(
            &self.norms[4],
            Skip::Identity(sum),
            Activation::Identity,
        );
        grouped.to_nchw()
    }
}

/// Outputs, the gradient of the images, those of all parameters, and running statistics.
type Numbers = [Vec<f32>; 4];

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// What the images of `range` come to, of a loss that weighs every number otherwise.
fn compute(range: std::ops::Range<usize>, peers: Option<Arc<dyn Peers>>) -> Numbers {
    let device = Device::flex().autodiff();
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let images: Tensor<4> = random([IMAGES, 3, 5, 4], &mut rng, &device) * 2.0 + 3.0;
    let weights: Tensor<4> = random([IMAGES, 6, 5, 4], &mut rng, &device);
    let images =
        Tensor::from_data(images.slice([range.clone()]).into_data(), &device).require_grad();
    let layers = Layers::new(&device);
    let forward = || layers.forward(images.clone());
    let output = match peers {
        Some(peers) => with_peers(peers, forward),
        None => forward(),
    };
    let gradients = (output.clone() * weights.slice([range])).sum().backward();
    let of_convs =
        layers.convs.iter().map(|conv| numbers(conv.weight.val().grad(&gradients).unwrap()));
    let of_norms = layers.norms.iter().flat_map(|norm| {
        [&norm.gamma, &norm.beta]
            .map(|parameter| numbers(parameter.val().grad(&gradients).unwrap()))
    });
    let running = layers.norms.iter().flat_map(|norm| {
        [&norm.running_mean, &norm.running_var].map(|running| numbers(running.value_sync()))
    });
    [
        numbers(output),
        numbers(images.grad(&gradients).unwrap()),
        of_convs.chain(of_norms).flatten().collect(),
        running.flatten().collect(),
    ]
}

fn close(ours: &[f32], theirs: &[f32], what: &str) {
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert!((ours - theirs).abs() < 2e-4 * theirs.abs().max(1.0), "{what}: {ours} {theirs}");
    }
}

#[test]
fn parts_of_a_batch_are_normalised_as_the_whole() {
    let whole = compute(0..IMAGES, None);
    for bounds in [&[0, IMAGES][..], &[0, 3, IMAGES], &[0, 1, 6, IMAGES]] {
        let parts: Vec<_> = bounds.windows(2).map(|bound| bound[0]..bound[1]).collect();
        let meeting =
            Arc::new((Mutex::new(vec![Vec::new(); parts.len()]), Barrier::new(parts.len())));
        let all: Vec<Numbers> = std::thread::scope(|scope| {
            let thread = |(rank, part): (usize, &std::ops::Range<usize>)| {
                let (part, meeting) = (part.clone(), meeting.clone());
                scope.spawn(move || compute(part, Some(Arc::new(Thread { rank, meeting }))))
            };
            let threads: Vec<_> = parts.iter().enumerate().map(thread).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (index, what) in ["outputs", "gradients of images"].into_iter().enumerate() {
            let joined: Vec<f32> = all.iter().flat_map(|part| part[index].clone()).collect();
            close(&joined, &whole[index], what);
        }
        let mut sums = vec![0.0; whole[2].len()];
        for part in &all {
            sums.iter_mut().zip(&part[2]).for_each(|(sum, value)| *sum += value);
            close(&part[3], &whole[3], "running statistics");
        }
        close(&sums, &whole[2], "gradients of parameters");
    }
}
