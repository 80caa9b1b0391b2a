"""Small committed keys (512 bits), so that tests need not wait for primes. Worthless elsewhere."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from consortium.protocol.dealing import Dealing

_FILE = Path(__file__).with_name("keys.json")


@cache
def shared_key(name: str = "3-of-5") -> Dealing:
    """The dealing of that name, "2-of-3" or "3-of-5": public key, all shares and the proof."""
    return Dealing.from_wire(json.loads(_FILE.read_text())[name], allow_small=True)
