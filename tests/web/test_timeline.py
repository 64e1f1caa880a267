"""What happened to a pair, and who reads what of it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import translation

from coaching.domain import progress
from coaching.models import (
    Case,
    Event,
    Helper,
    Letter,
    Look,
    Pair,
    Session,
    TargetChange,
    Worksheet,
)
from coaching.notifications import messages, outbox
from coaching.queries import timelines
from coaching.services import audit, cases, departures, sessions
from coaching.web import timeline
from coaching.web.retold import SENTENCES, retold
from tests import factories
from tests.test_languages import PLACEHOLDER


def told(pair: Pair, reader) -> list[str]:
    return [moment.text for moment in timeline.moments_of(timelines.kept_of(pair, reader), reader)]


def page(client, pair: Pair, **asked) -> str:
    answer = client.get(reverse("pair", args=[pair.public_id]), asked)
    assert answer.status_code == 200
    return answer.text.split('id="happened"')[1].split("<aside")[0]


@pytest.fixture
def story(pair, mara, lea, now) -> Pair:
    """A few weeks of a pair in which a bit of everything happened."""
    ivo = pair.coach
    outbox.promise([messages.invitation(pair, who) for who in (lea, ivo)], now=now)
    day = timedelta(days=1)
    sessions.plan(pair=pair, starts_at=now + 2 * day, minutes=45, place="Room 1", by=ivo, now=now)
    sessions.log(
        pair=pair, held_on=(now + 2 * day).date(), note="Two calls", by=lea, now=now + 3 * day
    )
    Worksheet.objects.create(
        pair=pair, week=now.date(), went="Well", will_try="Ask first", learner_at=now + 3 * day,
        coach_does="Listen", coach_at=now + 4 * day,
    )  # fmt: skip
    Look.objects.create(
        pair=pair, week=now.date() + 7 * day, number=1, n=22, level=3.2, se=0.1, p_reached=0.04,
        taken_at=now + 14 * day,
    )  # fmt: skip
    TargetChange.objects.create(
        pair=pair, old=3.6, new=3.5, reason="A new questionnaire.", by=mara, at=now + 15 * day
    )
    Helper.objects.create(
        pair=pair, person=factories.make_person("Nina Hughes", team=lea.team), asked_by=mara,
        since=now + 16 * day,
    )  # fmt: skip
    audit.record(
        "pair stuck",
        pair,
        by=None,
        now=now + 17 * day,
        team=lea.team,
        why="No session for 14 days.",
    )
    return pair


def test_everything_stands_there_in_words_newest_first(story, mara):
    found = told(story, mara)
    # What happened in the same moment has no order.
    assert found[:7] == [
        "Stuck: No session for 14 days.",
        "Nina Hughes helps from here on",
        "The target moved from 3.60 to 3.50",
        "Look 1: at 3.20; the chance of being at the target is 4 %",
        "Answered the page for the week of 1 March",
        "Wrote the page for the week of 1 March",
        "Met on Wednesday, 3 March",
    ]
    assert set(found[7:]) == {
        "Launched: Customer satisfaction from 3.00 to 3.60, by 26 April 2027",
        "Planned a session for Wednesday, 3 March at 08:30",
        "Invitation to Lea Brandt, not sent yet",
        "Invitation to Ivo Marković, not sent yet",
        *(text for text in found if text.startswith("Session in the calendar to ")),
    }


def test_it_is_grouped_by_week_and_filtered_by_a_link(story, mara_client):
    text = page(mara_client, story)
    assert text.count("<details") == 2
    assert "Week of 15 March" in text
    assert "Week of 1 March" in text
    only = page(mara_client, story, kind="sessions")
    assert "Met on Wednesday" in only
    assert "Look 1" not in only
    assert "Invitation" not in only
    assert page(mara_client, story, kind="looks", page="2").count("Look 1") == 1


@pytest.mark.parametrize(
    "asked", [{"kind": "'; --"}, {"kind": "ranks"}, {"page": "x"}, {"page": -3}]
)
def test_what_is_no_kind_and_no_page_shows_everything(story, mara_client, asked):
    assert "Met on Wednesday" in page(mara_client, story, **asked)


# -- who reads what ------------------------------------------------------------------------


def test_nobody_reads_letters_between_others(story, mara, lea):
    assert "Invitation to you, not sent yet" in told(story, lea)
    assert not [text for text in told(story, lea) if "Ivo" in text and "Invitation" in text]
    assert "Invitation to you, not sent yet" in told(story, story.coach)
    assert not [text for text in told(story, story.coach) if "to Lea" in text]
    helper = story.helpers.get().person
    assert not [text for text in told(story, helper) if "Invitation" in text]


def test_who_manages_the_team_and_coaches_in_it_is_half_of_the_pair(
    mara, mara_client, lea, csat, pair, now
):
    """Mara coaches Lea herself: what was written to Lea about it is Lea's."""
    nora = factories.make_person("Nora Ash", team=lea.team)
    own = factories.make_pair(nora, mara, metric=csat, cohort=pair.cohort, now=now)
    outbox.promise([messages.invitation(own, nora)], now=now)
    case = Case.objects.create(pair=own, episode=1, clock="activity", opened_at=now)
    audit.record("case escalated", own, by=None, now=now, team=lea.team, to=["Hanna Reuter"])
    assert told(own, mara) == [
        "Launched: Customer satisfaction from 3.00 to 3.60, by 26 April 2027"
    ]
    text = mara_client.get(reverse("pair", args=[own.public_id])).text
    assert reverse("letter", args=[Letter.objects.get().public_id]) not in text
    assert reverse("case", args=[case.public_id]) not in text


