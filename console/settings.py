"""Django's settings, from the environment; README.md lists the variables. Mistakes are system checks with hints."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from console.environment import EnvironmentVariableError, choice, flag, names, number, text, whole
from console.quotas import quotas

BASE_DIR = Path(__file__).resolve().parent.parent
ASSETS_DIR = (
    BASE_DIR if (BASE_DIR / "manage.py").exists() else BASE_DIR / "console"
)  # an installed wheel has them inside
DATA_DIR = Path(text("DATA_DIR", "var")).expanduser().resolve()
if any(place.exists() and not place.is_dir() for place in (DATA_DIR, *DATA_DIR.parents)):
    raise EnvironmentVariableError("DATA_DIR", str(DATA_DIR), "folders, and places where one can be made")


os.umask(0o077)  # what any process of the server writes is its owner's alone


def shut(folder: Path) -> None:
    """Close what earlier versions left open to others: the server's own folder and its database."""
    if (folder / "secrets").is_dir():  # ours, not a folder that many things share
        with suppress(PermissionError):
            folder.chmod(0o700)
            for file in folder.glob("console.sqlite3*"):
                file.chmod(0o600)


def secret(name: str) -> str:
    """A secret from the environment, else one made once and kept below DATA_DIR for its owner alone."""
    if value := os.environ.get(name):
        return value
    path = DATA_DIR / "secrets" / name.lower()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with draft.open("w") as file:
            file.write(os.urandom(48).hex())
            file.flush()
            os.fsync(file.fileno())  # an empty file after a loss of power would lock everybody out
        draft.chmod(0o600)
        with suppress(FileExistsError):
            os.link(draft, path)  # the first of several starting processes wins
        draft.unlink()
    kept = path.read_text().rstrip("\r\n")  # an editor or echo ends it with one
    if not kept:
        raise SystemExit(f"{path} is empty. Put back what it held, from a backup or where {name} is kept apart.")
    return kept


LIBPQ_PARAMETERS = {
    "host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslpassword", "ssl_min_protocol_version", "channel_binding",
    "gssencmode", "krbsrvname", "target_session_attrs", "application_name", "connect_timeout", "options", "passfile", "service",
}  # fmt: skip


def sqlite(file: str) -> dict[str, object]:
    """Django's settings of a database in a file."""
    kept: dict[str, object] = {"ENGINE": "django.db.backends.sqlite3", "NAME": file, "OPTIONS": SQLITE_OPTIONS}
    return kept | {"CONN_MAX_AGE": None}  # opening the file anew for each request costs more than most requests


