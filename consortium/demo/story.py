"""The demo's story, told through the real services: every step may be repeated after a stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import close_old_connections

from banks.ml.schema import Mapping
from consortium.accounts.models import Bank
from consortium.demo import casework, cast, founding, signalling, summary, working
from consortium.demo.report import Outcome
from consortium.demo.simulator import BANKS, MAPPING, BankData, simulate
from consortium.demo.simulator.banks import REFUND, SPECIAL, SPREE, TAKEOVER, TERMINAL, TYPOLOGIES

ROUNDS = {"small": 2, "normal": 3}
SEED = 2026
PERCEPTRON = "a perceptron, updates added by threshold Paillier"
LOGISTIC = "a logistic regression, long vectors added under masks"
REASONS = {
    TERMINAL: "compromised_merchant",
    SPREE: "stolen_card",
    TAKEOVER: "phishing",
    SPECIAL: "ore_ore",
    REFUND: "refund",
}
Say = Callable[[str], None]


def tell(*, scale: str, address: str, say: Say) -> Outcome:
    """Found the consortium, bring data, train alone and together, score, decide; then check."""
    cast.fill_centre()
    with told(say, "Five banks join; each makes its own keys"):
        banks = [founding.join(b.slug, b.name, b.name_ja, address) for b in BANKS]
    with told(say, "Simulating transactions"):
        simulated = simulate(scale, seed=SEED, until=_midnight())
        files = {slug: _write(slug, data) for slug, data in simulated.items()}
    tasks = [founding.agree(banks, rounds=ROUNDS[scale]), founding.agree_on_curves(banks)]
    with ThreadPoolExecutor(1) as beside:
        keys = [
            beside.submit(_and_close, partial(founding.share_a_key, task, banks)) for task in tasks
        ]
        with told(say, "Workers read the files"):
            _hand_in(banks, {slug: past for slug, (past, _) in files.items()}, files_before=1)
        with told(say, "Phase 0: every bank trains alone"):
            for bank in banks:
                working.train_alone(bank)
            _all(banks, working.trained_alone, "Training alone")
        with told(say, "Key ceremony: a shared key that nobody holds"):
            for key in keys:
                key.result()
    with told(say, "Banks add up the counterparties they share"):
        signal = signalling.start(signalling.agree(banks), _midnight())
        working.wait(lambda: signalling.told(signal, banks), "Adding up counterparties")
    runs = []
    for task, what in zip(tasks, (PERCEPTRON, LOGISTIC), strict=True):
        with told(say, f"Phase 1: {what}"):
            runs.append(working.start_together(task))
            together = partial(working.learned_together, runs[-1], banks)
            working.wait(together, "Training together")
    for bank in banks:
        working.choose_the_better(bank)
    with told(say, "Today's transactions are scored and raise alerts"):
        _hand_in(banks, {slug: today for slug, (_, today) in files.items()}, files_before=2)
        _all(banks, working.scored, "Scoring")
    signalling.measure(banks)
    with told(say, "Analysts decide some of the alerts"):
        for bank in banks:
            working.decide_some(bank, _truth(simulated[bank.slug]))
            casework.work_on_some(bank)
    with told(say, "Every bank verifies its receipts"):
        return summary.outcome(banks, runs, address)


def _midnight() -> datetime:
    return datetime.now(ZoneInfo(founding.ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)


def _write(slug: str, data: BankData) -> tuple[Path, Path]:
    """The two files that a bank's model owner will hand in; kept, so that a restart reads alike."""
    folder = Path(settings.DATA_DIR) / "banks" / slug / "demo"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    past, today = folder / "history.csv", folder / "today.csv"
    if not past.exists() or not today.exists():
        data.history.write_csv(past)
        data.today.write_csv(today)
    return past, today


def _hand_in(banks: list[Bank], files: dict[str, Path], *, files_before: int) -> None:
    mapping = Mapping.from_json(MAPPING)
    for bank in banks:
        if not working.imported(bank, files_before):
            working.hand_in(bank, files[bank.slug], mapping)
    _all(banks, lambda bank: working.imported(bank, files_before), "Importing")


def _all(banks: list[Bank], ready: Callable[[Bank], bool], what: str) -> None:
    working.wait(lambda: all(ready(bank) for bank in banks), what)


def _truth(data: BankData) -> dict[str, str]:
    """The reason code of each of today's frauds, by transaction id."""
    return {
        str(name): REASONS[TYPOLOGIES[kind - 1]]
        for name, kind in zip(data.today.columns["id"], data.today.kind, strict=True)
        if kind
    }


def _and_close(work: Callable[[], None]) -> None:
    """Work in a thread of its own, whose database connection ends with it."""
    try:
        work()
    finally:
        close_old_connections()


@contextmanager
def told(say: Say, what: str) -> Iterator[None]:
    """Say what begins, and how long it took."""
    say(f"{what} …")
    began = time.monotonic()
    yield
    say(f"  done in {timedelta(seconds=round(time.monotonic() - began))}")
