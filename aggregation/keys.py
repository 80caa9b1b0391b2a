"""The centre's one private key: it signs manifests, receipts, lists and log heads.

It decrypts nothing. It lives in a file of mode 0600 in the data folder, made on first use.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings

from consortium.protocol.envelope import COORDINATOR, Signed, SigningKey, VerifyKey, sign
from consortium.protocol.wire import Message


def key_file() -> Path:
    return Path(settings.DATA_DIR) / "coordinator" / "signing.key"


def signing_key() -> SigningKey:
    """The centre's key; the first process to ask makes it, every other one finds it."""
    path = key_file()
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_bytes(SigningKey.generate().to_bytes())
        try:
            os.link(draft, path)  # atomic, and never over an existing key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return SigningKey(path.read_bytes())


def verify_key() -> VerifyKey:
    return signing_key().verify_key


def signed(message: Message) -> Signed:
    """``message`` signed by the centre."""
    return sign(message, signer=COORDINATOR, key=signing_key())
