"""The curves of a logistic regression on its model's page."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from banks.models import ModelVersion
from banks.selectors.curves import curves_of
from banks.services import training
from consortium.accounts.actors import system
from consortium.accounts.tenancy import bank_scope
from tests import make
from tests.banks import world


def test_the_curves_are_the_score_and_stand_on_the_page(sign_in: Callable[[str], Client]) -> None:
    bank = make.bank("sakura")
    world.with_history(bank)
    run = training.request_training(bank=bank, actor=system("test", bank=bank), family="logistic")
    training.run_training(bank=bank, run_id=run.pk)
    with bank_scope(bank.pk):
        version = ModelVersion.objects.get(run=run)
        shapes = curves_of(version, "JPY")
    assert [s.span for s in shapes] == sorted((s.span for s in shapes), reverse=True)
    client = sign_in("yui")
    page = client.get(f"/bank/sakura/models/{version.number}/").content.decode()
    assert "How each feature moves the score" in page
    assert page.count("data-chart=") == len([s for s in shapes if s.chart]) > 0
