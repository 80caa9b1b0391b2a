"""Everything an auditor needs of one bank, in one archive that proves itself offline.

The bank signs a list of the files' digests with the key that its members' rosters name; the
evidence inside (``bundle``) proves those rosters. The archive is written in one way only, so that
a change of any byte, in a file or around it, is found.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

from consortium.protocol.bundle import BundleReport, verify_bundle
from consortium.protocol.envelope import (
    Signed,
    SigningKey,
    VerifyKey,
    canonical,
    parse,
    sign,
    verify,
)
from consortium.protocol.errors import ProtocolRefused
from consortium.protocol.errors import gettext_noop as _
from consortium.protocol.roster import RosterMember, SignedRoster
from consortium.protocol.spec import ModelVote
from consortium.protocol.wire import (
    Count,
    Digest,
    Identifier,
    KeyText,
    Message,
    Name,
    Record,
    Seconds,
    digest,
)

MANIFEST = "manifest.json"
VOTES = "votes.jsonl"
LARGEST_PACK = 2**30
_WHEN = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class PackFile(Record):
    name: Name
    size: Count
    sha256: Digest


@dataclass(frozen=True)
class PackManifest(Message):
    """What is in a pack, as its bank signs it."""

    kind = "evidence-pack"

    bank: Identifier
    coordinator: KeyText
    made_at: Seconds
    files: tuple[PackFile, ...]


@dataclass(frozen=True)
class PackReport:
    """What a pack proves, or the sentence of the first fault. ``votes`` have valid signatures."""

    manifest: PackManifest | None = None
    bundles: tuple[tuple[str, BundleReport], ...] = ()
    votes: int = 0
    fault: str = ""

    @property
    def ok(self) -> bool:
        return not self.fault


def make_pack(
    files: Mapping[str, bytes], *, bank: str, coordinator: VerifyKey, key: SigningKey, at: int
) -> bytes:
    """An archive of ``files`` and their signed list. ``at`` is Unix time in seconds."""
    listed = tuple(PackFile(name, len(files[name]), digest(files[name])) for name in sorted(files))
    manifest = PackManifest(bank, coordinator.text, at, listed)
    signed = sign(manifest, signer=bank, key=key)
    return _archive({MANIFEST: canonical(signed.to_wire()), **files})


def verify_pack(
    content: bytes, *, bank: str = "", coordinator: VerifyKey | None = None
) -> PackReport:
    """Check a pack from its bytes alone; the first fault is said, never raised.

    ``bank`` and ``coordinator`` are whose pack and whose key it should be; left out, the pack's own
    word is taken, and whoever reads the report compares them.
    """
    try:
        return _verified(content, bank, coordinator)
    except ProtocolRefused as refused:
        return PackReport(fault=str(refused))


def _verified(content: bytes, bank: str, coordinator: VerifyKey | None) -> PackReport:
    files = _files(content)
    signed = Signed.from_wire(parse(files.pop(MANIFEST, b"")))
    manifest = PackManifest.from_wire(signed.body)
    if bank not in {"", manifest.bank} or signed.signer != manifest.bank:
        raise _broken(_("The pack belongs to another bank."))
    if coordinator and coordinator.text != manifest.coordinator:
        raise _broken(_("The pack belongs to another centre."))
    listed = {file.name: (file.size, file.sha256) for file in manifest.files}
    for name in sorted({*listed, *files}):
        found = files.get(name)
        if found is None or listed.get(name) != (len(found), digest(found)):
            raise _broken(_("The file %(name)s is not the one that the bank listed."), name)
    bundles, members = _bundles(files, manifest)
    _check_signature(signed, members)
    return PackReport(manifest, bundles, _votes(files.get(VOTES, b""), members))


def _files(content: bytes) -> dict[str, bytes]:
    if len(content) > LARGEST_PACK:
        raise _broken(_("The archive is larger than any pack."))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > LARGEST_PACK:
                raise _broken(_("The archive is larger than any pack."))
            files = {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, EOFError):
        raise _broken(_("A byte of the archive was altered, or it is no evidence pack.")) from None
    if _archive(files) != content:
        raise _broken(_("A byte of the archive was altered, or it is no evidence pack."))
    return files


def _bundles(
    files: Mapping[str, bytes], manifest: PackManifest
) -> tuple[tuple[tuple[str, BundleReport], ...], list[RosterMember]]:
    """The report of each task's evidence, and all members that the proven rosters name."""
    reports: list[tuple[str, BundleReport]] = []
    members: list[RosterMember] = []
    for name in sorted(name for name in files if name.startswith("evidence-")):
        key = VerifyKey(manifest.coordinator)
        report = verify_bundle(files[name], bank=manifest.bank, coordinator=key)
        if report.fault:
            raise _broken(_("The file %(name)s is broken: %(why)s"), name, report.fault.sentence)
        reports.append((name, report))
        for line in files[name].splitlines():
            item = parse(line)
            if item["item"] == "roster":
                members += SignedRoster.from_wire(item["value"]).roster.members
    if not reports:
        raise _broken(_("The pack holds no evidence."))
    return tuple(reports), members


def _votes(lines: bytes, members: list[RosterMember]) -> int:
    votes = [Signed.from_wire(parse(line)) for line in lines.splitlines()]
    for signed in votes:
        vote = ModelVote.from_wire(signed.body)
        if vote.bank != signed.signer:
            raise _broken(_("A vote was signed by another bank than it names."))
        _check_signature(signed, members, ModelVote)
    return len(votes)


def _check_signature(
    signed: Signed, members: list[RosterMember], kind: type[Message] = PackManifest
) -> None:
    """Refuse what no key verifies that the rosters name for its signer."""
    keys = {member.signing_key for member in members if member.bank == signed.signer}
    for key in sorted(keys):
        try:
            verify(signed, kind, VerifyKey(key))
        except ProtocolRefused:
            continue
        return
    raise _broken(_("A signature is not by the bank that it names."))


def _archive(files: Mapping[str, bytes]) -> bytes:
    """The one way to write these files: by name, uncompressed, without a date."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.create_system = 3
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, files[name])
    return written.getvalue()


def _broken(sentence: str, name: str = "", why: str = "") -> ProtocolRefused:
    return ProtocolRefused("broken_pack", sentence, name=name, why=why)
