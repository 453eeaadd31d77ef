//! What goes on between layers: several readers of a map, frozen parts, conversions in between,
//! several backward passes, and the same bits whatever the order of work.

use burn::module::{Module, Param};
use burn::nn::{BatchNorm, conv::Conv2d};
use burn::tensor::{Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::layer_tests::{difference, numbers, random, random_norm, twin};
use crate::{
    Activation::Relu, FeatureMap, Precision, Skip, batch_norm, conv, plain, set_precision,
};

/// A stem, a block with identity skip, a block with projection, and what follows.
#[derive(Module, Debug)]
struct Net {
    convs: Vec<Conv2d>,
    norms: Vec<BatchNorm>,
}

const CHANNELS: [[usize; 2]; 6] = [[3, 16], [16, 16], [16, 16], [16, 24], [24, 24], [16, 24]];

impl Net {
    fn new(device: &Device) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let kernel = |index| {
            if index == 5 {
                (1, 2)
            } else if index == 3 {
                (3, 2)
            } else {
                (3, 1)
            }
        };
        let convs = CHANNELS.iter().enumerate().map(|(index, channels)| {
            let (kernel, stride) = kernel(index);
            conv(*channels, kernel, stride, &mut rng, device)
        });
        let convs = convs.collect();
        let norms = CHANNELS.iter().map(|[_, c]| random_norm(*c, &mut rng, device)).collect();
        Self { convs, norms }
    }

    fn twin(&self) -> Self {
        Self { convs: self.convs.clone(), norms: self.norms.iter().map(twin).collect() }
    }

    /// The stem pooled, both blocks, and the mean.
    fn fused(&self, x: Tensor<4>) -> Tensor<2> {
        let (convs, norms) = (&self.convs, &self.norms);
        let x = FeatureMap::from_nchw(x).conv(&convs[0]).norm(&norms[0], Skip::None, Relu);
        let x = x.max_pool(3, 2, 1);
        let y = x.conv(&convs[1]).norm(&norms[1], Skip::None, Relu);
        let x = y.conv(&convs[2]).norm(&norms[2], Skip::Identity(x), Relu);
        let y = x.conv(&convs[3]).norm(&norms[3], Skip::None, Relu);
        let skip = Skip::Projected(x.conv(&convs[5]), &norms[5]);
        let z = y.conv(&convs[4]).norm(&norms[4], skip, Relu);
        // A plug-in's own operation, on plain tensors, and the parameter-free shortcut.
        let plugged = FeatureMap::from_nchw(z.to_nchw().tanh());
        let shortcut = x.subsample_and_pad(2, 24);
        let last = plugged.to_nchw() + shortcut.to_nchw() + z.to_nchw();
        FeatureMap::from_nchw(last).global_average().into_tensor()
    }

    fn plain(&self, x: &Tensor<4>) -> Tensor<2> {
        let (convs, norms) = (&self.convs, &self.norms);
        let layer = |x: &Tensor<4>, i: usize| {
            plain::normalise(plain::conv(x.clone(), &convs[i]), &norms[i])
        };
        let relu = |x| plain::activate(x, Relu);
        let x = plain::max_pool(relu(layer(x, 0)), 3, 2, 1);
        let y = relu(layer(&x, 1));
        let x = relu(layer(&y, 2) + x);
        let y = relu(layer(&x, 3));
        let z = relu(layer(&y, 4) + layer(&x, 5));
        let shortcut = plain::subsample_and_pad(x, 2, 24);
        plain::global_average(z.clone().tanh() + shortcut + z)
    }
}

fn input(seed: u64, device: &Device) -> Tensor<4> {
    random([5, 3, 18, 22], &mut ChaCha8Rng::seed_from_u64(seed), device)
}

/// The gradients of all weights and norms, none where there is none.
fn gradients(net: &Net, loss: &Tensor<1>) -> Vec<Option<Vec<f32>>> {
    let gradients = loss.backward();
    let weights =
        net.convs.iter().map(|conv| conv.weight.val().grad(&gradients).map(|g| numbers(&g)));
    let norms = net.norms.iter().flat_map(|norm| [norm.gamma.val(), norm.beta.val()]);
    let norms = norms.map(|tensor| tensor.grad(&gradients).map(|g| numbers(&g)));
    weights.chain(norms).collect()
}

