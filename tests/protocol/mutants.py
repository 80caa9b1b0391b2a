"""Remove each check of the cryptography in turn; every such mutant must fail a test.

    python -m tests.protocol.mutants [NAME …]

Works on a copy in a temporary folder. Takes minutes, so it is no part of the test run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_LONGEST_SECONDS = 120
"""Tests that no longer end have noticed too."""


@dataclass(frozen=True)
class Mutant:
    """One text of a protocol file replaced by another, and the tests that must notice."""

    name: str
    file: str
    text: str
    replacement: str
    tests: str


MUTANTS = [
    Mutant("range of ciphertexts", "paillier", "if not 0 < ciphertext < modulus:",
           "if not 0 <= ciphertext <= modulus:", "paillier"),
    Mutant("forgotten randomness", "paillier", "if residue == 1:", "if False:", "paillier"),
    Mutant("factor in common", "paillier", "if gmpy2.gcd(product, n) != 1:", "if False:",
           "paillier"),
    Mutant("randomness used twice", "paillier", "        if self._spent:", "        if False:",
           "paillier"),
    Mutant("pool after fork", "paillier", "            self._pool.clear()", "            pass",
           "paillier"),
    Mutant("wrapping plaintext", "paillier", "any(not 0 <= plaintext < public_key.n",
           "any(not 0 <= plaintext <= public_key.n", "paillier"),
    Mutant("small keys", "paillier", "if bits < MINIMUM_KEY_BITS and not allow_small:",
           "if False:", "paillier"),
    Mutant("count slot", "packing", "if (slots[:, 0] != contributors).any():",
           "if slots[0, 0] != contributors:", "packing"),
    Mutant("tag slot", "packing", "if (slots[:, 1] != slots[0, 1]).any():", "if False:",
           "packing"),
    Mutant("slot bounds", "packing", "if ((biased < low) | (biased > high)).any():", "if False:",
           "packing"),
    Mutant("padding", "packing", "if values[length:].any():", "if False:", "packing"),
    Mutant("not a number", "packing", "if not np.isfinite(numbers).all():", "if False:",
           "packing"),
    Mutant("value range", "packing", "    if outside.any():", "    if False:", "packing"),
    Mutant("too many banks", "packing", "if not 1 <= contributors <= MAX_CONTRIBUTORS:",
           "if False:", "packing"),
    Mutant("context of knowledge", "popk",
           "transcript.absorb(bytes.fromhex(public_key.key_id), context)",
           "transcript.absorb(bytes.fromhex(public_key.key_id))", "popk"),
    Mutant("ciphertexts of knowledge", "popk",
           "transcript.absorb_integers(ciphertexts, public_key.ciphertext_bytes)", "pass", "popk"),
    Mutant("weights of knowledge", "popk", "transcript.challenges(len(ciphertexts))",
           "[1] * len(ciphertexts)", "popk"),
    Mutant("equation of knowledge", "popk",
           "if _challenge(transcript, public_key, int(commitment)) != challenge:", "if False:",
           "popk"),
    Mutant("second spelling of a response", "popk", "plaintext < public_key.n and", "True and",
           "popk"),
    Mutant("root zero", "popk", "0 < root < public_key.n", "root < public_key.n", "popk"),
    Mutant("context of partials", "proofs",
           "transcript.absorb(self.context, self.exponent_bits.to_bytes(8, \"big\"))", "pass",
           "threshold"),
    Mutant("weights of partials", "proofs", "transcript.challenges(len(self.bases))",
           "[1] * len(self.bases)", "threshold"),
    Mutant("equation of partials", "proofs",
           "return self._challenge(transcript, commitments) == challenge", "return True",
           "threshold"),
    Mutant("ciphertexts of partials", "threshold", "digest + context", "context", "threshold"),
    Mutant("partials that are no units", "threshold",
           "if not are_units(partials, public.n) or not statement",
           "if not statement", "threshold"),
    Mutant("as many partials as ciphertexts", "proofs",
           " or len(self.bases) != len(self.images)", "", "threshold"),
    Mutant("root that fits", "threshold", "if any(value % n != 1 for value in bare):",
           "if False:", "threshold"),
    Mutant("quorum", "threshold", "if len(partials) < public.threshold:", "if False:",
           "threshold"),
    Mutant("custodian checks ciphertexts", "threshold",
           "    paillier.check(ciphertexts, public.paillier)\n", "", "threshold"),
    Mutant("constant time", "exponentiation", "power, secret, mod = gmpy2.powmod_sec,",
           "power, secret, mod = gmpy2.powmod,", "threshold"),
    Mutant("share fits", "threshold",
           "secret_powers([public.v], share.value, public.n) != expected", "False", "threshold"),
    Mutant("one polynomial", "threshold", "if expected != interpolated:", "if False:",
           "threshold"),
    Mutant("one custodian alone", "threshold", '"threshold", low=2', '"threshold", low=1',
           "threshold"),
    Mutant("safe primes", "dealing", "or not is_safe_prime(q)", "", "dealing"),
    Mutant("different primes", "dealing", "p == q\n        or ", "", "dealing"),
    Mutant("close primes", "dealing", "if abs(p - q).bit_length() > key_bits // 2 - 100:",
           "if True:", "dealing"),
    Mutant("fourth roots", "biprimality",
           "or gmpy2.powmod(root, 4, n) != _twisted(y, w, signs, n)", "", "dealing"),
    Mutant("n-th roots", "biprimality", "or gmpy2.powmod(residue, n, n) != y", "", "dealing"),
    Mutant("prime modulus", "biprimality", " or gmpy2.is_prime(n)", "", "dealing"),
    Mutant("both shares of one bank", "secagg", "if wanted[share.owner] != share.kind:",
           "if False:", "secagg"),
    Mutant("share of the wrong kind", "secagg",
           'if (share.kind == "seed") != (share.owner in alive):', "if False:", "secagg"),
    Mutant("share commitment", "secagg", "if commitment != getattr(expected, share.kind):",
           "if False:", "secagg"),
    Mutant("own mask", "secagg", "add=[own, *above]", "add=above", "secagg"),
    Mutant("own mask of each bank", "secagg", 'f"own {bank}"', '"own"', "secagg"),
    Mutant("group key in own masks", "secagg", "bytes.fromhex(seed) + group_key",
           "bytes.fromhex(seed)", "secagg"),
    Mutant("seed in own masks", "secagg", "bytes.fromhex(seed) + group_key", "group_key",
           "secagg"),
    Mutant("range of masked values", "secagg",
           "if numbers.min() < -largest or numbers.max() > largest:", "if False:", "secagg"),
    Mutant("too few members", "secagg",
           "len(alive) != len(set(alive)) or len(alive) < session.threshold", "False", "secagg"),
    Mutant("duplicated member", "secagg", "len(alive) != len(set(alive)) or", "", "secagg"),
    Mutant("shares fit together", "secagg", "    if not fits:", "    if False:", "secagg"),
    Mutant("bounds of a masked sum", "secagg",
           "if signed.min() < -bound or signed.max() > bound:", "if False:", "secagg"),
    Mutant("width of a sum", "packing", ".bit_length() + 1", ".bit_length()", "words"),
    Mutant("length of masked words", "words", "if len(blob) != expected:", "if False:", "words"),
    Mutant("one spelling of masked words", "words",
           "if (rows[:, -1] & ((1 << -length % 8) - 1)).any():", "if False:", "words"),
    Mutant("majority threshold", "secagg_messages",
           "if not count < 2 * self.threshold <= 2 * count:", "if False:", "secagg"),
    Mutant("context of masks", "masking", 'purpose.encode() + b"\\0" + context',
           "purpose.encode()", "secagg"),
    Mutant("two rolls of mask keys", "masked_round", "if len(different) != 1:", "if not different:",
           "masked_round"),
    Mutant("own roll of mask keys", "masked_round",
           "if own is not None and digest(text) != own:", "if False:", "masked_round"),
    Mutant("mask keys of the roll", "masked_round",
           "if {entry.bank: entry.advertisement for entry in roll.entries} != {", "if False and {",
           "masked_round"),
    Mutant("size of a roll", "masked_round", "if len(roll.banks) < smallest_roll(manifest):",
           "if False:", "masked_round"),
    Mutant("round of mask keys", "masked_round", "(found.task, found.round, found.manifest) != (",
           "False and (", "masked_round"),
    Mutant("one group key", "group_key", "if key.commitment != key_id:", "if False:",
           "group_key"),
    Mutant("laboratory size", "custody", "require_laboratory_size(manifest.length)", "pass",
           "custody"),
    Mutant("layout of the protocol", "custody",
           "if manifest.layout not in layouts_of(manifest.protocol):", "if False:", "custody"),
    Mutant("roots of older heads", "merkle", "for _count, peak in reversed(peaks[:-1]):",
           "for _count, peak in []:", "receipts"),
    Mutant("lengths of a transcript", "transcript",
           'self._hash.update(len(item).to_bytes(8, "big"))', "pass", "arithmetic"),
    Mutant("one spelling of integers", "integers", '"0|[1-9a-f][0-9a-f]*"', '"[0-9a-f]+"',
           "arithmetic"),
]  # fmt: skip


def survives(mutant: Mutant) -> bool:
    """Whether no test notices the mutant."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("consortium/protocol", "tests/protocol"):
            shutil.copytree(_ROOT / part, copy / part)
        shutil.copy(_ROOT / "tests/cast.py", copy / "tests/cast.py")
        for package in ("consortium", "tests"):
            (copy / package / "__init__.py").touch()
        target = copy / "consortium" / "protocol" / f"{mutant.file}.py"
        source = target.read_text()
        if source.count(mutant.text) < 1:
            raise LookupError(f"{mutant.name}: {mutant.file}.py no longer has {mutant.text!r}")
        target.write_text(source.replace(mutant.text, mutant.replacement))
        command = [
            sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:django", "-p", "no:cacheprovider",
            f"tests/protocol/test_{mutant.tests}.py",
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, cwd=copy, capture_output=True, check=False, timeout=_LONGEST_SECONDS
            )
        except subprocess.TimeoutExpired:
            return False
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{mutant.name}: the tests did not run\n{done.stdout.decode()}")
        return done.returncode == 0


def main(names: list[str]) -> int:
    """Run the named mutants, or all; the number of survivors."""
    survivors = 0
    for mutant in MUTANTS:
        if not names or mutant.name in names:
            alive = survives(mutant)
            survivors += alive
            sys.stdout.write(f"{'SURVIVES' if alive else 'killed'}  {mutant.name}\n")
            sys.stdout.flush()
    return survivors


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
