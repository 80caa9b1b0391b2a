from django.db import migrations

from consortium.accounts.tenancy import row_level_security


class Migration(migrations.Migration):
    dependencies = [("banks", "0001_initial")]
    operations = row_level_security(
        "banks_sourcemapping",
        "banks_import",
        "banks_transaction",
        "banks_labelevent",
        "banks_trainingrun",
        "banks_modelversion",
        "banks_evaluation",
        "banks_threshold",
        "banks_banksettings",
        "banks_score",
        "banks_alert",
        "banks_alertevent",
    )
