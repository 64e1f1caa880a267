"""
A small company whose weeks pass when somebody says so, for the journey of its manager.

`python -m tests.browser.pool found` hires the manager, whose login is mara; `… pass WEEKS APART`
lets weeks pass in which all pairs but the first APART meet, and their numbers come in. Both with
LANEMATE_VAR set to the folder of the server. The file that the manager imports is `export`.
"""

import csv
import io
import os
import sys
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

TEAM = "Harbour"
AGENTS, STRUGGLING, SHINING = 40, 6, 6
CASES_A_WEEK = 20
STRUGGLES, USUAL, SHINES = 2.4, 3.5, 4.5
WEEK, THURSDAY = timedelta(weeks=1), timedelta(days=3)


def weeks_until(monday: date, number: int) -> list[date]:
    return [monday - back * WEEK for back in range(number, 0, -1)]


def export(mondays: list[date], *, learned: Collection[str] = ()) -> bytes:
    """
    A row a case, as a ticket system would export it.

    learned : names of those who do as well as the best by now
    """
    sheet = io.StringIO()
    rows = csv.writer(sheet)
    rows.writerow(["Agent", "Date", "Rating", "Resolved"])
    for monday in mondays:
        rng = np.random.default_rng(monday.toordinal())
        for agent in range(AGENTS):
            name, level = f"Swimmer {agent:02}", USUAL
            if name in learned or agent >= AGENTS - SHINING:
                level = SHINES
            elif agent < STRUGGLING:
                level = STRUGGLES
            for case in range(CASES_A_WEEK):
                day = monday + timedelta(days=case % 5)
                rating = 1 + rng.binomial(4, (level - 1) / 4)
                solved = rng.random() < level / 5
                rows.writerow([name, day.isoformat(), rating, "NY"[int(solved)]])
    return sheet.getvalue().encode()


def found() -> None:
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.utils import timezone

    from coaching.models import Person, Simulation, Team
    from tests.browser.conftest import PASSWORD

    call_command("migrate", verbosity=0, interactive=False)
    # Nobody is simulated here: this is the clock that can be moved.
    Simulation.objects.create(pk=1, seed=0, epoch=timezone.now().date())
    team = Team.objects.create(name=TEAM)
    login = get_user_model().objects.create_user("mara", password=PASSWORD)
    team.manager = Person.objects.create(key="mara", name="Mara Lindqvist", team=team, user=login)
    team.save()


def let_pass(weeks: int, apart: int) -> None:
    from coaching.domain import cadence
    from coaching.models import Pair, Person
    from coaching.queries import clock
    from coaching.services import imports, sessions, ticks

    mara = Person.objects.get(key="mara")
    learners = set(Pair.objects.values_list("learner__name", flat=True))
    for _ in range(weeks):
        today = clock.now().date()
        monday = cadence.week_of(today + timedelta(days=6))
        now = _turn_clock(datetime.combine(monday + THURSDAY, time(14), UTC))
        ticks.tick(now=now)
        for pair in Pair.objects.active().order_by("pk")[apart:]:
            sessions.log(pair=pair, held_on=now.date(), note="", by=pair.learner, now=now)
        ticks.tick(now=now)
        now = _turn_clock(datetime.combine(monday + WEEK, time(6), UTC))
        source = imports.receive(
            filename=f"{monday}.csv",
            content=export([monday], learned=learners),
            by=mara,
            team=mara.team,
            now=now,
        )
        ticks.tick(now=now)
        imports.confirm(source=source, good_rows_only=False, by=mara, now=now)
        ticks.tick(now=now)


def _turn_clock(now: datetime) -> datetime:
    """Let the server's clock say `now`."""
    from django.utils import timezone

    from coaching.models import Simulation

    Simulation.objects.update(ahead=now - timezone.now())
    return now


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    if sys.argv[1] == "found":
        found()
    else:
        let_pass(*(int(word) for word in sys.argv[2:]))
