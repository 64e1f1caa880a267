"""A list costs the same for two rows as for twenty."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coaching.models import Case, Look, Member, Notice
from coaching.notifications import messages, outbox
from coaching.services import audit, cohorts, imports, people, plans
from tests import factories


def fill(name: str, number: int, *, team, mara, csat, make_pairs, now) -> str:
    """So many rows for a list, and its address."""
    if name == "notices":
        Notice.objects.bulk_create(
            Notice(person=mara, text="News", at=now, dedupe_key=f"{number} {place}")
            for place in range(number)
        )
    elif name in ("pairs", "cases", "letters", "events", "pair-sessions"):
        pairs = make_pairs(number)
        for pair in pairs:
            Case.objects.create(pair=pair, episode=1, clock="activity", opened_at=now)
            audit.record("looked", pair, by=mara, now=now, team=team)
            for week in range(3):
                Look.objects.create(
                    pair=pair, week=now.date() + timedelta(weeks=week), number=week + 1, n=9,
                    level=3.1, se=0.1, p_reached=0.1, taken_at=now,
                )  # fmt: skip
        outbox.promise([messages.invitation(pair, pair.learner) for pair in pairs], now=now)
        for day in range(number):
            factories.hold_session(pairs[0], now.date() - timedelta(days=day))
        if name == "pair-sessions":
            return f"/api/v1/pairs/{pairs[0].public_id}/sessions/"
        return f"/api/v1/{name}/"
    if name == "teams":
        for _ in range(number):
            factories.make_team(parent=team)
    elif name in ("people", "readings", "hand-raises"):
        for _ in range(number):
            person = factories.make_person(team=team)
            factories.add_reading(person, csat, now.date(), mean=4)
            people.raise_hand(person=person, metric=csat, note="", now=now)
    elif name == "metrics":
        for _ in range(number):
            factories.make_metric()
    elif name == "imports":
        for _ in range(number):
            imports.receive(filename="a.csv", content=b"a,b\n1,2\n", by=mara, team=team, now=now)
    else:
        for _ in range(number):
            factories.make_cohort(team, csat, now=now)
    return f"/api/v1/{name}/"


LISTS = (
    "teams", "people", "metrics", "readings", "hand-raises", "imports", "scorecards", "rankings",
    "cohorts", "pairs", "cases", "letters", "notices", "events", "pair-sessions",
)  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_for_any_number_of_rows(
    mara_client, name, team, mara, csat, make_pairs, now
):
    world = {"team": team, "mara": mara, "csat": csat, "make_pairs": make_pairs, "now": now}
    costs, sizes = [], []
    for number in (2, 18):
        address = fill(name, number, **world)
        with CaptureQueriesContext(connection) as queries:
            rows = mara_client.get(address).json()["results"]
        costs.append(len(queries))
        sizes.append(len(rows))
    assert sizes[1] > sizes[0]
    assert costs[0] == costs[1] <= 12


def test_a_plan_costs_the_same_for_any_number_of_pairs(mara_client, mara, team, csat, ranked, now):
    costs = []
    for left_in in (2, 5):
        cohort = cohorts.create(
            ranking=ranked.ranking, name="Again", test_date=(now + timedelta(weeks=8)).date(),
            target_form="gap_top", by=mara, now=now,
        )  # fmt: skip
        for side in Member.Side:
            ids = cohort.members.filter(side=side).values_list("pk", flat=True)[left_in:]
            Member.objects.filter(pk__in=list(ids)).delete()
        plan = plans.draft(cohort=cohort, by=mara, now=now)
        with CaptureQueriesContext(connection) as queries:
            told = mara_client.get(f"/api/v1/plans/{plan.public_id}/").json()
        assert len(told["pairs"]) == left_in
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 18


def test_standings_cost_the_same_for_any_number_of_people(mara_client, mara, ranked):
    where = f"/api/v1/rankings/{ranked.ranking.public_id}/standings/"
    costs = []
    for size in (2, 20):
        with CaptureQueriesContext(connection) as queries:
            assert len(mara_client.get(f"{where}?page_size={size}").json()["results"]) == size
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 10
