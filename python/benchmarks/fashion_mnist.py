"""A part of Fashion-MNIST: a network that is grown, and the depth that was found trained from scratch by the engine
and by PyTorch, in turn.

Both begin at the same weights, take the same number of images a step and of epochs, and hold out a tenth of the
images, on which they select the epoch: SGD with momentum, the step size along a cosine, nothing augmented. Seconds
are those of the processor, on one thread. Debian and Ubuntu have the data: ``apt install dataset-fashion-mnist``.
"""

from __future__ import annotations

import argparse
import gzip
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import numpy as np
import torch

import autogrow

#: What both train with.
BATCH, RATE, MOMENTUM, DECAY = 64, 0.1, 0.9, 5e-4

ENGINE: dict[str, Any] = {
    "network": "basic3resnet",
    "width": 8,
    "batch_size": BATCH,
    "learning_rate": RATE,
    "held_out": 0.1,
    "threads": 1,
    "settings": {"training.momentum": MOMENTUM, "training.weight_decay": DECAY, "fine_tune.schedule": "cosine"},
}


def images(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Images ``[n, 28, 28]`` of bytes and their classes ``[n]``."""

    def read(kind: str, header: int) -> np.ndarray:
        with gzip.open(folder / f"{name}-{kind}-ubyte.gz") as file:
            # A copy, as PyTorch wants arrays that can be written to.
            return np.frombuffer(file.read(), np.uint8, offset=header).copy()

    return read("images-idx3", 16).reshape(-1, 28, 28), read("labels-idx1", 8).astype(np.int64)


def timed(run: Callable[..., Any], *given: Any, **named: Any) -> tuple[Any, float]:
    """What ``run`` gives, and how many seconds of the processor it has taken."""
    started = time.process_time()
    return run(*given, **named), time.process_time() - started


def in_pytorch(start: autogrow.Model, x: np.ndarray, y: np.ndarray, epochs: int, seed: int) -> torch.nn.Module:
    """The best epoch of ``start`` on a tenth of the images, trained on the others."""
    order = np.random.default_rng(seed).permutation(len(x))
    held_out, trained = np.split(order, [len(x) // 10])
    pixels, labels = seen(start, x), torch.from_numpy(y)
    # The layout that PyTorch is faster in.
    network = start.to_torch().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda epoch: 0.5 + 0.5 * math.cos(math.pi * epoch / epochs)
    )
    generator = torch.Generator().manual_seed(seed)
    best, kept = -1.0, network.state_dict()
    for _ in range(epochs):
        network.train()
        for places in torch.from_numpy(trained)[torch.randperm(len(trained), generator=generator)].split(BATCH):
            loss = torch.nn.functional.cross_entropy(network(pixels[places]), labels[places])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        score = accuracy(network, pixels[held_out], labels[held_out])
        if score > best:
            best, kept = score, {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.load_state_dict(kept)
    return network


def seen(model: autogrow.Model, x: np.ndarray) -> torch.Tensor:
    """Images as the network sees them."""
    how = model.preprocessing
    assert how is not None
    pixels = (torch.from_numpy(x)[:, None].float() / 255 - how["mean"][0]) / how["std"][0]
    return pixels.contiguous(memory_format=torch.channels_last)


def accuracy(network: torch.nn.Module, pixels: torch.Tensor, labels: torch.Tensor) -> float:
    """Percent."""
    network.eval()
    batches = zip(pixels.split(500), labels.split(500), strict=True)
    with torch.no_grad():
        right = sum(int((network(some).argmax(1) == own).sum()) for some, own in batches)
    return 100 * right / len(labels)


def main() -> None:
    """Prints a row of Markdown for each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"), help="folder of the files"
    )
    parser.add_argument("--part", type=float, default=0.05, help="part of the training images, from the first on")
    parser.add_argument("--epochs", type=int, default=20, help="of fine-tuning, and of what is trained from scratch")
    parser.add_argument("--seeds", type=int, default=2, help="of what is trained from scratch")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    x, y = images(arguments.data, "train")
    x, y = x[: round(arguments.part * len(x))], y[: round(arguments.part * len(y))]
    x_test, y_test = images(arguments.data, "t10k")
    print(f"{len(x)} images\n")
    print("| | depth | epochs | test accuracy | seconds | seconds an epoch |\n|---|---|---|---|---|---|")

    def row(name: str, depth: tuple[int, ...], epochs: int, score: float, seconds: float) -> None:
        told = "-".join(map(str, depth))
        print(f"| {name} | {told} | {epochs} | {score:.2f} % | {seconds:.1f} | {seconds / epochs:.2f} |", flush=True)

    def of_engine(name: str, seed: int, **how: Any) -> autogrow.Model:
        model, seconds = timed(autogrow.train, x, y, seed=seed, epochs=arguments.epochs, **ENGINE, **how)
        assert model.history is not None
        score = 100 * float((model.predict(x_test, threads=1) == y_test).mean())
        row(name, model.depth, model.history.epochs, score, seconds)
        return model

    grown = of_engine("grown", 0)
    fixed = {"policy": "none", "depth": grown.depth}
    for seed in range(arguments.seeds):
        of_engine(f"the engine, seed {seed}", seed, **fixed)
        start = autogrow.train(x, y, seed=seed, epochs=0, **ENGINE, **fixed)
        network, seconds = timed(in_pytorch, start, x, y, arguments.epochs, seed)
        score = accuracy(network, seen(start, x_test), torch.from_numpy(y_test))
        row(f"PyTorch, seed {seed}", grown.depth, arguments.epochs, score, seconds)


if __name__ == "__main__":
    main()
