"""The PyTorch side of the step benchmark: whole training steps (SGD with momentum) and evaluation
of the networks that `examples/step.rs` builds, on the CPU.

    python pytorch_step.py NETWORK [--threads 1] [--steps 12] [--batch 128] [--layout channels_last]

Prints one JSON line per step, `{"network": ..., "seconds": ...}`, and a last one with the peak
resident memory. With `--serve` it prints `ready` and then runs one step for every line it reads,
so that a driver can interleave it with another program.
"""

import argparse
import json
import resource
import sys
import time

import torch
from torch import nn


def conv_norm(channels_in, channels_out, kernel, stride):
    conv = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(channels_out))


class Residual(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return torch.relu_(self.body(x) + (x if self.shortcut is None else self.shortcut(x)))


def basic(channels_in, width, stride):
    body = nn.Sequential(
        conv_norm(channels_in, width, 3, stride), nn.ReLU(inplace=True), conv_norm(width, width, 3, 1)
    )
    same = stride == 1 and channels_in == width
    return Residual(body, None if same else conv_norm(channels_in, width, 1, stride)), width


def bottleneck(channels_in, width, stride):
    wide = 4 * width
    body = nn.Sequential(
        conv_norm(channels_in, width, 1, 1),
        nn.ReLU(inplace=True),
        conv_norm(width, width, 3, stride),
        nn.ReLU(inplace=True),
        conv_norm(width, wide, 1, 1),
    )
    same = stride == 1 and channels_in == wide
    return Residual(body, None if same else conv_norm(channels_in, wide, 1, stride)), wide


def plain(channels_in, width, stride):
    return nn.Sequential(conv_norm(channels_in, width, 3, stride), nn.ReLU(inplace=True)), width


BLOCKS = {"basic": basic, "bottleneck": bottleneck, "plain": plain}
NETWORKS = {
    "basic3-3": ("basic", 16, [3, 3, 3]),
    "basic3-9": ("basic", 16, [9, 9, 9]),
    "plain3-6": ("plain", 16, [6, 6, 6]),
    "basic4-1": ("basic", 64, [1, 1, 1, 1]),
    "bottleneck4-1": ("bottleneck", 64, [1, 1, 1, 1]),
    "basic3-3-w8": ("basic", 8, [3, 3, 3]),
}


def network(name):
    kind, width, depths = NETWORKS[name]
    layers = [conv_norm(3, width, 3, 1), nn.ReLU(inplace=True)]
    channels = width
    for stage, depth in enumerate(depths):
        for index in range(depth):
            stride = 2 if stage > 0 and index == 0 else 1
            block, channels = BLOCKS[kind](channels, width << stage, stride)
            layers.append(block)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--layout", choices=["channels_last", "nchw"], default="channels_last")
    parser.add_argument("--evaluate", action="store_true")
    parser.add_argument("--serve", action="store_true")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    layout = {"channels_last": torch.channels_last, "nchw": torch.contiguous_format}
    layout = layout[arguments.layout]
    net = network(arguments.network).to(memory_format=layout)
    images = torch.randn(arguments.batch, 3, 32, 32).to(memory_format=layout)
    labels = torch.randint(0, 10, (arguments.batch,))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    loss_of = nn.CrossEntropyLoss()

    def train():
        optimizer.zero_grad()
        loss = loss_of(net(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    def evaluate():
        with torch.inference_mode():
            return net(images).sum().item()

    net.train(not arguments.evaluate)
    run = evaluate if arguments.evaluate else train

    def step():
        start = time.perf_counter()
        run()
        seconds = time.perf_counter() - start
        print(json.dumps({"network": arguments.network, "seconds": seconds}), flush=True)

    if arguments.serve:
        run()
        print("ready", flush=True)
        for _ in sys.stdin:
            step()
    else:
        for _ in range(arguments.steps):
            step()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"network": arguments.network, "peak_mb": peak}), flush=True)


if __name__ == "__main__":
    main()
