import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banks.ml.artifact import ModelArtifact
from banks.ml.container import CHECKSUM_BYTES, PREFIX
from banks.ml.encoding import Standardiser, statistics
from banks.ml.models import MLP, initial_parameters, mlp_spec
from consortium.protocol.errors import Refused
from tests.ml.worlds import world

X, _, _ = world(rows=50)
SPEC = mlp_spec(tuple(f"f{i}" for i in range(6)), hidden=(4,))
MODEL = MLP(SPEC, Standardiser.from_sums(statistics(X)), initial_parameters(SPEC, seed=1))
FILE = ModelArtifact(MODEL, about={"run": "r1", "seed": 1}).to_bytes()


def resealed(content: bytes) -> bytes:
    return content + hashlib.sha256(content).digest()


def test_a_model_comes_back_with_the_same_scores_notes_and_bytes():
    artifact = ModelArtifact.from_bytes(FILE)
    assert np.array_equal(artifact.model.logits(X), MODEL.logits(X))
    assert artifact.about == {"run": "r1", "seed": 1}
    assert artifact.to_bytes() == FILE
    assert artifact.digest == hashlib.sha256(FILE).hexdigest()


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_any_flipped_byte_is_refused(position, flip):
    damaged = bytearray(FILE)
    damaged[position] ^= flip
    with pytest.raises(Refused):
        ModelArtifact.from_bytes(bytes(damaged))


@given(st.integers(0, len(FILE) - CHECKSUM_BYTES - 1), st.integers(1, 255))
def test_a_flipped_byte_under_a_new_checksum_is_refused_or_has_another_digest(position, flip):
    damaged = bytearray(FILE[:-CHECKSUM_BYTES])
    damaged[position] ^= flip
    try:
        artifact = ModelArtifact.from_bytes(resealed(bytes(damaged)))
    except Refused:
        return
    assert artifact.digest != hashlib.sha256(FILE).hexdigest()


@given(st.integers(0, len(FILE) - 1))
def test_a_file_cut_short_is_refused(length):
    with pytest.raises(Refused):
        ModelArtifact.from_bytes(FILE[:length])


@given(st.binary(max_size=300))
def test_bytes_that_are_no_model_are_refused(content):
    with pytest.raises(Refused):
        ModelArtifact.from_bytes(content)
    with pytest.raises(Refused):
        ModelArtifact.from_bytes(resealed(FILE[: PREFIX.size] + content))


def test_another_spelling_of_the_same_header_is_refused():
    body = FILE[:-CHECKSUM_BYTES].replace(b'"seed":1', b'"seed": 1')
    header_length = PREFIX.unpack_from(FILE)[2] + 1
    body = PREFIX.pack(*PREFIX.unpack_from(FILE)[:2], header_length) + body[PREFIX.size :]
    with pytest.raises(Refused) as refusal:
        ModelArtifact.from_bytes(resealed(body))
    assert "canonical" in str(refusal.value)


def test_bytes_after_the_last_array_are_refused():
    with pytest.raises(Refused):
        ModelArtifact.from_bytes(resealed(FILE[:-CHECKSUM_BYTES] + b"\0\0\0\0"))


def test_a_parameter_that_is_not_a_number_is_refused():
    body = FILE[: -CHECKSUM_BYTES - 4] + np.array([np.nan], dtype="<f4").tobytes()
    with pytest.raises(Refused):
        ModelArtifact.from_bytes(resealed(body))


def test_notes_with_floats_are_a_mistake():
    with pytest.raises(TypeError):
        ModelArtifact(MODEL, about={"rate": 0.1}).to_bytes()
