from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("console", "0005_experiments")]

    operations = [migrations.AddField("dataset", "display", models.JSONField(default=dict))]
