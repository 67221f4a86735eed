import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("console", "0010_holdings")]

    operations = [
        migrations.CreateModel(
            name="SeenList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recommendation_id", models.CharField(max_length=40)),
                ("user_id", models.CharField(max_length=256)),
                ("timestamp", models.BigIntegerField()),
                ("items", models.JSONField()),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("dataset_group", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="seen_lists", to="console.datasetgroup")),
            ],
            options={
                "indexes": [models.Index(fields=["dataset_group", "user_id"], name="seen_list_user")],
                "constraints": [models.UniqueConstraint(fields=("dataset_group", "recommendation_id"), name="seen_list_once")],
            },
        ),
    ]
