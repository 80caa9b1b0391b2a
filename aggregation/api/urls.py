from __future__ import annotations

from django.urls import path, re_path

from aggregation.api import gifts, views

ROUND = "rounds/<uuid:round_id>/"
TASK = "tasks/<uuid:task>/"
GIFT = r"^gifts/(?P<digest>[0-9a-f]{64})"

urlpatterns = [
    path("join", views.join),
    path("next", views.following),
    path("tasks", views.tasks),
    path(TASK + "roster", views.roster_chain),
    path(TASK + "roster/<int:version>", views.roster),
    path(TASK + "roster/<int:version>/signature", views.roster_signature),
    path(TASK + "agreement", views.agreement),
    path(TASK + "terms", views.terms),
    path(TASK + "epochs", views.publish_epoch),
    path(TASK + "epoch", views.newest_epoch),
    path("epochs/<uuid:epoch>", views.epoch),
    path("epochs/<uuid:epoch>/share", views.epoch_share),
    path("epochs/<uuid:epoch>/signature", views.epoch_signature),
    path("runs/<uuid:run>", views.run),
    path("runs/<uuid:run>/vote", views.vote),
    path("runs/<uuid:run>/offer", gifts.offer),
    path("gifts", gifts.requests),
    re_path(GIFT + "$", gifts.gift),
    re_path(GIFT + "/verdict$", gifts.verdict),
    path(ROUND + "manifest", views.manifest),
    path(ROUND + "advertisement", views.advertisement),
    path(ROUND + "roll", views.roll),
    path(ROUND + "submission", views.submission),
    path(ROUND + "submissions/<uuid:of_bank>", views.submission_of),
    path(ROUND + "freeze", views.freeze),
    path(ROUND + "freeze/signature", views.freeze_signature),
    path(ROUND + "certificate", views.certificate),
    path(ROUND + "aggregate", views.aggregate),
    path(ROUND + "partials", views.partials),
    path(ROUND + "derived", views.derived),
    path("log", views.log),
    path("log/head", views.log_head),
    path("log/inclusion", views.inclusion),
    path("log/consistency", views.consistency),
    path("log/cosignature", views.cosignature),
]
