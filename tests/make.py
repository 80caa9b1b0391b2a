"""Plain factory functions, and a fixed cast.

Sakura Bank: Aiko (analyst), Ren (lead), Yui (model owner), Haru (administrator), Sora (auditor).
Fuji Bank, the outsider: Kenta (analyst), Fumi (administrator).
The centre: Mio (operator), Jun (auditor).
"""

from __future__ import annotations

from consortium.accounts.actors import Actor
from consortium.accounts.models import ApiToken, Bank, Membership, Role, User
from consortium.accounts.tokens import create_token

PASSWORD = "plum rain over seven bridges"
CAST = {
    "aiko": ("Aiko Mori", "sakura", Role.ANALYST),
    "ren": ("Ren Sato", "sakura", Role.LEAD),
    "yui": ("Yui Kato", "sakura", Role.MODEL_OWNER),
    "haru": ("Haru Ito", "sakura", Role.BANK_ADMIN),
    "sora": ("Sora Abe", "sakura", Role.AUDITOR),
    "kenta": ("Kenta Oda", "fuji", Role.ANALYST),
    "fumi": ("Fumi Ueda", "fuji", Role.BANK_ADMIN),
    "mio": ("Mio Hara", None, Role.OPERATOR),
    "jun": ("Jun Endo", None, Role.AUDITOR),
}
BANKS = {"sakura": ("Sakura Bank", "さくら銀行"), "fuji": ("Fuji Bank", "富士銀行")}


def bank(slug: str = "sakura") -> Bank:
    """The bank of that slug, active; made on first use."""
    name, name_ja = BANKS.get(slug, (f"{slug.title()} Bank", ""))
    found, _ = Bank.objects.get_or_create(
        slug=slug, defaults={"name": name, "name_ja": name_ja, "status": Bank.Status.ACTIVE}
    )
    return found


def person(who: str = "aiko", **fields: object) -> User:
    """Someone of the cast with their role and PASSWORD; made on first use."""
    name, slug, role = CAST[who]
    email = f"{who}@{slug or 'centre'}.example"
    if found := User.objects.filter(email=email).first():
        return found
    user = User.objects.create_user(email, PASSWORD, name=name, **fields)
    Membership.objects.create(user=user, bank=bank(slug) if slug else None, role=role)
    return user


def membership(who: str = "aiko") -> Membership:
    return Membership.objects.select_related("bank", "user").get(user=person(who))


def actor(who: str = "aiko") -> Actor:
    """The actor a view would hand to a service for this person."""
    place = membership(who)
    return Actor(label=str(place.user), user=place.user, bank=place.bank, role=place.role)


def token(who: str = "aiko", scopes: tuple[str, ...] = ("read",)) -> tuple[ApiToken, str]:
    """An API token and its secret."""
    return create_token(actor=actor(who), name="test", scopes=list(scopes), days=30)
