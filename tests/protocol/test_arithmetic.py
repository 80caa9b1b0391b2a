"""The small tools under the proofs: powers in bulk, sharing, challenges, integers on the wire."""

from __future__ import annotations

import ast
import itertools
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium import protocol
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.exponentiation import (
    FixedBase,
    powers,
    product_of_powers,
    secret_powers,
)
from consortium.protocol.integers import (
    bytes_from_hex,
    exact_fields,
    from_fixed_bytes,
    from_hex,
    small_integer,
    to_fixed_bytes,
    to_hex,
)
from consortium.protocol.shamir import join, lagrange, split
from consortium.protocol.transcript import Transcript

MODULUS = (2**127 - 1) * (2**61 - 1)
PRIME = 2**127 - 1
elements = st.integers(1, 2**61 - 2)


@given(st.lists(elements, max_size=200), st.integers(1, 2**130))
def test_powers_in_bulk_are_powers(bases, exponent):
    expected = [pow(base, exponent, MODULUS) for base in bases]
    assert powers(bases, exponent, MODULUS) == expected
    assert powers(bases, exponent, MODULUS, threads=3) == expected
    assert secret_powers(bases, exponent, MODULUS) == expected


def test_a_public_exponent_may_be_negative():
    assert powers([5], -3, MODULUS) == [pow(5, -3, MODULUS)]


@given(st.lists(st.tuples(elements, st.integers(0, 2**128)), max_size=150))
def test_a_product_of_powers_is_what_it_says(pairs):
    bases, exponents = [base for base, _ in pairs], [exponent for _, exponent in pairs]
    expected = math.prod(pow(base, exponent, MODULUS) for base, exponent in pairs) % MODULUS
    assert product_of_powers(bases, exponents, MODULUS) == expected


def test_a_product_of_powers_needs_an_exponent_for_each_base():
    with pytest.raises(ValueError, match="as many exponents"):
        product_of_powers([1, 2], [3], MODULUS)


@settings(deadline=None)
@given(elements, st.integers(0, 2**64 - 1))
def test_a_table_gives_the_powers_of_its_base(base, exponent):
    assert FixedBase(base, MODULUS, 64).power(exponent) == pow(base, exponent, MODULUS)


@pytest.mark.parametrize("exponent", [-1, 2**64])
def test_an_exponent_outside_the_table_is_an_error(exponent):
    with pytest.raises(ValueError, match="outside"):
        FixedBase(3, MODULUS, 64).power(exponent)


@given(st.integers(0, PRIME - 1), st.integers(1, 5))
def test_any_threshold_of_shares_joins_to_the_secret(secret, threshold):
    shares = split(secret, threshold, range(1, 6), PRIME)
    for size in range(threshold, 6):
        for points in itertools.combinations(shares, size):
            assert join({point: shares[point] for point in points}, PRIME) == secret


def test_fewer_shares_than_the_threshold_join_to_something_else():
    shares = split(42, 3, range(1, 6), PRIME)
    for points in itertools.combinations(shares, 2):
        assert join({point: shares[point] for point in points}, PRIME) != 42


@pytest.mark.parametrize(("threshold", "points"), [(3, [1, 2]), (1, [0]), (2, [1, 1]), (0, [1])])
def test_impossible_sharings_are_errors(threshold, points):
    with pytest.raises(ValueError, match="points"):
        split(1, threshold, points, PRIME)


def test_lagrange_weights_sum_to_one_wherever_they_interpolate():
    for at in (0, 7):
        assert sum(lagrange(point, [1, 3, 4], at) for point in (1, 3, 4)) == 1


def test_challenges_depend_on_every_item_and_its_borders():
    def challenge(*items: bytes, protocol: str = "test") -> int:
        transcript = Transcript(protocol)
        transcript.absorb(*items)
        return transcript.challenge()

    found = {
        challenge(b"ab", b"c"),
        challenge(b"a", b"bc"),
        challenge(b"abc"),
        challenge(b"ab", b"c", protocol="other"),
        challenge(b"ab", b"c", b""),
    }
    assert len(found) == 5
    assert challenge(b"ab", b"c") == challenge(b"ab", b"c")


def test_a_later_challenge_differs_from_an_earlier_one():
    transcript = Transcript("test")
    assert len({*transcript.challenges(3), transcript.challenge(), transcript.challenge()}) == 5


@given(st.integers(0, 2**200))
def test_integers_have_one_spelling(value):
    assert from_hex(to_hex(value), "x", bits=201) == value


@pytest.mark.parametrize(
    "text", ["", "00", "01", "0x1", "A", "1 ", " 1", "-1", "1_0", "１", 1, None]
)
def test_other_spellings_are_refused(text):
    with pytest.raises(ProtocolRefused, match="hexadecimal"):
        from_hex(text, "x", bits=64)


def test_an_integer_of_too_many_bits_is_refused():
    assert from_hex("7", "x", bits=3) == 7
    for text in ("8", "f" * 10_000):
        with pytest.raises(ProtocolRefused, match="at most 3 bits"):
            from_hex(text, "x", bits=3)


def test_negative_integers_never_cross():
    with pytest.raises(ValueError, match="non-negative"):
        to_hex(-1)


@pytest.mark.parametrize("value", [0, 6, True, "3", 3.0, None])
def test_small_integers_are_whole_and_in_range(value):
    assert small_integer(3, "x", low=1, high=5) == 3
    with pytest.raises(ProtocolRefused, match="whole number from 1 to 5"):
        small_integer(value, "x", low=1, high=5)


@pytest.mark.parametrize("text", ["0", "AB", "a b", None, 5])
def test_bytes_are_lower_case_hexadecimal_pairs(text):
    assert bytes_from_hex("00ff", "x") == b"\0\xff"
    with pytest.raises(ProtocolRefused, match="lower-case"):
        bytes_from_hex(text, "x")


@pytest.mark.parametrize("wire", [None, [], {"a": 1}, {"a": 1, "b": 2, "c": 3}])
def test_objects_have_exactly_their_fields(wire):
    assert exact_fields({"a": 1, "b": 2}, ["a", "b"], "It") == {"a": 1, "b": 2}
    with pytest.raises(ProtocolRefused, match="exactly the fields a, b"):
        exact_fields(wire, ["a", "b"], "It")


def test_fixed_bytes_come_back_and_do_not_truncate():
    assert from_fixed_bytes(to_fixed_bytes([0, 258], 2), 2, "It") == [0, 258]
    with pytest.raises(OverflowError):
        to_fixed_bytes([65536], 2)


# What this package may import


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


@pytest.mark.parametrize(
    "path", sorted(Path(protocol.__path__[0]).glob("*.py")), ids=lambda p: p.name
)
def test_nothing_that_crosses_the_wire_is_pickled_or_predictable(path):
    forbidden = {"pickle", "marshal", "shelve", "dill", "random", "numpy.random"}
    assert not _imports(path) & forbidden
    assert "np.random" not in path.read_text()
