"""Pages about people: one's own, and those of a bank and of the centre where they exist."""

from __future__ import annotations

from django.apps import apps
from django.urls import path

from .views import audit, guide, home, invitation, notifications, people, profile

urlpatterns = [
    path("", home.home, name="home"),
    path("guide/", guide.guide, name="guide"),
    path("language/", home.language, name="language"),
    path("appearance/", home.appearance, name="appearance"),
    path("profile/", profile.profile, name="profile"),
    path("profile/tokens/", profile.create_token, name="token-create"),
    path("profile/tokens/<uuid:token_id>/revoke/", profile.revoke_token, name="token-revoke"),
    path("notifications/", notifications.listing, name="notifications"),
    path("notifications/read/", notifications.read_all, name="notifications-read"),
    path("notifications/kinds/", notifications.mute, name="notifications-kinds"),
    path("notifications/<uuid:notification_id>/", notifications.follow, name="notification"),
    path("invitation/<str:token>/", invitation.accept, name="invitation"),
    path("invitation/<str:token>/join/", invitation.join, name="invitation-join"),
]
if apps.is_installed("banks"):
    urlpatterns += [
        path("bank/<slug:bank>/people/", people.bank_people, name="bank-people"),
        path(
            "bank/<slug:bank>/people/<int:membership_id>/<str:act>/",
            people.bank_act,
            name="bank-person",
        ),
        path(
            "bank/<slug:bank>/people/invitations/<uuid:invitation_id>/withdraw/",
            people.bank_withdraw,
            name="bank-invitation",
        ),
        path("bank/<slug:bank>/audit/", audit.bank_trail, name="bank-audit"),
        path("bank/<slug:bank>/audit/chain/", audit.bank_chain, name="bank-audit-chain"),
        path("bank/<slug:bank>/audit.csv", audit.bank_file, name="bank-audit-file"),
    ]
if apps.is_installed("aggregation"):
    urlpatterns += [
        path("centre/people/", people.centre_people, name="centre-people"),
        path(
            "centre/people/<int:membership_id>/<str:act>/", people.centre_act, name="centre-person"
        ),
        path(
            "centre/people/invitations/<uuid:invitation_id>/withdraw/",
            people.centre_withdraw,
            name="centre-invitation",
        ),
        path("centre/audit/", audit.centre_trail, name="centre-audit"),
        path("centre/audit/chain/", audit.centre_chain, name="centre-audit-chain"),
        path("centre/audit.csv", audit.centre_file, name="centre-audit-file"),
    ]
