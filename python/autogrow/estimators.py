"""Estimators with scikit-learn's interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "the estimators need scikit-learn 1.6 or later: pip install scikit-learn; autogrow.train works without"
    ) from error

from ._certificate import Certificate
from ._history import History
from ._model import Model
from ._train import train

#: What is taken as it is; other numbers become float64.
TYPES = [np.float64, np.float32, np.uint8]


class _AutoGrow(BaseEstimator):  # type: ignore[misc]
    """What both estimators have in common."""

    #: The network that was found.
    network_: Model
    #: Its depth: sub-modules of each sub-network.
    depth_: tuple[int, ...]
    #: What every epoch has shown.
    history_: History
    #: What the depth is worth beside one level less and one more; ``None`` unless ``certify=True`` has asked.
    certificate_: Certificate | None

    def __init__(
        self,
        network: str | None = None,
        *,
        depth: int | tuple[int, ...] | str | None = None,
        policy: str | None = None,
        interval: int | None = None,
        patience: int | None = None,
        epochs: int | None = None,
        width: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        held_out: float | None = None,
        settings: Mapping[str, Any] | None = None,
        device: str | None = None,
        threads: int | None = None,
        certify: bool = False,
        random_state: int | np.random.RandomState | None = None,
        callback: Callable[[dict[str, Any]], object] | None = None,
        verbose: bool = False,
    ) -> None:
        self.network = network
        self.depth = depth
        self.policy = policy
        self.interval = interval
        self.patience = patience
        self.epochs = epochs
        self.width = width
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.held_out = held_out
        self.settings = settings
        self.device = device
        self.threads = threads
        self.certify = certify
        self.random_state = random_state
        self.callback = callback
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _fit(self, x: ArrayLike, y: ArrayLike, task: Any) -> None:
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        self.network_ = train(
            x,
            y,
            task=task,
            network=self.network,
            depth=self.depth,
            policy=self.policy,
            interval=self.interval,
            patience=self.patience,
            epochs=self.epochs,
            width=self.width,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            held_out=self.held_out,
            settings=self.settings,
            device=self.device,
            threads=self.threads,
            seed=int(seed),
            certify=self.certify,
            callback=self.callback,
            verbose=self.verbose,
        )
        self.depth_ = self.network_.depth
        assert self.network_.history is not None
        self.history_ = self.network_.history
        self.certificate_ = self.network_.certificate

    def _given(self, x: ArrayLike) -> NDArray[Any]:
        check_is_fitted(self)
        given: NDArray[Any] = validate_data(self, x, dtype=TYPES, allow_nd=True, reset=False)
        return given

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """What is found for images or rows ``[n, ...]``: classes ``[n]``, or values ``[n]`` or ``[n, width]``."""
        x = self._given(X)
        return self.network_.predict(x, threads=self.threads or 0)


class AutoGrowClassifier(ClassifierMixin, _AutoGrow):  # type: ignore[misc]
    """A classifier that finds its own depth.

    Takes rows ``[n, features]``, or images ``[n, height, width]`` or ``[n, channels, height, width]``, of uint8 or
    floats. The parameters are those of :func:`autogrow.train`; ``random_state`` fixes everything random, and with
    ``certify`` a fit asks as well what the depth is worth (``certificate_``), which fine-tunes two more networks.

    >>> from sklearn.datasets import load_iris
    >>> from autogrow import AutoGrowClassifier
    >>> x, y = load_iris(return_X_y=True)
    >>> AutoGrowClassifier(random_state=0).fit(x, y).score(x, y) > 0.9
    True
    """

    #: The classes, in the order of ``predict_proba``'s columns.
    classes_: NDArray[Any]

    def fit(self, X: ArrayLike, y: ArrayLike) -> AutoGrowClassifier:
        """Finds the depth and trains the network, on classes ``[n]``."""
        x, y = validate_data(self, X, y, dtype=TYPES, allow_nd=True, ensure_min_samples=2)
        check_classification_targets(y)
        self._fit(x, y, "classes")
        assert self.network_.classes is not None
        self.classes_ = self.network_.classes
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities ``[n, classes]``."""
        x = self._given(X)
        return self.network_.predict_proba(x, threads=self.threads or 0)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Scores ``[n, classes]``, the higher the likelier; of two classes ``[n]``, above 0 for the second."""
        x = self._given(X)
        scores = self.network_.outputs(x, threads=self.threads or 0).astype(np.float64)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores


class AutoGrowRegressor(RegressorMixin, _AutoGrow):  # type: ignore[misc]
    """A regressor that finds its own depth.

    Takes what :class:`AutoGrowClassifier` takes. Values are standardised over the training rows, so their unit does
    not matter.

    >>> from sklearn.datasets import load_diabetes
    >>> from autogrow import AutoGrowRegressor
    >>> x, y = load_diabetes(return_X_y=True)
    >>> AutoGrowRegressor(random_state=0).fit(x, y).score(x, y) > 0.4
    True
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike) -> AutoGrowRegressor:
        """Finds the depth and trains the network, on values ``[n]`` or ``[n, width]``."""
        x, y = validate_data(
            self, X, y, dtype=TYPES, allow_nd=True, multi_output=True, y_numeric=True, ensure_min_samples=2
        )
        self._fit(x, y, "values")
        return self