def test_a_note_on_a_case_is_for_whom_it_was_written(pair, mara, lea, now):
    """What a decision says to the two is theirs; what closes a case by the way is not."""
    Pair.objects.filter(pk=pair.pk).update(state=Pair.State.STUCK)
    case = Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=now)
    departures.release(
        pair=pair, ending=Pair.Ending.LEFT, why="Ivo has handed in his notice.", by=mara, now=now
    )
    notes = {
        who.name: [m.note for m in timeline.moments_of(timelines.kept_of(pair, who), who)]
        for who in (mara, lea, pair.coach)
    }
    assert "Ivo has handed in his notice." in notes["Mara Lindqvist"]
    assert "Ivo has handed in his notice." not in notes["Lea Brandt"] + notes["Ivo Marković"]
    assert "The pair ended" in told(pair, lea)
    assert "The pair ended: somebody left" in told(pair, mara)
    assert f"Put before somebody: {case.get_clock_display().lower()}" not in told(pair, lea)


def test_a_decision_is_read_by_both_with_its_reason(pair, mara, lea, now):
    Pair.objects.filter(pk=pair.pk).update(state=Pair.State.STUCK)
    case = Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=now)
    cases.decide(
        case=case, decision="everything", note="Holidays were in between.",
        means=cases.Means(weeks=4), by=mara, now=now,
    )  # fmt: skip
    for reader in (mara, lea, pair.coach):
        moments = timeline.moments_of(timelines.kept_of(pair, reader), reader)
        decided = [m for m in moments if m.text == "Decided: everything we have"]
        assert [(m.by, m.note) for m in decided] == [
            ("Mara Lindqvist", "Holidays were in between.")
        ]


def test_days_away_are_the_persons_own_and_their_managers(pair, mara, lea, now):
    departures.away(
        person=lea, first_day=now.date(), last_day=now.date() + timedelta(days=4), by=lea, now=now
    )
    assert "Lea Brandt is away from Monday, 1 March to Friday, 5 March; the clocks stand still" in (
        told(pair, mara)
    )
    assert any(text.startswith("You are away from Monday") for text in told(pair, lea))
    assert not any("away" in text for text in told(pair, pair.coach))


def test_a_review_of_a_pass_is_for_the_manager(pair, mara, lea, now):
    audit.record("pass to review", pair, by=None, now=now, team=lea.team, why="Two cases less.")
    assert any("corrected: Two cases less." in text for text in told(pair, mara))
    assert not any("corrected" in text for text in told(pair, lea))


def test_asking_for_help_is_between_who_asks_and_the_manager(pair, mara, lea, now):
    cases.ask_for_help(pair=pair, by=lea, note="We never find a time.", now=now)
    assert "Asked the manager for help" in told(pair, mara)
    assert "Asked the manager for help" in told(pair, lea)
    assert "Asked the manager for help" not in told(pair, pair.coach)


