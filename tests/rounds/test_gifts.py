"""A bank that joins late is given the published model by a peer, whatever the others try."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from aggregation.models import Gift as CentreGift
from aggregation.models import LogEntry, RosterVersion, TrainingRun
from aggregation.selectors import gifts as centre_selectors
from aggregation.services import enrolment
from banks.ml.training import TrainingPlan
from banks.models import Evaluation, Gift, ModelVersion, SentMessage, Threshold
from banks.services.gifts import asking, giving, models
from banks.services.rounds.node import Node
from banks.services.rounds.standard import standard_task
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol import gifts
from consortium.protocol.errors import Refused
from tests.rounds.consortium import OPERATOR, Consortium, admin, describe, plan


class Newcomer:
    """Three banks that have published a model, and a fourth that they admit afterwards."""

    def __init__(self, consortium: Consortium) -> None:
        for seed, slug in enumerate(["ume", "kiku", "ran"]):
            consortium.join(slug, seed, rows=600)
        training = TrainingPlan(rounds=1, epochs=1).to_json()
        task = consortium.agree("secagg", standard_task(plan(), training=training, hidden=(2,)))
        self.run = consortium.run()
        consortium.until(self.run, most=120)
        assert self.run.state == TrainingRun.State.DONE, describe(self.run)
        self.consortium, self.task = consortium, str(task.pk)
        self.bank = consortium.join("sugi", 3, rows=600)
        consortium.admit(self.bank)
        self.model = str(self.run.version.sha256)

    def step(self, bank: Bank | None = None) -> None:
        self.consortium.step(bank or self.bank)

    @property
    def asked(self) -> list[Gift]:
        """The newcomer's requests, oldest first."""
        with bank_scope(self.bank.pk):
            return list(Gift.objects.filter(direction="received").order_by("pk"))

    def peer(self) -> Bank:
        """Whom the newcomer asked last."""
        return Bank.objects.get(pk=self.asked[-1].peer)

    def versions(self) -> list[ModelVersion]:
        with bank_scope(self.bank.pk):
            return list(ModelVersion.objects.filter(origin="consortium"))


