"""One function a call: parse, one service or selector, answer. The table of calls: ``__init__``."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from aggregation.api.reading import binary, hex_bytes, message_in, number_in, signed_in
from aggregation.authentication import body_of, node_api, open_api
from aggregation.selectors import evidence
from aggregation.selectors.duties import next_duties
from aggregation.services import (
    advertising,
    enrolment,
    epochs,
    freezing,
    ledger,
    opening,
    rosters,
    submissions,
    votes,
)
from aggregation.services import terms as terms_of_tasks
from consortium.accounts.models import Bank
from consortium.protocol.envelope import Signed, canonical
from consortium.protocol.wire import malformed


@open_api("POST")
def join(request: Request) -> Response:
    return Response(enrolment.join(signed=signed_in(request)).to_wire(), status=201)


@node_api()
def following(request: Request, bank: Bank) -> Response:
    enrolment.note_version(bank=bank, version=request.query_params.get("version", ""))
    return Response(next_duties(bank).to_wire())


# Members and keys


@node_api()
def tasks(request: Request, bank: Bank) -> Response:
    return Response(evidence.tasks_of(bank))


@node_api()
def roster_chain(request: Request, task: uuid.UUID, bank: Bank) -> Response:
    return Response(evidence.roster_chain(bank, task))


@node_api()
def roster(request: Request, task: uuid.UUID, version: int, bank: Bank) -> Response:
    return Response(evidence.roster(bank, task, version))


@node_api("POST")
def roster_signature(request: Request, task: uuid.UUID, version: int, bank: Bank) -> Response:
    row = rosters.sign_roster(
        bank=bank, task=evidence.task(bank, task), version=version, signed=signed_in(request)
    )
    return Response({"version": row.version, "state": row.state}, status=201)


@node_api()
def agreement(request: Request, task: uuid.UUID, bank: Bank) -> Response:
    return Response(evidence.agreement(bank, task))


@node_api("GET", "POST")
def terms(request: Request, task: uuid.UUID, bank: Bank) -> Response:
    row = evidence.task(bank, task)
    if request.method == "POST":
        terms_of_tasks.vote(bank=bank, task=row, signed=signed_in(request))
    return Response(evidence.terms(row), status=201 if request.method == "POST" else 200)


@node_api("POST")
def publish_epoch(request: Request, task: uuid.UUID, bank: Bank) -> Response:
    message = message_in(request)
    if set(message) != {"epoch", "biprimality", "shares"}:
        raise malformed("The message", "an object with epoch, biprimality and shares")
    shares = message["shares"]
    if not isinstance(shares, dict):
        raise malformed("shares", "an object")
    made = epochs.publish_epoch(
        bank=bank,
        task=evidence.task(bank, task),
        signed=Signed.from_wire(message["epoch"]),
        biprimality=hex_bytes(message["biprimality"], "biprimality"),
        shares={name: hex_bytes(box, "shares") for name, box in shares.items()},
    )
    return Response({"epoch": str(made.pk), "state": made.state}, status=201)


@node_api()
def newest_epoch(request: Request, task: uuid.UUID, bank: Bank) -> Response:
    return Response(evidence.epoch_facts(evidence.newest_epoch(bank, task)))


@node_api()
def epoch(request: Request, epoch: uuid.UUID, bank: Bank) -> Response:
    return Response(evidence.epoch_facts(evidence.epoch(bank, epoch)))


@node_api()
def epoch_share(request: Request, epoch: uuid.UUID, bank: Bank) -> Response:
    return Response(evidence.share_facts(bank, evidence.epoch(bank, epoch)))


@node_api("POST")
def epoch_signature(request: Request, epoch: uuid.UUID, bank: Bank) -> Response:
    row = epochs.witness_epoch(
        bank=bank, epoch=evidence.epoch(bank, epoch), signed=signed_in(request)
    )
    return Response({"epoch": str(row.pk), "state": row.state}, status=201)


# Runs and rounds


@node_api()
def run(request: Request, run: uuid.UUID, bank: Bank) -> Response:
    return Response(evidence.run_facts(evidence.run(bank, run)))


@node_api("GET", "POST")
def vote(request: Request, run: uuid.UUID, bank: Bank) -> Response:
    found = evidence.run(bank, run)
    if request.method == "GET":
        return Response(evidence.votes(found))
    version = votes.vote(bank=bank, run=found, signed=signed_in(request))
    return Response({"version_state": version.state}, status=201)


@node_api()
def manifest(request: Request, round_id: uuid.UUID, bank: Bank) -> Response:
    return Response(evidence.round_(bank, round_id).manifest)


@node_api("POST")
def advertisement(request: Request, round_id: uuid.UUID, bank: Bank) -> Response:
    found = evidence.round_(bank, round_id)
    body = body_of(request._request, advertising.largest_advertisement(found))
    row = advertising.keep_advertisement(bank=bank, round_=found, body=body)
    return Response({"state": row.state, "phase": row.phase}, status=201)


@node_api()
def roll(request: Request, round_id: uuid.UUID, bank: Bank) -> Response:
    return Response(evidence.roll(bank, evidence.round_(bank, round_id)))


@node_api("POST")
def submission(request: Request, round_id: uuid.UUID, bank: Bank) -> HttpResponse:
    found = evidence.round_(bank, round_id)
    body = body_of(request._request, submissions.largest_body(found))
    accepted = submissions.submit(bank=bank, round_=found, body=body)
    # Canonical, so that a receipt asked for again is the same to the last byte.
    return HttpResponse(
        canonical(accepted.receipt),
        content_type="application/json",
        status=201 if accepted.new else 200,
    )


@node_api()
def freeze(request: Request, round_id: uuid.UUID, bank: Bank) -> Response:
    return Response(evidence.freeze(evidence.round_(bank, round_id)))


@node_api("POST")
def freeze_signature(request: Request, round_id: uuid.UUID, bank: Bank) -> Response:
    row = freezing.sign_freeze(
        bank=bank, round_=evidence.round_(bank, round_id), signed=signed_in(request)
    )
    return Response({"state": row.state, "phase": row.phase}, status=201)


@node_api()
def certificate(request: Request, round_id: uuid.UUID, bank: Bank) -> Response:
    return Response(evidence.certificate(evidence.round_(bank, round_id)))


@node_api()
def submission_of(
    request: Request, round_id: uuid.UUID, of_bank: uuid.UUID, bank: Bank
) -> HttpResponse:
    return binary(evidence.submission_body(bank, evidence.round_(bank, round_id), of_bank))


@node_api()
def aggregate(request: Request, round_id: uuid.UUID, bank: Bank) -> HttpResponse:
    return binary(evidence.aggregate(bank, evidence.round_(bank, round_id)))


@node_api("GET", "POST")
def partials(request: Request, round_id: uuid.UUID, bank: Bank) -> Response:
    found = evidence.round_(bank, round_id)
    if request.method == "GET":
        return Response(evidence.partials_for(bank, found))
    body = body_of(request._request, opening.largest_partial(found))
    row = opening.keep_partial(bank=bank, round_=found, body=body)
    return Response({"state": row.state, "phase": row.phase}, status=201)


@node_api("POST")
def derived(request: Request, round_id: uuid.UUID, bank: Bank) -> Response:
    row = opening.keep_derived(
        bank=bank, round_=evidence.round_(bank, round_id), signed=signed_in(request)
    )
    return Response({"state": row.state, "phase": row.phase}, status=201)


# The log


@node_api()
def log(request: Request, bank: Bank) -> Response:
    after = number_in(request, "after", default=0)
    return Response({"entries": evidence.log_entries(after), "head": evidence.newest_head()})


@node_api()
def log_head(request: Request, bank: Bank) -> Response:
    return Response(evidence.newest_head())


@node_api()
def inclusion(request: Request, bank: Bank) -> Response:
    return Response(evidence.inclusion(number_in(request, "index"), number_in(request, "size")))


@node_api()
def consistency(request: Request, bank: Bank) -> Response:
    old, new = number_in(request, "old"), number_in(request, "new")
    return Response({"proof": evidence.consistency(old, new)})


@node_api("POST")
def cosignature(request: Request, bank: Bank) -> Response:
    head = ledger.cosign(bank=bank, signed=signed_in(request))
    answer = {"size": head.size, "cosignatures": head.cosignatures.count()}
    return Response(answer, status=201)
