"""A stuck pair lies before somebody until it is decided, in one of three ways."""

from datetime import date, timedelta

import pytest

from coaching.models import (
    Case,
    Clinic,
    Cohort,
    Event,
    Leave,
    Letter,
    Look,
    Notice,
    Pair,
    TargetChange,
    Waiting,
)
from coaching.notifications import messages, outbox, words
from coaching.queries import cases as case_queries
from coaching.services import cases, clinics, progress
from tests import factories, processes
from tests.conftest import NOW

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
STUCK = NOW + 11 * DAY


def stuck() -> Case:
    progress.check_due(now=STUCK)
    return Case.objects.select_related("pair__learner__team", "pair__coach", "pair__metric").get()


@pytest.fixture
def case(pair) -> Case:
    return stuck()


def decide(case: Case, by, decision: str, note: str = "A new start.", **means) -> Case:
    return cases.decide(
        case=case, decision=decision, note=note, by=by, now=STUCK, means=cases.Means(**means)
    )


def asked() -> list[tuple[str, int]]:
    """To whom the case went, at which level, in this order."""
    letters = Letter.objects.filter(kind="escalation").order_by("created_at", "pk")
    return [(letter.recipient.first_name, letter.context["level"]) for letter in letters]


# -- who is asked ---------------------------------------------------------------------------


@pytest.fixture
def sara(team):
    """Manages the team above Mara's."""
    above = factories.make_team("Coast")
    above.manager = factories.make_person("Sara Nyman", team=above, login="sara")
    above.save()
    team.parent = above
    team.save()
    return above.manager


def test_nobody_answers_and_it_goes_up_until_hr(pair, mara, sara, hanna):
    case = stuck()
    assert asked() == [("Mara", 1)]
    # Friday morning: Monday, Tuesday, Wednesday at five.
    assert case.escalates_at.astimezone(mara.zone).isoformat() == "2027-03-17T17:00:00+01:00"
    assert cases.escalate_due(now=case.escalates_at - timedelta(seconds=1)) == 0
    assert cases.escalate_due(now=case.escalates_at) == 1
    assert cases.escalate_due(now=case.escalates_at) == 0
    case.refresh_from_db()
    assert asked() == [("Mara", 1), ("Sara", 2)]
    assert cases.escalate_due(now=case.escalates_at) == 1
    case.refresh_from_db()
    assert asked() == [("Mara", 1), ("Sara", 2), ("Hanna", 3)]
    assert (case.level, case.escalates_at) == (3, None)
    assert cases.escalate_due(now=STUCK + 52 * WEEK) == 0
    assert Event.objects.filter(verb="case escalated").count() == 2
    assert Notice.objects.filter(person=sara, link=f"/triage/{case.public_id}/").exists()


def test_three_working_days_are_those_of_whoever_is_asked(pair, mara):
    mara.working_days = "13"
    mara.save()
    # After the Friday: Monday, Wednesday, and the Monday after.
    assert stuck().escalates_at.astimezone(mara.zone).date() == date(2027, 3, 22)


def test_a_manager_who_coaches_the_pair_is_passed_over(pair, mara, sara):
    Pair.objects.update(coach=mara)
    assert stuck().level == 1
    assert asked() == [("Sara", 1)]
    assert not case_queries.visible_to(mara).exists()
    assert case_queries.visible_to(sara).count() == 1


def test_a_manager_who_is_away_is_passed_over(pair, mara, sara):
    Leave.objects.create(
        person=mara, first_day=STUCK.date(), last_day=None, noted_by=mara, noted_at=NOW
    )
    stuck()
    assert asked() == [("Sara", 1)]


def test_without_a_manager_it_goes_to_hr_at_once_whatever_the_hour(pair, team, hanna):
    team.manager = None
    team.save()
    stuck()
    letter = Letter.objects.get(kind="escalation")
    assert (letter.recipient, letter.next_attempt_at) == (hanna, STUCK)


def test_with_nobody_at_all_it_is_tried_again_every_day(pair, team, request):
    team.manager = None
    team.save()
    case = stuck()
    assert (asked(), case.escalates_at) == ([], STUCK + DAY)
    request.getfixturevalue("hanna")
    cases.escalate_due(now=STUCK + DAY)
    assert [name for name, _ in asked()] == ["Hanna"]


