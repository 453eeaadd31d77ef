"""Training steps on a GPU, ours beside PyTorch's: one table, in a few minutes.

    python3 gpu_bench.py --binary ./autogrow [--device vulkan] [--tiny]

For a machine that is lent for minutes: it needs the program, a Python with PyTorch, and nothing else.
What is missing or takes too long is left out with a word. Each line is measured by a process of its
own, and printed when it is known.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True

# Backends in the order in which they are tried.
BACKENDS = ["cuda", "vulkan", "wgpu", "flex"]

# Steps that are not timed: the first ones compile.
WARM_UP = 5

# What is measured: title, network, depth, channels x height x width, classes, batch, steps, evaluated.
WORK = [
    ("Basic3ResNet 9-9-9, 128 of 3x32x32", "basic3resnet", "9-9-9", (3, 32, 32), 10, 128, 30, False),
    ("Basic3ResNet 9-9-9, 1,024 of 3x32x32", "basic3resnet", "9-9-9", (3, 32, 32), 10, 1024, 15, False),
    ("its evaluation, 500 of 3x32x32", "basic3resnet", "9-9-9", (3, 32, 32), 10, 500, 30, True),
    ("ResNet-18, 256 of 3x224x224", "basic4resnet-imagenet", "2-2-2-2", (3, 224, 224), 1000, 256, 10, False),
]
TINY = [
    ("Basic3ResNet 1-1-1, 4 of 3x8x8", "basic3resnet", "1-1-1", (3, 8, 8), 10, 4, 2, False),
    ("its evaluation, 500 of 3x8x8", "basic3resnet", "1-1-1", (3, 8, 8), 10, 500, 1, True),
    ("ResNet-18, 2 of 3x32x32", "basic4resnet-imagenet", "2-2-2-2", (3, 32, 32), 10, 2, 1, False),
]

# Ways of PyTorch: title, TF32, bf16, compiled.
PYTORCH = [
    ("PyTorch, f32", False, False, False),
    ("PyTorch, f32 by TF32", True, False, False),
    ("PyTorch, bf16, channels last", True, True, False),
    ("PyTorch, bf16, compiled", True, True, True),
]

COLUMNS = ["work", "program", "ms a step", "images/s", "card MB", "reads", "uploads", "launches"]


class Budget:
    """The seconds that are left for everything."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def left(self):
        return self.end - time.monotonic()


class Card:
    """The most memory of the graphics card in use while something runs, beyond what was in use before."""

    def __init__(self):
        self.before, self.most = self.used(), 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    @staticmethod
    def used():
        if not shutil.which("nvidia-smi"):
            return None
        query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
        told = subprocess.run(query, capture_output=True, text=True, check=False).stdout.split()
        return int(told[0]) if told and told[0].isdigit() else None

    def watch(self):
        while not self.stop.wait(0.3):
            self.most = max(self.most, self.used() or 0)

    def __enter__(self):
        if self.before is not None:
            self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()

    def megabytes(self):
        return None if self.before is None else max(0, self.most - self.before)


def measure(command, seconds, folder):
    """The last line that a program prints, as JSON, and the card's memory; or why there is none."""
    if seconds < 5:
        return None, "no time left"
    with Card() as card:
        try:
            ended = subprocess.run(
                command, capture_output=True, text=True, timeout=seconds, check=False, cwd=folder
            )
        except subprocess.TimeoutExpired:
            return None, f"took more than {seconds:.0f} s"
    if ended.returncode != 0:
        said = (ended.stderr.strip() or ended.stdout.strip() or "nothing").splitlines()
        return None, f"ended with {ended.returncode}: {said[-1][:150]}"
    found = json.loads(ended.stdout[ended.stdout.index("{") :])
    found["card_mb"] = card.megabytes()
    return found, None


def our_step(binary, device, work):
    _, network, depth, image, classes, batch, steps, evaluated = work
    command = [binary, "bench", "step", "--json", "--device", device, "--network", network]
    command += ["--depth", depth, "--image", "x".join(map(str, image)), "--classes", str(classes)]
    command += ["--batch", str(batch), "--steps", str(steps)]
    return command + (["--evaluate"] if evaluated else [])


def our_row(found):
    return {
        "ms": found["step_ms"]["median"],
        "batch": found["batch"],
        "card_mb": found["card_mb"],
        "reads": found.get("reads_per_step"),
        "uploads": found.get("uploads_per_step"),
        "launches": found.get("launches_per_step"),
    }


