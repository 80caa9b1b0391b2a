"""`manage.py demo`: what it refuses, what it starts, what it prints."""

from __future__ import annotations

import json
import socket
import sys

import pytest
from django.core.management import CommandError, call_command

from consortium.accounts.models import Bank
from consortium.demo import beginning
from consortium.demo.children import banks_with_a_worker, wanted_children
from consortium.demo.report import Login, Outcome, box


def test_a_taken_port_is_refused_when_it_was_asked_for_and_passed_over_when_not() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"listens on port {port} already"):
            beginning.choose_port("127.0.0.1", port)
        assert beginning.choose_port("127.0.0.1", None) >= beginning.FIRST_PORT


@pytest.mark.django_db(transaction=True)
def test_one_database_holds_one_demo() -> None:
    first, second = beginning.only_demo(), beginning.only_demo()
    with first, pytest.raises(CommandError, match="already runs"), second:
        pass
    with beginning.only_demo():
        pass


@pytest.mark.django_db(transaction=True)
def test_reset_without_a_terminal_deletes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    monkeypatch.setattr("consortium.management.commands.demo.erase", lambda: pytest.fail("deleted"))
    monkeypatch.setattr("consortium.management.commands.demo.signal.signal", lambda *_: None)
    with pytest.raises(CommandError, match="--yes"):
        call_command("demo", "--reset")


@pytest.mark.django_db
def test_every_bank_that_has_joined_gets_a_worker_on_its_two_queues() -> None:
    for status in Bank.Status.values:
        Bank.objects.create(slug=status, name=status, status=status)
    slugs = banks_with_a_worker()
    assert set(slugs) == {"joined", "active", "suspended"}
    children = {
        child.name: child for child in wanted_children(host="127.0.0.1", port=8000, banks=slugs)
    }
    assert set(children) == {
        "web", "coordinator", "beat", "bank-joined", "bank-active", "bank-suspended",
    }  # fmt: skip
    assert "active.train,active.protocol" in children["bank-active"].argv
    assert children["web"].stage > children["bank-active"].stage


def test_the_box_is_a_box_in_both_scripts() -> None:
    outcome = Outcome(
        logins=[Login("bank administrator", "a@north.example", "word"), Login("分析", "b", "語")],
        click_first=["Sign in as the analyst", "アラートを一つ決める " * 12],
    )
    lines = box(outcome, address="http://127.0.0.1:8000").splitlines()
    wide = {sum(2 if ord(character) > 0x2FFF else 1 for character in line) for line in lines}
    assert len(wide) == 1
    assert any("a@north.example" in line for line in lines)


def test_a_problem_makes_the_summary_say_not_ok() -> None:
    assert Outcome().summary(seconds=1.23)["ok"] is True
    summary = Outcome(problems=["no alert was raised"]).summary(seconds=1.23)
    assert summary["ok"] is False
    assert json.loads(json.dumps(summary))["problems"] == ["no alert was raised"]
