"""A bank brings a file: hand in, say how to read it, watch, see every error."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from banks import wake
from banks.forms import MappingForm, UploadForm
from banks.importing.errors import RULES
from banks.ml.schema import Mapping
from banks.models import Import, ImportStatus, SourceMapping, Transaction
from banks.services import imports
from consortium.accounts.access import bank_page, translated
from consortium.accounts.models import Role
from consortium.protocol.errors import Refused

READERS = (Role.MODEL_OWNER, Role.LEAD, Role.BANK_ADMIN, Role.AUDITOR)
IMPORTERS = (Role.MODEL_OWNER, Role.BANK_ADMIN)
SHOWN = 30
ENCODINGS = {"utf-8-sig": "UTF-8", "cp932": "Shift_JIS (cp932)"}
STEPS: dict[str, Any] = {
    ImportStatus.WAITING: gettext_lazy("Waiting for the worker"),
    ImportStatus.CHECKING: gettext_lazy("Checking every row"),
}


@bank_page(*READERS)
def listing(request: Any) -> HttpResponse:
    return _listing(request, UploadForm())


@bank_page(*IMPORTERS)
@require_POST
def upload(request: Any) -> HttpResponse:
    """Keep the file and go on to its columns."""
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _listing(request, form, status=422)
    try:
        imported = imports.receive_file(
            bank=request.bank, file=form.cleaned_data["file"], actor=request.actor
        )
    except Refused as refused:
        form.add_error("file", translated(refused))
        return _listing(request, form, status=422)
    return redirect("banks:import", request.bank.slug, imported.pk)


@bank_page(*READERS)
def detail(request: Any, import_id: uuid.UUID) -> HttpResponse:
    """Where a file stands: its columns to be mapped, its progress, or what became of it."""
    imported = _import_or_404(request, import_id)
    if imported.status == ImportStatus.WAITING and not imported.mapping:
        return _mapping_page(request, imported, None)
    return render(
        request,
        "banks/import.html",
        {
            "imported": imported,
            "step": STEPS.get(imported.status, ""),
            "failure": _sentence(imported),
            "errors": [{**error, "sentence": _rule(error)} for error in imported.first_errors],
            "open": imported.status in STEPS,
            "may_go_on": imported.failure_code == "rows_refused"
            and request.membership.role in IMPORTERS,
            "may_import": request.membership.role in IMPORTERS,
        },
    )


@bank_page(*READERS)
def progress(request: Any, import_id: uuid.UUID) -> HttpResponse:
    """The fragment that a page with a file under way asks for."""
    imported = _import_or_404(request, import_id)
    response = render(
        request,
        "banks/import_progress.html",
        {"imported": imported, "step": STEPS.get(imported.status, "")},
    )
    if imported.status not in STEPS:
        response["HX-Refresh"] = "true"
    return response


@bank_page(*IMPORTERS)
@require_POST
def confirm(request: Any, import_id: uuid.UUID) -> HttpResponse:
    """Look at the rows under a mapping, or import them."""
    imported = _import_or_404(request, import_id)
    look = imports.preview(path=Path(imported.file_path))
    form = MappingForm(request.POST, columns=look.columns)
    if not form.is_valid():
        return _mapping_page(request, imported, form, status=422)
    try:
        mapping = Mapping.from_json(form.mapping)
        if "look" in request.POST:
            return _mapping_page(request, imported, form, mapping)
        if name := form.cleaned_data["save_as"]:
            imports.save_mapping(bank=request.bank, name=name, mapping=mapping, actor=request.actor)
        imported = imports.confirm_import(
            bank=request.bank, import_id=import_id, mapping=mapping, actor=request.actor
        )
    except Refused as refused:
        form.add_error(None, translated(refused))
        return _mapping_page(request, imported, form, status=422)
    if imported.pk != import_id:
        messages.info(request, _("This very file was imported before; nothing has changed."))
    else:
        wake.for_import(request.bank, import_id)
    return redirect("banks:import", request.bank.slug, imported.pk)


@bank_page(*IMPORTERS)
@require_POST
def act(request: Any, import_id: uuid.UUID, act: str) -> HttpResponse:
    """Import the good rows of a refused file, or delete it."""
    _import_or_404(request, import_id)
    if act == "good-rows":
        imports.import_good_rows(bank=request.bank, import_id=import_id, actor=request.actor)
        wake.for_import(request.bank, import_id)
        return redirect("banks:import", request.bank.slug, import_id)
    imports.discard_import(bank=request.bank, import_id=import_id, actor=request.actor)
    messages.success(request, _("The file is deleted. Nothing of it was imported."))
    return redirect("banks:imports", request.bank.slug)


@bank_page(*READERS)  # type: ignore[arg-type]
def errors(request: Any, import_id: uuid.UUID) -> HttpResponseBase:
    """All errors as a file: line, column, value, rule."""
    imported = _import_or_404(request, import_id)
    path = Path(imported.errors_path) if imported.errors_path else None
    if path is None or not path.exists():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"errors-{import_id}.csv")


def _listing(request: Any, form: UploadForm, status: int = 200) -> HttpResponse:
    return render(
        request,
        "banks/imports.html",
        {
            "form": form,
            "imports": Import.objects.select_related("created_by").filter(bank=request.bank)[
                :SHOWN
            ],
            "has_transactions": Transaction.objects.filter(bank=request.bank).exists(),
            "may_import": request.membership.role in IMPORTERS,
        },
        status=status,
    )


def _mapping_page(
    request: Any,
    imported: Import,
    form: MappingForm | None,
    mapping: Mapping | None = None,
    status: int = 200,
) -> HttpResponse:
    look = imports.preview(path=Path(imported.file_path), mapping=mapping)
    saved = SourceMapping.objects.filter(bank=request.bank).order_by("name")
    chosen = saved.filter(name=request.GET.get("saved", "")).first()
    shown = form or MappingForm(
        columns=look.columns,
        initial=MappingForm.initial_for(chosen.mapping if chosen else look.suggested),
    )
    return render(
        request,
        "banks/import_mapping.html",
        {
            "imported": imported,
            "form": shown,
            "look": look,
            "encoding": ENCODINGS.get(look.encoding or "", look.encoding),
            "saved": saved,
            "sample": [list(row.values()) for row in look.sample[:5]],
            "sample_columns": list(look.sample[0]) if look.sample else [],
            "errors": [{**error, "sentence": _rule(error)} for error in look.errors],
            "looked": mapping is not None,
            "may_import": request.membership.role in IMPORTERS,
        },
        status=status,
    )


def _rule(error: dict[str, Any]) -> str:
    return _(RULES.get(str(error["rule"]), str(error["rule"])))


def _sentence(imported: Import) -> str:
    if not imported.failure:
        return ""
    refused = Refused(imported.failure_code, imported.failure, **imported.failure_params)
    return translated(refused)


def _import_or_404(request: Any, import_id: uuid.UUID) -> Import:
    found = (
        Import.objects.select_related("created_by").filter(bank=request.bank, pk=import_id).first()
    )
    if found is None:
        raise Http404
    return found