def database(url: str) -> dict[str, object]:
    """Django's database settings from a URL: postgresql://user:password@host:port/name?sslmode=…, or sqlite:///path.

    What stands behind the question mark are parameters of libpq.
    """
    allowed = "postgresql://USER:PASSWORD@HOST:PORT/NAME?sslmode=… and sqlite:///PATH; in a password, %XX stands for / ? # @ and %"
    try:
        parts = urlsplit(url)
        port = parts.port or ""
        more = dict(parse_qsl(parts.query, strict_parsing=True, keep_blank_values=True)) if parts.query else {}
    except ValueError:
        raise EnvironmentVariableError("DATABASE_URL", _without_password(url), allowed) from None
    if parts.scheme == "sqlite" and parts.path:
        return sqlite("/" + unquote(parts.path).lstrip("/"))
    if parts.scheme not in {"postgresql", "postgres"} or parts.fragment or not LIBPQ_PARAMETERS.issuperset(more):
        raise EnvironmentVariableError("DATABASE_URL", _without_password(url), allowed)
    options = (POSTGRES_OPTIONS["options"], more.pop("options", ""))
    return {
        "ENGINE": "console.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": more.pop("host", unquote(parts.hostname or "")),
        "PORT": more.pop("port", port),
        "OPTIONS": POSTGRES_OPTIONS | more | {"options": " ".join(map(str, options)).strip()},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def _without_password(url: str) -> str:
    return re.sub(r":[^:/]*@", ":…@", url)


DEBUG = flag("DEBUG", default=False)
HOST, PORT = text("HOST", "127.0.0.1"), whole("PORT", 8000, high=65_535)
LOCAL_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(HOST, HOST)  # noqa: S104  where this machine reaches the server
SECRET_KEY = secret("SECRET_KEY")
ENCRYPTION_KEY = secret("ENCRYPTION_KEY")  # of what the database holds encrypted; without it access keys are lost
shut(DATA_DIR)
ALLOWED_HOSTS = names("ALLOWED_HOSTS", "*")
PUBLIC_URL = text("PUBLIC_URL")  # where people and programs reach the server; pages show it
CORS_ORIGINS = names("CORS_ORIGINS", "*")
DELETING_S = number("DELETING_S", 3)  # how long the wire describes what was deleted
CSRF_TRUSTED_ORIGINS = names("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "js_lib_bootstrap5",
    "js_lib_bootstrap_icons",
    "console",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "console.web.middleware.PagesMiddleware",
    "console.web.languages.LanguageMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ASSETS_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": [f"console.web.templatetags.{name}" for name in ("display", "bars", "openid", "passkeys")],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# How long a broker or a store may take to accept a connection or to say the next thing; web processes wait for 1 s.
SOCKET_TIMEOUT_S = number("SOCKET_TIMEOUT_S", 20)
CONNECT_TIMEOUT_S = min(SOCKET_TIMEOUT_S, 2.0)
LOCK_TIMEOUT_S = min(2 * SOCKET_TIMEOUT_S, 30.0)  # how long a write waits for others' locks in the database

# WAL lets readers go on while one writes; BEGIN IMMEDIATE takes the write lock at once instead of failing half-way; what is
# deleted is overwritten, so that people who asked to be forgotten are not left in the file. What is committed is on the disk.
SQLITE_OPTIONS = {
    "timeout": LOCK_TIMEOUT_S,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=134217728; PRAGMA secure_delete=ON;",
}
POSTGRES_OPTIONS: dict[str, int | str] = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "tcp_user_timeout": 5000,  # a host that is gone is noticed
    "options": f"-c lock_timeout={int(1000 * LOCK_TIMEOUT_S)}",
}
DATABASE_URL = text("DATABASE_URL")
DATABASES = {"default": database(DATABASE_URL) if DATABASE_URL else sqlite(str(DATA_DIR / "console.sqlite3"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Without REDIS_URL `manage.py serve` starts a Valkey of its own behind this socket.
# A socket's path may have 100 bytes or so, and nothing that has a meaning in an address; else it stands in the temporary folder.
REDIS_SOCKET = DATA_DIR / "run" / "valkey.sock"
if not re.fullmatch(r"[\w./-]{1,100}", str(REDIS_SOCKET), re.ASCII):
    _digest = hashlib.sha256(str(DATA_DIR).encode()).hexdigest()[:16]
    REDIS_SOCKET = Path(tempfile.gettempdir()) / f"openpersonalize-{_digest}.sock"
# Where web processes count what Prometheus asks for: in memory, as a mapped file that a full disk cannot hold kills them.
METRICS_DIR = DATA_DIR / "run" / "metrics"
if os.access("/dev/shm", os.W_OK):  # noqa: S108  the folder is made for its owner alone
    METRICS_DIR = Path("/dev/shm") / f"openpersonalize-{hashlib.sha256(str(DATA_DIR).encode()).hexdigest()[:16]}"  # noqa: S108
METRICS_TOKEN = text("METRICS_TOKEN")  # with which Prometheus reads /metrics
HAS_BROKER = bool(text("REDIS_URL"))
REDIS_URL = text("REDIS_URL") or f"unix://{REDIS_SOCKET}"
REDIS_TIMEOUTS = {"socket_timeout": SOCKET_TIMEOUT_S, "socket_connect_timeout": CONNECT_TIMEOUT_S}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": REDIS_TIMEOUTS,
    }
}
CELERY_BROKER_URL = re.sub("^unix:", "redis+socket:", REDIS_URL)  # Celery's name for it
CELERY_BROKER_TRANSPORT_OPTIONS = REDIS_TIMEOUTS
CELERY_BROKER_CONNECTION_TIMEOUT = CONNECT_TIMEOUT_S
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # the row is the job: a lost worker is noticed by its heartbeat, not by the broker
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 50
# KiB at its peak; a child above it, as after training a network, is replaced after its task, and what comes next waits for its start
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 700_000
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "console.clock:SteadyScheduler"
CELERY_BEAT_SCHEDULE = {
    "reap": {"task": "console.reap", "schedule": 5.0},
    "train-on-schedule": {"task": "console.train_on_schedule", "schedule": 60.0},
    "report-attributions": {"task": "console.report_attributions", "schedule": 60.0},
    "empty-trash": {"task": "console.empty_trash", "schedule": 3600.0},
    "refresh": {"task": "console.refresh", "schedule": 60.0},
    "alert": {"task": "console.alert", "schedule": 60.0, "options": {"expires": 50}},
}
ATTRIBUTION_REPORT_HOURS = number("ATTRIBUTION_REPORT_HOURS", 24)  # of streamed sums, at UTC multiples
REFRESH_HOURS = number("REFRESH_HOURS", 2)  # how often what is served takes up new items
WORKERS = whole("WORKERS", 1, low=1)
WEB_WORKERS = whole("WEB_WORKERS", 0) or min(2, os.cpu_count() or 1)

STORAGE_URL = text("STORAGE_URL")
AWS_ENDPOINT_URL_S3 = text("AWS_ENDPOINT_URL_S3")
CLAIM_BUCKETS = flag("CLAIM_BUCKETS", default=True)  # a bucket that nobody holds is the account's that names it first
ENGINE = text("ENGINE", "local")
RAY_ADDRESS = text("RAY_ADDRESS")  # of the head; without it each job starts a cluster on its machine
RAY_WORKERS = whole("RAY_WORKERS", 0) or None  # of such a cluster; as many as there are cores

KEEP_VERSIONS = whole("KEEP_VERSIONS", 20)  # models of a solution that nothing serves; 0 for all
DISK_WARNING_PERCENT = number("DISK_WARNING_PERCENT", 10)  # less free than this is reported
# Who hears when something is wrong, and from when on it is.
ALERT_WEBHOOK_URL = text("ALERT_WEBHOOK_URL")
ALERT_EMAILS = names("ALERT_EMAILS")
ALERT_MINUTES = number("ALERT_MINUTES", 5)  # between two messages
ALERT_MODEL_DAYS = number("ALERT_MODEL_DAYS", 0)  # a served model older than this is stale; 0 for never
ALERT_ERROR_PERCENT = number("ALERT_ERROR_PERCENT", 5)  # of requests that are answered with 5xx
_mail = urlsplit(text("EMAIL_URL"))  # smtp://user:password@host:587; smtps:// for TLS from the beginning
EMAIL_HOST, EMAIL_PORT = _mail.hostname or "", _mail.port or (465 if _mail.scheme == "smtps" else 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
EMAIL_USE_SSL = _mail.scheme == "smtps"
EMAIL_USE_TLS = _mail.scheme == "smtp+tls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = text("EMAIL_FROM", f"openpersonalize@{EMAIL_HOST or 'localhost'}")
# What each serving process keeps mapped; the least recently used model goes first.
MODELS_IN_MEMORY = whole("MODELS_IN_MEMORY", 16, low=1)
MODEL_BYTES_IN_MEMORY = whole("MODEL_BYTES_IN_MEMORY", 4 * 2**30, low=1)

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # of the pages; `make messages` updates their catalogues
LOCALE_PATHS = [ASSETS_DIR / "locale"]
FORMAT_MODULE_PATH = ["console.web.formats"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = (
    DATA_DIR / "static"
)  # under hashed names, once `serve` has collected; by plain names from the packages otherwise
STATICFILES_DIRS = [ASSETS_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "console.web.static_storage.HashedStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_TEMP_DIR = None
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 2**20

LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 86_400
# Sign-in by OpenID Connect; console/checks.py says what goes together.
OIDC_ISSUER = text("OIDC_ISSUER").rstrip("/")
OIDC_CLIENT_ID, OIDC_CLIENT_SECRET = text("OIDC_CLIENT_ID"), text("OIDC_CLIENT_SECRET")
OIDC_NAME = text("OIDC_NAME", "single sign-on")  # on buttons
OIDC_SCOPES = text("OIDC_SCOPES", "openid email profile")
OIDC_ACCOUNT, OIDC_ROLE = text("OIDC_ACCOUNT"), text("OIDC_ROLE")  # of who comes for the first time
OIDC_ROLES, OIDC_GROUPS_CLAIM = names("OIDC_ROLES"), text("OIDC_GROUPS_CLAIM", "groups")  # group:role, at each sign-in
OIDC_ONLY = flag("OIDC_ONLY", default=False)  # passwords open nothing
SECURE_CONTENT_TYPE_NOSNIFF = True
# A proxy that ends TLS, sets X-Forwarded-Proto and appends to X-Forwarded-For: cookies then travel by HTTPS only.
BEHIND_HTTPS = flag("BEHIND_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = BEHIND_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None
AUTH_PASSWORD_VALIDATORS = [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "console.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "console.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OpenPersonalize",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["console.api.documents.add_components"],
}

LOG_FORMAT = choice("LOG_FORMAT", ("line", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "console.logs.Lines", "fmt": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "console.logs.Json"},
    },
    "filters": {"transient": {"()": "console.transient.OneLine"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["transient"]}},
    "loggers": {"authlib": {"level": "INFO"}},  # what it tells of a sign-in for debugging would let somebody finish it
    "root": {
        "handlers": ["console"],
        "level": choice("LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "WARN", "ERROR", "CRITICAL")),
    },
}

QUOTAS = quotas(os.environ)
RATE_LIMIT = number("RATE_LIMIT", 0)  # requests a second of an account's programs; 0 for any number
