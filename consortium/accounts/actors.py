"""The one who acts: a person in a place, a bank's node, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass

from .models import Bank, User


@dataclass(frozen=True)
class Actor:
    label: str
    user: User | None = None
    bank: Bank | None = None
    role: str = ""

    @property
    def is_person(self) -> bool:
        return self.user is not None


def system(name: str, *, bank: Bank | None = None) -> Actor:
    """A schedule, a worker or a command; ``name`` says which."""
    return Actor(label=f"system: {name}", bank=bank)


def node(bank: Bank) -> Actor:
    """A bank's node, known by its signature."""
    return Actor(label=f"node: {bank.slug}", bank=bank)
