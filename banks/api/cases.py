"""Cases by API: the same services as the pages."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from banks.api import case_serializers as wire
from banks.api.alert_serializers import TextSerializer
from banks.api.serializers import WhySerializer
from banks.models import Alert, Case
from banks.selectors import cases as selectors
from banks.selectors.cases import APPROVERS, READERS, WORKERS
from banks.services import cases as services
from consortium.accounts.access import bank_api

WHOLE = wire.WholeCaseSerializer


@extend_schema(
    methods=["GET"],
    operation_id="cases_list",
    parameters=[
        OpenApiParameter("view", enum=list(selectors.VIEWS)),
        OpenApiParameter("typology"),
        OpenApiParameter("due", enum=["overdue"]),
        OpenApiParameter("q", description="a number (C-12 or 12) or an account"),
        OpenApiParameter("after", description="``next`` of the page before"),
    ],
    responses=wire.CaseListSerializer,
)
@bank_api(*READERS)
def listing(request: Any) -> Response:
    """Cases under way by due time, closed ones by when they were closed; 50 at a time."""
    filters = selectors.Filters.from_query(request.query_params)
    return Response(
        wire.CaseListSerializer(selectors.listed(request.bank, request.user, filters)).data
    )


@extend_schema(operation_id="case_open", request=wire.OpenCaseSerializer, responses={201: WHOLE})
@bank_api(*WORKERS, methods=["POST"])
def opening(request: Any) -> Response:
    given = _given(wire.OpenCaseSerializer, request)
    _require_alerts(request, given["alerts"])
    case = services.open_case(
        bank=request.bank,
        actor=request.actor,
        alert_ids=given["alerts"],
        account=given["account"],
        typology=given["typology"],
    )
    return _answer(request, case.pk, status=201)


@extend_schema(operation_id="case_detail", responses=WHOLE)
@bank_api(*READERS)
def detail(request: Any, case_id: uuid.UUID) -> Response:
    return _answer(request, case_id)


@extend_schema(operation_id="case_file", responses={(200, "application/pdf"): OpenApiTypes.BINARY})
@bank_api(*READERS)
def case_file(request: Any, case_id: uuid.UUID) -> HttpResponse:
    """The case file as a PDF in the language of the request; the export is audited."""
    from banks.case_file import document_of  # fonts weigh 18 MB: only who prints loads them

    case = _case_or_404(request, case_id)
    content = document_of(case, by=str(request.user))
    services.note_file(bank=request.bank, actor=request.actor, case_id=case_id, content=content)
    return HttpResponse(content, content_type="application/pdf")


@extend_schema(operation_id="case_take", request=None, responses=WHOLE)
@bank_api(*WORKERS, methods=["POST"])
def take(request: Any, case_id: uuid.UUID) -> Response:
    return _done(request, case_id, services.take)


@extend_schema(operation_id="case_assign", request=wire.OwnerSerializer, responses=WHOLE)
@bank_api(*APPROVERS, methods=["POST"])
def assign(request: Any, case_id: uuid.UUID) -> Response:
    return _done(
        request, case_id, services.assign, owner_id=_given(wire.OwnerSerializer, request)["owner"]
    )


@extend_schema(operation_id="case_link", request=wire.AlertsSerializer, responses=WHOLE)
@bank_api(*WORKERS, methods=["POST"])
def link(request: Any, case_id: uuid.UUID) -> Response:
    """Add alerts; 409 names the case that holds one of them already."""
    alerts = _given(wire.AlertsSerializer, request)["alerts"]
    _require_alerts(request, alerts)
    return _done(request, case_id, services.link, alert_ids=alerts)


@extend_schema(operation_id="case_unlink", request=wire.AlertNameSerializer, responses=WHOLE)
@bank_api(*WORKERS, methods=["POST"])
def unlink(request: Any, case_id: uuid.UUID) -> Response:
    alert = _given(wire.AlertNameSerializer, request)["alert"]
    _require_alerts(request, [alert])
    return _done(request, case_id, services.unlink, alert_id=alert)


@extend_schema(operation_id="case_change", request=wire.ChangeCaseSerializer, responses=WHOLE)
@bank_api(*WORKERS, methods=["POST"])
def change(request: Any, case_id: uuid.UUID) -> Response:
    """Set the typology, the due time, or both."""
    given = _given(wire.ChangeCaseSerializer, request)
    if "typology" in given:
        _done(request, case_id, services.set_typology, typology=given["typology"])
    if "due_at" in given:
        _done(request, case_id, services.set_due, due_at=given["due_at"])
    return _answer(request, case_id)


@extend_schema(operation_id="case_note", request=TextSerializer, responses=WHOLE)
@bank_api(*WORKERS, methods=["POST"])
def note(request: Any, case_id: uuid.UUID) -> Response:
    return _done(request, case_id, services.add_note, **_given(TextSerializer, request))


@extend_schema(operation_id="case_step", request=wire.AnswerSerializer, responses=WHOLE)
@bank_api(*WORKERS, methods=["POST"])
def step(request: Any, case_id: uuid.UUID) -> Response:
    return _done(request, case_id, services.tick, **_given(wire.AnswerSerializer, request))


@extend_schema(operation_id="case_contact", request=wire.NewContactSerializer, responses=WHOLE)
@bank_api(*WORKERS, methods=["POST"])
def contact(request: Any, case_id: uuid.UUID) -> Response:
    given = _given(wire.NewContactSerializer, request)
    return _done(request, case_id, services.record_contact, **given)


@extend_schema(operation_id="case_submit", request=wire.SubmissionSerializer, responses=WHOLE)
@bank_api(*WORKERS, methods=["POST"])
def submit(request: Any, case_id: uuid.UUID) -> Response:
    """Propose the outcome; refused while ``lacks`` is not empty."""
    return _done(request, case_id, services.submit, **_given(wire.SubmissionSerializer, request))


@extend_schema(operation_id="case_withdraw", request=None, responses=WHOLE)
@bank_api(*WORKERS, methods=["POST"])
def withdraw(request: Any, case_id: uuid.UUID) -> Response:
    return _done(request, case_id, services.withdraw)


@extend_schema(operation_id="case_approve", request=wire.NoteSerializer, responses=WHOLE)
@bank_api(*APPROVERS, methods=["POST"])
def approve(request: Any, case_id: uuid.UUID) -> Response:
    """Close it; refused to who submitted it."""
    return _done(request, case_id, services.approve, **_given(wire.NoteSerializer, request))


@extend_schema(operation_id="case_return", request=WhySerializer, responses=WHOLE)
@bank_api(*APPROVERS, methods=["POST"])
def send_back(request: Any, case_id: uuid.UUID) -> Response:
    return _done(request, case_id, services.send_back, **_given(WhySerializer, request))


@extend_schema(operation_id="case_reopen", request=WhySerializer, responses=WHOLE)
@bank_api(*APPROVERS, methods=["POST"])
def reopen(request: Any, case_id: uuid.UUID) -> Response:
    return _done(request, case_id, services.reopen, **_given(WhySerializer, request))


def _given(serializer: Any, request: Any) -> dict[str, Any]:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _require_alerts(request: Any, ids: list[uuid.UUID]) -> None:
    """Another bank's alert is like one that does not exist."""
    if Alert.objects.filter(bank=request.bank, pk__in=ids).count() < len(set(ids)):
        raise Http404


def _case_or_404(request: Any, case_id: uuid.UUID) -> Case:
    case = selectors.get(request.bank, case_id)
    if case is None:
        raise Http404
    return case


def _done(request: Any, case_id: uuid.UUID, change: Any, **facts: Any) -> Response:
    _case_or_404(request, case_id)
    change(bank=request.bank, actor=request.actor, case_id=case_id, **facts)
    return _answer(request, case_id)


def _answer(request: Any, case_id: uuid.UUID, status: int = 200) -> Response:
    case = _case_or_404(request, case_id)
    there = selectors.linked(case)
    people = ("drafted_by", "submitted_by", "decided_by", "carried_out_by", "lifted_by")
    whole = {
        "case": case,
        "alerts": [one.alert.pk for one in there],
        "steps": case.steps.select_related("done_by"),
        "contacts": selectors.contacts(case).attempts,
        "freezes": case.freezes.select_related(*people),
        "history": selectors.timeline(case),
        "lacks": services.lacks(case),
        "suggestions": [one.alert.pk for one in selectors.suggestions(case, there)],
    }
    return Response(WHOLE(whole).data, status=status)
