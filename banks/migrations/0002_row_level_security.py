from django.db import migrations

from consortium.accounts.tenancy import row_level_security


class Migration(migrations.Migration):
    dependencies = [("banks", "0001_initial")]
    operations = row_level_security(
        "banks_alert",
        "banks_alertevent",
        "banks_banksettings",
        "banks_comparison",
        "banks_evaluation",
        "banks_import",
        "banks_labelevent",
        "banks_modelversion",
        "banks_protocolact",
        "banks_protocollease",
        "banks_roundpart",
        "banks_score",
        "banks_sentmessage",
        "banks_sourcemapping",
        "banks_threshold",
        "banks_trainingrun",
        "banks_transaction",
        "banks_trustedroster",
        "banks_witnessedhead",
    )
