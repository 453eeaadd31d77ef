"""Networks into PyTorch and back."""

from __future__ import annotations

import linecache
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _autogrow
from ._errors import ConfigError

if TYPE_CHECKING:
    import torch

    from ._model import Model


def to_torch(engine: _autogrow.Model) -> torch.nn.Module:
    """The module of PyTorch that computes what a network computes."""
    import torch

    source = engine.pytorch_source()
    module = types.ModuleType("autogrow_network", "A network that AutoGrow has found.")
    name = f"<autogrow network {hash(source):x}>"
    # So that tracebacks and inspect.getsource show it.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), module.__dict__)
    network: torch.nn.Module = module.__dict__["Network"]()
    tensors = {
        name: torch.frombuffer(numbers, dtype=torch.float32).reshape(shape) for name, shape, numbers in engine.weights()
    }
    network.load_state_dict(tensors, strict=True)
    return network.eval()


def weights(state_dict: Any) -> list[tuple[str, list[int], Any]]:
    """A state dict, or the module that has it, as the engine takes it."""
    if not isinstance(state_dict, Mapping):
        state_dict = state_dict.state_dict()
    arrays = ((name, _array(tensor)) for name, tensor in state_dict.items())
    return [(name, list(array.shape), array.reshape(-1)) for name, array in arrays]


def _array(tensor: Any) -> Any:
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu().float().numpy()
    return np.ascontiguousarray(tensor, dtype=np.float32).reshape(np.shape(tensor))


def from_torch(
    state_dict: Any,
    *,
    network: str,
    image: tuple[int, int] = (1, 1),
    depth: int | tuple[int, ...] | str | None = None,
) -> Model:
    """A model of weights that come from PyTorch.

    ``state_dict`` is one, or a module that has it, with the names of the seed network ``network``, such as
    torchvision's resnet18 for ``basic4resnet-imagenet``. Its depth, width, channels and number of classes are
    read off the weights; ``depth``, where it is given, is checked. ``image`` is ``(height, width)`` of the images
    that it takes. Where the weights are those of a model's :meth:`Model.to_torch`,
    :meth:`Model.with_weights` keeps classes and preprocessing.
    """
    from ._model import Model

    model = Model(_autogrow.from_weights(weights(state_dict), network, image))
    if depth is not None and as_text(depth) != "-".join(map(str, model.depth)):
        found = "-".join(map(str, model.depth))
        raise ConfigError(f"the weights have the depth {found}, not {as_text(depth)}")
    return model


def as_text(depth: int | tuple[int, ...] | str) -> str:
    """A depth as it is written, such as ``2-1-1``."""
    if isinstance(depth, str):
        return depth
    return str(depth) if isinstance(depth, int) else "-".join(str(count) for count in depth)
