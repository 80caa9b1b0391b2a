"""The queue: in order of expected loss, counted by facets, worked through one by one or in bulk."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from banks.models import Alert, BankSettings, BulkAction, LabelEvent, SavedView, Transaction
from banks.selectors import alerts as selectors
from banks.selectors.alerts import Filters
from banks.services import alerts
from consortium.accounts.actors import Actor
from consortium.accounts.models import AuditEntry, Bank
from consortium.accounts.tenancy import bank_scope
from consortium.protocol.errors import Refused
from tests.banks.test_alerts import an_alert

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
GENUINE = {"disposition": "genuine", "reason_code": "known_pattern"}


@pytest.fixture
def made(bank: Bank) -> list[Alert]:
    """Six alerts, the last with the largest expected loss; the first seen by the consortium."""
    with bank_scope(bank.pk):
        BankSettings.objects.create(bank=bank, reviews_a_day=3)
        return [an_alert(bank, number, only_consortium=number == 1) for number in range(1, 7)]


def shown(bank: Bank, actor: Actor, **filters: str) -> selectors.Queue:
    assert actor.user
    with bank_scope(bank.pk):
        return selectors.queue(bank, actor.user, Filters(**filters))


def counted(bank: Bank, actor: Actor, **filters: str) -> selectors.Counts:
    assert actor.user
    with bank_scope(bank.pk):
        return selectors.counts(bank, actor.user, Filters(**filters))


class TestOrder:
    def test_it_goes_by_expected_loss_and_pages_without_gaps(
        self, bank: Bank, analyst: Actor
    ) -> None:
        with bank_scope(bank.pk):
            for number in range(1, selectors.PAGE + 8):
                an_alert(bank, number, expected_loss=1_000 * (number // 3))
        first = shown(bank, analyst)
        second = shown(bank, analyst, after=first.next_cursor)
        listed = [*first.alerts, *second.alerts]
        assert all(a.expected_loss >= b.expected_loss for a, b in pairwise(listed))
        assert len({alert.pk for alert in listed}) == counted(bank, analyst).total == len(listed)
        assert (second.next_cursor, second.first_rank) == ("", selectors.PAGE + 1)

    def test_decided_alerts_page_by_when_they_were_decided(
        self, bank: Bank, analyst: Actor
    ) -> None:
        with bank_scope(bank.pk):
            for number in range(selectors.PAGE + 3):
                at = timezone.now() - timedelta(minutes=number // 2)
                facts = {"status": "decided", "decided_at": at, **GENUINE}
                an_alert(bank, number, **facts)
        first = shown(bank, analyst, view="decided")
        second = shown(bank, analyst, view="decided", after=first.next_cursor)
        listed = [alert.pk for alert in [*first.alerts, *second.alerts]]
        assert len(set(listed)) == len(listed) == selectors.PAGE + 3

    def test_the_line_stands_where_todays_capacity_ends(
        self, bank: Bank, analyst: Actor, made: list[Alert]
    ) -> None:
        assert shown(bank, analyst).line_after == 3
        assert shown(bank, analyst, channel="card").line_after is None
        alerts.decide(bank=bank, actor=analyst, alert_id=made[0].pk, **GENUINE)
        assert shown(bank, analyst).line_after == 2

    def test_start_reviewing_takes_ones_own_first_then_the_largest_that_nobody_holds(
        self, bank: Bank, analyst: Actor, lead: Actor, made: list[Alert]
    ) -> None:
        alerts.claim(bank=bank, actor=lead, alert_id=made[5].pk)
        until = timezone.now() + timedelta(hours=1)
        alerts.snooze(bank=bank, actor=lead, alert_id=made[4].pk, until=until, reason="police")
        assert alerts.claim_next(bank=bank, actor=analyst) == made[3]
        assert alerts.claim_next(bank=bank, actor=analyst) == made[3]


class TestFacets:
    def test_they_count_what_their_lists_show(
        self, bank: Bank, analyst: Actor, made: list[Alert]
    ) -> None:
        alerts.claim(bank=bank, actor=analyst, alert_id=made[1].pk)
        with bank_scope(bank.pk):
            Alert.objects.filter(pk=made[2].pk).update(blind=True, drawn_loss=1)
            Alert.objects.filter(pk=made[3].pk).update(
                created_at=timezone.now() - timedelta(days=2)
            )
        for given in ({}, {"channel": "web"}, {"view": "mine"}, {"q": "t-3"}):
            counts = counted(bank, analyst, **given)
            assert counts.total == len(shown(bank, analyst, **given).alerts)
            for view in ("open", "unassigned", "mine", "later"):
                asked = {"view": view, "q": given.get("q", "")}
                assert counts.of(view) == len(shown(bank, analyst, **asked).alerts), view
            for facet in counts.facets:
                for option in facet.options:
                    asked = {**given, facet.name: option.value}
                    assert len(shown(bank, analyst, **asked).alerts) == option.count

    def test_a_filter_that_matches_nothing_offers_to_clear_it(
        self, bank: Bank, sign_in: SignIn, made: list[Alert]
    ) -> None:
        page = sign_in("aiko").get(reverse("banks:alerts", args=[bank.slug]), {"q": "nobody"})
        assert page.status_code == 200
        assert "None of" in page.content.decode()
        assert "Clear the filter" in page.content.decode()

    def test_the_queue_and_its_counts_take_few_queries(
        self, bank: Bank, sign_in: SignIn, made: list[Alert], django_assert_max_num_queries: Any
    ) -> None:
        analyst = sign_in("aiko")
        with django_assert_max_num_queries(25):
            analyst.get(reverse("banks:alerts", args=[bank.slug]))


class TestBulk:
    def test_what_cannot_be_done_is_skipped_and_says_why(
        self, bank: Bank, analyst: Actor, lead: Actor, made: list[Alert]
    ) -> None:
        alerts.claim(bank=bank, actor=lead, alert_id=made[0].pk)
        alerts.decide(bank=bank, actor=lead, alert_id=made[1].pk, **GENUINE)
        done = alerts.do_at_once(
            bank=bank,
            actor=analyst,
            act="decide",
            alert_ids=[alert.pk for alert in made[:4]] + [uuid.uuid4()],
            **GENUINE,
        )
        assert sorted(done.changed) == sorted(str(alert.pk) for alert in made[2:4])
        assert {one["code"] for one in done.skipped} == {
            "already_taken",
            "already_decided",
            "no_alert",
        }
        with bank_scope(bank.pk):
            assert LabelEvent.objects.filter(said_by=analyst.user).count() == 2
        assert AuditEntry.objects.filter(verb="alert.decided", user=analyst.user).count() == 2
        assert AuditEntry.objects.get(verb="alerts.bulk").facts["skipped"] == 3

    def test_it_is_undone_as_one(
        self, bank: Bank, analyst: Actor, lead: Actor, made: list[Alert]
    ) -> None:
        chosen = [alert.pk for alert in made[:3]]
        done = alerts.do_at_once(
            bank=bank, actor=analyst, act="decide", alert_ids=chosen, **GENUINE
        )
        with pytest.raises(Refused):
            alerts.undo_bulk(bank=bank, actor=lead, bulk_id=done.pk)
        assert len(alerts.undo_bulk(bank=bank, actor=analyst, bulk_id=done.pk).changed) == 3
        with bank_scope(bank.pk):
            assert Alert.objects.filter(status="open").count() == 6
            assert not Transaction.objects.filter(label__isnull=False).exists()
        with pytest.raises(Refused):
            alerts.undo_bulk(bank=bank, actor=analyst, bulk_id=done.pk)

    @pytest.mark.parametrize(
        ("act", "facts", "field"),
        [
            ("decide", {"disposition": "fraud", "reason_code": "", "note": ""}, "reason_code"),
            ("decide", {**GENUINE, "note": "x" * 10_000}, "note"),
            ("snooze", {"until": timezone.now(), "reason": "police"}, "until"),
            ("delete", {}, "act"),
        ],
    )
    def test_what_fits_no_alert_is_refused_as_a_whole(
        self, bank: Bank, analyst: Actor, made: list[Alert], act: str, facts: Any, field: str
    ) -> None:
        with pytest.raises(Refused) as refused:
            alerts.do_at_once(bank=bank, actor=analyst, act=act, alert_ids=[made[0].pk], **facts)
        assert refused.value.field == field
        with bank_scope(bank.pk):
            assert not BulkAction.objects.exists()

    def test_the_page_says_what_was_skipped_and_keeps_the_filter(
        self, bank: Bank, sign_in: SignIn, lead: Actor, made: list[Alert]
    ) -> None:
        alerts.claim(bank=bank, actor=lead, alert_id=made[0].pk)
        analyst = sign_in("aiko")
        body = {
            "alert": [str(alert.pk) for alert in made[:3]],
            "act": "decide",
            "back": "?view=open&channel=card",
            **GENUINE,
        }
        answer = analyst.post(reverse("banks:alerts-bulk", args=[bank.slug]), body)
        assert "channel=card" in answer["Location"]
        page = analyst.get(answer["Location"]).content.decode()
        assert "2 alerts decided: genuine." in page
        assert "Ren Sato took this alert at" in page
        assert "data-undo=" in page

    def test_what_was_chosen_and_typed_stays_when_it_is_refused(
        self, bank: Bank, sign_in: SignIn, made: list[Alert]
    ) -> None:
        body = {"alert": [str(made[0].pk)], "act": "decide", "note": "a long story"}
        answer = sign_in("aiko").post(reverse("banks:alerts-bulk", args=[bank.slug]), body)
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "a long story" in page
        assert page.count(" checked>") == 1
        assert "Choose fraud, genuine or cannot tell." in page


class TestPuttingOff:
    def test_it_leaves_the_queue_until_its_time_and_comes_back_to_everybody(
        self, bank: Bank, analyst: Actor, made: list[Alert]
    ) -> None:
        alerts.claim(bank=bank, actor=analyst, alert_id=made[5].pk)
        until = timezone.now() + timedelta(hours=4)
        alerts.snooze(
            bank=bank, actor=analyst, alert_id=made[5].pk, until=until, reason="customer calls back"
        )
        assert made[5] not in shown(bank, analyst).alerts
        assert shown(bank, analyst, view="later").alerts == [made[5]]
        with bank_scope(bank.pk):
            Alert.objects.update(snoozed_until=timezone.now())
        assert shown(bank, analyst).alerts[0] == made[5]

    def test_there_is_no_putting_off_without_a_reason_and_an_end(
        self, bank: Bank, analyst: Actor, made: list[Alert]
    ) -> None:
        now = timezone.now()
        for until, reason in ((now + timedelta(hours=1), " "), (now + timedelta(days=40), "x")):
            with pytest.raises(Refused):
                alerts.snooze(
                    bank=bank, actor=analyst, alert_id=made[0].pk, until=until, reason=reason
                )


class TestSavedViews:
    def test_a_view_leads_back_to_its_filters(
        self, bank: Bank, sign_in: SignIn, made: list[Alert]
    ) -> None:
        analyst = sign_in("aiko")
        save = reverse("banks:save-alert-view", args=[bank.slug])
        analyst.post(save, {"name": "cards", "back": "view=unassigned&channel=card"})
        with bank_scope(bank.pk):
            view = SavedView.objects.get()
        address = reverse("banks:alert-view", args=[bank.slug, view.pk])
        assert analyst.get(address)["Location"].endswith("?view=unassigned&channel=card")
        assert sign_in("ren").get(address)["Location"].endswith("?view=unassigned&channel=card")
        listed = sign_in("ren").get(reverse("banks:alerts", args=[bank.slug])).content.decode()
        assert address not in listed, "a colleague's list is their own"

    def test_a_deleted_view_says_so_and_offers_the_queue(
        self, bank: Bank, sign_in: SignIn, made: list[Alert]
    ) -> None:
        analyst = sign_in("aiko")
        gone = analyst.get(reverse("banks:alert-view", args=[bank.slug, uuid.uuid4()]))
        assert gone.status_code == 404
        assert "This view does not exist any more" in gone.content.decode()
        assert reverse("banks:alerts", args=[bank.slug]) in gone.content.decode()


def test_a_program_does_the_same(
    bank: Bank, program: Callable[..., APIClient], made: list[Alert]
) -> None:
    client = program("aiko", "read", "write")
    base = "/api/v1/banks/sakura/alerts"
    facets = client.get(f"{base}/facets", {"channel": "card"}).data
    assert (facets["total"], facets["tabs"]["open"]) == (3, 6)
    wrong = client.post(f"{base}/bulk", {"act": "decide", "alerts": [str(made[0].pk)]}, "json")
    assert wrong.status_code == 400
    body = {"act": "decide", "alerts": [str(made[0].pk), str(uuid.uuid4())], **GENUINE}
    done = client.post(f"{base}/bulk", body, "json")
    assert (done.status_code, len(done.data["changed"])) == (201, 1)
    assert done.data["skipped"][0]["code"] == "no_alert"
    undone = client.post(f"{base}/bulk/{done.data['pk']}/undo")
    assert undone.data["changed"] == [str(made[0].pk)]
    saved = client.post(f"{base}/views", {"name": "web", "filters": {"channel": "web"}}, "json")
    assert saved.data["filters"]["channel"] == "web"
    assert client.delete(f"{base}/views/{saved.data['pk']}").status_code == 204
    assert client.get(f"{base}/views").data == []
    until = (timezone.now() + timedelta(hours=2)).isoformat()
    slept = client.post(f"{base}/{made[1].pk}/snooze", {"until": until, "reason": "police"}, "json")
    assert slept.data["snoozed_until"]
