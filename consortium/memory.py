"""How much memory a process takes: now, and at most while something is done."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_FORGET_THE_PEAK = "5"


@dataclass
class Peak:
    """``before`` and ``bytes``: what was resident at the beginning, and at most until the end."""

    before: int = 0
    bytes: int = 0


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure the block. Where the kernel keeps no peak that can be reset, the process's own."""
    with suppress(OSError):
        _RESET.write_text(_FORGET_THE_PEAK)
    peak = Peak(before=resident_bytes())
    yield peak
    peak.bytes = _status("VmHWM") or _largest_ever()


def resident_bytes() -> int:
    """Bytes of this process that are in memory now."""
    return _status("VmRSS") or _largest_ever()


def _largest_ever() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _status(name: str) -> int:
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    found = next((line for line in lines if line.startswith(f"{name}:")), "")
    return int(found.split()[1]) * 1024 if found else 0
