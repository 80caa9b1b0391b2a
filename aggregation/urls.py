"""The centre's pages, under /centre/."""

from __future__ import annotations

from django.urls import path

from aggregation.views import banks, home, log, operations, performance, runs, tasks

app_name = "aggregation"
TASK, RUN = "tasks/<uuid:task_id>/", "runs/<uuid:run_id>/"
urlpatterns = [
    path("", home.home, name="home"),
    path("banks/", banks.banks, name="banks"),
    path("invite/", banks.invite, name="invite"),
    path("banks/<slug:slug>/", banks.bank, name="bank"),
    path("banks/<slug:slug>/invitation/", banks.renew, name="renew"),
    path("banks/<slug:slug>/compare/", banks.compare, name="compare"),
    path("banks/<slug:slug>/<slug:act>/", banks.act, name="bank-act"),
    path("tasks/", tasks.tasks, name="tasks"),
    path("tasks/new/", tasks.new_task, name="new-task"),
    path(TASK, tasks.task, name="task"),
    path(TASK + "schedule/", tasks.schedule, name="schedule"),
    path(TASK + "run/", tasks.run_now, name="run-now"),
    path(TASK + "roster/", tasks.propose, name="propose-roster"),
    path(TASK + "roster/withdraw/", tasks.withdraw, name="withdraw-roster"),
    path(TASK + "keys/<uuid:epoch_id>/rotate/", tasks.rotate_key, name="rotate-key"),
    path(TASK + "keys/<uuid:epoch_id>/discard/", tasks.discard_key, name="discard-key"),
    path("runs/", runs.runs, name="runs"),
    path(RUN, runs.run, name="run"),
    path(RUN + "live/", runs.run_live, name="run-live"),
    path(RUN + "stop/", runs.stop, name="stop-run"),
    path(RUN + "rounds/<uuid:round_id>/give-up/", runs.give_up, name="give-up"),
    path(RUN + "rounds/<uuid:round_id>/extend/", runs.extend, name="extend"),
    path("operations/", operations.operations, name="operations"),
    path("performance/", performance.performance, name="performance"),
    path("log/", log.log, name="log"),
    path("log/verify/", log.verify, name="verify-log"),
    path("log/download/", log.download, name="log-file"),
]
