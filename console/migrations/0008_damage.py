from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("console", "0007_sealed_secrets")]

    operations = [
        migrations.AddField(model, "damage", models.TextField(default="")) for model in ("solutionversion", "recommender")
    ]
