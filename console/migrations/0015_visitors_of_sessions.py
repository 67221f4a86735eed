from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("console", "0014_interleaving")]

    operations = [
        migrations.RemoveIndex(model_name="event", name="event_session"),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                fields=["dataset_group", "session_id", "is_anonymous", "user_id"], name="event_visitors"
            ),
        ),
    ]
