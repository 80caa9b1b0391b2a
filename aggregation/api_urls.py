"""The centre's part of the API, under ``/api/v1/``: for nodes, and for people's programs."""

from __future__ import annotations

from django.urls import include, path, re_path

from aggregation.api import admission, operations, operators, standing

TASK = "centre/tasks/<uuid:task_id>/"

urlpatterns = [
    path("coordinator/", include("aggregation.api.urls")),
    path("centre/banks", operators.banks),
    path("centre/banks/invite", operators.invite),
    path("centre/banks/<slug:slug>/invitation", operators.renew),
    path("centre/banks/<slug:slug>/admission", admission.steps),
    path("centre/banks/<slug:slug>/comparison", admission.compare),
    re_path(r"^centre/banks/(?P<slug>[-\w]+)/(?P<act>suspend|reinstate|remove)$", operators.act),
    path("centre/tasks", operators.tasks),
    path("centre/tasks/make", standing.make_task),
    path("centre/tasks/<uuid:task_id>", standing.agreement),
    path(TASK + "schedule", operators.schedule),
    path(TASK + "roster", operators.propose),
    path(TASK + "roster/withdraw", operators.withdraw),
    path(TASK + "epochs/<uuid:epoch_id>/rotate", operators.rotate_key),
    path(TASK + "epochs/<uuid:epoch_id>/discard", operators.discard_key),
    path(TASK + "runs", operators.start),
    path(TASK + "published-sums", operators.published_sums),
    path("centre/runs", operators.latest),
    path("centre/runs/<uuid:run_id>", operators.run),
    path("centre/runs/<uuid:run_id>/standing", standing.run),
    path("centre/runs/<uuid:run_id>/stop", operators.stop),
    path("centre/rounds/<uuid:round_id>/give-up", operators.give_up),
    path("centre/rounds/<uuid:round_id>/extend", operations.extend),
    path("centre/operations", operations.operations),
    path("centre/performance", standing.curves),
    path("centre/log", standing.log_page),
    path("centre/log/verification", standing.log_report),
]
