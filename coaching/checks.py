"""System checks: a wrong setting is named at start-up, with what to do."""

import zoneinfo

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

# Sender, recipient, announcement, text and its acceptance: each may take a whole timeout.
STEPS_OF_SENDING = 5


@register()
def settings_fit_together(app_configs, **kwargs) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.TIME_ZONE not in zoneinfo.available_timezones():
        found.append(
            Error(
                f"TIME_ZONE is “{settings.TIME_ZONE}”, which is not a time zone.",
                hint="Write it like Europe/Zurich.",
                id="lanemate.E001",
            )
        )
    if not settings.SITE_URL.startswith(("http://", "https://")):
        found.append(
            Error(
                f"SITE_URL is “{settings.SITE_URL}”; letters could not link to it.",
                hint="Write it with its scheme: https://lanemate.example.org",
                id="lanemate.E002",
            )
        )
    if settings.EMAIL_TIMEOUT * STEPS_OF_SENDING >= settings.LETTER_LEASE_SECONDS:
        found.append(
            Error(
                f"LETTER_LEASE_SECONDS must be more than {STEPS_OF_SENDING} times EMAIL_TIMEOUT: "
                "a slow mail server would let a second worker send the same letter.",
                hint="Raise LETTER_LEASE_SECONDS or lower EMAIL_TIMEOUT.",
                id="lanemate.E003",
            )
        )
    policies = ("resend", "hold", "reconcile")
    if settings.LETTERS_UNCERTAIN not in policies or (
        settings.LETTERS_UNCERTAIN == "reconcile" and not settings.LETTERS_RECORD
    ):
        found.append(
            Error(
                f"LETTERS_UNCERTAIN is “{settings.LETTERS_UNCERTAIN}”; letters that were perhaps "
                "sent could not be settled by it.",
                hint="Use resend or hold; or reconcile, with LETTERS_RECORD naming the mail "
                "server's record.",
                id="lanemate.E004",
            )
        )
    return found


@register(deploy=True)
def ready_to_deploy(app_configs, **kwargs) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if "sqlite3" in settings.DATABASES["default"]["ENGINE"] and settings.REDIS_URL:
        found.append(
            Warning(
                "REDIS_URL is set but DATABASE_URL is not: several workers would share SQLite.",
                hint="Set DATABASE_URL to a PostgreSQL database.",
                id="lanemate.W001",
            )
        )
    return found
