"""Teams and their people: seats, load, days away and running pairs."""

from datetime import timedelta

import pytest
from django.urls import reverse

from coaching.models import Event, Member, Person, Plan, Team, Waiting
from coaching.queries import teams
from coaching.services import departures, launches, plans, seats, waiting
from tests import factories


def at(name: str, row) -> str:
    return reverse(name, args=[row.public_id])


# -- seats ---------------------------------------------------------------------------------


@pytest.fixture
def scarce(plan, mara, now) -> Plan:
    """A running cohort whose coaches have one seat in all: the other learners wait."""
    coaches = plan.cohort.members.filter(side=Member.Side.COACH).values("person")
    coach = plan.draft_pairs.order_by("pk").first().coach
    Person.objects.filter(pk__in=coaches).update(capacity=0)
    Person.objects.filter(pk=coach.pk).update(capacity=1)
    plan = plans.solve(plan=plan, by=mara, now=now)
    launches.launch(plan=plan, by=mara, now=now)
    waiting.propose_due(now=now)
    assert Waiting.objects.filter(settled_at=None, proposal__isnull=True).count() >= 2
    return plan


def coach_of(plan: Plan) -> Person:
    return plan.cohort.pairs.get().coach


def proposed() -> int:
    return Waiting.objects.filter(settled_at=None, proposal__isnull=False).count()


def test_more_seats_after_the_launch_let_who_waits_be_proposed(scarce, mara_client, now):
    coach = coach_of(scarce)
    later = now + timedelta(hours=3)
    assert waiting.propose_due(now=later) == 0
    answer = mara_client.post(at("person-seats", coach), {"seats": 3}, follow=True)
    assert f"{coach.name} takes three learners at a time." in answer.text
    assert waiting.propose_due(now=later) == 2
    assert proposed() == 2
    assert Event.objects.get(verb="seats changed").details == {"old": 1, "new": 3}


def test_seats_a_plan_gave_follow_in_running_cohorts(scarce, mara, now):
    coach = coach_of(scarce)
    Plan.objects.filter(pk=scarce.pk).update(capacities={coach.public_id: 1})
    seats.change(person=coach, seats=2, by=mara, now=now)
    scarce.refresh_from_db()
    assert scarce.capacities == {coach.public_id: 2}
    assert waiting.propose_due(now=now) == 1


def test_fewer_seats_take_back_what_was_proposed_and_no_pair(scarce, mara, now):
    coach = coach_of(scarce)
    seats.change(person=coach, seats=2, by=mara, now=now)
    waiting.propose_due(now=now)
    assert proposed() == 1
    seats.change(person=coach, seats=0, by=mara, now=now)
    assert proposed() == 0
    assert waiting.propose_due(now=now) == 0
    assert coach_of(scarce).pairs_as_coach.active().count() == 1


def test_the_same_seats_are_no_change(ivo, mara, now):
    assert seats.change(person=ivo, seats=ivo.capacity, by=mara, now=now) == ivo.capacity
    assert not Event.objects.exists()


def test_who_has_left_gets_no_seats(ivo, mara, now):
    departures.leaves(person=ivo, by=mara, now=now)
    with pytest.raises(seats.HasLeft):
        seats.change(person=ivo, seats=3, by=mara, now=now)


@pytest.mark.parametrize("given", ["", "x", "-1", "51", "1.5", "9" * 40])
def test_seats_that_are_no_number_are_refused_in_words(ivo, mara_client, given):
    answer = mara_client.post(at("person-seats", ivo), {"seats": given}, follow=True)
    assert "flash" in answer.text
    ivo.refresh_from_db()
    assert ivo.capacity == 2


@pytest.mark.parametrize("number", [-1, 51])
def test_the_service_keeps_the_range_itself(ivo, mara, now, number):
    with pytest.raises(seats.OutOfRange):
        seats.change(person=ivo, seats=number, by=mara, now=now)


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "/me/", ""])
def test_it_leads_back_to_the_team_and_nowhere_else(ivo, team, mara_client, back):
    address = at("person-seats", ivo)
    answer = mara_client.post(address, {"seats": 3, "from": back})
    assert answer.url == at("person", ivo)
    here = at("team", team) + "?q=ivo"
    assert mara_client.post(address, {"seats": 1, "from": here}).url == here