def test_what_is_decided_goes_no_further_up(case, mara, sara):
    decide(case, mara, "everything")
    assert cases.escalate_due(now=STUCK + 52 * WEEK) == 0
    assert asked() == [("Mara", 1)]
    assert Letter.objects.get(kind="escalation").state == Letter.State.CANCELLED


# -- everything we have ---------------------------------------------------------------------


def test_more_time_starts_the_clocks_again(case, pair, mara, lea, ivo):
    before = pair.test_date
    decide(case, mara, "everything", weeks=3)
    case.refresh_from_db()
    pair.refresh_from_db()
    assert (case.decision, case.decided_by, case.note) == ("everything", mara, "A new start.")
    assert case.means == {"weeks": 3}
    assert pair.state == Pair.State.AT_RISK
    assert pair.clocks_from == STUCK.date()
    assert pair.test_date == before + 3 * WEEK
    letters = Letter.objects.filter(kind="decided")
    assert {row.recipient for row in letters} == {lea, ivo}
    assert {(row.context["note"], row.context["weeks"]) for row in letters} == {("A new start.", 3)}
    progress.check_due(now=STUCK + 9 * DAY)
    assert not Case.objects.filter(decided_at=None).exists()
    progress.check_due(now=STUCK + 10 * DAY)
    assert list(Case.objects.order_by("episode").values_list("episode", "decision")) == [
        (1, "everything"), (2, ""),
    ]  # fmt: skip


def test_a_test_that_is_over_moves_to_four_weeks_from_today(case, pair, mara):
    Pair.objects.update(test_date=date(2027, 3, 2))
    decide(case, mara, "everything")
    pair.refresh_from_db()
    assert pair.test_date == STUCK.date() + 4 * WEEK


def test_a_helper_is_asked_with_the_decision(case, pair, mara, csat, team):
    noor = factories.make_person("Noor Haddad", team=team)
    factories.make_pair(
        noor, factories.make_person(team=team), metric=csat, cohort=pair.cohort, now=NOW,
        state="passed", passed_at=NOW, would_help=True,
    )  # fmt: skip
    assert [one.person for one in case_queries.could_help(mara, pair)] == [noor]
    decide(case, mara, "everything", helper=noor)
    assert pair.helpers.get().person == noor
    case.refresh_from_db()
    assert case.means["helper"] == noor.public_id
    told = Letter.objects.filter(kind="decided")[0].context
    assert told["helper"] == "Noor Haddad"


def test_a_clinic_has_a_day_a_place_and_those_who_join(case, pair, mara, ivo, make_pairs):
    other = make_pairs(1)[0]
    Pair.objects.filter(pk=other.pk).update(cohort=pair.cohort)
    other.refresh_from_db()
    starts_at = STUCK + 4 * DAY
    clinic = cases.NewClinic(led_by=ivo, starts_at=starts_at, place="Room 1", pairs=(other,))
    decide(case, mara, "everything", new_clinic=clinic)
    made = Clinic.objects.get()
    assert set(made.pairs.all()) == {pair, other}
    invited = Letter.objects.filter(kind="session")
    assert {letter.recipient for letter in invited} == {ivo, pair.learner, other.learner}
    for letter in invited:
        # That the others learn is theirs to tell.
        others = {pair.learner, other.learner} - {letter.recipient}
        for one in others:
            assert one.name not in str(letter.context)
            assert one.email not in letter.context["ics"]


def test_a_clinic_that_is_called_off_leaves_the_calendars(case, pair, mara, ivo):
    clinic = cases.NewClinic(led_by=ivo, starts_at=STUCK + 4 * DAY)
    decide(case, mara, "everything", new_clinic=clinic)
    for _ in range(2):
        clinics.withdraw(clinic=Clinic.objects.get(), by=mara, now=STUCK + DAY)
    gone = Letter.objects.filter(kind="session", context__what="clinic_withdrawn")
    assert gone.count() == 2
    assert all("METHOD:CANCEL" in letter.context["ics"] for letter in gone)


def test_what_the_clinic_refuses_decides_nothing(case, pair, mara, ivo):
    late = cases.NewClinic(led_by=ivo, starts_at=STUCK - DAY)
    with pytest.raises(clinics.ClinicRefused):
        decide(case, mara, "everything", new_clinic=late)
    case.refresh_from_db()
    assert case.decided_at is None
    assert not Letter.objects.filter(kind="decided").exists()


