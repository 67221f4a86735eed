from django.db import migrations, models

import console.models.sealed


def encrypt(apps, schema_editor):
    """Encrypt the secret keys that are there; raw, as the model reads and writes them in clear."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, secret FROM console_accesskey")
        for pk, secret in cursor.fetchall():
            cursor.execute("UPDATE console_accesskey SET secret = %s WHERE id = %s", [console.models.sealed.seal(secret), pk])


class Migration(migrations.Migration):
    dependencies = [("console", "0006_item_display")]

    operations = [
        migrations.AlterField("accesskey", "secret", console.models.sealed.SealedField()),
        migrations.RunPython(encrypt, migrations.RunPython.noop),
        *(
            migrations.AddField(model, name, models.DateTimeField(null=True))
            for model in ("accesskey", "token")
            for name in ("expires", "last_used")
        ),
    ]
