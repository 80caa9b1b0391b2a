"""A run's course comes from its banks: a task names only the first sum and its limits."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models import Q

BITS = {"statistics": 56, "update": 16, "metrics": 32}


def from_lengths(apps: Any, schema_editor: Any) -> None:
    """Tasks named three lengths before, and a fixed number of updates."""
    for task in apps.get_model("aggregation", "Task").objects.all():
        task.first_step = _step("statistics", task.statistic_values, task.most_rounds)
        training = task.recipe.get("training")
        if isinstance(training, dict):
            training.setdefault("rounds", task.most_rounds)
        task.most_rounds += 1
        task.save()
    for row in apps.get_model("aggregation", "Round").objects.select_related("run"):
        remaining = max(row.run.update_rounds - row.number, 0)
        row.asked = _step(row.step, row.manifest["body"]["length"], remaining)
        row.save(update_fields=["asked"])


def _step(name: str, length: int, remaining: int) -> dict[str, Any]:
    return {"name": name, "bits": BITS[name], "length": length, "remaining": remaining}


class Migration(migrations.Migration):
    dependencies = [("aggregation", "0001_initial")]

    operations = [
        migrations.RemoveConstraint("task", "task_sizes_positive"),
        migrations.RenameField("task", "rounds", "most_rounds"),
        migrations.AlterField(
            "task",
            "most_rounds",
            models.PositiveSmallIntegerField(default=50, verbose_name="most sums in a run"),
        ),
        migrations.AddField(
            "task",
            "most_values",
            models.PositiveIntegerField(default=2_000_000, verbose_name="most values in a sum"),
        ),
        migrations.AddField("task", "first_step", models.JSONField(default=dict)),
        migrations.AddField("round", "asked", models.JSONField(default=dict)),
        migrations.AddField("round", "following", models.JSONField(null=True)),
        migrations.AlterField("round", "step", models.CharField(max_length=200)),
        migrations.RunPython(from_lengths, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField("task", "statistic_values"),
        migrations.RemoveField("task", "parameters"),
        migrations.RemoveField("trainingrun", "update_rounds"),
        migrations.AlterField("task", "first_step", models.JSONField()),
        migrations.AlterField("round", "asked", models.JSONField()),
        migrations.AddConstraint(
            "task",
            models.CheckConstraint(
                condition=Q(
                    metric_values__gte=1,
                    most_rounds__gte=1,
                    most_values__gte=1,
                    round_seconds__gte=1,
                    vote_seconds__gte=1,
                    lease_seconds__gte=1,
                ),
                name="task_sizes_positive",
            ),
        ),
    ]
