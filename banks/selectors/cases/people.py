"""Who may work on a case, and who else may approve."""

from __future__ import annotations

from consortium.accounts.models import Bank, Membership, User

from .roles import APPROVERS, WORKERS


def workers(bank: Bank) -> list[User]:
    """Analysts and leads, by name."""
    return _people(bank, WORKERS)


def other_approvers(bank: Bank, user: User) -> list[User]:
    """The people who may approve what this person wrote."""
    return [one for one in _people(bank, APPROVERS) if one != user]


def _people(bank: Bank, roles: tuple[str, ...]) -> list[User]:
    found = Membership.objects.select_related("user").filter(
        bank=bank, role__in=roles, user__is_active=True
    )
    return [one.user for one in found.order_by("user__name", "user")]