# -- another way ----------------------------------------------------------------------------


def test_another_target_is_written_down_and_judged_from_then_on(case, pair, mara, lea):
    weeks = [pair.counts_from + number * WEEK for number in range(8)]
    for monday in weeks[:5]:
        factories.add_reading(lea, pair.metric, monday, mean=3.45, n=200)
    decide(case, mara, "redirect", target=3.35, weeks=2)
    pair.refresh_from_db()
    change = TargetChange.objects.get()
    assert (change.old, change.new, change.reason) == (3.6, 3.35, "A new start.")
    assert (pair.target, pair.state) == (3.35, Pair.State.AT_RISK)
    assert pair.stretch == pytest.approx(3.385)
    told = words.tell(Letter.objects.get(kind="decided", recipient=lea).context)
    assert (told["old_target"], told["new_target"]) == ("3.60", "3.35")
    # Weeks after the change count for a pass; those before it were read against the old one.
    factories.hold_session(pair, STUCK.date() + 8 * DAY)
    for place, monday in enumerate(weeks):
        factories.add_reading(lea, pair.metric, monday, mean=3.5, n=200)
        Pair.objects.update(next_check_at=NOW)
        progress.check_due(now=NOW + 7 * (place + 3) * DAY)
    pair.refresh_from_db()
    first = next(look for look in pair.looks.order_by("week") if look.week >= date(2027, 3, 8))
    assert pair.state == Pair.State.PASSED
    assert first.number == 1


@pytest.mark.parametrize(
    ("target", "why"), [(3.6, "is the target"), (2.9, "beyond the start"), (5.2, "no such value")]
)
def test_not_every_number_is_a_target(case, mara, target, why):
    with pytest.raises(cases.MeansRefused, match=why):
        decide(case, mara, "redirect", target=target)
    case.refresh_from_db()
    assert case.decided_at is None


def test_a_target_that_is_reached_already_is_an_end_in_disguise(case, pair, mara):
    Look.objects.create(
        pair=pair, week=NOW.date(), number=1, n=50, level=3.5, se=0.05, p_reached=0.1, taken_at=NOW
    )
    with pytest.raises(cases.MeansRefused, match="very likely there already"):
        decide(case, mara, "redirect", target=3.3)


def test_another_coach_frees_the_learner_who_waits_for_the_next_best(case, pair, mara, lea, ivo):
    decide(case, mara, "redirect", other_coach=True)
    pair.refresh_from_db()
    assert (pair.state, pair.ending) == ("ended", "redirected")
    place = Waiting.objects.get()
    assert (place.learner, place.metric, place.after, place.why) == (
        lea, pair.metric, pair, "redirected",
    )  # fmt: skip
    assert {row.recipient for row in Letter.objects.filter(kind="decided")} == {lea, ivo}
    assert Cohort.objects.get().state == Cohort.State.LIVE


def test_one_other_way_at_a_time(case, mara):
    with pytest.raises(cases.MeansRefused):
        decide(case, mara, "redirect", other_coach=True, target=3.4)
    with pytest.raises(cases.MeansRefused):
        decide(case, mara, "redirect")


# -- the end, openly ------------------------------------------------------------------------


def test_the_end_is_said_openly_and_closes_the_cohort(case, pair, mara, lea):
    outbox.promise([messages.reminder(pair, lea, due=STUCK, last=None, sessions=0)], now=STUCK)
    decide(case, mara, "accept")
    pair.refresh_from_db()
    assert (pair.state, pair.ending, pair.ended_at) == ("ended", "accepted", STUCK)
    assert Letter.objects.get(kind="reminder").state == Letter.State.CANCELLED
    assert Letter.objects.filter(kind="decided", state=Letter.State.PENDING).count() == 2
    assert Cohort.objects.get().state == Cohort.State.CLOSED
    progress.check_due(now=STUCK + 5 * WEEK)
    pair.refresh_from_db()
    assert pair.state == Pair.State.ENDED


def test_a_decision_needs_a_reason_and_is_made_once(case, pair, mara, ivo):
    for by, decision, note, refusal in (
        (mara, "recovered", "-", cases.NoSuchDecision),
        (mara, "", "-", cases.NoSuchDecision),
        (mara, "accept", "  ", cases.NoReason),
        (ivo, "accept", "Enough.", cases.OwnPair),
    ):
        with pytest.raises(refusal):
            decide(case, by, decision, note)
    decide(case, mara, "everything")
    with pytest.raises(cases.CaseDecided):
        decide(case, mara, "accept")
    pair.refresh_from_db()
    assert pair.state == Pair.State.AT_RISK


