"""
Settings, all read from the environment.

With nothing set, Lanemate is complete: SQLite, tasks run eagerly, letters are
written to files. `DATABASE_URL` and `REDIS_URL` move the same code to
PostgreSQL, Redis, beat and any number of workers. `docs/running.md` lists
every variable.
"""

import secrets
from pathlib import Path

import environ
from csp.constants import NONE, SELF

# The same as in pyproject.toml (a test compares them): a checkout is not an installed package.
VERSION = "0.1.0"

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

VAR_DIR = Path(env.str("LANEMATE_VAR", str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(parents=True, exist_ok=True)


def _stored_secret() -> str:
    """A secret made once and kept beside the database, so that a demo needs no set-up."""
    path = VAR_DIR / "secret_key"
    if not path.exists():
        # Exclusive creation: of two processes starting at once, one writes and both read.
        try:
            with path.open("x") as file:
                path.chmod(0o600)
                file.write(secrets.token_urlsafe(50))
        except FileExistsError:
            pass
    return path.read_text()


DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or _stored_secret()
# Former secrets: links in letters signed with them keep working.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where people reach the service; letters link to it.
SITE_URL = env.str("SITE_URL", "http://localhost:8000").rstrip("/")
HTTPS = SITE_URL.startswith("https://")

INSTALLED_APPS = [
    "coaching",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
]

MIDDLEWARE = [
    "coaching.web.middleware.AliveMiddleware",
    # Whatever is sent, at a quarter of its size; with Django's guard against BREACH.
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "coaching.web.middleware.ReaderMiddleware",
    "coaching.web.middleware.WrongMethodMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "coaching.web.context.reader",
            ],
        },
    }
]

# --- Database -----------------------------------------------------------------
# Never ATOMIC_REQUESTS: on SQLite each page view would take the write lock.
DATABASES = {
    "default": env.db_url("DATABASE_URL", f"sqlite:///{VAR_DIR / 'lanemate.sqlite3'}"),
}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        # Without IMMEDIATE, transactions that read before they write fail at once under load.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
            "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-20000;"
        ),
    }
    # A file, so that tests which start real processes see the same database.
    _database["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}
else:
    _database["OPTIONS"] = {"pool": {"min_size": 0, "max_size": env.int("DATABASE_POOL", 16)}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Background work ------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", "")
CELERY_TASK_ALWAYS_EAGER = not REDIS_URL
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "visibility_timeout": 900,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        # A page that wakes the work does not wait for a broker that is gone.
        "socket_connect_timeout": 2,
    }
    if REDIS_URL
    else {}
)
CELERY_TASK_ACKS_LATE = True
# For the largest import. Redis hands a tick that runs longer than the visibility timeout to a
# second worker, which does no harm: whatever the first one works on is claimed.
CELERY_TASK_TIME_LIMIT = 3600
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_SCHEDULE = {
    # Twice a minute: with one lost because Redis is down, letters still leave within 90 seconds.
    # One that waited a minute is replaced by the next one.
    "tick": {"task": "coaching.tasks.tick", "schedule": 30.0, "options": {"expires": 60}},
}

# --- Letters ----------------------------------------------------------------------
# Without a mail server, letters are files under var/mail: nothing leaves the machine.
EMAIL_CONFIG = env.email_url("EMAIL_URL", default=f"filemail:///{VAR_DIR / 'mail'}")
vars().update(EMAIL_CONFIG)
if EMAIL_CONFIG["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
    # The same, but it knows whether the whole letter had left when a connection breaks.
    EMAIL_BACKEND = "coaching.notifications.outbox.wire.Backend"
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", 20)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Lanemate <lanemate@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# A claimed letter belongs to its worker for this long; more than all timeouts of one sending.
LETTER_LEASE_SECONDS = env.int("LETTER_LEASE_SECONDS", 120)
# How many workers send at a time; with Redis.
LETTER_SENDERS = env.int("LETTER_SENDERS", 4)
# A letter whose worker stopped between handing it over and the answer: "resend" it under the
# same Message-ID, "hold" it for somebody to decide, or "reconcile" it with the mail server's
# own record of what it accepted, which is complete after so many seconds.
LETTERS_UNCERTAIN = env.str("LETTERS_UNCERTAIN", "resend")
LETTERS_RECORD = env.str("LETTERS_RECORD", "")
LETTERS_RECORD_DELAY = env.int("LETTERS_RECORD_DELAY", 300)

# Webhooks and chats go to the public internet only, encrypted. What a company runs itself is named:
# networks webhooks may reach (10.1.0.0/16), hosts of chats, and whether http:// will do.
WEBHOOK_NETWORKS = env.list("WEBHOOK_NETWORKS", default=[])
WEBHOOK_HTTP = env.bool("WEBHOOK_HTTP", False)
CHAT_HOSTS = env.list("CHAT_HOSTS", default=[])

# --- Uploads ----------------------------------------------------------------------
UPLOAD_LIMIT_MB = env.int("UPLOAD_LIMIT_MB", 50)
FILE_UPLOAD_HANDLERS = [
    "coaching.web.uploads.LimitedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Sign-in ------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

# --- Browser security ----------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", HTTPS)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31536000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS

# --- Pages ----------------------------------------------------------------------------
# People choose one; else their browser does; else, and for letters, it is this one.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en")
LOCALE_PATHS = [BASE_DIR / "coaching" / "locale"]
# How dates and numbers are written where Django's own habits for a language are not ours.
FORMAT_MODULE_PATH = "coaching.locale"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True
STATIC_URL = "static/"
# The few static files are served from where they lie: there is nothing to collect.
WHITENOISE_USE_FINDERS = True

# --- API --------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "coaching.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["coaching.api.permissions.IsReader"],
    "DEFAULT_PARSER_CLASSES": ["coaching.api.parsers.PlainJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["coaching.api.filters.Filters"],
    "DEFAULT_PAGINATION_CLASS": "coaching.api.pagination.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_VERSIONING_CLASS": None,
    # OPTIONS would list the choices of fields to people who may not see them.
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "coaching.api.problems.problem_response",
    # Tries to sign in: at one account, and from one address.
    "DEFAULT_THROTTLE_RATES": {"login": "20/hour", "login_address": "200/hour"},
    # Proxies in front of us whose X-Forwarded-For is to be believed.
    "NUM_PROXIES": env.int("NUM_PROXIES", 0),
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Token",
    "AUTO_REFRESH": False,
    # Known at sight, by people and by scanners that look for leaked secrets.
    "TOKEN_PREFIX": "lanemate_",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Lanemate API",
    "DESCRIPTION": "Ranking, plans, cohorts, pairs and letters: the loop that the pages show.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "ENUM_NAME_OVERRIDES": {
        "PairState": "coaching.models.Pair.State",
        "CohortState": "coaching.models.Cohort.State",
        "ImportState": "coaching.models.Import.State",
        "PlanState": "coaching.models.Plan.State",
        "TargetForm": "coaching.models.Cohort.Target",
        "MetricKind": "coaching.models.Metric.Kind",
        "LetterKind": "coaching.models.Letter.Kind",
        "ChannelKind": "coaching.models.Channel.Kind",
        "RuleKind": "coaching.models.Rule.Kind",
        "Policy": "coaching.models.Scorecard.Policy",
        "Subject": "coaching.models.Scorecard.Subject",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "coaching.api.schema.with_problems",
    ],
}

# --- Log ----------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "WARNING")},
    "loggers": {"coaching": {"level": env.str("LOG_LEVEL", "INFO")}},
}
