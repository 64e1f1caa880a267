"""What letters say, and what they never do."""

import json
from datetime import timedelta

import pytest

from coaching.models import Case, Helper, Letter, Session
from coaching.notifications import messages, outbox, rendering, words
from coaching.services import digests
from tests.conftest import NOW


@pytest.fixture
def letters(pair, mara, lea, ivo) -> list[Letter]:
    """One of each kind for everybody who gets it."""
    case = Case.objects.create(
        pair=pair, episode=1, clock="activity", opened_at=NOW, decision="everything",
        decided_at=NOW, decided_by=mara, note="Two busy weeks.",
    )  # fmt: skip
    due = NOW + timedelta(weeks=1)
    session = Session.objects.create(
        pair=pair, state="planned", starts_at=due, logged_by=lea, logged_at=NOW
    )
    both = [
        message
        for reader in (lea, ivo)
        for message in (
            messages.invitation(pair, reader),
            messages.reminder(pair, reader, due=due, last=None, sessions=0),
            messages.passed(pair, reader),
            messages.decided(case, reader),
            messages.closed(pair.cohort, reader, pairs=1, passed=1, is_manager=False),
            messages.digest(reader, due=due, content=digests.content_for(reader, due=due)),
            messages.session(session, reader, what="planned", by=lea, now=NOW),
            messages.correction(pair.cohort, reader, launched_at=NOW, partners=[mara.name]),
            messages.left(pair, reader, waits=True),
            messages.helper(Helper(pair=pair, person=reader, since=NOW)),
        )
    ]
    proposed = {
        "waiting": 1, "learner": lea.name, "coach": ivo.name, "metric": pair.metric.name,
        "since": "1 March 2027",
    }  # fmt: skip
    hers = [
        messages.proposal(pair.cohort, mara, items=[proposed]),
        messages.escalation(case, mara, why="No session for 14 days."),
        messages.closed(pair.cohort, mara, pairs=1, passed=1, is_manager=True),
    ]
    outbox.promise([*both, *hers], now=NOW)
    return list(Letter.objects.select_related("recipient").order_by("pk"))


def test_every_kind_can_be_read(letters):
    assert {letter.kind for letter in letters} == set(Letter.Kind.values)
    for letter in letters:
        rendered = rendering.render(letter)
        assert rendered.subject
        assert letter.recipient.first_name in rendered.text
        assert letter.context["link"] in rendered.text
        assert letter.context["link"] in rendered.html
        assert "{{" not in rendered.text + rendered.html + rendered.subject
        assert rendering.render(letter) == rendered


def test_a_subject_names_neither_people_nor_skills(letters, pair):
    for letter in letters:
        subject = rendering.render(letter).subject
        for word in (pair.learner.first_name, pair.coach.first_name, pair.metric.name):
            assert word not in subject
        assert len(subject) < 70


def test_staff_never_read_weak_or_a_rank(letters, mara):
    for letter in letters:
        if letter.recipient != mara:
            told = json.dumps(letter.context) + rendering.render(letter).text
            for word in ("weak", "rank", "band", "worst"):
                assert word not in told.casefold()


def test_nobody_can_write_markup_into_a_letter(pair, lea):
    lea.name = "<b>Lea</b> & Co"
    pair.learner = lea
    outbox.promise([messages.invitation(pair, pair.coach)], now=NOW)
    rendered = rendering.render(Letter.objects.get())
    assert "<b>Lea" not in rendered.html
    assert "&lt;b&gt;Lea&lt;/b&gt; &amp; Co" in rendered.html
    assert "<b>Lea</b> & Co" in rendered.text


def test_a_name_with_a_line_break_cannot_add_a_header(pair, lea):
    pair.cohort.name = "Autumn\nBcc: everybody@example.com"
    outbox.promise(
        [messages.closed(pair.cohort, lea, pairs=1, passed=1, is_manager=False)], now=NOW
    )
    assert "\n" not in rendering.render(Letter.objects.get()).subject


def test_dates_are_written_out():
    assert words.day(NOW.date()) == "1 March 2027"
