"""The torchvision side of the input pipeline's benchmark, and the pictures that both sides read.

    python torchvision_data.py make FOLDER [--pictures 400]
    python torchvision_data.py serve FOLDER --threads 1 [--batch 64]

`make` writes JPEG files of about 500x375 pixels and 70 kB, as those of ImageNet are, to FOLDER/train
and FOLDER/test. `serve` prints `ready`, and then, for every line it reads, makes the training images of one
epoch (a random part of 224x224, mirrored or not, normalised) with so many worker processes, and prints a line
of JSON: `images`, `seconds`, and the `cpu_seconds` of its workers and itself.
"""

import argparse
import json
import os
import pathlib
import sys
import time


def make(arguments):
    import numpy
    from PIL import Image, ImageFilter

    random = numpy.random.default_rng(0)
    for number in range(arguments.pictures):
        width, height = (500, 375) if random.random() < 0.75 else (375, 500)
        picture = numpy.zeros((height, width, 3))
        # Clouds, leaves and grain: noise at every scale, with a spectrum that falls off as photographs' does.
        for scale in (1, 2, 4, 8, 16, 32, 64, 128):
            noise = random.normal(0, 1, (height // scale + 2, width // scale + 2, 3))
            noise = 0.75 * noise.mean(axis=2, keepdims=True) + 0.25 * noise
            noise = (32 * noise + 128).clip(0, 255).astype(numpy.uint8)
            scaled = Image.fromarray(noise).resize((width, height), Image.BICUBIC)
            picture += scale**0.4 * (numpy.asarray(scaled, dtype=float) - 128)
        picture = 128 + 55 * picture / picture.std()
        # Things with edges in front of it.
        y, x = numpy.mgrid[0:height, 0:width]
        for _ in range(12):
            cy, cx, size = random.uniform(0, height), random.uniform(0, width), random.uniform(15, 110)
            inside = numpy.abs(x - cx) + 0.7 * numpy.abs(y - cy) < size
            picture[inside] = 0.8 * picture[inside] + random.uniform(-40, 80, 3)
        picture = Image.fromarray(picture.clip(0, 255).astype(numpy.uint8))
        picture = picture.filter(ImageFilter.GaussianBlur(0.3))
        part = "test" if number % 40 == 0 else "train"
        folder = pathlib.Path(arguments.folder) / part / f"class{number // 40 % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        picture.save(folder / f"{number:04}.jpg", quality=90)


def cpu_seconds():
    """Of this process and its children, finished or not."""
    total = 0.0
    parents = {os.getpid()}
    for entry in sorted(map(int, filter(str.isdigit, os.listdir("/proc")))):
        try:
            fields = pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if entry in parents or int(fields[1]) in parents:
            parents.add(entry)
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def serve(arguments):
    import torch
    from torchvision import datasets, transforms

    torch.set_num_threads(1)
    prepared = transforms.Compose([
        transforms.RandomResizedCrop(224),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ])
    images = datasets.ImageFolder(pathlib.Path(arguments.folder) / "train", prepared)
    batches = torch.utils.data.DataLoader(
        images, batch_size=arguments.batch, shuffle=True, num_workers=arguments.threads, persistent_workers=True
    )

    def epoch():
        start, cpu = time.perf_counter(), cpu_seconds()
        seen = sum(len(labels) for _, labels in batches)
        seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu
        return {"images": seen, "seconds": seconds, "cpu_seconds": cpu}

    epoch()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(epoch()), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["make", "serve"])
    parser.add_argument("folder")
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=64)
    arguments = parser.parse_args()
    {"make": make, "serve": serve}[arguments.what](arguments)


if __name__ == "__main__":
    main()
