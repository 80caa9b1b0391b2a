from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.protocol.envelope import (
    COORDINATOR,
    RequestClaim,
    Signed,
    SigningKey,
    VerifyKey,
    canonical,
    fingerprint,
    frame,
    parse,
    sign,
    sign_request,
    unframe,
    verify,
    verify_request,
)
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.receipts import HeadCosignature, TreeHead
from tests.cast import NOW, digest_of, player

BANK = player("Bank 0")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def code_of(call, *args, **kwargs) -> str:
    with pytest.raises(ProtocolRefused) as refused:
        call(*args, **kwargs)
    str(refused.value)  # every sentence renders
    return refused.value.code


@given(JSON)
def test_canonical_bytes_come_back_as_the_same_value(value):
    assert parse(canonical(value)) == value


@given(st.dictionaries(st.text(), st.integers(0, 9), min_size=2))
def test_the_order_of_keys_changes_nothing(value):
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), {"a": [1, 2.5]}, 2**53, {1: "a"}, b"bytes", "\ud800", {"a", "b"}]
)
def test_what_has_no_one_form_is_refused(value):
    assert code_of(canonical, value) == "malformed"


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}',
        b"1.0",
        b"1e3",
        b"NaN",
        b"-Infinity",
        b"[" * 100 + b"]" * 100,
        b"[" * 100_000,
        b"\xff",
        b"",
        b"9007199254740992",
        b"1" * 5000,
    ],
)
def test_ambiguous_or_hostile_json_is_refused(text):
    assert code_of(parse, text) == "malformed"


HEAD = TreeHead(3, digest_of("root"), digest_of("last"), NOW)


def test_a_signed_message_comes_back():
    signed = sign(HEAD, signer=BANK.bank, key=BANK.signing)
    again = Signed.from_wire(json.loads(json.dumps(signed.to_wire())))
    assert verify(again, TreeHead, BANK.signing.verify_key) == HEAD


def test_a_signature_of_one_kind_is_worth_nothing_for_another():
    signed = sign(HEAD, signer=BANK.bank, key=BANK.signing)
    assert code_of(verify, signed, HeadCosignature, BANK.signing.verify_key) == "malformed"


def test_a_changed_body_signer_or_key_is_refused():
    key = BANK.signing.verify_key
    signed = sign(HEAD, signer=BANK.bank, key=BANK.signing)
    longer = Signed({**signed.body, "size": 4}, signed.signer, signed.signature)
    other = Signed(signed.body, COORDINATOR, signed.signature)
    assert code_of(verify, longer, TreeHead, key) == "bad_signature"
    assert code_of(verify, other, TreeHead, key) == "bad_signature"
    assert code_of(verify, signed, TreeHead, player("Bank 1").signing.verify_key) == "bad_signature"
    assert code_of(verify, signed, TreeHead, VerifyKey("00" * 32)) == "bad_signature"


def test_another_protocol_version_is_named():
    signed = sign(HEAD, signer=BANK.bank, key=BANK.signing)
    newer = Signed({**signed.body, "protocol_version": 2}, signed.signer, signed.signature)
    assert code_of(verify, newer, TreeHead, BANK.signing.verify_key) == "protocol_version"


def test_a_record_says_which_field_is_wrong():
    wire = HEAD.to_wire()
    for change, field in [
        ({"size": "3"}, "TreeHead.size"),
        ({"size": True}, "TreeHead.size"),
        ({"size": -1}, "TreeHead.size"),
        ({"root": "xyz"}, "TreeHead.root"),
        ({"root": digest_of("root").upper()}, "TreeHead.root"),
        ({"extra": 1}, "TreeHead.extra"),
        ({"kind": "other"}, "TreeHead.kind"),
    ]:
        with pytest.raises(ProtocolRefused) as refused:
            TreeHead.from_wire({**wire, **change})
        assert refused.value.field == field
    missing = {name: value for name, value in wire.items() if name != "last"}
    with pytest.raises(ProtocolRefused, match=r"TreeHead\.last must be present"):
        TreeHead.from_wire(missing)
    assert code_of(TreeHead.from_wire, [wire]) == "malformed"


