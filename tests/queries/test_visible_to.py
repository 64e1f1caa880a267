"""Who sees what: one door per noun, for Mara, Otto, Lea, Ivo and Hanna."""

from datetime import timedelta

import pytest
from django.http import Http404

from coaching.models import Case, Event, HandRaise, Import, Letter, Person, Plan, Reading, Standing
from coaching.notifications import messages, outbox
from coaching.queries import (
    access,
    cohorts,
    imports,
    letters,
    metrics,
    pairs,
    people,
    rankings,
    teams,
    trail,
)
from coaching.services import audit
from tests import factories
from tests.conftest import NOW


def fresh(person: Person) -> Person:
    """As at the next request: what a person manages is remembered with the object."""
    return Person.objects.select_related("team").get(pk=person.pk)


@pytest.fixture
def cast(mara, otto, lea, hanna, pair) -> dict[str, Person]:
    """Ivo coaches Lea, both of Mara's team; Nils of Otto's team stands by."""
    nils = factories.make_person("Nils", team=otto.team)
    everybody = {"mara": mara, "otto": otto, "lea": lea, "ivo": pair.coach, "hanna": hanna}
    return {name: fresh(person) for name, person in {**everybody, "nils": nils}.items()}


def who_sees(door, row, cast) -> set[str]:
    return {name for name, person in cast.items() if door(person).filter(pk=row.pk).exists()}


def test_a_pair_is_seen_by_both_their_manager_and_hr(pair, cast):
    assert who_sees(pairs.visible_to, pair, cast) == {"mara", "lea", "ivo", "hanna"}


def test_the_coachs_manager_does_not_see_the_pair(lea, otto, csat, cast, pair):
    coach = factories.make_person("Uma", team=otto.team)
    abroad = factories.make_pair(
        factories.make_person("Rita", team=lea.team), coach,
        metric=csat, cohort=pair.cohort, now=NOW,
    )  # fmt: skip
    assert who_sees(pairs.visible_to, abroad, cast) == {"mara", "hanna"}
    assert pairs.visible_to(coach).contains(abroad)
    assert not pairs.manages(cast["otto"], abroad)


def test_who_manages_a_pair_is_not_half_of_it(pair, cast):
    manages = {name for name, person in cast.items() if pairs.manages(person, pair)}
    assert manages == {"mara", "hanna"}
    pair.coach = cast["mara"]
    assert not pairs.manages(cast["mara"], pair)


def test_a_manager_sees_the_teams_below(team, mara, pair, csat):
    dock = factories.make_team("Dock", parent=team)
    below = factories.make_pair(
        factories.make_person(team=dock), factories.make_person(team=dock),
        metric=csat, cohort=pair.cohort, now=NOW,
    )  # fmt: skip
    assert pairs.visible_to(fresh(mara)).contains(below)
    boss = factories.make_person("Boss", team=dock)
    dock.manager = boss
    dock.save()
    assert list(pairs.visible_to(boss)) == [below]


def test_people_and_readings(lea, csat, cast):
    assert who_sees(people.visible_to, lea, cast) == {"lea", "mara", "hanna"}
    reading = factories.add_reading(lea, csat, NOW.date(), mean=3)
    assert who_sees(people.readings_visible_to, reading, cast) == {"lea", "mara", "hanna"}


def test_teams(team, cast):
    assert who_sees(teams.visible_to, team, cast) == {"mara", "lea", "ivo", "hanna"}
    assert who_sees(teams.managed_by, team, cast) == {"mara", "hanna"}


def test_cohorts_plans_and_cases_are_for_managers(pair, cast):
    plan = Plan.objects.create(cohort=pair.cohort, created_at=NOW)
    case = Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=NOW)
    assert who_sees(cohorts.visible_to, pair.cohort, cast) == {"mara", "hanna"}
    assert who_sees(cohorts.plans_visible_to, plan, cast) == {"mara", "hanna"}
    assert who_sees(cohorts.cases_visible_to, case, cast) == {"mara", "hanna"}


