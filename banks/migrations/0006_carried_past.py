import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from consortium.accounts.tenancy import row_level_security


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('banks', '0005_review_desk'),
    ]

    operations = [
        migrations.CreateModel(
            name='Carry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('clock', models.CharField(max_length=200)),
                ('until', models.DateTimeField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('completed_at', models.DateTimeField(null=True)),
                ('bank', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.bank')),
            ],
        ),
        migrations.CreateModel(
            name='CarriedPast',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('side', models.CharField(choices=[('a', 'Account'), ('c', 'Counterparty')], max_length=1)),
                ('name', models.CharField(max_length=80)),
                ('content', models.BinaryField(null=True)),
                ('bank', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.bank')),
                ('carry', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='banks.carry')),
            ],
        ),
        migrations.AddIndex(
            model_name='carry',
            index=models.Index(fields=['bank', 'clock', '-until'], name='banks_carry_bank_id_1c2825_idx'),
        ),
        migrations.AddConstraint(
            model_name='carriedpast',
            constraint=models.UniqueConstraint(fields=('carry', 'side', 'name'), name='carried_once'),
        ),
        *row_level_security("banks_carry", "banks_carriedpast"),
    ]
