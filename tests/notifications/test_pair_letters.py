"""What the letters about a pair's work say, in every case they have."""

import json
from datetime import timedelta
from itertools import product

import pytest

from coaching.domain.reminders import Step
from coaching.models import Case, Clinic, Letter, Session
from coaching.notifications import messages, outbox, rendering
from tests.conftest import NOW

STEPS = [[step.value] for step in Step] + [
    ["at_risk", "log_session", "worksheet"],
    ["still_swimming", "first_session", "test_soon", "log_session", "worksheet"],
]


@pytest.fixture
def session(pair, lea) -> Session:
    return Session.objects.create(
        pair=pair, state="planned", starts_at=NOW + timedelta(days=2), place="Room <3>",
        logged_by=lea, logged_at=NOW,
    )  # fmt: skip


def rendered(message) -> tuple[Letter, str]:
    """The letter, and everything it says; checked for what no letter may have."""
    outbox.promise([message], now=NOW)
    letter = Letter.objects.select_related("recipient").latest("pk")
    told = rendering.render(letter)
    pair = letter.pair
    for name in (pair.learner.first_name, pair.coach.first_name, pair.metric.name) if pair else ():
        assert name not in told.subject
    assert 0 < len(told.subject) < 70
    whole = told.subject + told.text + told.html
    assert "{{" not in whole
    assert "{%" not in whole
    assert "None" not in told.text
    assert "\n\n\n\n" not in told.text
    assert letter.recipient.first_name in told.text
    assert letter.context["link"] in told.text
    assert letter.context["link"] in told.html
    for word in ("weak", "rank", "band", "worst"):
        assert word not in json.dumps(letter.context).casefold() + told.text.casefold()
    return letter, told.text


def test_every_reminder_can_be_read_by_both(pair, lea, ivo, session):
    for number, (steps, reader) in enumerate(product(STEPS, (lea, ivo))):
        letter, text = rendered(
            messages.reminder(
                pair, reader, due=NOW + timedelta(days=number), last=None, sessions=number % 3,
                steps=steps, unanswered=session if "log_session" in steps else None,
                last_session=NOW.date() if number % 3 else None,
            )
        )  # fmt: skip
        assert letter.dedupe_key.split(":")[3] == steps[0]
        if "log_session" in steps:
            for answer in ("held/", "moved/", "missed/"):
                assert letter.context["answer"] + answer in text


def test_sessions_and_clinics_bring_a_calendar_file(pair, lea, ivo, csat, mara, session):
    for what, reader in product(("planned", "moved", "withdrawn"), (lea, ivo)):
        session.sequence += 1
        letter, text = rendered(
            messages.session(session, reader, what=what, by=lea, now=NOW, why="A meeting")
        )
        assert letter.context["ics"].startswith("BEGIN:VCALENDAR")
        assert "Room <3>" in text
        assert ("held/" in text) == (what != "withdrawn")
    clinic = Clinic.objects.create(
        cohort=pair.cohort, metric=csat, led_by=ivo, starts_at=NOW + timedelta(days=3),
        made_by=mara, made_at=NOW,
    )  # fmt: skip
    for what, (reader, own) in product(("planned", "withdrawn"), ((lea, pair), (ivo, None))):
        clinic.sequence += 1
        rendered(messages.clinic(clinic, reader, what=what, pair=own, now=NOW))


@pytest.mark.parametrize(
    ("decision", "means", "words"),
    [
        ("everything", {"weeks": 1, "helper": "Noor Haddad"}, "1 more week, and Noor Haddad"),
        ("everything", {"weeks": 6, "clinic": "4 May 2027"}, "and a clinic on 4 May 2027"),
        ("redirect", {"old_target": "3.60", "new_target": "3.40"}, "3.40 instead of 3.60"),
        ("redirect", {"coach_now": "Noor Haddad"}, "says nothing about you"),
        ("redirect", {"coach_now": ""}, "says nothing about you"),
        ("accept", {}, "it is nobody's fault"),
    ],
)
def test_decisions_are_told_in_words_one_can_bear(pair, lea, ivo, mara, decision, means, words):
    case = Case.objects.create(
        pair=pair, episode=1, clock="outcome", opened_at=NOW, decision=decision, decided_at=NOW,
        decided_by=mara, note="Calls were few.",
    )  # fmt: skip
    for reader in (lea, ivo):
        _, text = rendered(messages.decided(case, reader, **means))
        assert words in text
        assert "Calls were few." in text


def test_those_who_decide_read_by_when_and_who_asked(pair, mara, lea):
    case = Case.objects.create(
        pair=pair, episode=1, clock="outcome", opened_at=NOW, level=2,
        escalates_at=NOW + timedelta(days=3),
    )  # fmt: skip
    _, text = rendered(messages.escalation(case, mara, why="No session for 14 days."))
    assert "Please decide by Thursday, 4 March 2027, 08:30" in text
    assert "It has been open since 1 March 2027" in text
    _, text = rendered(messages.help_asked(pair, mara, by=lea, note="No time", now=NOW))
    assert "Lea Brandt asks for your help" in text
    assert "decide" not in text.split("--")[0]


def test_who_goes_on_after_a_correction_reads_why(pair, mara, lea, ivo):
    for reader in (lea, ivo):
        _, text = rendered(messages.reopened(pair, reader, by=mara, note="Counted twice."))
        assert "Counted twice." in text
        assert "The pass stays in the record" in text
