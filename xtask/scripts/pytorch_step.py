"""PyTorch's side of the benchmark of whole training steps (SGD with momentum) and evaluations.

    python pytorch_step.py NETWORK DEPTH WIDTH [--threads 1] [--batch 128] [--layout channels_last]

NETWORK begins with the kind of its blocks, as in `basic3resnet`. Prints `ready`, then takes a step
and prints `{"seconds": ...}` for every line of standard input, so that a driver can interleave it
with another program; at the end `{"peak_memory_mb": ...}`.
"""

import argparse
import json
import resource
import sys
import time

import torch
from torch import nn

# Steps that are not timed; the first one compiles.
WARM_UP = 2


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


def network(name, depth, width):
    block = next(block for kind, block in BLOCKS.items() if name.startswith(kind))
    layers = [conv_norm(3, width, 3, 1), nn.ReLU(inplace=True)]
    channels = width
    for stage, count in enumerate(map(int, depth.split("-"))):
        for index in range(count):
            stride = 2 if stage > 0 and index == 0 else 1
            module, channels = block(channels, width << stage, stride)
            layers.append(module)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("depth")
    parser.add_argument("width", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--layout", choices=["channels_last", "nchw"], default="channels_last")
    parser.add_argument("--evaluate", action="store_true")
    parser.add_argument("--bf16", action="store_true", help="forward and loss in autocast to bfloat16")
    parser.add_argument("--compile", action="store_true", help="through torch.compile")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    layout = {"channels_last": torch.channels_last, "nchw": torch.contiguous_format}
    layout = layout[arguments.layout]
    net = network(arguments.network, arguments.depth, arguments.width).to(memory_format=layout)
    net.train(not arguments.evaluate)
    images = torch.randn(arguments.batch, 3, 32, 32).to(memory_format=layout)
    labels = torch.randint(0, 10, (arguments.batch,))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    loss_of = nn.CrossEntropyLoss()

    forward = torch.compile(net) if arguments.compile else net

    def autocast():
        return torch.autocast("cpu", torch.bfloat16, enabled=arguments.bf16)

    def train():
        optimizer.zero_grad()
        with autocast():
            loss = loss_of(forward(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    def evaluate():
        with torch.inference_mode(), autocast():
            return forward(images).sum().item()

    step = evaluate if arguments.evaluate else train
    for _ in range(WARM_UP):
        step()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        step()
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"peak_memory_mb": peak}), flush=True)


if __name__ == "__main__":
    main()