def test_a_newcomer_gets_the_published_model_whatever_peers_and_centre_try(
    consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    newcomer = Newcomer(consortium)
    _forged_offers_are_refused(newcomer, monkeypatch)
    newcomer.step()
    _a_peer_that_gives_other_bytes_is_named(newcomer, monkeypatch)
    _a_box_that_the_centre_swaps_is_refused(newcomer)
    _a_silent_peer_is_waited_for_and_left(newcomer)
    _people_ask_again(newcomer)
    _the_model_arrives_sealed_and_waits_for_data(newcomer, monkeypatch)
    _both_ledgers_and_the_log_tell_of_it(newcomer)
    _a_removed_bank_is_given_nothing(newcomer, monkeypatch)


def _forged_offers_are_refused(newcomer: Newcomer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another model in the place of this one, and a model that too few members accepted."""
    honest = centre_selectors.offer(newcomer.bank, newcomer.run.pk)
    forged = {**honest, "subject": "ab" * 32}
    fewer = {**honest, "words": honest["words"][:1]}
    for offer, code in ((forged, "bad_offer"), (fewer, "offer_unsigned")):
        with monkeypatch.context() as patch:
            patch.setattr(centre_selectors, "offer", lambda *_, offer=offer: offer)
            with pytest.raises(Refused) as refused:
                asking.receive(Node(newcomer.bank), task=newcomer.task, run=str(newcomer.run.pk))
        assert refused.value.code == code
    assert not newcomer.asked


def _a_peer_that_gives_other_bytes_is_named(
    newcomer: Newcomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    liar = newcomer.peer()
    with monkeypatch.context() as patch:
        patch.setattr(models, "held", lambda *_: (b"another model",))
        newcomer.step(liar)
    newcomer.step()
    assert len(newcomer.asked) == 2, newcomer.consortium.troubles()
    refused, following = newcomer.asked
    assert (refused.state, refused.fault["code"]) == ("refused", "wrong_gift")
    assert refused.fault["params"]["peer"] == liar.name
    assert following.peer != liar.pk
    assert CentreGift.objects.get(giver=liar).accepted is False


def _a_box_that_the_centre_swaps_is_refused(newcomer: Newcomer) -> None:
    newcomer.step(newcomer.peer())
    row = CentreGift.objects.exclude(box=b"").get()
    box = bytes(row.box)
    swapped = box[:-1] + bytes([box[-1] ^ 1])
    CentreGift.objects.filter(pk=row.pk).update(box=swapped)
    newcomer.step()
    assert newcomer.asked[1].fault["code"] == "gift_changed"
    assert not newcomer.versions()


def _a_silent_peer_is_waited_for_and_left(newcomer: Newcomer) -> None:
    newcomer.step()
    assert [row.state for row in newcomer.asked] == ["refused", "refused", "asked"]
    long_ago = timezone.now() - timedelta(seconds=gifts.PATIENCE_SECONDS + 1)
    with bank_scope(newcomer.bank.pk):
        Gift.objects.update(asked_at=long_ago)
    CentreGift.objects.update(asked_at=long_ago)
    newcomer.step()
    assert [row.state for row in newcomer.asked] == ["refused", "refused", "silent"]
    newcomer.step()
    assert len({row.peer for row in newcomer.asked}) == 3, "each peer was asked, once"


def _people_ask_again(newcomer: Newcomer) -> None:
    node, actor = Node(newcomer.bank), admin(newcomer.bank)
    last = newcomer.asked[-1]
    asking.ask_again(node=node, actor=actor, gift=last)
    with pytest.raises(Refused, match="nothing to ask for again"):
        asking.ask_again(node=node, actor=actor, gift=last)
    assert newcomer.asked[3].peer == newcomer.asked[0].peer, "the order is nobody's choice"


def _the_model_arrives_sealed_and_waits_for_data(
    newcomer: Newcomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = newcomer.peer()
    newcomer.step(peer)
    with bank_scope(peer.pk):
        model = bytes(ModelVersion.objects.get(origin="consortium").artifact)
    box = bytes(CentreGift.objects.exclude(box=b"").get().box)
    assert len(box) > len(model)
    assert model[:64] not in box, "the centre carries what it cannot read"

    def no_data(*_arguments: Any) -> None:
        raise Refused("no_transactions", "This bank has no transactions yet. Import a file first.")

    with monkeypatch.context() as patch:
        patch.setattr(models.datasets, "prepare", no_data)
        newcomer.step()
    waiting = newcomer.asked[3]
    assert (waiting.state, waiting.fault["code"]) == ("received", "no_transactions")
    with bank_scope(newcomer.bank.pk):
        Gift.objects.update(tried_at=timezone.now() - models.AGAIN_AFTER)
    newcomer.step()

    version = newcomer.versions()[0]
    assert (bytes(version.artifact), version.artifact_sha256) == (model, newcomer.model)
    assert version.lineage["received_from"] == {"bank": str(peer.pk), "name": peer.name}
    with bank_scope(newcomer.bank.pk):
        assert Evaluation.objects.filter(version=version).count() == 2
        assert Threshold.objects.filter(version=version).exists()
    installed = newcomer.asked[3]
    assert (installed.state, bytes(installed.content)) == ("installed", b"")
    assert installed.version_id == version.pk
    newcomer.step()
    assert len(newcomer.asked) == 4, "what was received is not asked for again"


def _both_ledgers_and_the_log_tell_of_it(newcomer: Newcomer) -> None:
    peer = newcomer.peer()
    with bank_scope(newcomer.bank.pk):
        sent = set(SentMessage.objects.values_list("purpose", flat=True))
    assert {"gift request", "gift verdict"} <= sent
    with bank_scope(peer.pk):
        given = Gift.objects.filter(direction="given").latest("pk")
        assert SentMessage.objects.filter(purpose="gift", size__gt=given.size).exists()
    carried = CentreGift.objects.get(request_hash=given.request_hash)
    assert (carried.accepted, bytes(carried.box)) == (True, b"")
    logged = LogEntry.objects.get(index=given.receipt["body"]["log_index"])
    assert (logged.event, logged.body["facts"]["subject"]) == ("gift", newcomer.model)
    assert {"gift.asked", "gift.refused", "gift.silent", "gift.received"} <= verbs(newcomer.bank)
    assert {"gift.asked_again", "gift.installed"} <= verbs(newcomer.bank)
    assert "gift.given" in verbs(peer)
    assert {"gift.asked", "gift.given", "gift.refused", "gift.accepted"} <= verbs(None)


def _a_removed_bank_is_given_nothing(newcomer: Newcomer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by the centre; and not by a peer to which the centre passes its request on."""
    peer, request = newcomer.peer(), newcomer.asked[3].request
    enrolment.remove_bank(actor=OPERATOR, bank=newcomer.bank, reason="left")
    newcomer.consortium.banks.remove(newcomer.bank)
    newcomer.consortium.admit()
    assert RosterVersion.objects.get(state="active").version == 3
    with pytest.raises(Refused):
        Node(newcomer.bank).centre.get(f"runs/{newcomer.run.pk}/offer")
    node = Node(peer)
    really = type(node.centre).get
    monkeypatch.setattr(
        type(node.centre),
        "get",
        lambda self, path: [request] if path == "gifts" else really(self, path),
    )
    with pytest.raises(Refused) as refused:
        giving.give(node, task=newcomer.task, subject=newcomer.model)
    assert refused.value.code == "not_a_member"
    assert not CentreGift.objects.exclude(box=b"").exists()


def verbs(bank: Bank | None) -> set[str]:
    return set(AuditEntry.objects.filter(bank=bank).values_list("verb", flat=True))
