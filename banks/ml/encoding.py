"""From raw features to model inputs: a public transform, then scales from summed integers.

Every feature is first compressed by the public signed logarithm z = sign(x)·log(1+|x|), clipped to
±32. An amount of 10^12 is then 27.6 like any other number, so no single row can overflow a sum or
turn a score around. Missing values stay missing until the encoder gives them their own input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from consortium.protocol.errors import Refused, gettext_noop

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Arrays = Mapping[str, NDArray[Any]]

COMPRESSED_LIMIT = 32.0
STATISTICS_SCALE = 1 << 16
MAX_STATISTICS_ROWS = 1 << 28  # 32² · 2^16 · 2^28 < 2^55: one bank's sum fits layout k56b64
LEAST_VARIANCE = 1e-3  # below it lies the rounding of the fixed point
INPUT_LIMIT = 8.0


class Encoder(Protocol):
    """Turns features into model inputs; the same bytes at every bank."""

    kind: ClassVar[str]

    @property
    def width(self) -> int:
        """Number of model inputs."""

    @property
    def sources(self) -> NDArray[np.intp]:
        """For each model input, the index of the feature it was made from."""

    def encode(self, X: ArrayLike) -> NDArray[np.float32]:
        """Features [n, F] with NaN for missing → inputs [n, width]."""

    def project(self, X: ArrayLike, weights: FloatArray) -> FloatArray:
        """encode(X) @ weights, float64[n]."""

    def arrays(self) -> Arrays:
        """Everything needed to build the encoder again."""


def compress(X: ArrayLike) -> FloatArray:
    """Signed logarithm of each value, clipped to ±COMPRESSED_LIMIT; NaN stays NaN."""
    values = np.asarray(X, dtype=np.float64)
    compressed = np.copysign(np.log1p(np.abs(values)), values)
    return np.clip(compressed, -COMPRESSED_LIMIT, COMPRESSED_LIMIT)


def as_matrix(X: ArrayLike, features: int | None = None) -> FloatArray:
    """X as float64 [n, F], refusing any other shape."""
    matrix = np.asarray(X, dtype=np.float64)
    if matrix.ndim != 2 or (features is not None and matrix.shape[1] != features):
        raise Refused(
            "features_shape",
            gettext_noop("The features have shape %(shape)s; %(expected)s columns are expected."),
            shape=matrix.shape,
            expected="any number of" if features is None else features,
        )
    return matrix


def statistics(X: ArrayLike) -> IntArray:
    """One bank's share of the standardisation sums, as integers that may be added under encryption.

    Returns int64[3·F]: counts of present values, Σz and Σz² per feature, where z is the compressed
    feature and both sums are fixed point with STATISTICS_SCALE units to one.

    Raises Refused when there are more rows than MAX_STATISTICS_ROWS.
    """
    matrix = as_matrix(X)
    if len(matrix) > MAX_STATISTICS_ROWS:
        raise Refused(
            "too_many_rows",
            gettext_noop("%(rows)s rows are more than one statistics round can hold (%(limit)s)."),
            rows=len(matrix),
            limit=MAX_STATISTICS_ROWS,
        )
    sums = np.zeros((3, matrix.shape[1]), dtype=np.int64)
    for column in range(matrix.shape[1]):
        z = compress(matrix[:, column])
        z = z[~np.isnan(z)]
        sums[0, column] = len(z)
        sums[1, column] = np.rint(z * STATISTICS_SCALE).astype(np.int64).sum()
        sums[2, column] = np.rint(z * z * STATISTICS_SCALE).astype(np.int64).sum()
    return sums.ravel()


@dataclass(frozen=True, eq=False)
class Standardiser:
    """Compressed features, centred and scaled; each is followed by its missing-value indicator.

    Inputs are [z_1 … z_F, missing_1 … missing_F], so that the width is known before any data is.
    """

    mean: FloatArray
    scale: FloatArray

    kind: ClassVar[str] = "standard"

    @classmethod
    def from_sums(cls, sums: ArrayLike, contributors: int = 1) -> Standardiser:
        """Build from the sum of the banks' ``statistics`` vectors.

        A feature nobody has, or that is constant, gets scale 1. Raises Refused when the sums
        cannot be sums of ``contributors`` vectors (negative counts, impossible squares).
        """
        vector = np.asarray(sums, dtype=np.int64)
        if vector.ndim != 1 or len(vector) % 3:
            raise Refused(
                "statistics_length",
                gettext_noop("Standardisation sums need three numbers for each feature."),
            )
        count, total, squares = vector.reshape(3, -1)
        if (
            (count < 0).any()
            or (squares < 0).any()
            or (count > contributors * MAX_STATISTICS_ROWS).any()
        ):
            raise Refused(
                "statistics_impossible",
                gettext_noop(
                    "The standardisation sums are impossible; the round must be repeated."
                ),
            )
        rows = np.maximum(count, 1).astype(np.float64)
        mean = total / STATISTICS_SCALE / rows
        variance = np.maximum(squares / STATISTICS_SCALE / rows - mean * mean, 0.0)
        varies = variance > LEAST_VARIANCE
        return cls(mean=mean, scale=np.where(varies, np.sqrt(variance), 1.0))

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Standardiser:
        """Inverse of ``arrays``."""
        mean = np.asarray(arrays["mean"], dtype=np.float64)
        scale = np.asarray(arrays["scale"], dtype=np.float64)
        if mean.ndim != 1 or mean.shape != scale.shape or not (scale > 0).all():
            raise Refused("encoder_arrays", gettext_noop("The standardiser's arrays do not fit."))
        return cls(mean=mean, scale=scale)

    @property
    def width(self) -> int:
        return 2 * len(self.mean)

    @property
    def sources(self) -> NDArray[np.intp]:
        return np.tile(np.arange(len(self.mean)), 2)

    def encode(self, X: ArrayLike) -> NDArray[np.float32]:
        matrix = as_matrix(X, len(self.mean))
        missing = np.isnan(matrix)
        z = (compress(matrix) - self.mean) / self.scale
        z = np.where(missing, 0.0, np.clip(z, -INPUT_LIMIT, INPUT_LIMIT))
        return np.hstack([z, missing]).astype(np.float32)

    def project(self, X: ArrayLike, weights: FloatArray) -> FloatArray:
        return np.asarray(self.encode(X).astype(np.float64) @ weights)

    def arrays(self) -> Arrays:
        return {"mean": self.mean, "scale": self.scale}