def test_only_their_managers_change_seats(ivo, mara, ivo_client, lea_client, otto_client, client):
    for one in (ivo_client, lea_client, otto_client):
        assert one.post(at("person-seats", ivo), {"seats": 9}).status_code == 404
    assert client.post(at("person-seats", ivo), {"seats": 9}).status_code == 302
    ivo.refresh_from_db()
    assert ivo.capacity == 2


def test_a_manager_in_a_team_of_others_does_not_change_their_own(team, mara, otto, client_of):
    """Otto manages Airfield and belongs to Harbour: his own seats are Mara's to say."""
    Person.objects.filter(pk=otto.pk).update(team=team)
    assert client_of(otto).post(at("person-seats", otto), {"seats": 9}).status_code == 404
    assert client_of(mara).post(at("person-seats", otto), {"seats": 9}).status_code == 302


# -- the pages -----------------------------------------------------------------------------


def test_the_overview_counts_people_seats_learners_and_who_is_away(pair, team, mara, ivo, lea, now):
    departures.away(person=lea, first_day=now.date(), last_day=now.date(), by=lea, now=now)
    (row,) = teams.overview(mara, today=now.date())
    assert (row.size, row.seats, row.taken, row.swim, row.away) == (3, 6, 1, 1, 1)
    (row,) = teams.overview(mara, today=now.date() + timedelta(days=1))
    assert row.away == 0


def test_a_team_shows_seats_load_pairs_and_days_away(pair, team, mara_client, lea, mara, now):
    first = now.date() + timedelta(days=3)
    departures.away(person=lea, first_day=first, last_day=first, by=mara, now=now)
    text = mara_client.get(at("team", team)).text
    assert at("pair", pair) in text
    assert "away from 4 March to 4 March" in text
    assert f'id="seats-{pair.coach.public_id}"' in text
    assert "learns with" in text
    assert "coaches" in text


def test_learners_of_other_teams_are_counted_and_not_named(team, mara, otto, ivo, csat, pair, now):
    nils = factories.make_person("Nils Weg", team=otto.team)
    factories.make_pair(nils, ivo, metric=csat, cohort=pair.cohort, now=now)
    (seat,) = teams.seats_of([ivo], mara, today=now.date())
    assert (seat.taken, [one.learner.name for one in seat.coaching], seat.unseen) == (
        2, ["Lea Brandt"], 1,
    )  # fmt: skip


def test_people_are_found_by_name_and_below(team, mara_client, ivo, lea):
    dock = factories.make_team("Dock", parent=team)
    factories.make_person("Nora Ash", team=dock)
    address = at("team", team)
    assert "Nora Ash" not in mara_client.get(address).text
    assert "Nora Ash" in mara_client.get(address, {"below": "1"}).text
    only = mara_client.get(address, {"q": "brandt"}).text
    assert "Lea Brandt" in only
    assert "Ivo Marković" not in only


@pytest.mark.parametrize("asked", [{"page": "x"}, {"q": "\0"}, {"below": "yes"}, {"q": "%" * 300}])
def test_nonsense_is_not_asked(team, ivo, mara_client, asked):
    assert mara_client.get(at("team", team), asked).status_code == 200


def test_teams_are_their_managers(team, other_team, mara_client, ivo_client, lea_client, client):
    assert mara_client.get(at("team", team)).status_code == 200
    assert mara_client.get(at("team", other_team)).status_code == 404
    for one in (ivo_client, lea_client):
        assert one.get(at("team", team)).status_code == 404
    assert client.get(at("team", team)).status_code == 302


def test_a_persons_page_has_their_seats(pair, ivo, mara_client, ivo_client):
    text = mara_client.get(at("person", ivo)).text
    assert "One learner now, of two seats." in text
    assert at("person-seats", ivo) in text


def test_pages_cost_the_same_for_any_number(
    make_pairs, team, mara, mara_client, now, django_assert_max_num_queries
):
    def cost(address: str) -> int:
        with django_assert_max_num_queries(25) as queries:
            assert mara_client.get(address).status_code == 200
        return len(queries)

    def grow(number: int) -> None:
        for pair in make_pairs(number):
            departures.away(
                person=pair.coach, first_day=now.date(), last_day=now.date(), by=mara, now=now
            )
        for at_ in range(number):
            factories.make_team(f"Below {Team.objects.count()}.{at_}", parent=team)

    grow(2)
    addresses = [reverse("teams"), at("team", team), at("team", team) + "?below=1"]
    few = [cost(address) for address in addresses]
    grow(20)
    assert [cost(address) for address in addresses] == few
