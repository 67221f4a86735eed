import unicodedata
from urllib.parse import urlsplit

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

PLACES = (
    ("DatasetImportJob", "data_location", False), ("DataDeletionJob", "data_location", False),
    ("DatasetExportJob", "job_output__s3DataDestination__path", True),
    ("BatchInferenceJob", "job_output__s3DataDestination__path", True),
    ("BatchSegmentJob", "job_output__s3DataDestination__path", True),
    ("BatchInferenceJob", "job_input__s3DataSource__path", False),
    ("BatchSegmentJob", "job_input__s3DataSource__path", False),
    ("MetricAttribution", "output__s3DataDestination__path", True),
)


def plain(text):
    return unicodedata.normalize("NFKC", text).casefold()


def claim(apps, schema_editor):
    """Give each bucket to the account that uses it; of one that several use, the folders to those whose jobs write there."""
    users, folders = {}, {}
    for name, field, is_output in PLACES:
        model = apps.get_model("console", name)
        for account, url in model.objects.order_by("pk").values_list("account_id", field):
            parts = urlsplit(url or "")
            if parts.scheme != "s3" or parts.netloc in {"", "uploads"}:
                continue
            users.setdefault(plain(parts.netloc), set()).add(account)
            if is_output:
                prefix = plain(parts.path.lstrip("/").rstrip("/") + "/").lstrip("/")
                folders.setdefault((plain(parts.netloc), prefix), account)
    holding = apps.get_model("console", "Holding")
    for bucket, accounts in users.items():
        if len(accounts) == 1:
            holding.objects.create(bucket=bucket, prefix="", account_id=accounts.pop())
        else:
            holding.objects.create(bucket=bucket, prefix="", account_id=None)
            for (name, prefix), account in folders.items():
                if name == bucket and prefix:
                    holding.objects.create(bucket=bucket, prefix=prefix, account_id=account)


class Migration(migrations.Migration):
    dependencies = [("console", "0009_ingest_keys")]

    operations = [
        migrations.CreateModel(
            name="Holding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("bucket", models.CharField(max_length=63)),
                ("prefix", models.CharField(blank=True, max_length=1024)),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                ("account", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="console.account")),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("bucket", "prefix"), name="holding_once")]},
        ),
        migrations.RunPython(claim, migrations.RunPython.noop),
    ]
