from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("console", "0008_damage")]

    operations = [
        migrations.AddField("eventtracker", "ingest_key", models.CharField(max_length=40, null=True, unique=True)),
        migrations.AddField("eventtracker", "ingest_origins", models.TextField(default="")),
    ]
