"""Who the five banks are, how large, and which fraud each has met so far."""

from __future__ import annotations

from dataclasses import dataclass

TERMINAL = "compromised shop"
SPREE = "stolen card"
TAKEOVER = "account take-over"
SPECIAL = "special fraud"  # 特殊詐欺: a caller plays a relative or an official
REFUND = "refund scam"  # 還付金詐欺: the victim is talked through a transfer at a machine
TYPOLOGIES = (TERMINAL, SPREE, TAKEOVER, SPECIAL, REFUND)

DAYS = 120  # of history, before the one day without labels
SKEW_UNTIL = 80  # until this day each bank meets its own mix, afterwards all meet the same


@dataclass(frozen=True)
class DemoBank:
    """``size`` is relative to the mean; ``early`` the mix of frauds before ``SKEW_UNTIL``."""

    slug: str
    name: str
    name_ja: str
    size: float
    elderly: float
    early: tuple[float, float, float, float, float]

    def mix(self, *, early: bool) -> tuple[float, ...]:
        """Relative frequency of each of ``TYPOLOGIES``."""
        return self.early if early else LATE


LATE = (0.18, 0.26, 0.22, 0.18, 0.16)
BANKS = (
    DemoBank("hinata", "Hinata Bank", "ひなた銀行", 1.5, 0.25, (0.32, 0.40, 0.24, 0.02, 0.02)),
    DemoBank("minamo", "Minamo Bank", "みなも銀行", 1.2, 0.22, (0.30, 0.04, 0.62, 0.02, 0.02)),
    DemoBank("tsubame", "Tsubame Bank", "つばめ銀行", 1.0, 0.32, (0.40, 0.54, 0.02, 0.02, 0.02)),
    DemoBank(
        "komorebi", "Komorebi Bank", "こもれび銀行", 0.8, 0.42, (0.04, 0.04, 0.02, 0.50, 0.40)
    ),
    DemoBank("yuzu", "Yuzu Bank", "ゆず銀行", 0.5, 0.30, (0.04, 0.90, 0.02, 0.02, 0.02)),
)


@dataclass(frozen=True)
class Scale:
    """How much is simulated: the mean number of transactions a bank, and the share of fraud.

    A small world has relatively more fraud and more equal banks, or nothing could be learned.
    """

    transactions: int
    fraud_rate: float
    evenness: float

    def transactions_of(self, bank: DemoBank) -> int:
        """This bank's number of transactions, history and last day together."""
        return round(self.transactions * float(bank.size ** (1 - self.evenness)))


SCALES = {
    "small": Scale(transactions=4_000, fraud_rate=0.02, evenness=0.7),
    "normal": Scale(transactions=40_000, fraud_rate=0.009, evenness=0.0),
}