fn loss(out: Tensor<2>) -> Tensor<1> {
    let device = out.device();
    let factors = random(out.dims(), &mut ChaCha8Rng::seed_from_u64(9), &device);
    (out * factors).sum()
}

fn worst(ours: &[Option<Vec<f32>>], theirs: &[Option<Vec<f32>>]) -> f32 {
    let pairs = ours.iter().zip(theirs).map(|(ours, theirs)| match (ours, theirs) {
        (Some(ours), Some(theirs)) => {
            let largest = theirs.iter().fold(1e-3_f32, |max, v| max.max(v.abs()));
            let pairs = ours.iter().zip(theirs);
            pairs.fold(0.0_f32, |max, (a, b)| max.max((a - b).abs())) / largest
        }
        (None, None) => 0.0,
        _ => f32::INFINITY,
    });
    pairs.fold(0.0, f32::max)
}

#[test]
fn a_net_of_every_operation_trains_and_evaluates_as_burn_does() {
    let device = Device::flex().autodiff();
    let net = Net::new(&device);
    let twin = net.twin();
    let (ours, theirs) = (net.fused(input(1, &device)), twin.plain(&input(1, &device)));
    assert!(difference(&ours, &theirs) < 1e-5);
    let worst = worst(&gradients(&net, &loss(ours)), &gradients(&twin, &loss(theirs)));
    // A ReLU or two near zero may fall on the other side.
    assert!(worst < 1e-3, "{worst}");

    let (net, twin) = (net.valid(), twin.valid());
    let x = input(2, &Device::flex());
    assert!(difference(&net.fused(x.clone()), &twin.plain(&x)) < 1e-5);
}

#[test]
fn frozen_parts_cost_and_get_no_gradient() {
    let device = Device::flex().autodiff();
    let mut net = Net::new(&device);
    let whole = gradients(&net, &loss(net.fused(input(1, &device))));
    let frozen = |weight: Param<Tensor<4>>| weight.set_require_grad(false);
    for index in [0, 1, 3] {
        let conv = net.convs[index].clone();
        net.convs[index] = Conv2d { weight: frozen(conv.weight.clone()), ..conv };
    }
    let norm = net.norms[0].clone();
    net.norms[0] = BatchNorm {
        gamma: norm.gamma.clone().set_require_grad(false),
        beta: norm.beta.clone().set_require_grad(false),
        ..norm
    };
    let part = gradients(&net, &loss(net.fused(input(1, &device))));
    for (index, (part, whole)) in part.iter().zip(&whole).enumerate() {
        match index {
            0 | 1 | 3 | 6 | 7 => assert!(part.is_none()),
            _ => assert_eq!(part, whole, "parameter {index}"),
        }
    }
}

#[test]
fn one_input_serves_two_networks_and_two_backward_passes() {
    let device = Device::flex().autodiff();
    let nets = [Net::new(&device), Net::new(&device)];
    let x = FeatureMap::from_nchw(input(1, &device));
    let out = |net: &Net| {
        let y = x.conv(&net.convs[0]).norm(&net.norms[0], Skip::None, Relu);
        // A reader whose gradient never comes, because its result is not used.
        let _unused = y.conv(&net.convs[1]).norm(&net.norms[1], Skip::None, Relu);
        let y = y.conv(&net.convs[2]).norm(&net.norms[2], Skip::None, Relu);
        loss(y.global_average().into_tensor())
    };
    let losses = nets.each_ref().map(out);
    let [first, second] = losses;
    let first = gradients(&nets[0], &first);
    let second = gradients(&nets[1], &second);
    assert_eq!(first, second);
    assert!(first[0].as_ref().unwrap().iter().any(|v| *v != 0.0));
    assert_eq!(first, gradients(&nets[0], &out(&nets[0])));
}

