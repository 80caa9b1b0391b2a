"""Labels that come back: hand in a file of chargebacks and corrections, see what became of it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from banks import wake
from banks.forms import UploadForm
from banks.importing.errors import RULES
from banks.models import ImportStatus, LabelFile
from banks.selectors import label_files as selectors
from banks.services import label_files as services
from banks.views.imports import IMPORTERS, READERS
from consortium.accounts.access import bank_page, translated
from consortium.protocol.errors import Refused


@bank_page(*READERS)
def listing(request: Any) -> HttpResponse:
    return _listing(request, UploadForm())


@bank_page(*IMPORTERS)
@require_POST
def upload(request: Any) -> HttpResponse:
    """Keep the file for the worker."""
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _listing(request, form, status=422)
    try:
        found = services.receive(
            bank=request.bank, file=form.cleaned_data["file"], actor=request.actor
        )
    except Refused as refused:
        form.add_error("file", translated(refused))
        return _listing(request, form, status=422)
    if found.status == ImportStatus.WAITING:
        wake.for_labels(request.bank)
    else:
        messages.info(request, _("This very file was imported before; nothing has changed."))
    return redirect("banks:label-file", request.bank.slug, found.pk)


@bank_page(*READERS)
def detail(request: Any, file_id: uuid.UUID) -> HttpResponse:
    found = _file_or_404(request, file_id)
    refused = Refused(found.failure_code, found.failure, **found.failure_params)
    return render(
        request,
        "banks/label_file.html",
        {
            "found": found,
            "failure": translated(refused) if found.failure else "",
            "errors": [
                {**error, "sentence": _(RULES.get(str(error["rule"]), str(error["rule"])))}
                for error in found.first_errors
            ],
            "waits": found.status == ImportStatus.WAITING,
            "may_go_on": found.failure_code == "rows_refused"
            and request.membership.role in IMPORTERS,
        },
    )


@bank_page(*IMPORTERS)
@require_POST
def good_rows(request: Any, file_id: uuid.UUID) -> HttpResponse:
    """Take in the good rows of a refused file."""
    _file_or_404(request, file_id)
    services.take_good_rows(bank=request.bank, file_id=file_id, actor=request.actor)
    wake.for_labels(request.bank)
    return redirect("banks:label-file", request.bank.slug, file_id)


@bank_page(*READERS)  # type: ignore[arg-type]
def errors(request: Any, file_id: uuid.UUID) -> HttpResponseBase:
    """All errors as a file: line, column, value, rule."""
    found = _file_or_404(request, file_id)
    path = Path(found.errors_path) if found.errors_path else None
    if path is None or not path.exists():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"errors-{file_id}.csv")


def _listing(request: Any, form: UploadForm, status: int = 200) -> HttpResponse:
    return render(
        request,
        "banks/label_files.html",
        {
            "form": form,
            "files": selectors.files(request.bank),
            "words": selectors.words(request.bank),
            "since": selectors.since(),
            "may_import": request.membership.role in IMPORTERS,
        },
        status=status,
    )


def _file_or_404(request: Any, file_id: uuid.UUID) -> LabelFile:
    found = (
        LabelFile.objects.select_related("created_by").filter(bank=request.bank, pk=file_id).first()
    )
    if found is None:
        raise Http404
    return found