def test_rankings_are_for_managers_and_nobody_reads_a_rank_of_their_own(pair, lea, cast):
    ranking = pair.cohort.ranking
    standing = Standing.objects.create(
        ranking=ranking, person=lea, metric=None, group="-", n=0, estimate=0, se=1,
        reliability=0, z=0, p_low=0, p_high=0, p_need=0, p_skill=0, rank_low=0, rank_high=1,
        band="weak",
    )  # fmt: skip
    assert who_sees(rankings.visible_to, ranking, cast) == {"mara", "hanna"}
    assert who_sees(rankings.standings_visible_to, standing, cast) == {"mara", "hanna"}
    assert who_sees(rankings.scorecards_visible_to, ranking.scorecard, cast) == {"mara", "hanna"}
    assert rankings.latest_of(cast["mara"], lea) == ranking
    assert rankings.latest_of(cast["lea"], lea) is None


def test_letters_are_their_readers_and_those_about_a_pair_its_managers(pair, lea, cast):
    outbox.promise(
        [messages.invitation(pair, lea), messages.digest(lea, due=NOW, content={})], now=NOW
    )
    invitation, digest = (Letter.objects.get(kind=kind) for kind in ("invitation", "digest"))
    assert who_sees(letters.visible_to, invitation, cast) == {"lea", "mara", "hanna"}
    assert who_sees(letters.visible_to, digest, cast) == {"lea"}
    assert {name for name, one in cast.items() if letters.notices_for(one).exists()} == {"lea"}


def test_a_letter_about_a_cohort_is_seen_by_who_manages_its_team(pair, lea, cast):
    outbox.promise(
        [messages.closed(pair.cohort, lea, pairs=1, passed=1, is_manager=False)], now=NOW
    )
    assert who_sees(letters.visible_to, Letter.objects.get(), cast) == {"lea", "mara", "hanna"}


def test_raised_hands(lea, csat, cast):
    hand = HandRaise.objects.create(person=lea, metric=csat, raised_at=NOW)
    assert who_sees(metrics.hands_visible_to, hand, cast) == {"lea", "mara", "hanna"}
    assert who_sees(metrics.visible_to, csat, cast) == set(cast)


def test_imports_are_the_uploaders_own(cast):
    source = Import.objects.create(
        filename="a.csv", size=1, sha256="0", uploaded_by=cast["mara"], created_at=NOW
    )
    assert who_sees(imports.visible_to, source, cast) == {"mara", "hanna"}


def test_the_audit_trail_is_its_teams_managers(pair, team, cast):
    audit.record("looked", pair, by=cast["mara"], now=NOW, team=team)
    audit.record("server started", pair, by=None, now=NOW)
    teamwise, general = Event.objects.order_by("pk")
    assert who_sees(trail.visible_to, teamwise, cast) == {"mara", "hanna"}
    assert who_sees(trail.visible_to, general, cast) == {"hanna"}
    assert list(pairs.history(pair)) == [general, teamwise]


def test_not_yours_looks_like_not_there(pair, cast):
    assert access.found_or_404(pairs.visible_to(cast["lea"]), pair.public_id) == pair
    for reader, public_id in ((cast["otto"], pair.public_id), (cast["hanna"], "no-such-id")):
        with pytest.raises(Http404):
            access.found_or_404(pairs.visible_to(reader), public_id)


def test_an_auditor_reads_no_names(pair, db):
    auditor = factories.make_person(access=Person.Access.AUDITOR)
    assert not pairs.visible_to(auditor).exists()
    assert not trail.visible_to(auditor).exists()
    assert list(people.visible_to(auditor)) == [auditor]


# -- the chain of managers -----------------------------------------------------------------