#[test]
fn a_map_may_be_input_and_skip_of_one_layer() {
    let device = Device::flex().autodiff();
    let (net, twin) = {
        let net = Net::new(&device);
        let twin = net.twin();
        (net, twin)
    };
    let ours = {
        let (convs, norms) = (&net.convs, &net.norms);
        let x = FeatureMap::from_nchw(input(1, &device)).conv(&convs[0]);
        let x = x.norm(&norms[0], Skip::None, Relu);
        x.conv(&convs[1]).norm(&norms[1], Skip::Identity(x), Relu).global_average().into_tensor()
    };
    let theirs = {
        let layer = |x: Tensor<4>, i: usize| {
            plain::normalise(plain::conv(x, &twin.convs[i]), &twin.norms[i])
        };
        let x = plain::activate(layer(input(1, &device), 0), Relu);
        plain::global_average(plain::activate(layer(x.clone(), 1) + x, Relu))
    };
    assert!(difference(&ours, &theirs) < 1e-5);
    let worst = worst(&gradients(&net, &loss(ours)), &gradients(&twin, &loss(theirs)));
    assert!(worst < 1e-3, "{worst}");
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let run = |threads, precision| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            set_precision(precision);
            let device = Device::flex().autodiff();
            let net = Net::new(&device);
            let out = net.fused(input(3, &device));
            (numbers(&out), gradients(&net, &loss(out)))
        })
    };
    let [f32, bf16] = [Precision::F32, Precision::Bf16].map(|precision| {
        let one = run(1, precision);
        for threads in [1, 2, 3, 5] {
            assert_eq!(run(threads, precision), one, "{threads} threads, {precision:?}");
        }
        one
    });
    assert_ne!(f32, bf16);
}

#[test]
fn a_block_that_begins_at_zero_passes_its_input_on_bit_for_bit() {
    for device in [Device::flex().autodiff(), Device::flex()] {
        let net = Net::new(&device);
        let (convs, norms) = (&net.convs, &net.norms);
        let zero = BatchNorm {
            gamma: Param::from_tensor(Tensor::zeros([16], &device)),
            ..batch_norm(16, &device)
        };
        let x = FeatureMap::from_nchw(input(4, &device)).conv(&convs[0]);
        let x = x.norm(&norms[0], Skip::None, Relu);
        let y = x.conv(&convs[1]).norm(&norms[1], Skip::None, Relu);
        let y = y.conv(&convs[2]).norm(&zero, Skip::Identity(x.clone()), Relu);
        // Read while pending, and once more when finished.
        let next = |map: &FeatureMap| {
            numbers(&map.conv(&convs[3]).norm(&norms[3], Skip::None, Relu).to_nchw())
        };
        let after = next(&x);
        assert_eq!(next(&y), after);
        assert_eq!(numbers(&y.to_nchw()), numbers(&x.to_nchw()));
        assert_eq!(next(&y), after);
    }
}

#[test]
fn a_mean_far_from_zero_does_not_drown_the_variance() {
    let device = Device::flex().autodiff();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let one = Tensor::<4>::ones([1, 1, 1, 1], &device);
    let conv = Conv2d { weight: Param::from_tensor(one), ..conv([1, 1], 1, 1, &mut rng, &device) };
    let x = random([64, 1, 30, 30], &mut rng, &device) + 300.0;
    let values = numbers(&x);
    let count = values.len() as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
    let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / count;

    let norm = batch_norm(1, &device);
    let out = FeatureMap::from_nchw(x).conv(&conv).norm(&norm, Skip::None, Relu).to_nchw();
    for (out, value) in numbers(&out).iter().zip(values) {
        let expected = ((f64::from(value) - mean) / (variance + 1e-5).sqrt()).max(0.0);
        assert!((f64::from(*out) - expected).abs() < 1e-3, "{out} for {expected}");
    }
    let unbiased = variance * count / (count - 1.0);
    let running = f64::from(numbers(&norm.running_var.value_sync())[0]);
    assert!((running - (0.9 + 0.1 * unbiased)).abs() < 1e-6);
}
