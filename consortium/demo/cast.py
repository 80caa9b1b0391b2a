"""The people of the demo, and how each signs in. All are invented."""

from __future__ import annotations

from consortium.accounts.actors import Actor
from consortium.accounts.models import Bank, Membership, Role, User
from consortium.accounts.services import invitations
from consortium.demo.report import Login

PASSWORD = "five banks, one lantern"  # noqa: S105 - printed in the demo's box
OPERATOR = ("operator@centre.example", "Mio Hara", Role.OPERATOR)
SECOND = ("operator2@centre.example", "Rei Ogawa", Role.OPERATOR)
CENTRE = (OPERATOR, SECOND, ("auditor@centre.example", "Jun Endo", Role.AUDITOR))
BANK_PEOPLE = (
    ("analyst", "Aiko Mori", Role.ANALYST),
    ("lead", "Ren Sato", Role.LEAD),
    ("models", "Yui Kato", Role.MODEL_OWNER),
    ("auditor", "Sora Abe", Role.AUDITOR),
)
ADMIN = ("admin", "Haru Ito")


def email(bank: Bank, name: str) -> str:
    """Somebody's address at a bank: analyst@hinata.example."""
    return f"{name}@{bank.slug.replace('_', '-')}.example"


def fill_centre() -> None:
    """Two operators and the auditor; the first person of a place has nobody to invite them."""
    for address, name, role in CENTRE:
        user = User.objects.filter(email=address).first() or User.objects.create_user(
            address, PASSWORD, name=name
        )
        Membership.objects.get_or_create(user=user, bank=None, defaults={"role": role})


def fill_bank(bank: Bank) -> None:
    """The administrator invites colleagues, who accept."""
    administrator = actor(bank, "admin")
    for name, full_name, role in BANK_PEOPLE:
        address = email(bank, name)
        if Membership.objects.filter(bank=bank, user__email=address).exists():
            continue
        _invitation, token = invitations.invite(
            actor=administrator, email=address, name=full_name, role=role
        )
        invitations.accept(token=token, name=full_name, password=PASSWORD, language="")


def actor(bank: Bank, name: str) -> Actor:
    """Somebody of a bank as services know them."""
    member = Membership.objects.select_related("user").get(bank=bank, user__email=email(bank, name))
    return Actor(label=str(member.user), user=member.user, bank=bank, role=member.role)


def operator() -> Actor:
    member = Membership.objects.select_related("user").get(bank=None, user__email=OPERATOR[0])
    return Actor(label=str(member.user), user=member.user, role=member.role)


def logins(bank: Bank) -> list[Login]:
    """One login for each role: the people of one bank, and the centre's."""
    people = [(str(role.label), email(bank, name)) for name, _, role in BANK_PEOPLE]
    people.append((str(Role.BANK_ADMIN.label), email(bank, ADMIN[0])))
    people += [(f"{role.label} (centre)", address) for address, _, role in CENTRE]
    return [Login(role=role, email=address, password=PASSWORD) for role, address in people]
