from __future__ import annotations

from django.apps import apps
from django.urls import path

from . import api, notifications_api

urlpatterns = [
    path("me", api.me, name="api-me"),
    path("tokens", api.own_tokens, name="api-tokens"),
    path("tokens/<uuid:token_id>", api.own_token, name="api-token"),
    path("notifications", notifications_api.listing),
    path("notifications/read", notifications_api.read),
    path("notifications/kinds", notifications_api.kinds),
    path("invitations/<str:token>/acceptance", api.acceptance, name="api-acceptance"),
]
if apps.is_installed("banks"):
    urlpatterns += [
        path("banks/<slug:bank>/people", api.bank_people),
        path("banks/<slug:bank>/people/<int:membership_id>", api.bank_person),
        path("banks/<slug:bank>/people/<int:membership_id>/second-factor", api.bank_second_factor),
        path("banks/<slug:bank>/invitations", api.bank_invitations),
        path("banks/<slug:bank>/invitations/<uuid:invitation_id>", api.bank_invitation),
        path("banks/<slug:bank>/audit", api.bank_trail),
        path("banks/<slug:bank>/audit/chain", api.bank_chain),
    ]
if apps.is_installed("aggregation"):
    urlpatterns += [
        path("centre/people", api.centre_people),
        path("centre/people/<int:membership_id>", api.centre_person),
        path("centre/people/<int:membership_id>/second-factor", api.centre_second_factor),
        path("centre/invitations", api.centre_invitations),
        path("centre/invitations/<uuid:invitation_id>", api.centre_invitation),
        path("centre/audit", api.centre_trail),
        path("centre/audit/chain", api.centre_chain),
    ]
