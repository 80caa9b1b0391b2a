"""A bank's private keys and key shares: files of its own folder (0600), never a database row.

Layout of the folder: ``signing.key`` and ``sealing.key`` (32 secret bytes each) and one
``share-<epoch>.json`` per key epoch in which the bank is a custodian. ``tokens-<id>.key`` hides the
counterparties of the cross-bank signal; it is kept as long as sums under it are read. ``draws.key``
decides which alerts are served blind, so that nobody can know it beforehand.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from consortium.protocol.envelope import SigningKey
from consortium.protocol.errors import Refused, gettext_noop
from consortium.protocol.sealing import SealingKey
from consortium.protocol.wire import Json


def folder(slug: str) -> Path:
    return Path(settings.DATA_DIR) / "banks" / slug / "keys"


def make(slug: str) -> None:
    """Make both key pairs on this side; existing keys are kept."""
    place = folder(slug)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.chmod(0o700)
    for name, secret in (
        ("signing.key", SigningKey.generate().to_bytes()),
        ("sealing.key", SealingKey.generate().to_bytes()),
    ):
        if not (place / name).exists():
            _write(place / name, secret)


def signing(slug: str) -> SigningKey:
    return SigningKey(_read(slug, "signing.key"))


def sealing(slug: str) -> SealingKey:
    return SealingKey(_read(slug, "sealing.key"))


def save_share(slug: str, epoch: str, share: Json) -> None:
    _write(folder(slug) / f"share-{epoch}.json", json.dumps(share).encode())


def share(slug: str, epoch: str) -> Json | None:
    """This bank's secret of an epoch, as its protocol wrote it; None where it has none."""
    path = folder(slug) / f"share-{epoch}.json"
    return dict(json.loads(path.read_bytes())) if path.exists() else None


def held_shares(slug: str) -> list[str]:
    """The epochs of which this bank holds a share."""
    return sorted(path.stem.removeprefix("share-") for path in folder(slug).glob("share-*.json"))


def draws(slug: str) -> bytes:
    """The secret of this node's draws; made on first use, by whoever comes first."""
    return _draws(folder(slug) / "draws.key")


@lru_cache
def _draws(path: Path) -> bytes:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = path.with_name(f"{secrets.token_hex(8)}.partial")
        _write_new(made, secrets.token_bytes(32))
        with suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
    return path.read_bytes()


def save_token_key(slug: str, key: bytes) -> str:
    """Keep a key that counterparties are hidden under; returns its id."""
    name = token_key_id(key)
    path = folder(slug) / f"tokens-{name}.key"
    if not path.exists():
        _write(path, key)
    return name


def token_key_id(key: bytes) -> str:
    """What a key of counterparties is known by: it says nothing of the key."""
    return hashlib.sha256(b"consortium token key" + key).hexdigest()


def token_key(slug: str, name: str) -> bytes:
    return _read(slug, f"tokens-{name}.key")


def destroy_share(slug: str, epoch: str) -> bool:
    """Overwrite and delete the share of a past epoch; False where there was none."""
    return _destroy(folder(slug) / f"share-{epoch}.json")


def save_round_secrets(slug: str, round_id: str, kept: Json) -> None:
    _write(folder(slug) / f"mask-{round_id}.json", json.dumps(kept).encode())


def round_secrets(slug: str, round_id: str) -> Json | None:
    """This bank's mask keys of a round; None once they are destroyed."""
    path = folder(slug) / f"mask-{round_id}.json"
    return dict(json.loads(path.read_bytes())) if path.exists() else None


def held_round_secrets(slug: str) -> list[str]:
    """The rounds of which this bank still holds mask keys."""
    return sorted(path.stem.removeprefix("mask-") for path in folder(slug).glob("mask-*.json"))


def destroy_round_secrets(slug: str, round_id: str) -> bool:
    return _destroy(folder(slug) / f"mask-{round_id}.json")


def _destroy(path: Path) -> bool:
    if not path.exists():
        return False
    path.write_bytes(os.urandom(path.stat().st_size))
    path.unlink()
    return True


def _read(slug: str, name: str) -> bytes:
    path = folder(slug) / name
    if not path.exists():
        raise Refused(
            "keys_missing",
            gettext_noop("This bank has no keys yet. Accept the invitation to make them."),
        )
    return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    """Write a secret so that nobody else can read it and a crash leaves no half of it."""
    partial = path.with_suffix(".partial")
    _write_new(partial, content)
    partial.replace(path)


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
