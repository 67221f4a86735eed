from __future__ import annotations

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("console", "0011_seen_lists")]

    operations = [
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=300, unique=True)),
                ("text", models.TextField()),
                ("since", models.DateTimeField(default=django.utils.timezone.now)),
                ("told", models.DateTimeField(null=True)),
                ("ended", models.DateTimeField(null=True)),
            ],
            options={"ordering": ["-since", "-pk"]},
        ),
        migrations.CreateModel(
            name="AlertMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channel", models.CharField(max_length=10)),
                ("body", models.JSONField()),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                ("sent", models.DateTimeField(null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_try", models.DateTimeField(default=django.utils.timezone.now)),
                ("problem", models.TextField(default="")),
            ],
            options={"ordering": ["pk"]},
        ),
    ]
