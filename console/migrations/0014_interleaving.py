import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("console", "0013_people")]

    operations = [
        migrations.AddField(
            model_name="experiment",
            name="kind",
            field=models.CharField(
                choices=[("SPLIT", "Split"), ("INTERLEAVED", "Interleaved")], default="SPLIT", max_length=20
            ),
        ),
        migrations.CreateModel(
            name="InterleavedList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recommendation_id", models.CharField(max_length=40)),
                ("user_id", models.CharField(max_length=256)),
                ("time", models.BigIntegerField()),
                ("items", models.JSONField()),
                ("advantages", models.JSONField()),
                (
                    "experiment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lists", to="console.experiment"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["experiment", "user_id"], name="interleaved_list_user")],
                "constraints": [models.UniqueConstraint(fields=("recommendation_id",), name="interleaved_list_once")],
            },
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("recommendation_id__isnull", False)),
                fields=["recommendation_id"],
                name="event_recommendation",
            ),
        ),
    ]
