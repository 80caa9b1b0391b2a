"""The operator's and the centre auditor's pages, over rows of real runs."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse

from aggregation.models import (
    LogEntry,
    PublishedSum,
    RosterVersion,
    Round,
    Task,
    TrainingRun,
    Vote,
)
from aggregation.services.tasks import read_definition
from banks.services.rounds.standard import standard_task
from consortium.accounts.models import AuditEntry, Bank
from tests.aggregation.conftest import founded, invited, joined, make_task
from tests.aggregation.nodes import play

pytestmark = pytest.mark.django_db
LISTS = ["home", "banks", "tasks", "runs", "performance", "log"]


@pytest.fixture
def mio(sign_in):
    return sign_in("mio")


def at(name, *args):
    return reverse(f"aggregation:{name}", args=args)


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def finished(consortium) -> TrainingRun:
    run = consortium.start()
    play(consortium.nodes)
    run.refresh_from_db()
    return run


# Who may come in


@pytest.mark.parametrize("who", ["aiko", "ren", "yui", "haru", "sora", "fumi"])
def test_bank_people_get_404_on_the_centres_pages(sign_in, who):
    client = sign_in(who)
    for name in LISTS:
        assert client.get(at(name)).status_code == 404, name
    assert client.get(at("bank", "sakura")).status_code == 404
    assert client.post(at("invite"), {"name": "X Bank"}).status_code == 404


def test_a_stranger_is_asked_to_sign_in(client):
    for name in LISTS:
        assert client.get(at(name)).status_code == 302


def test_the_auditor_reads_everything_and_changes_nothing(sign_in, three):
    run = finished(three)
    client, task = sign_in("jun"), three.task
    bank = Bank.objects.exclude(signing_key=b"").first()
    reads = [at(name) for name in LISTS]
    reads += [at("bank", bank.slug), at("task", task.pk), at("run", run.pk), at("verify-log")]
    for url in [*reads, at("log-file"), at("run-live", run.pk)]:
        answer = client.get(url)
        assert answer.status_code == 200, url
        if url in reads:
            main = answer.content.decode().partition("<main")[2]
            assert 'method="post"' not in main, url
    before = AuditEntry.objects.count()
    for url in [
        at("invite"),
        at("renew", bank.slug),
        at("bank-act", bank.slug, "suspend"),
        at("new-task"),
        at("schedule", task.pk),
        at("run-now", task.pk),
        at("propose-roster", task.pk),
        at("withdraw-roster", task.pk),
        at("stop-run", run.pk),
        at("give-up", run.pk, run.rounds.first().pk),
    ]:
        assert client.post(url, {"reason": "because"}).status_code == 403, url
    assert AuditEntry.objects.count() == before
    assert client.get(at("invite")).status_code == 403


# Empty


def test_every_list_says_what_will_be_there_while_it_is_empty(mio):
    said = {
        "home": "Invite 3 more banks",
        "banks": "Invite the first bank",
        "tasks": "No task yet",
        "runs": "No run yet",
        "performance": "Nothing has been published yet",
        "log": "The log is empty",
    }
    Bank.objects.all().delete()
    for name, sentence in said.items():
        assert sentence in text_of(mio.get(at(name))), name


def test_what_does_not_exist_is_404(mio, three):
    nowhere = "00000000-0000-4000-8000-000000000000"
    for url in [at("bank", "nobody"), at("task", nowhere), at("run", nowhere)]:
        assert mio.get(url).status_code == 404
    assert mio.post(at("bank-act", "nobody", "suspend"), {"reason": "x"}).status_code == 404
    bank = Bank.objects.first()
    assert mio.post(at("bank-act", bank.slug, "promote"), {"reason": "x"}).status_code == 404


# Banks


def test_an_invitation_is_shown_once_and_lets_the_bank_in(mio):
    answer = mio.post(at("invite"), {"name": "Kaede Bank", "name_ja": "楓銀行", "slug": "kaede"})
    assert answer.status_code == 201
    link = re.search(r'value="(http://testserver/join/[^"]+)"', answer.content.decode())
    assert link
    invitation = link[1].rstrip("/").rpartition("/")[2]
    assert invitation not in mio.get(at("bank", "kaede")).content.decode()
    from tests.aggregation.nodes import Node

    node = Node(invitation.partition(".")[0])
    assert node.join(invitation).status_code == 201
    page = text_of(mio.get(at("bank", "kaede")))
    assert "keys received" in page
    assert re.search(r"([0-9a-f]{4} ){7}[0-9a-f]{4}", page)


def test_a_renewed_link_voids_the_old_one(mio):
    node, old = invited("Kaede Bank")
    answer = mio.post(at("renew", "kaede-bank"))
    assert answer.status_code == 201
    assert "/join/" in answer.content.decode()
    assert node.join(old).status_code == 422
    joined("Momiji Bank")
    assert mio.post(at("renew", "momiji-bank")).status_code == 409


def test_a_taken_short_name_is_refused_at_its_field(mio):
    invited("Kaede Bank")
    answer = mio.post(at("invite"), {"name": "Other", "slug": "kaede-bank"})
    assert answer.status_code == 422
    assert "There is a bank with the short name kaede-bank" in text_of(answer)
    assert Bank.objects.filter(name="Other").count() == 0


def test_suspending_needs_a_reason_and_can_be_taken_back(mio):
    joined("Kaede Bank")
    bank = Bank.objects.get(slug="kaede-bank")
    said = text_of(mio.post(at("bank-act", bank.slug, "suspend"), {"reason": " "}, follow=True))
    assert "Say why." in said
    bank.refresh_from_db()
    assert bank.status == Bank.Status.JOINED
    mio.post(at("bank-act", bank.slug, "suspend"), {"reason": "key lost"})
    bank.refresh_from_db()
    assert bank.status == Bank.Status.SUSPENDED
    assert AuditEntry.objects.get(verb="bank.suspended").facts["reason"] == "key lost"
    mio.post(at("bank-act", bank.slug, "reinstate"), {"reason": "new key checked"})
    mio.post(at("bank-act", bank.slug, "remove"), {"reason": "left"})
    bank.refresh_from_db()
    assert bank.status == Bank.Status.REMOVED
    again = mio.post(at("bank-act", bank.slug, "suspend"), {"reason": "x"}, follow=True)
    assert "not in that state any more" in text_of(again)


# Tasks


def form(**changes):
    fields = {
        "name": "Payments",
        "name_ja": "決済",
        "purpose": "fraud-detection",
        "protocol": "paillier-threshold",
        "round_seconds": 600,
        "vote_seconds": 600,
        "definition": json.dumps(standard_task(hidden=(4,))),
    }
    return {**fields, **changes}


def test_the_model_owners_text_becomes_a_task(mio):
    answer = mio.post(at("new-task"), form())
    task = Task.objects.get()
    assert answer.url == at("task", task.pk)
    standard = standard_task(hidden=(4,))
    assert (task.model, task.recipe) == (standard["model"], standard["recipe"])
    assert (task.first_step, task.metric_values) == (standard["first_step"], 1024)
    assert task.most_rounds == 1 + standard["first_step"]["remaining"]
    assert AuditEntry.objects.get(verb="task.created").actor == "Mio Hara"


def test_the_definition_may_come_as_a_file(mio):
    from django.core.files.uploadedfile import SimpleUploadedFile

    upload = SimpleUploadedFile("task.json", json.dumps(standard_task()).encode())
    assert mio.post(at("new-task"), form(definition="", file=upload)).status_code == 302
    broken = SimpleUploadedFile("task.json", b"\xff\xfe{}")
    answer = mio.post(at("new-task"), form(name="Other", definition="", file=broken))
    assert answer.status_code == 422
    assert Task.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d: "", "one of them"),
        (lambda d: "{", "The definition must be JSON text in UTF-8"),
        (lambda d: "[]", "must be one JSON object"),
        (lambda d: {**d, "metric_values": 1.5}, "without floats"),
        (lambda d: {**d, "metric_values": 0}, "metric_values must be a whole number from 1"),
        (lambda d: {**d, "metric_values": True}, "metric_values must be a whole number from 1"),
        (lambda d: {k: v for k, v in d.items() if k != "recipe"}, "lacks recipe"),
        (lambda d: {**d, "rows": 3}, "unknown entries: rows"),
        (lambda d: {**d, "model": []}, "model must be a JSON object"),
        (lambda d: {**d, "first_step": {"name": "x"}}, "Step.bits must be present"),
        (lambda d: {**d, "first_step": {**d["first_step"], "bits": 80}}, "Step.bits must be 2-56"),
        (lambda d: {**d, "recipe": {"x": "y" * 300_000}}, "larger than 256 kB"),
    ],
)
def test_a_bad_definition_is_refused_with_a_sentence(mio, change, sentence):
    changed = change(standard_task(hidden=(4,)))
    text = changed if isinstance(changed, str) else json.dumps(changed)
    answer = mio.post(at("new-task"), form(definition=text))
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert not Task.objects.exists()


def test_a_task_name_is_used_once(mio):
    make_task(name="Payments")
    answer = mio.post(at("new-task"), form())
    assert answer.status_code == 422
    assert "There is a task named Payments" in text_of(answer)


def test_a_definition_has_a_hash_that_does_not_depend_on_its_layout():
    body = standard_task()
    assert (
        read_definition(json.dumps(body)).hash == read_definition(json.dumps(body, indent=3)).hash
    )


# Schedules and runs


def test_a_schedule_shows_its_next_run(mio):
    task = make_task()
    fields = {"cron": "30 4 * * 1", "zone": "Asia/Tokyo", "enabled": "on"}
    answer = mio.post(at("schedule", task.pk), fields, follow=True)
    task.refresh_from_db()
    assert task.enabled
    assert task.next_run_at is not None
    assert "Next run:" in text_of(answer)
    assert "04:30 JST" in text_of(answer)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"cron": "every day", "zone": "Asia/Tokyo"}, "five fields"),
        ({"cron": "61 3 * * *", "zone": "Asia/Tokyo"}, "five fields"),
        ({"cron": "* * * * * *", "zone": "Asia/Tokyo"}, "five fields"),
        ({"cron": "0 3 * * *", "zone": "Tokyo"}, "no time zone Tokyo"),
        ({"cron": "0 3 * * *", "zone": "../../etc/passwd"}, "no time zone"),
        ({"cron": "", "zone": ""}, "This field is required"),
    ],
)
def test_a_bad_schedule_changes_nothing(mio, fields, sentence):
    task = make_task()
    answer = mio.post(at("schedule", task.pk), {**fields, "enabled": "on"})
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    task.refresh_from_db()
    assert not task.enabled


def test_run_now_starts_a_run_and_shows_it(mio, three):
    answer = mio.post(at("run-now", three.task.pk), follow=True)
    run = TrainingRun.objects.get()
    assert answer.redirect_chain[-1][0] == at("run", run.pk)
    page = text_of(answer)
    assert "waiting for encrypted uploads: Bank 0, Bank 1, Bank 2" in page
    again = mio.post(at("run-now", three.task.pk))
    assert again.status_code == 422
    assert "A run of this task is going on" in text_of(again)


def test_run_now_without_a_roster_says_what_is_missing(mio):
    answer = mio.post(at("run-now", make_task().pk))
    assert answer.status_code == 422
    assert "no roster that its members signed" in text_of(answer)


def test_the_roster_is_proposed_signed_and_shown(mio):
    nodes = [joined(f"Bank {i}") for i in range(3)]
    task = make_task()
    few = mio.post(at("propose-roster", task.pk), {"banks": ["bank-0", "bank-1"]})
    assert few.status_code == 422
    assert not RosterVersion.objects.exists()
    mio.post(at("propose-roster", task.pk), {"banks": ["bank-0", "bank-1", "bank-2"]})
    page = text_of(mio.get(at("task", task.pk)))
    assert "Roster version 1 waits for signatures" in page
    assert "0 of 3 needed" in page
    play(nodes[:2], only={"sign_roster"})
    assert "Bank 2" in text_of(mio.get(at("home"))).partition("can sign it:")[2][:20]
    play(nodes, only={"sign_roster"})
    page = text_of(mio.get(at("task", task.pk)))
    assert "Members: roster version 1" in page
    assert "No key yet" in page


def test_a_proposal_can_be_withdrawn(mio):
    for i in range(3):
        joined(f"Bank {i}")
    task = make_task()
    mio.post(at("propose-roster", task.pk), {"banks": ["bank-0", "bank-1", "bank-2"]})
    mio.post(at("withdraw-roster", task.pk))
    assert not RosterVersion.objects.exists()


def test_the_first_page_names_the_one_next_step(mio, three):
    assert "Start the first run" in text_of(mio.get(at("home")))
    joined("Kaede Bank")
    finished(three)
    assert "Joined, but not yet a member of Card fraud: Kaede Bank" in text_of(mio.get(at("home")))


def test_founders_without_a_key_are_awaited(mio, db):
    founded(3)
    assert "have no shared key yet" in text_of(mio.get(at("home")))


# A run, live


def test_a_run_shows_rounds_votes_signers_and_receipts(mio, five):
    for node in five.nodes[:2]:
        node.accepts = False
    run = finished(five)
    page = text_of(mio.get(at("run", run.pk)))
    assert "4 of 4 rounds opened" in page
    assert page.count("5 banks;") == 4
    votes = Vote.objects.filter(version__run=run)
    assert page.count(" accept ") == votes.filter(accept=True).count() == 3
    assert page.count(" refuse ") == votes.filter(accept=False).count()
    entry = LogEntry.objects.filter(event="submission").order_by("index").first()
    assert f"{entry.index}" in page.partition("Receipts in the log")[2][:20]
    assert "every 3s" not in mio.get(at("run", run.pk)).content.decode()


def test_a_live_run_is_polled_and_says_whom_it_waits_for(mio, five):
    run = five.start()
    play(five.nodes[:4], only={"submit"})
    page = mio.get(at("run", run.pk))
    assert f'hx-get="{at("run-live", run.pk)}"' in page.content.decode()
    fragment = mio.get(at("run-live", run.pk), headers={"HX-Request": "true"})
    absent = five.bank(five.nodes[4]).name
    assert f"waiting for encrypted uploads: {absent}" in text_of(fragment)
    assert "<html" not in fragment.content.decode()


def test_a_page_is_loaded_anew_when_its_buttons_are_stale(mio, three):
    run = three.start()
    asked = {"round": str(three.round.pk)}
    assert "HX-Refresh" not in mio.get(at("run-live", run.pk), asked).headers
    play(three.nodes)
    run.refresh_from_db()
    assert run.state == TrainingRun.State.DONE
    assert mio.get(at("run-live", run.pk), asked).headers["HX-Refresh"] == "true"


def test_a_round_is_given_up_with_its_reason_and_tried_again(mio, three):
    run = three.start()
    first = three.round
    empty = mio.post(at("give-up", run.pk, first.pk), {"reason": ""}, follow=True)
    assert "Say why." in text_of(empty)
    answer = mio.post(at("give-up", run.pk, first.pk), {"reason": "a power cut"}, follow=True)
    page = text_of(answer)
    assert "The operator gave the round up: a power cut" in page
    assert "attempt 2" in page
    late = mio.post(at("give-up", run.pk, first.pk), {"reason": "again"}, follow=True)
    assert "not in that state any more" in text_of(late)


def test_a_stopped_run_says_why_and_leads_on(mio, three):
    run = three.start()
    page = text_of(mio.post(at("stop-run", run.pk), follow=True))
    assert "The operator stopped the run." in page
    assert Round.objects.get().state == Round.State.ABANDONED
    assert f"Run 1 of {three.task} failed" in text_of(mio.get(at("home")))


# Performance


def test_the_consortiums_curve_is_the_published_sum(mio, three):
    run = finished(three)
    values = [0] * 1024
    values[100], values[200], values[400] = 900, 90, 10
    values[512 + 150], values[512 + 400] = 20, 80
    PublishedSum.objects.filter(round__run=run).update(values=values)
    page = mio.get(at("performance"), {"cut": 300})
    said = text_of(page)
    assert "nobody here can open a bank's transactions" in said.replace("&#x27;", "'")
    assert re.search(r"was fraud 80 fraud caught .* 20 fraud missed .* 100", said)
    assert re.search(r"was genuine 10 false alarm .* 990 rightly left alone .* 1,000", said)
    assert "88.9%" in said  # precision 80/90
    assert "n = 1,100" in said
    assert "A sum of fewer than 3 banks is never opened" in said
    matrix = page.content.decode().partition('class="table matrix"')[2].partition("</table>")[0]
    assert "<a " not in matrix


@pytest.mark.parametrize("cut", ["", "-1", "9999", "x", "٣"])
def test_a_strange_threshold_in_the_address_is_harmless(mio, three, cut):
    finished(three)
    assert mio.get(at("performance"), {"cut": cut, "version": "nonsense"}).status_code == 200


# The log


def test_the_log_is_verified_now_and_a_change_shows(mio, three):
    finished(three)
    assert "The log holds" in text_of(mio.get(at("verify-log")))
    entry = LogEntry.objects.get(index=2)
    entry.body["facts"]["round"] = "00000000-0000-4000-8000-000000000000"
    LogEntry.objects.filter(index=2).update(body=entry.body)
    report = text_of(mio.get(at("verify-log"), headers={"HX-Request": "true"}))
    assert "The log is broken at entry 2" in report


def test_the_log_is_browsed_by_keyset_and_event(mio, three):
    finished(three)
    count = LogEntry.objects.count()
    page = mio.get(at("log"), {"before": 3})
    assert [line.entry.index for line in page.context["lines"]] == [2, 1, 0]
    only = mio.get(at("log"), {"event": "submission"}).context["lines"]
    assert {line.entry.event for line in only} == {"submission"}
    assert "No entry of this kind" in text_of(mio.get(at("log"), {"event": "unheard of"}))
    assert mio.get(at("log"), {"before": "x"}).context["lines"][0].entry.index == count - 1


def test_the_log_goes_along_as_lines_and_that_is_recorded(mio, three):
    finished(three)
    lines = b"".join(mio.get(at("log-file")).streaming_content).splitlines()
    parsed = [json.loads(line) for line in lines]
    assert [one["entry"]["index"] for one in parsed[:-1]] == list(range(len(parsed) - 1))
    assert len(parsed[-1]["cosignatures"]) == 3
    assert AuditEntry.objects.filter(verb="log.exported", actor="Mio Hara").exists()


@pytest.mark.parametrize("name", LISTS)
def test_no_page_asks_the_database_more_than_25_times(
    mio, three, name, django_assert_max_num_queries
):
    finished(three)
    mio.get(at(name))
    with django_assert_max_num_queries(25):
        mio.get(at(name))


def test_a_runs_page_asks_the_database_at_most_25_times(mio, five, django_assert_max_num_queries):
    run = five.start(window="one")
    play(five.nodes[:3], only={"submit"})
    with django_assert_max_num_queries(25):
        mio.get(at("run", run.pk))


def test_the_pages_speak_japanese_too(mio, three):
    finished(three)
    mio.cookies["django_language"] = "ja"
    for name in LISTS:
        answer = mio.get(at(name))
        assert answer.status_code == 200
        assert '<html lang="ja"' in answer.content.decode()
