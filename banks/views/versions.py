"""Model versions: which one scores, where it comes from, how to step back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from banks.api.cards import card_json, onnx_response
from banks.models import BankSettings, ModelVersion
from banks.selectors import performance, transactions, versions
from banks.selectors.cards import acceptance_of, card_of
from banks.selectors.curves import curves_of
from banks.selectors.evidence import evidence_of
from banks.selectors.shadow import agreement_of
from banks.services import shadow
from banks.services import versions as services
from consortium.accounts.access import bank_page, translated
from consortium.accounts.models import Role
from consortium.protocol.errors import Refused

READERS = (Role.MODEL_OWNER, Role.LEAD, Role.BANK_ADMIN, Role.AUDITOR)


@bank_page(*READERS)
def listing(request: Any) -> HttpResponse:
    rows = versions.listing(request.bank)
    return render(
        request,
        "banks/models.html",
        {
            "rows": rows,
            "may_choose": request.membership.role == Role.MODEL_OWNER,
            "before": next((row for row in rows if row.before), None),
        },
    )


@bank_page(*READERS)
def detail(request: Any, number: int) -> HttpResponse:
    version = _version_or_404(request, number)
    settings = BankSettings.objects.filter(bank=request.bank).first() or BankSettings()
    test = performance.figures_of(version, window="test")
    return render(
        request,
        "banks/model.html",
        {
            "model": version,
            "in_use": settings.scoring_version_id == version.pk,
            "shadows": settings.shadow_version_id == version.pk,
            "agreement": agreement_of(version),
            "acceptance": acceptance_of(version),
            "figures": [
                (_("Test window"), test),
                (_("Validation window"), performance.figures_of(version, window="validation")),
            ],
            "evidence": next(evidence_of(test), None),
            "curves": curves_of(version, transactions.currency(request.bank)),
            "gain": version.comparisons.order_by("-window_until").first(),
            "currency": transactions.currency(request.bank),
            "thresholds": version.thresholds.select_related("set_by"),
            "parts": _parts(version),
            "usable": version.status in services.USABLE,
            "may_choose": request.membership.role == Role.MODEL_OWNER,
        },
    )


@bank_page(*READERS)
def card(request: Any, number: int) -> HttpResponse:
    """The model card, to read and to print."""
    version = _version_or_404(request, number)
    return render(
        request,
        "banks/model_card.html",
        {
            "model": version,
            "card": card_of(version),
            "parts": _parts(version),
            "acceptance": acceptance_of(version),
            "evidence": next(evidence_of(performance.figures_of(version)), None),
            "currency": transactions.currency(request.bank),
        },
    )


@bank_page(*READERS)
def card_file(request: Any, number: int) -> HttpResponse:
    version = _version_or_404(request, number)
    response = JsonResponse(card_json(version), json_dumps_params={"ensure_ascii": False})
    name = f"model-card-{request.bank.slug}-v{version.number}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@bank_page(Role.MODEL_OWNER, Role.BANK_ADMIN)
def onnx(request: Any, number: int) -> HttpResponse:
    return onnx_response(_version_or_404(request, number), request.actor)


@bank_page(Role.MODEL_OWNER)
@require_POST
def act(request: Any, number: int, act: str) -> HttpResponse:
    """Let a version score, score along, stop scoring along, or be put aside."""
    version = _version_or_404(request, number)
    who = {"bank": request.bank, "actor": request.actor}
    try:
        if act == "use":
            reason = request.POST.get("reason", "")
            services.choose_scoring_version(**who, version_id=version.pk, reason=reason)
            messages.success(request, _("From now on this version scores."))
        elif act == "shadow":
            shadow.start_shadow(**who, version_id=version.pk)
            messages.success(request, _("From now on this version scores along, silently."))
        elif act == "unshadow":
            shadow.stop_shadow(**who)
            messages.success(request, _("The version no longer scores along."))
        else:
            services.retire(**who, version_id=version.pk)
            messages.success(request, _("The version is retired."))
    except Refused as refused:
        messages.error(request, translated(refused))
    return redirect("banks:model", request.bank.slug, number)


@bank_page(Role.MODEL_OWNER)
@require_POST
def roll_back(request: Any) -> HttpResponse:
    try:
        services.roll_back(
            bank=request.bank, actor=request.actor, reason=request.POST.get("reason", "")
        )
        messages.success(request, _("The version before scores again."))
    except Refused as refused:
        messages.error(request, translated(refused))
    return redirect("banks:models", request.bank.slug)


def _parts(version: ModelVersion) -> list[ModelVersion]:
    """The versions an ensemble is made of."""
    keys = [version.lineage[name] for name in ("own", "consortium") if name in version.lineage]
    return list(ModelVersion.objects.filter(pk__in=keys).defer("artifact"))


def _version_or_404(request: Any, number: int) -> ModelVersion:
    version = versions.get(request.bank, number)
    if version is None:
        raise Http404
    return version