def test_a_signing_key_survives_its_file_and_shows_a_readable_fingerprint():
    assert SigningKey(BANK.signing.to_bytes()).verify_key == BANK.signing.verify_key
    assert SigningKey.generate().verify_key != SigningKey.generate().verify_key
    groups = fingerprint(BANK.signing.verify_key.text).split()
    assert [len(group) for group in groups] == [4] * 8


# Requests

NONCE = "0123456789abcdef" * 2


def headers_for(method="POST", path="/x?a=1", body=b"{}", created=NOW) -> dict[str, str]:
    return sign_request(
        method, path, body, bank=BANK.bank, created=created, nonce=NONCE, key=BANK.signing
    )


def check(headers, method="POST", path="/x?a=1", body=b"{}", now=NOW) -> None:
    claim = RequestClaim.from_headers(headers)
    verify_request(claim, method, path, body, key=BANK.signing.verify_key, now=now)


def test_a_signed_request_is_accepted_within_five_minutes():
    check(headers_for(), now=NOW + 300)
    check(headers_for(), now=NOW - 300)


@pytest.mark.parametrize("now", [NOW + 301, NOW - 301])
def test_a_clock_that_is_off_is_named(now):
    assert code_of(check, headers_for(), now=now) == "clock"


@pytest.mark.parametrize(
    "change",
    [{"method": "PUT"}, {"path": "/x?a=2"}, {"path": "/x"}, {"body": b"{} "}],
    ids=["method", "query", "path", "body"],
)
def test_a_request_changed_after_signing_is_refused(change):
    assert code_of(check, headers_for(), **change) == "bad_signature"


@pytest.mark.parametrize("name", ["Bank", "Created", "Nonce", "Signature"])
@pytest.mark.parametrize("value", [None, "", "٣"])
def test_an_absent_or_malformed_header_is_a_refusal(name, value):
    headers = {**headers_for(), f"Consortium-{name}": value}
    if value is None:
        del headers[f"Consortium-{name}"]
    assert code_of(check, headers) in {"unsigned_request", "malformed"}


@pytest.mark.parametrize("name", ["Created", "Nonce"])
def test_a_header_changed_after_signing_is_refused(name):
    changed = {"Created": str(NOW + 1), "Nonce": "f" * 32}[name]
    headers = {**headers_for(), f"Consortium-{name}": changed}
    assert code_of(check, headers) == "bad_signature"


# Frames


@given(st.dictionaries(st.text(max_size=5), st.integers(0, 9)), st.lists(st.binary(), max_size=5))
def test_a_frame_comes_back(header, blobs):
    framed = frame(header, *blobs)
    assert unframe(framed, len(framed)) == (header, tuple(blobs))


@given(st.data())
def test_a_cut_or_lengthened_frame_is_refused(data):
    framed = frame({"a": 1}, b"first", b"second")
    cut = data.draw(st.integers(0, len(framed) - 1))
    assert code_of(unframe, framed[:cut], 1000) == "malformed"
    assert code_of(unframe, framed + b"x", 1000) == "malformed"


def test_a_frame_over_its_limit_is_refused_before_it_is_read():
    framed = frame({"a": 1}, b"x" * 100)
    assert code_of(unframe, framed, len(framed) - 1) == "too_large"
    assert code_of(unframe, frame({"a": "x" * 300_000}), 10**6) == "malformed"


@given(st.binary(max_size=200))
def test_noise_is_never_a_frame(noise):
    assert code_of(unframe, noise, 1000) == "malformed"
    assert code_of(unframe, b"CSRT" + noise, 1000) == "malformed"


def test_a_frame_whose_header_is_not_canonical_is_refused():
    framed = frame({"a": 1})
    assert code_of(unframe, framed[:-7] + b'{"a":1 '[:7], 1000) == "malformed"
    spaced = framed.replace(b'{"a":1}', b'{"a":01')
    assert code_of(unframe, spaced, 1000) == "malformed"
    assert code_of(unframe, frame([1]), 1000) == "malformed"  # type: ignore[arg-type]
