"""The Merkle tree of RFC 6962 §2.1 over a list of hashes (64 hex digits each).

Leaf and node hashes are told apart by a prefix byte. An inclusion proof shows that one entry is in
the tree, a consistency proof that an older tree is the beginning of a newer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.errors import gettext_noop as _


def merkle_root(entries: Sequence[str]) -> str:
    """Root over the hashes of all entries in order."""
    return _root([_leaf(entry) for entry in entries]).hex()


def prefix_roots(entries: Sequence[str], sizes: Iterable[int]) -> dict[int, str]:
    """The root of each tree of the first ``size`` entries, by one walk over all of them."""
    wanted, found = set(sizes), {}
    peaks: list[tuple[int, bytes]] = []  # whole subtrees, the largest first: (entries, hash)
    for size, entry in enumerate(entries, start=1):
        peaks.append((1, _leaf(entry)))
        while len(peaks) > 1 and peaks[-2][0] == peaks[-1][0]:
            (count, left), (_same, right) = peaks[-2:]
            peaks[-2:] = [(2 * count, _node(left, right))]
        if size in wanted:
            root = peaks[-1][1]
            for _count, peak in reversed(peaks[:-1]):
                root = _node(peak, root)
            found[size] = root.hex()
    return found


def inclusion_proof(entries: Sequence[str], index: int) -> list[str]:
    """The siblings that lead from entry ``index`` to the root, lowest first."""
    return [node.hex() for node in _path(index, [_leaf(entry) for entry in entries])]


def consistency_proof(entries: Sequence[str], old_size: int) -> list[str]:
    """The nodes that show that the tree of ``old_size`` entries is a prefix of this one."""
    if not 0 < old_size <= len(entries):
        raise _bad_proof()
    return [node.hex() for node in _subproof(old_size, [_leaf(e) for e in entries], known=True)]


def check_inclusion(entry: str, index: int, size: int, proof: Sequence[str], root: str) -> None:
    """Refuse unless ``entry`` is number ``index`` of the ``size`` entries under ``root``."""
    if not 0 <= index < size:
        raise _bad_proof()
    node, last = _leaf(entry), size - 1
    for sibling in map(bytes.fromhex, proof):
        if last == 0:
            raise _bad_proof()
        if index % 2 or index == last:
            node = _node(sibling, node)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            node = _node(node, sibling)
        index, last = index // 2, last // 2
    if last or node.hex() != root:
        raise _bad_proof()


def check_consistency(
    old_size: int, old_root: str, new_size: int, new_root: str, proof: Sequence[str]
) -> None:
    """Refuse unless the log of ``old_size`` is the beginning of that of ``new_size`` entries."""
    if old_size == 0 and not proof:
        return
    if old_size == new_size:
        if proof or old_root != new_root:
            raise _bad_proof()
        return
    if not 0 < old_size < new_size:
        raise _bad_proof()
    nodes = [bytes.fromhex(node) for node in proof]
    if old_size & (old_size - 1) == 0:
        nodes.insert(0, bytes.fromhex(old_root))
    if not nodes:
        raise _bad_proof()
    index, last = old_size - 1, new_size - 1
    while index % 2:
        index, last = index // 2, last // 2
    old = new = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            raise _bad_proof()
        if index % 2 or index == last:
            old, new = _node(sibling, old), _node(sibling, new)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            new = _node(new, sibling)
        index, last = index // 2, last // 2
    if last or old.hex() != old_root or new.hex() != new_root:
        raise _bad_proof()


def _leaf(entry: str) -> bytes:
    return sha256(b"\x00" + bytes.fromhex(entry)).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def _root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        paired = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + level[len(level) & ~1 :]
    return level[0]


def _path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    if not 0 <= index < len(leaves):
        raise _bad_proof()
    if len(leaves) == 1:
        return []
    cut = _split(len(leaves))
    if index < cut:
        return [*_path(index, leaves[:cut]), _root(leaves[cut:])]
    return [*_path(index - cut, leaves[cut:]), _root(leaves[:cut])]


def _subproof(size: int, leaves: Sequence[bytes], *, known: bool) -> list[bytes]:
    if size == len(leaves):
        return [] if known else [_root(leaves)]
    cut = _split(len(leaves))
    if size <= cut:
        return [*_subproof(size, leaves[:cut], known=known), _root(leaves[cut:])]
    return [*_subproof(size - cut, leaves[cut:], known=False), _root(leaves[:cut])]


def _bad_proof() -> ProtocolRefused:
    return ProtocolRefused("bad_log_proof", _("The proof does not fit the log's head."))
