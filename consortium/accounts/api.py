"""The API of WHO: oneself, tokens, and the people, invitations and audit trail of a place.

Each call of a place exists twice, for a bank and for the centre, around one function.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as InvalidPassword
from django.urls import reverse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.exceptions import NotFound
from rest_framework.exceptions import ValidationError as Invalid
from rest_framework.response import Response

from consortium.parsing import whole_number

from . import selectors, tokens
from .access import bank_api, centre_api, membership_for, person_api
from .actors import Actor
from .models import ApiToken, Role, User
from .serializers import (
    AcceptanceSerializer,
    AuditEntrySerializer,
    AuditPageSerializer,
    ChainSerializer,
    InvitationSerializer,
    MadeInvitationSerializer,
    MadeTokenSerializer,
    MeSerializer,
    NewTokenSerializer,
    PersonSerializer,
    RoleSerializer,
    TokenSerializer,
)
from .services import invitations, people

NO_CONTENT = status.HTTP_204_NO_CONTENT


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "consortium.accounts.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token of your profile page"}


# Oneself -------------------------------------------------------------------------------------
@extend_schema(responses=MeSerializer, summary="Who am I, and where do I work")
@person_api()
def me(request: Any) -> Response:
    places = request.user.memberships.select_related("bank").order_by("pk")
    if isinstance(request.auth, ApiToken):
        places = places.filter(bank=request.auth.bank)
    about = {name: getattr(request.user, name) for name in ("email", "name", "language", "zone")}
    return Response(MeSerializer({**about, "places": places}).data)


@extend_schema(methods=["GET"], responses=TokenSerializer(many=True), summary="My tokens")
@extend_schema(
    methods=["POST"],
    request=NewTokenSerializer,
    responses={201: MadeTokenSerializer},
    summary="Make a token",
)
@person_api(["GET", "POST"])
def own_tokens(request: Any) -> Response:
    if request.method == "GET":
        return Response(TokenSerializer(selectors.tokens_of(request.user), many=True).data)
    asked = NewTokenSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    place = membership_for(request, asked.validated_data["bank"])
    token, secret = tokens.create_token(
        actor=Actor(label=str(place.user), user=place.user, bank=place.bank, role=place.role),
        name=asked.validated_data["name"],
        scopes=sorted(asked.validated_data["scopes"]),
        days=asked.validated_data["days"],
        by=request.auth if isinstance(request.auth, ApiToken) else None,
    )
    token.secret = secret  # type: ignore[attr-defined]
    return Response(MadeTokenSerializer(token).data, status=status.HTTP_201_CREATED)


@extend_schema(responses={204: None}, summary="Revoke one of my tokens")
@person_api(["DELETE"])
def own_token(request: Any, token_id: uuid.UUID) -> Response:
    if not tokens.revoke_token(user=request.user, token_id=token_id):
        raise NotFound
    return Response(status=NO_CONTENT)


@extend_schema(
    request=AcceptanceSerializer, responses={201: MeSerializer}, summary="Accept an invitation"
)
@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
def acceptance(request: Any, token: str) -> Response:
    """The one call without sign-in: the one-time link itself is the proof."""
    asked = AcceptanceSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    email = invitations.find(token=token).email
    try:
        validate_password(
            asked.validated_data["password"], User(email=email, name=asked.validated_data["name"])
        )
    except InvalidPassword as error:
        raise Invalid({"password": error.messages}) from error
    user = invitations.accept(token=token, **asked.validated_data)
    about = {name: getattr(user, name) for name in ("email", "name", "language", "zone")}
    places = user.memberships.select_related("bank")
    return Response(MeSerializer({**about, "places": places}).data, status=status.HTTP_201_CREATED)


# A place: a bank or the centre -----------------------------------------------------------------
def people_list(request: Any) -> Response:
    return Response(PersonSerializer(selectors.people_of(request.bank), many=True).data)


def person(request: Any, membership_id: int) -> Response:
    if request.method == "DELETE":
        people.deactivate(actor=request.actor, membership_id=membership_id)
        return Response(status=NO_CONTENT)
    asked = RoleSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    people.change_role(
        actor=request.actor, membership_id=membership_id, role=asked.validated_data["role"]
    )
    return Response(PersonSerializer(selectors.people_of(request.bank).get(pk=membership_id)).data)


def second_factor(request: Any, membership_id: int) -> Response:
    people.reset_second_factor(actor=request.actor, membership_id=membership_id)
    return Response(status=NO_CONTENT)


def invitation_list(request: Any) -> Response:
    if request.method == "GET":
        found = selectors.open_invitations(request.bank)
        return Response(InvitationSerializer(found, many=True).data)
    asked = InvitationSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    invitation, token = invitations.invite(actor=request.actor, **asked.validated_data)
    link = request.build_absolute_uri(reverse("invitation", args=[token]))
    invitation.link = link  # type: ignore[attr-defined]
    return Response(MadeInvitationSerializer(invitation).data, status=status.HTTP_201_CREATED)


def invitation(request: Any, invitation_id: uuid.UUID) -> Response:
    invitations.withdraw(actor=request.actor, invitation_id=invitation_id)
    return Response(status=NO_CONTENT)


def trail(request: Any) -> Response:
    before = whole_number(request.query_params, "before")
    entries = selectors.audit_entries(request.bank, before=before)
    last = entries[-1].sequence if len(entries) == selectors.PAGE else None
    return Response({"entries": AuditEntrySerializer(entries, many=True).data, "before": last})


def chain(request: Any) -> Response:
    return Response(ChainSerializer(selectors.verify_chain(request.bank)).data)


def _both(view: Any, *methods: str) -> tuple[Any, Any]:
    """The call for a bank's administrator and auditor, and for the operator and auditor."""
    return (
        bank_api(Role.BANK_ADMIN, Role.AUDITOR, methods=methods)(view),
        centre_api(Role.OPERATOR, Role.AUDITOR, methods=methods)(view),
    )


def _described(views: tuple[Any, Any], **about: Any) -> tuple[Any, Any]:
    return extend_schema(**about)(views[0]), extend_schema(**about)(views[1])


bank_people, centre_people = _described(
    _both(people_list, "GET"), responses=PersonSerializer(many=True), summary="Who works here"
)
bank_person, centre_person = _described(
    _described(
        _both(person, "PATCH", "DELETE"),
        methods=["PATCH"],
        request=RoleSerializer,
        responses=PersonSerializer,
        summary="Change a role",
    ),
    methods=["DELETE"],
    responses={204: None},
    summary="Deactivate",
)
bank_second_factor, centre_second_factor = _described(
    _both(second_factor, "DELETE"), responses={204: None}, summary="Reset a lost second factor"
)
bank_invitations, centre_invitations = _described(
    _described(
        _both(invitation_list, "GET", "POST"),
        methods=["GET"],
        responses=InvitationSerializer(many=True),
        summary="Open invitations",
    ),
    methods=["POST"],
    request=InvitationSerializer,
    responses={201: MadeInvitationSerializer},
    summary="Invite a colleague",
)
bank_invitation, centre_invitation = _described(
    _both(invitation, "DELETE"), responses={204: None}, summary="Withdraw an invitation"
)
bank_trail, centre_trail = _described(
    _both(trail, "GET"),
    parameters=[OpenApiParameter("before", int, description="entries below this sequence")],
    responses=AuditPageSerializer,
    summary="The audit trail, newest first",
)
bank_chain, centre_chain = _described(
    _both(chain, "GET"), responses=ChainSerializer, summary="Verify the whole chain"
)