def our_device(binary, wanted):
    """The backend to measure: the first one that works, or the one that is asked for."""
    if wanted:
        return wanted
    for backend in BACKENDS:
        probe = [binary, "bench", "step", "--json", "--device", backend, "--network", "basic3resnet"]
        probe += ["--depth", "1-1-1", "--image", "3x8x8", "--batch", "2", "--steps", "1"]
        try:
            ended = subprocess.run(probe, capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            continue
        if ended.returncode == 0:
            return backend
    raise SystemExit(f"{binary} has no device that works here")


def pytorch(work, way):
    """Times PyTorch in this process and prints what was found."""
    import torch

    from pytorch_step import network as small_network

    _, network, depth, image, classes, batch, steps, evaluated = work
    _, tf32, bf16, compiled = way
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(0)
    if network.endswith("imagenet"):
        try:
            from torchvision.models import resnet18
        except ImportError:
            raise SystemExit("torchvision is missing") from None
        net = resnet18(num_classes=classes)
    else:
        net = small_network(network, depth, 16)
    layout = torch.channels_last if bf16 else torch.contiguous_format
    net = net.to(device, memory_format=layout).train(not evaluated)
    bytes_of_batch = torch.randint(0, 256, (batch, *image), dtype=torch.uint8).pin_memory() if (
        device.type == "cuda"
    ) else torch.randint(0, 256, (batch, *image), dtype=torch.uint8)
    labels = torch.randint(0, classes, (batch,), device=device)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-6, momentum=0.9, weight_decay=1e-4)
    loss_of = torch.nn.CrossEntropyLoss()
    forward = torch.compile(net) if compiled else net

    def images():
        taken = bytes_of_batch.to(device, non_blocking=True)
        return ((taken.float() / 255 - 0.5) / 0.25).to(memory_format=layout)

    def autocast():
        return torch.autocast(device.type, torch.bfloat16, enabled=bf16)

    def train():
        optimizer.zero_grad()
        with autocast():
            loss = loss_of(forward(images()), labels)
        loss.backward()
        optimizer.step()

    def evaluate():
        with torch.inference_mode(), autocast():
            forward(images())

    step = evaluate if evaluated else train

    def sync():
        if device.type == "cuda":
            torch.cuda.synchronize()

    for _ in range(WARM_UP if device.type == "cuda" else 1):
        step()
    sync()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    sync()
    milliseconds = 1e3 * (time.perf_counter() - start) / steps
    print(json.dumps({"ms": milliseconds, "batch": batch, "launches": launches(torch, device, step)}))


def launches(torch, device, step):
    """Kernels of a step, where a GPU runs them."""
    if device.type != "cuda":
        return None
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiled:
        step()
        torch.cuda.synchronize()
    return sum(1 for event in profiled.events() if event.device_type == DeviceType.CUDA)


def row(title, program, found):
    def number(key, digits=0):
        value = found.get(key)
        return "–" if value is None else f"{value:,.{digits}f}"

    rate = f"{1e3 * found['batch'] / found['ms']:,.0f}"
    cells = [title, program, number("ms", 2), rate, number("card_mb")]
    cells += [number("reads", 1), number("uploads", 1), number("launches")]
    return "| " + " | ".join(cells) + " |"


def growing(binary, device, seconds):
    """Seconds of a whole growing run on the digits, and what it found."""
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "train", f"{folder}/run", "--data", "digits", "--device", device]
        command += ["--preset", "quick", "--json", "--quiet"]
        start = time.perf_counter()
        found, why = measure(command, seconds, folder)
        if why:
            return f"a whole growing run on digits, {device}: left out, {why}"
        took = time.perf_counter() - start
        return (
            f"a whole growing run on digits, {device}: {took:.1f} s, found {found['found']}, "
            f"test accuracy {found['test_accuracy']:.2f} %"
        )


def about():
    """What is measured on."""
    lines = []
    if shutil.which("nvidia-smi"):
        query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        lines.append(subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip())
    told = subprocess.run(
        [sys.executable, "-c", "import torch; print('PyTorch', torch.__version__)"],
        capture_output=True,
        text=True,
        check=False,
    )
    lines.append(told.stdout.strip() or "no PyTorch")
    return ", ".join(lines), told.returncode == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", help="our program")
    parser.add_argument("--device", help="our device; without, the first of cuda, vulkan, wgpu that works")
    parser.add_argument("--seconds", type=float, default=450, help="for everything")
    parser.add_argument("--tiny", action="store_true", help="sizes for a rehearsal without a GPU")
    parser.add_argument("--pytorch", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    works = TINY if arguments.tiny else WORK
    if arguments.pytorch:
        work, way = map(int, arguments.pytorch.split(","))
        return pytorch(works[work], PYTORCH[way])
    if not arguments.binary:
        parser.error("--binary names our program")
    budget, here = Budget(arguments.seconds), Path(__file__).resolve()
    binary = str(Path(arguments.binary).resolve())
    device = our_device(binary, arguments.device)
    machine, has_pytorch = about()
    print(f"{machine}; ours on {device}\n", flush=True)
    print("| " + " | ".join(COLUMNS) + " |\n|---|---|" + "---:|" * (len(COLUMNS) - 2), flush=True)
    notes = []

    def line(title, program, command, translate):
        # No line may take what the others need.
        found, why = measure(command, min(budget.left(), arguments.seconds / 3), os.getcwd())
        if why:
            notes.append(f"{title}, {program}: left out, {why}")
        else:
            print(row(title, program, translate(found)), flush=True)

    for number, work in enumerate(works):
        line(work[0], f"ours, {device}", our_step(binary, device, work), our_row)
        for way, (program, *_) in enumerate(PYTORCH):
            if has_pytorch:
                command = [sys.executable, str(here), "--pytorch", f"{number},{way}"]
                command += ["--tiny"] if arguments.tiny else []
                line(work[0], program, command, lambda found: found)
    print()
    if not has_pytorch:
        notes.append("PyTorch: left out, this Python has none")
    for on in dict.fromkeys([device, "flex"]):
        print(growing(binary, on, min(budget.left(), arguments.seconds / 4)), flush=True)
    for note in notes:
        print(note)
    return None


if __name__ == "__main__":
    main()
