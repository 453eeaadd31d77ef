"""Networks in PyTorch, and back."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autogrow
from autogrow import _autogrow
from conftest import SHORT

torch = pytest.importorskip("torch")

#: Seed networks of small images or rows: one of each family is among them.
NETWORKS = [name for name, _, _ in _autogrow.networks() if "imagenet" not in name]


@pytest.mark.parametrize("network", NETWORKS)
def test_modules_compute_what_models_compute(network: str) -> None:
    rng = np.random.default_rng(0)
    is_table = network == "mlp1net"
    x = rng.normal(size=(40, 6) if is_table else (40, 3, 16, 16)).astype(np.float32)
    y = np.arange(40) % 4
    # Constants before the data, so that standardising matters.
    model = autogrow.train(3 * x + 1, y, network=network, width=8, batch_size=20, **SHORT)
    module = model.to_torch()
    given = torch.from_numpy(3 * x + 1)
    if not is_table:
        given = normalised(model, given)
    with torch.no_grad():
        logits = module(given).numpy()
    own = model.outputs(3 * x + 1)
    assert np.abs(logits - own).max() < 1e-5 * np.abs(own).max()


def test_numbers_in_pieces_are_the_same_in_every_form(rows: Any, tmp_path: Path) -> None:
    x, y = rows
    table = np.column_stack([x, y])
    np.savetxt(tmp_path / "t.csv", table, delimiter=",", header="a,b,c,d,label", comments="", fmt="%.17g")
    words = "train run --data csv --dir t.csv --network mlp1net --depth 1 --policy none --epochs 2 --quiet"
    command = [sys.executable, "-m", "autogrow", *words.split(), "--set", "data.numbers=pieces"]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    model = autogrow.load(tmp_path / "run").model
    own = model.outputs(x)
    with torch.no_grad():
        logits = model.to_torch()(torch.from_numpy(x)).numpy()
    assert np.abs(logits - own).max() < 1e-5 * np.abs(own).max()
    runtime = pytest.importorskip("onnxruntime")
    model.to_onnx(tmp_path / "net.onnx")
    session = runtime.InferenceSession(tmp_path / "net.onnx")
    (logits,) = session.run(None, {"images": x.astype(np.float32)[:, :, None, None]})
    assert np.abs(logits - own).max() < 1e-4 * np.abs(own).max()


def normalised(model: autogrow.Model, images: Any) -> Any:
    """Images as the network sees them."""
    how = model.preprocessing
    assert how is not None
    mean, std = (torch.tensor(how[name]).view(1, -1, 1, 1) for name in ("mean", "std"))
    return (images - mean) / std


def test_training_goes_on_in_pytorch_and_comes_back(rows: Any) -> None:
    x, y = rows
    model = autogrow.train(x, y, **SHORT)
    module = model.to_torch()
    module.train()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)
    given, labels = torch.from_numpy(x), torch.from_numpy(y)
    losses = []
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(module(given), labels)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < 0.5 * losses[0]
    module.eval()
    tuned = model.with_weights(module)
    with torch.no_grad():
        logits = module(given).numpy()
    assert np.abs(tuned.outputs(x) - logits).max() < 1e-5 * np.abs(logits).max()
    assert tuned.classes is model.classes
    assert (tuned.predict(x) == y).mean() >= (model.predict(x) == y).mean()


def test_weights_alone_make_a_model(images: Any) -> None:
    x, y = images
    trained = autogrow.train(x, y, width=4, **SHORT)
    state = trained.to_torch().state_dict()
    model = autogrow.from_torch(state, network="basic3resnet", image=(8, 8))
    assert (model.depth, model.image) == (trained.depth, (1, 8, 8))
    how = trained.preprocessing
    assert how is not None
    seen = (x.astype(np.float32) / 255 - how["mean"][0]) / how["std"][0]
    assert np.allclose(model.outputs(seen), trained.outputs(x), rtol=1e-4, atol=1e-4)
    with pytest.raises(autogrow.ConfigError, match="have the depth"):
        autogrow.from_torch(state, network="basic3resnet", image=(8, 8), depth=9)
    with pytest.raises(autogrow.RunError):
        autogrow.from_torch({}, network="basic3resnet", image=(8, 8))


def test_the_text_of_a_module_is_seen(rows: Any) -> None:
    module = autogrow.train(*rows, **SHORT).to_torch()
    assert "def forward(self, x)" in inspect.getsource(type(module).forward)


def test_data_sets_of_pytorch_are_read(images: Any) -> None:
    x, y = images
    given, labels = torch.from_numpy(x), torch.from_numpy(y)
    data = torch.utils.data.TensorDataset(given, labels)
    of_arrays = autogrow.train(x, y, width=4, **SHORT).to_bytes()
    assert autogrow.train(data, width=4, **SHORT).to_bytes() == of_arrays
    loader = torch.utils.data.DataLoader(data, batch_size=32)
    assert autogrow.train(loader, width=4, **SHORT).to_bytes() == of_arrays
    assert autogrow.train(given, labels, width=4, **SHORT).to_bytes() == of_arrays
