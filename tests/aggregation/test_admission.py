"""How a bank comes in: guided, by two people of the centre, and decided by the members."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from aggregation.models import BankInvitation, KeyComparison, RosterVersion
from aggregation.selectors.admission import admission, leaving
from aggregation.selectors.agreements import agreements
from aggregation.selectors.members import members
from aggregation.services import comparing, rosters
from consortium.accounts.actors import Actor
from consortium.accounts.models import AuditEntry, Bank, User
from consortium.protocol.errors import Refused
from tests import make
from tests.aggregation.conftest import founded, invited, joined
from tests.aggregation.nodes import play

pytestmark = pytest.mark.django_db


@pytest.fixture
def mio() -> Actor:
    return make.actor("mio")


def bank_of(node) -> Bank:
    return Bank.objects.get(pk=node.bank)


def states(bank: Bank, actor: Actor) -> dict[str, str]:
    (member,) = members(slug=bank.slug)
    assert actor.user
    steps = admission(member, actor.user, agreements()).steps
    return {step.found.code: step.state for step in steps}


def everybody(consortium, newcomer):
    return Bank.objects.filter(pk__in=[node.bank for node in (*consortium.nodes, newcomer)])


def test_a_newcomer_is_proposed_by_a_second_operator_only(mio, second):
    consortium = founded(3)
    newcomer = joined("Newcomer")
    banks, bank = everybody(consortium, newcomer), bank_of(newcomer)
    propose = rosters.propose_roster
    with pytest.raises(Refused, match="two people"):
        propose(actor=mio, task=consortium.task, banks=banks)
    comparing.compare_keys(actor=mio, bank=bank, said=comparing.number_of(bank))
    with pytest.raises(Refused, match="two people"):
        propose(actor=mio, task=consortium.task, banks=banks)
    assert propose(actor=second, task=consortium.task, banks=banks).version == 2


def test_a_superuser_is_not_two_people_either(mio):
    consortium = founded(3)
    newcomer = joined("Newcomer")
    User.objects.filter(pk=mio.user.pk).update(is_superuser=True, is_staff=True)
    bank = bank_of(newcomer)
    comparing.compare_keys(actor=mio, bank=bank, said=comparing.number_of(bank))
    with pytest.raises(Refused, match="two people"):
        rosters.propose_roster(
            actor=mio, task=consortium.task, banks=everybody(consortium, newcomer)
        )
    assert not RosterVersion.objects.filter(version=2).exists()


def test_a_comparison_says_nothing_of_other_keys(mio, second):
    consortium = founded(3)
    newcomer = joined("Newcomer")
    bank = bank_of(newcomer)
    comparing.compare_keys(actor=mio, bank=bank, said=comparing.number_of(bank))
    Bank.objects.filter(pk=bank.pk).update(signing_key=b"\7" * 32)
    with pytest.raises(Refused, match="two people"):
        rosters.propose_roster(
            actor=second, task=consortium.task, banks=everybody(consortium, newcomer)
        )


def test_the_block_that_differs_is_named_and_nothing_is_kept(mio, sign_in):
    bank = bank_of(joined("Newcomer"))
    blocks = comparing.number_of(bank).split()
    blocks[3] = f"{(int(blocks[3]) + 1) % 100_000:05d}"
    page = sign_in("mio").post(
        reverse("aggregation:compare", args=[bank.slug]), {"said": " ".join(blocks)}
    )
    assert page.status_code == 422
    assert "Block 4 is not the one" in page.content.decode()
    assert not KeyComparison.objects.exists()


def test_full_width_digits_and_hyphens_are_heard_as_digits(mio, sign_in):
    bank = bank_of(joined("Newcomer"))
    wide = comparing.number_of(bank).translate({ord(str(n)): 0xFF10 + n for n in range(10)})
    answer = sign_in("mio").post(
        reverse("aggregation:compare", args=[bank.slug]), {"said": wide.replace(" ", "-")}
    )
    assert answer.status_code == 302
    assert KeyComparison.objects.get().by == mio.user
    assert AuditEntry.objects.filter(verb="bank.compared").count() == 1


def test_a_bank_without_keys_has_no_number_to_compare(mio):
    node, _text = invited("Newcomer")
    with pytest.raises(Refused, match="has not joined"):
        comparing.compare_keys(actor=mio, bank=bank_of(node), said="1")


def test_the_path_follows_the_rows_from_invitation_to_first_round(mio, second):
    consortium = founded(3)
    node, text = invited("Newcomer")
    bank = bank_of(node)
    assert states(bank, mio)["invited"] == "done"
    assert states(bank, mio)["joined"] == "waiting"
    BankInvitation.objects.update(expires_at=timezone.now())
    assert states(bank, mio)["invited"] == "now"
    BankInvitation.objects.update(expires_at=timezone.now() + timezone.timedelta(days=1))
    node.join(text)
    bank.refresh_from_db()
    assert states(bank, mio)["compared"] == "now"
    comparing.compare_keys(actor=mio, bank=bank, said=comparing.number_of(bank))
    assert states(bank, mio)["proposed"] == "waiting"
    assert states(bank, second)["proposed"] == "now"
    banks = everybody(consortium, node)
    rosters.propose_roster(actor=second, task=consortium.task, banks=banks)
    assert states(bank, mio)["signed"] == "waiting"
    play(consortium.nodes, only={"sign_roster"})
    found = states(bank, mio)
    assert (found["signed"], found["key"], found["takes_part"]) == ("done", "waiting", "next")


def test_what_leaving_means_is_said_before(sign_in):
    consortium = founded(3)
    bank = bank_of(consortium.nodes[0])
    (one,) = leaving(bank, agreements())
    assert (one.left, one.numbers) == (2, None)
    page = sign_in("mio").get(reverse("aggregation:bank", args=[bank.slug])).content.decode()
    assert "fewer than three banks are left" in page
    assert "Models that it has helped to train stay in use" in page


def test_the_path_by_api(program, mio):
    node = joined("Newcomer")
    bank = bank_of(node)
    there = f"/api/v1/centre/banks/{bank.slug}/"
    operator = program("mio", "read", "write")
    wrong = operator.post(there + "comparison", {"said": "12345"}, format="json")
    assert (wrong.status_code, list(wrong.json()["fields"])) == (422, ["said"])
    said = {"said": comparing.number_of(bank)}
    assert operator.post(there + "comparison", said, format="json").status_code == 204
    steps = operator.get(there + "admission").json()["steps"]
    assert [step["state"] for step in steps][:4] == ["done", "done", "done", "waiting"]
