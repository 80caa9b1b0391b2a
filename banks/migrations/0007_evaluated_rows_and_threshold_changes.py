import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from consortium.accounts.tenancy import row_level_security


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("banks", "0006_carried_past"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="banksettings",
            name="review_cost",
            field=models.PositiveIntegerField(default=1500, verbose_name="cost of a review"),
        ),
        migrations.AddField(
            model_name="threshold",
            name="approved_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="threshold",
            name="method",
            field=models.CharField(
                choices=[
                    ("best_f1", "best F1 on validation"),
                    ("capacity", "as many alerts as the bank can review"),
                    ("person", "set by a person"),
                    ("approved", "proposed and approved"),
                    ("rolled_back", "rolled back"),
                ],
                max_length=30,
            ),
        ),
        migrations.CreateModel(
            name="EvaluatedRows",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("keys", models.BinaryField()),
                ("logits", models.BinaryField()),
                ("labels", models.BinaryField()),
                ("amounts", models.BinaryField()),
                ("times", models.BinaryField()),
                ("channels", models.BinaryField()),
                (
                    "channel_names",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(blank=True, max_length=20),
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "bank",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.bank",
                    ),
                ),
                (
                    "evaluation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evaluated_rows",
                        to="banks.evaluation",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "evaluated rows",
            },
        ),
        migrations.CreateModel(
            name="ThresholdChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("value", models.FloatField()),
                ("before", models.FloatField()),
                (
                    "aim",
                    models.CharField(
                        choices=[
                            ("person", "chosen by eye"),
                            ("precision", "target precision"),
                            ("recall", "target recall"),
                            ("reviews", "reviews a day"),
                            ("value", "highest expected value"),
                            ("f1", "highest F1"),
                        ],
                        default="person",
                        max_length=10,
                    ),
                ),
                ("target", models.FloatField(blank=True, null=True)),
                ("reason", models.CharField(max_length=200)),
                ("effect", models.JSONField(default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("proposed", "waiting for approval"),
                            ("scheduled", "approved, scheduled"),
                            ("in_force", "put in force"),
                            ("returned", "returned"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                ("proposed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("effective_from", models.DateTimeField(blank=True, null=True)),
                (
                    "bank",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.bank",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "threshold",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="change",
                        to="banks.threshold",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="threshold_changes",
                        to="banks.modelversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-proposed_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("value__gt", 0), ("value__lte", 1)),
                        name="changed_threshold_is_a_probability",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ["scheduled", "in_force"]), _negated=True),
                            ("proposed_by__isnull", True),
                            ("decided_by__isnull", True),
                            models.Q(("proposed_by", models.F("decided_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="nobody_approves_their_own_threshold",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["proposed", "scheduled"])),
                        fields=("version",),
                        name="one_open_threshold_change_a_version",
                    ),
                ],
            },
        ),
        *row_level_security("banks_evaluatedrows", "banks_thresholdchange"),
    ]
