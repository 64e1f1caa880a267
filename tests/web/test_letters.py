"""Letters as they are read: the same facts twice, nothing in the subject, nothing foreign."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse

from coaching.models import Case, Helper, Letter, Look, Pair, Session
from coaching.notifications import messages, outbox, rendering
from coaching.services import digests


@pytest.fixture
def look(pair, now) -> Look:
    return Look.objects.create(
        pair=pair, week=now.date(), number=1, n=40, level=3.31, se=0.1, p_reached=0.1, taken_at=now
    )


@pytest.fixture
def letters(pair, look, mara, now) -> dict[str, Letter]:
    """One letter of each kind and side, as the services promise them."""
    case = Case(
        pair=pair, episode=1, clock="activity", decision="everything", note="Go & try.",
        opened_at=now,
    )  # fmt: skip
    case.decided_by = mara
    session = Session.objects.create(
        pair=pair, state="planned", starts_at=now + timedelta(days=9), logged_by=pair.learner,
        logged_at=now,
    )  # fmt: skip
    made = [
        messages.invitation(pair, pair.learner),
        messages.reminder(pair, pair.coach, due=now, last=look, sessions=0),
        messages.escalation(case, mara, why="No session for 14 days."),
        messages.passed(pair, pair.learner),
        messages.decided(case, pair.coach),
        messages.closed(pair.cohort, mara, pairs=2, passed=1, is_manager=True),
        messages.digest(mara, due=now, content=digests.content_for(mara, due=now)),
        messages.session(session, pair.coach, what="planned", by=pair.learner, now=now),
        messages.correction(pair.cohort, pair.learner, launched_at=now, partners=["Ivo"]),
        messages.left(pair, pair.learner, waits=True),
        messages.helper(Helper(pair=pair, person=pair.coach, since=now)),
        messages.proposal(
            pair.cohort,
            mara,
            items=[{"waiting": 1, "learner": "Lea", "coach": "Ivo", "metric": "", "since": ""}],
        ),
    ]
    outbox.promise(made, now=now)
    return {letter.kind: letter for letter in Letter.objects.all()}


def test_there_is_one_of_each_kind(letters):
    assert letters.keys() == set(Letter.Kind.values)


@pytest.mark.parametrize("kind", Letter.Kind.values)
def test_a_letter_reads_well_in_both_forms(letters, kind):
    rendered = rendering.render(letters[kind])
    reader = letters[kind].recipient
    assert reader.first_name in rendered.text
    assert reader.first_name in rendered.html
    assert f"http://localhost:8000{letters[kind].context['link']}" in rendered.text
    assert f'href="http://localhost:8000{letters[kind].context["link"]}"' in rendered.html
    assert "You get " in rendered.text
    assert "You get " in rendered.html
    for form in (rendered.subject, rendered.text):
        assert not re.search(r"&\w+;|&#|\{\{|\{%|None", form)
    assert "<link" not in rendered.html
    assert "src=" not in rendered.html


@pytest.mark.parametrize("kind", Letter.Kind.values)
def test_a_subject_names_neither_people_nor_skills(letters, pair, kind):
    subject = rendering.render(letters[kind]).subject
    assert 5 < len(subject) < 70
    for secret in (pair.learner, pair.coach, pair.metric):
        for word in str(secret).split():
            assert word not in subject


def test_facts_are_the_same_in_text_and_html(letters, pair):
    rendered = rendering.render(letters["reminder"])
    for fact in ("3.31", pair.baseline_text, pair.target_text, pair.metric.name, "Lea"):
        assert fact in rendered.text
        assert fact in rendered.html


def test_the_weekly_note_knows_what_happened_last(pair, look, now):
    def note(**changes) -> str:
        options = {"due": now, "last": look, "sessions": 3} | changes
        message = messages.reminder(pair, pair.learner, **options)
        return rendering.render(message.letter).text

    at_target = SimpleNamespace(level=3.9, p_reached=0.95)
    assert "have not noted a session yet" in note(sessions=0, steps=["first_session"])
    assert "at the target" in note(last=at_target, steps=["test_soon"])
    assert "No whole week of readings" in note(last=None)
    pair.state = Pair.State.STUCK
    assert "asked what could help" in note(steps=["at_risk"])
    assert "everybody stays until everybody passes" in note(steps=["still_swimming"])


def test_a_name_with_signs_is_a_name_and_no_markup(pair, now):
    pair.coach.name = "<b>Ivo</b> & Söhne"
    rendered = rendering.render(messages.invitation(pair, pair.learner).letter)
    assert "<b>Ivo</b>" not in rendered.html
    assert "<b>Ivo</b> & Söhne" in rendered.text


def test_the_page_shows_exactly_what_is_sent(letters, mara_client):
    letter = letters["escalation"]
    rendered = rendering.render(letter)
    page = mara_client.get(reverse("letter", args=[letter.public_id]))
    assert rendered.subject in page.text
    frame = mara_client.get(reverse("letter-html", args=[letter.public_id]))
    assert frame.text == rendered.html


def test_a_letter_in_its_frame_can_do_nothing(letters, mara_client):
    answer = mara_client.get(reverse("letter-html", args=[letters["passed"].public_id]))
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "script" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_a_digest_stays_with_its_reader(letters, client_of, hanna):
    address = reverse("letter", args=[letters["digest"].public_id])
    assert client_of(hanna).get(address).status_code == 404
