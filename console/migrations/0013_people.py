import console.models.sealed
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def name_owners(apps, schema_editor):
    """Who could do everything was called admin."""
    apps.get_model("console", "Member").objects.filter(role="admin").update(role="owner")


def name_admins(apps, schema_editor):
    apps.get_model("console", "Member").objects.exclude(role="viewer").update(role="admin")


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0012_alerts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='account',
            name='limits',
            field=models.JSONField(default=dict),
        ),
        migrations.AlterField(
            model_name='member',
            name='role',
            field=models.CharField(choices=[('owner', 'Owner: everything, people and access keys included'), ('editor', 'Editor: data, trainings, campaigns and experiments'), ('analyst', 'Analyst: looks at everything, and starts evaluations and insights'), ('viewer', 'Viewer: looks at everything and changes nothing')], default='owner', max_length=10),
        ),
        migrations.RunPython(name_owners, name_admins),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('owner', 'Owner: everything, people and access keys included'), ('editor', 'Editor: data, trainings, campaigns and experiments'), ('analyst', 'Analyst: looks at everything, and starts evaluations and insights'), ('viewer', 'Viewer: looks at everything and changes nothing')], max_length=10)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('inviter', models.CharField(max_length=150)),
                ('created', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires', models.DateTimeField()),
                ('accepted', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='console.account')),
            ],
        ),
        migrations.CreateModel(
            name='SignIn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('session_key', models.CharField(max_length=40, unique=True)),
                ('created', models.DateTimeField(default=django.utils.timezone.now)),
                ('seen', models.DateTimeField(default=django.utils.timezone.now)),
                ('address', models.CharField(blank=True, max_length=64)),
                ('browser', models.CharField(blank=True, max_length=300)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sign_ins', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-seen'],
            },
        ),
        migrations.CreateModel(
            name='TwoStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('secret', console.models.sealed.SealedField()),
                ('is_confirmed', models.BooleanField(default=False)),
                ('last_step', models.BigIntegerField(default=0)),
                ('recovery', models.JSONField(default=list)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
        ),
    ]
