"""A wrong setting is named at start-up, with what to do."""

from types import SimpleNamespace

import pytest

from coaching import checks


@pytest.mark.parametrize(
    ("setting", "value", "names"),
    [
        ("TIME_ZONE", "Zurich", "lanemate.E001"),
        ("SITE_URL", "lanemate.example.org", "lanemate.E002"),
        ("LETTER_LEASE_SECONDS", 100, "lanemate.E003"),
        ("EMAIL_TIMEOUT", 24, "lanemate.E003"),
        ("LETTERS_UNCERTAIN", "forget", "lanemate.E004"),
        ("LETTERS_UNCERTAIN", "reconcile", "lanemate.E004"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch, setting, value, names):
    fine = {
        "TIME_ZONE": "Europe/Zurich",
        "SITE_URL": "https://lanemate.example.org",
        "EMAIL_TIMEOUT": 20,
        "LETTER_LEASE_SECONDS": 120,
        "LETTERS_UNCERTAIN": "resend",
        "LETTERS_RECORD": "",
    }
    monkeypatch.setattr(checks, "settings", SimpleNamespace(**fine))
    assert checks.settings_fit_together(None) == []
    monkeypatch.setattr(checks, "settings", SimpleNamespace(**{**fine, setting: value}))
    (found,) = checks.settings_fit_together(None)
    assert found.id == names
    assert found.hint


def test_the_settings_as_they_come_are_fine():
    assert checks.settings_fit_together(None) == []


@pytest.mark.parametrize(
    ("engine", "redis", "found"),
    [("sqlite3", "redis://here", 1), ("sqlite3", "", 0), ("postgresql", "redis://here", 0)],
)
def test_several_workers_need_a_shared_database(settings, monkeypatch, engine, redis, found):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", f"django.db.backends.{engine}")
    settings.REDIS_URL = redis
    assert len(checks.ready_to_deploy(None)) == found