def test_that_thanks_were_said_is_told_and_not_what(pair, mara, lea, now):
    audit.record("coach thanked", pair, by=lea, now=now, team=lea.team)
    helper = factories.make_person("Nina Hughes", team=lea.team)
    Helper.objects.create(pair=pair, person=helper, since=now)
    for reader in (mara, lea, pair.coach):
        moments = timeline.moments_of(timelines.kept_of(pair, reader), reader)
        (said,) = (moment for moment in moments if moment.text == "Said thank you")
        assert (said.by, said.note) == ("Lea Brandt", "")
    assert "Said thank you" not in told(pair, helper)


def test_others_get_a_404(story, otto_client, client_of, lea):
    address = reverse("pair", args=[story.public_id])
    assert otto_client.get(address, {"kind": "letters"}).status_code == 404
    nils = factories.make_person("Nils", team=lea.team, login="nils")
    assert client_of(nils).get(address).status_code == 404


# -- what it costs -------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["mara", "lea", "ivo"])
def test_it_costs_the_same_however_much_happened(
    story, who, client_of, request, now, django_assert_max_num_queries
):
    client = client_of(request.getfixturevalue(who))

    def cost() -> int:
        with django_assert_max_num_queries(45) as queries:
            page(client, story)
        return len(queries)

    few = cost()
    for at in range(1, 40):
        moment = now + timedelta(days=at)
        Session.objects.create(
            pair=story, held_on=moment.date() + timedelta(days=60), logged_by=story.learner,
            logged_at=moment,
        )  # fmt: skip
        audit.record("session moved", story, by=story.coach, now=moment, starts_at=str(moment))
        Letter.objects.create(
            dedupe_key=f"t:{at}", kind=Letter.Kind.REMINDER, pair=story, context={},
            recipient=(story.learner, story.coach)[at % 2], created_at=moment,
            next_attempt_at=moment,
        )  # fmt: skip
        Worksheet.objects.create(
            pair=story, week=now.date() + timedelta(weeks=at), learner_at=moment, went="x"
        )
    assert cost() == few


def test_a_long_story_is_paged_by_weeks(story, mara_client, now):
    for at in range(30):
        factories.hold_session(story, now.date() + timedelta(weeks=at))
    text = page(mara_client, story)
    assert text.count('class="fold week"') == 8
    assert "Earlier weeks" in text
    assert "Launched" in page(mara_client, story, page=4)


def test_a_pass_is_told_once(pair, mara, now):
    Pair.objects.filter(pk=pair.pk).update(state=Pair.State.PASSED, passed_at=now)
    pair.refresh_from_db()
    assert [text for text in told(pair, mara) if text.startswith("Passed")] == [
        "Passed: the target is reached"
    ]
    audit.record("pair passed", pair, by=None, now=now, why="Three looks in a row.")
    assert [text for text in told(pair, mara) if text.startswith("Passed")] == [
        "Passed: Three looks in a row."
    ]


def test_every_state_a_sweep_records_has_words():
    """The verbs of `services.progress`, one for each state it can come to."""
    verbs = {f"pair {state.value.replace('_', ' ')}" for state in progress.State}
    assert verbs == set(timelines.STATES)


# -- in another language -------------------------------------------------------------------


def test_what_is_stored_in_english_is_told_in_the_readers_language(story, mara, mara_client):
    mara.reads = "de"
    mara.save()
    text = page(mara_client, story)
    assert "Festgefahren: Seit 14 Tagen kein Treffen." in text
    assert "Treffen geplant für Mittwoch, 3. März, 08:30 Uhr" in text
    assert "Das Ziel wurde von 3,60 auf 3,50 verschoben" in text


@pytest.mark.parametrize("text", SENTENCES)
def test_every_sentence_that_is_found_again_has_a_translation(text):
    stored = PLACEHOLDER.sub("3", text)
    assert retold(stored) == stored
    with translation.override("de"):
        assert retold(stored) not in (stored, "")
        assert retold("In our own words.") == "In our own words."


def test_who_reads_german_leaves_english_in_the_trail(story, lea):
    with translation.override("de"):
        departures.end_pair(pair=story, by=lea, now=story.started_at + timedelta(days=20))
    verbs = Event.objects.filter(subject_id=story.public_id).values_list("verb", flat=True)
    assert "pair ended: ended by one of the two" in verbs