def test_a_sweep_that_read_the_pair_before_the_decision_changes_nothing(case, pair, mara):
    stale = progress.pair_queries.with_record(Pair.objects.all()).get()
    decide(case, mara, "everything")
    stale.all_looks = []
    verdict = progress.progress.Verdict(progress.progress.State.ON_TRACK, None, "-")
    progress._settle(stale, verdict, now=STUCK)
    pair.refresh_from_db()
    assert pair.state == Pair.State.AT_RISK


# -- asking for help ------------------------------------------------------------------------


def test_who_asks_for_help_is_heard_by_the_manager_alone(pair, mara, lea, ivo):
    for _ in range(2):
        assert cases.ask_for_help(pair=pair, by=lea, note="We never find time.", now=NOW) == mara
    letter = Letter.objects.get()
    assert (letter.recipient, letter.context["asked_by"]) == (mara, "Lea Brandt")
    assert not Notice.objects.filter(person=ivo).exists()
    # It is wanted although the pair is not stuck.
    outbox.deliver_due(now=NOW + DAY + timedelta(hours=5))
    letter.refresh_from_db()
    assert letter.state == Letter.State.SENT
    pair.refresh_from_db()
    assert pair.state == Pair.State.ON_TRACK


def test_only_the_two_ask_and_only_while_they_swim(pair, mara, lea):
    with pytest.raises(cases.NotYours):
        cases.ask_for_help(pair=pair, by=mara, note="", now=NOW)
    pair.state = Pair.State.ENDED
    with pytest.raises(cases.NotSwimming):
        cases.ask_for_help(pair=pair, by=lea, note="", now=NOW)


# -- at the same moment ---------------------------------------------------------------------

DECIDE = """
from coaching.errors import CoachingError
from coaching.models import Case, Person
from coaching.services import cases
case = Case.objects.select_related("pair__learner__team", "pair__coach", "pair__metric").get()
try:
    cases.decide(case=case, decision=sys.argv[1], note="At once.", by=Person.objects.get(
        pk=int(sys.argv[2])), now=datetime.fromisoformat(sys.argv[3]))
    print("decided")
except CoachingError as refusal:
    print(type(refusal).__name__)
"""
CHECK = """
from coaching.services import progress
progress.check_due(now=datetime.fromisoformat(sys.argv[1]))
print("checked")
"""


@pytest.mark.django_db(transaction=True)
def test_two_decide_at_once_and_one_of_them_has(pair, mara, hanna, lea, ivo):
    case = stuck()
    crowd = [
        processes.start(DECIDE, decision, by.pk, STUCK.isoformat())
        for decision, by in (("accept", mara), ("everything", hanna), ("accept", hanna))
    ]
    told = [line.strip() for line in processes.race(crowd, timeout=120)]
    assert sorted(told) == ["CaseDecided", "CaseDecided", "decided"]
    case.refresh_from_db()
    pair.refresh_from_db()
    assert pair.is_active == (case.decision == "everything")
    assert Letter.objects.filter(kind="decided").count() == 2
    assert Event.objects.filter(verb__startswith="case decided").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_pass_and_an_end_at_once_are_one_of_both(pair, mara, lea):
    case = stuck()
    later = NOW + 6 * WEEK
    for week in range(4):
        factories.add_reading(lea, pair.metric, pair.counts_from + week * WEEK, mean=4.5, n=200)
    Pair.objects.update(next_check_at=NOW)
    crowd = [
        processes.start(DECIDE, "accept", mara.pk, later.isoformat()),
        processes.start(CHECK, later.isoformat()),
        processes.start(CHECK, later.isoformat()),
    ]
    told = processes.race(crowd, timeout=120)
    pair.refresh_from_db()
    case.refresh_from_db()
    ended = told[0].strip() == "decided"
    assert told[1:] == ["checked\n"] * 2
    assert pair.state == ("ended" if ended else "passed")
    assert case.decision == ("accept" if ended else "recovered")
    kinds = set(Letter.objects.filter(pair=pair).values_list("kind", flat=True))
    assert ("decided" in kinds, "passed" in kinds) == (ended, not ended)