def test_the_chain_above_runs_from_the_nearest_to_the_top(team, mara, lea):
    root = factories.make_team("World")
    team.parent = root
    team.save()
    head = factories.make_person("Head", team=root)
    root.manager = head
    root.save()
    assert people.chain_above(fresh(lea)) == [mara, head]
    assert people.chain_above(fresh(mara)) == [head]
    assert people.chain_above(head) == []
    assert people.chain_above(factories.make_person()) == []


def test_the_chain_passes_over_who_has_left_and_names_nobody_twice(team, mara, lea):
    root = factories.make_team("World")
    dock = factories.make_team("Dock", parent=team)
    team.parent, root.manager, dock.manager = root, mara, mara
    for one in (root, dock, team):
        one.save()
    person = factories.make_person(team=dock)
    assert people.chain_above(person) == [mara]
    mara.active = False
    mara.save()
    assert people.chain_above(fresh(person)) == []


# -- what pages read -------------------------------------------------------------------------


def test_the_coach_reads_no_weeks_before_the_launch(pair, lea, csat, mara):
    for weeks in range(-8, 3):
        factories.add_reading(lea, csat, pair.counts_from + timedelta(weeks=weeks), mean=3)
    assert [row.period for row in pairs.readings_of(pair, pair.coach)] == [
        pair.counts_from + timedelta(weeks=week) for week in range(3)
    ]
    for reader in (lea, mara):
        assert len(pairs.readings_of(pair, reader)) == 9
    other = factories.make_metric("other")
    Reading.objects.filter(period=pair.counts_from).update(metric=other)
    assert len(pairs.readings_of(pair, lea)) == 8


@pytest.mark.parametrize("number", [2, 20])
def test_a_board_of_any_length_takes_two_queries(
    make_pairs, mara, number, django_assert_num_queries
):
    make_pairs(number)
    reader = fresh(mara)
    access.managed_paths(reader)
    with django_assert_num_queries(2):
        rows = list(pairs.on_board(pairs.visible_to(reader)))
        assert len([(row.learner.team, row.coach.team, row.looks.all()) for row in rows]) == number


def test_the_board_begins_with_who_needs_somebody(make_pairs, mara):
    one, two, three, four = make_pairs(4)
    for row, values in (
        (one, {"state": "passed", "passed_at": NOW}),
        (two, {"state": "stuck", "state_since": NOW}),
        (three, {"state": "stuck", "state_since": NOW - timedelta(days=1)}),
    ):
        type(row).objects.filter(pk=row.pk).update(**values)
    assert list(pairs.on_board(pairs.visible_to(fresh(mara)))) == [three, two, four, one]


def test_a_cohort_counts_its_pairs_by_state(make_pairs, mara):
    one, two, _ = make_pairs(3)
    type(one).objects.filter(pk=one.pk).update(state="passed", passed_at=NOW)
    type(two).objects.filter(pk=two.pk).update(state="stuck")
    cohort = cohorts.with_counts(cohorts.visible_to(fresh(mara))).get()
    counts = (cohort.pair_count, cohort.passed_count, cohort.stuck_count, cohort.on_track_count)
    assert counts == (3, 1, 1, 1)
    assert cohort.last_passed_at == NOW
    assert cohorts.seats_taken([one.coach, two.coach]) == {two.coach_id: 1}


def test_the_next_step_is_one_sentence(pair, lea):
    today = NOW.date()

    def step() -> str:
        mine = pairs.mine(lea).get()
        return pairs.next_step(mine, lea, today=today)

    assert step() == "Agree on a first session with Ivo."
    factories.hold_session(pair, today - timedelta(days=6))
    assert step().startswith("Try what you agreed with Ivo")
    today += timedelta(days=1)
    assert step().startswith("Your last session was 7 days ago")
    type(pair).objects.update(state="passed", passed_at=NOW)
    assert step().startswith("Done.")
    type(pair).objects.update(state="ended", passed_at=None, ended_at=NOW, ending="left")
    assert step().startswith("Nothing")
