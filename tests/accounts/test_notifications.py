"""What people are told: from the events of the trail, each person by place, role and wish."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.urls import reverse

from consortium.accounts import audit
from consortium.accounts.models import Membership, Notification, Role, User
from consortium.accounts.services import notifications
from consortium.accounts.services.notifications import RULES
from consortium.accounts.verbs import VERBS
from tests import make

pytestmark = pytest.mark.django_db
INBOX = reverse("notifications")


def happens(verb: str = "threshold.proposed", who: str = "ren", **facts: object) -> None:
    make.person("yui")
    actor = make.actor(who)
    with transaction.atomic():
        audit.record(actor=actor, verb=verb, target="thing", bank=actor.bank, **facts)


def told() -> list[tuple[str, str]]:
    return sorted(Notification.objects.values_list("user__name", "verb"))


def test_a_proposal_is_told_to_those_who_may_approve_it_and_not_to_its_author():
    make.person("aiko")
    make.person("fumi")
    happens()
    assert told() == [("Yui Kato", "threshold.proposed")]


def test_only_what_the_rule_asks_for_is_told():
    make.person("aiko")
    happens("threshold.approved", scheduled=False)
    assert told() == []
    happens("threshold.approved", scheduled=True)
    assert told() == [("Aiko Mori", "threshold.approved"), ("Yui Kato", "threshold.approved")]


def test_a_case_is_told_to_the_person_it_was_given_to():
    make.person("aiko")
    happens("case.assigned", owner="Aiko Mori")
    assert told() == [("Aiko Mori", "case.assigned")]


def test_what_is_rolled_back_was_never_told():
    with transaction.atomic():
        happens()
        transaction.set_rollback(True)
    assert told() == []


def test_a_muted_kind_is_not_told(sign_in):
    client = sign_in("yui")
    others = [kind for kind in Notification.Kind.values if kind != "approval"]
    client.post(reverse("notifications-kinds"), {"wanted": others})
    happens()
    assert told() == []
    assert User.objects.get(name="Yui Kato").muted == ["approval"]


def test_the_bell_counts_until_it_is_read(sign_in):
    happens()
    client = sign_in("yui")
    assert "1 unread" in client.get(INBOX).content.decode()
    row = Notification.objects.get()
    answer = client.get(reverse("notification", args=[row.pk]))
    assert answer.headers["Location"] == reverse("banks:threshold-changes", args=["sakura"])
    assert "unread" not in client.get(INBOX).content.decode()
    happens()
    client.post(reverse("notifications-read"))
    assert not Notification.objects.filter(read_at=None).exists()


def test_another_person_s_is_like_a_missing_one(sign_in):
    happens()
    row = Notification.objects.get()
    assert sign_in("ren").get(reverse("notification", args=[row.pk])).status_code == 404
    assert notifications.mark_read(user=make.person("ren"), notification_id=row.pk) == 0


@pytest.mark.parametrize("change", [{"role": Role.ANALYST}, None])
def test_who_lost_the_role_or_the_place_reads_nothing_of_it(sign_in, change):
    happens()
    place = Membership.objects.filter(user=make.person("yui"))
    if change:
        place.update(**change)
    else:
        place.delete()
    page = sign_in("yui").get(INBOX).content.decode()
    assert "threshold proposed" not in page
    row = Notification.objects.get()
    assert sign_in("yui").get(reverse("notification", args=[row.pk])).status_code == 404


def test_a_superuser_reads_no_more_than_anybody_else(sign_in):
    happens()
    User.objects.filter(pk=make.person("kenta").pk).update(is_superuser=True, is_staff=True)
    assert "threshold proposed" not in sign_in("kenta").get(INBOX).content.decode()


def test_the_centre_s_lead_to_the_bank_they_speak_of(sign_in):
    make.person("mio")
    bank = make.bank("fuji")
    with transaction.atomic():
        audit.record(actor=make.actor("fumi"), verb="bank.joined", target=bank)
    row = Notification.objects.get()
    answer = sign_in("mio").get(reverse("notification", args=[row.pk]))
    assert answer.headers["Location"] == reverse("aggregation:bank", args=["fuji"])


def test_by_api(program):
    happens()
    reader = program("yui", "read", "write")
    (one,) = reader.get("/api/v1/notifications").json()
    assert (one["kind"], one["bank"], one["read_at"]) == ("approval", "sakura", None)
    marked = reader.post("/api/v1/notifications/read", {"id": one["id"]}, format="json")
    assert marked.json() == {"marked": 1}
    said = {"muted": ["run", "approval"]}
    kept = reader.put("/api/v1/notifications/kinds", said, format="json").json()
    assert kept == {"muted": ["approval", "run"]}
    unknown = reader.put("/api/v1/notifications/kinds", {"muted": ["x"]}, format="json")
    assert unknown.status_code == 400


def test_every_event_has_its_words():
    assert set(RULES) <= set(VERBS)
