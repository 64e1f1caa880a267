"""
The simulated contact centre's life: readings arrive, pairs meet, the product does the rest.

Only this module knows the truth about the simulated people. Everything else
happens through the same services that a real deployment uses.
"""

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from coaching.domain import cadence, centre
from coaching.errors import CoachingError
from coaching.models import (
    Cohort,
    Metric,
    Pair,
    Person,
    Plan,
    Reading,
    Simulation,
    Team,
)
from coaching.queries import clock
from coaching.services import cohorts, people, plans, progress, rankings, scorecards, ticks

SEED = 4
WEEKS = 26
# Whole weeks of readings after the launch of the first cohort.
WEEKS_OF_COACHING = 7
TIME_TO_THE_TEST = timedelta(weeks=10)
FIRST_SITE = "Leeds"
PASSWORD = "lanemate"
ROOT = "Northwind contact centre"
# The hours of a simulated day in which something may be due, in the zones of all sites.
FIRST_HOUR, LAST_HOUR = 5, 19


class NotSimulated(CoachingError):
    message = (
        "This database holds real people. Weeks can only pass in the simulated contact centre "
        "that “manage.py demo” sets up."
    )


class AlreadyPassing(CoachingError):
    message = "Another week is just passing. Wait for it to end."


class NotEmpty(CoachingError):
    message = (
        "This database is in use already; the simulated contact centre needs one of its own. "
        "Set LANEMATE_VAR to another folder, or DATABASE_URL to an empty database."
    )


def load(*, now: datetime, seed: int = SEED) -> Cohort:
    """
    Set up the centre with half a year of readings and one cohort that is mid-way.

    1. people, teams, logins and metrics, 2. readings up to the launch, 3. rank,
    plan and launch as the head of the centre would, 4. let the weeks since
    then pass.

    :raises NotEmpty: when anybody is in the database already
    """
    if Person.objects.exists():
        raise NotEmpty
    monday = cadence.week_of(now.date())
    world = centre.build(seed=seed, today=now.date())
    launched_at = datetime.combine(
        monday - timedelta(weeks=WEEKS_OF_COACHING + 1) + timedelta(days=2), time(10, 12), UTC
    )
    with transaction.atomic():
        Simulation.objects.create(pk=1, seed=seed, epoch=monday - timedelta(weeks=WEEKS))
        mara = _hire(world, now=launched_at)
        _define_metrics()
        for weeks_ago in range(WEEKS, WEEKS_OF_COACHING + 1, -1):
            _store_week(world, monday - timedelta(weeks=weeks_ago))
    leeds = Team.objects.get(name=FIRST_SITE)
    scorecard = scorecards.default_scorecard(team=leeds, by=mara, now=launched_at)
    ranking = rankings.run(scorecard=scorecard, by=mara, now=launched_at)
    cohort = cohorts.create(
        ranking=ranking,
        name=f"First cohort, {FIRST_SITE}",
        test_date=(launched_at + TIME_TO_THE_TEST).date(),
        target_form=Cohort.Target.GAP_TOP,
        by=mara,
        now=launched_at,
    )
    plan = plans.draft(cohort=cohort, by=mara, now=launched_at)
    _give_logins(plan, seed=seed)
    cohorts.launch(plan=plan, by=mara, now=launched_at)
    ticks.tick(now=launched_at)
    _live(start=launched_at, end=now, seed=seed)
    _raise_a_hand(now=now)
    whole = scorecards.default_scorecard(team=mara.team, by=mara, now=now)
    rankings.run(scorecard=whole, by=mara, now=now)
    return cohort


def pass_weeks(*, weeks: int) -> datetime:
    """
    Let weeks pass in the simulated centre, a day at a time; returns its new time.

    :raises NotSimulated, AlreadyPassing:
    """
    simulation = Simulation.objects.first()
    if simulation is None:
        raise NotSimulated
    for _ in range(weeks * 7):
        ahead = simulation.ahead
        today = timezone.now() + ahead
        # Only one at a time: whoever still sees the old clock moves it.
        moved = Simulation.objects.filter(pk=simulation.pk, ahead=ahead)
        if moved.update(ahead=ahead + timedelta(days=1)) != 1:
            raise AlreadyPassing
        simulation.ahead = ahead + timedelta(days=1)
        _live(start=today, end=today + timedelta(days=1), seed=simulation.seed)
    return clock.now()


def _hire(world: centre.Centre, *, now: datetime) -> Person:
    """Teams, managers and agents; returns the head of the centre."""
    root = Team.objects.create(name=ROOT)
    mara = Person.objects.create(
        key="M001", name="Mara Lindqvist", email="mara.lindqvist@example.com",
        role="Head of centre", site="Leeds", team=root, time_zone="Europe/London",
    )  # fmt: skip
    root.manager = mara
    root.save(update_fields=["manager"])
    Person.objects.create(
        key="M002", name="Hanna Reuter", email="hanna.reuter@example.com", role="HR partner",
        site="Leeds", team=root, time_zone="Europe/London", access=Person.Access.HR,
    )  # fmt: skip
    sites = {}
    for name, _, _ in centre.SITES:
        sites[name] = Team.objects.create(name=name, parent=root)
    teams = {}
    zones = {agent.team: (agent.time_zone, agent.language) for agent in world.agents}
    for number, plan in enumerate(world.teams):
        team = Team.objects.create(name=plan.name, parent=sites[plan.site])
        zone, language = zones[plan.name]
        team.manager = Person.objects.create(
            key=f"L{number + 101}", name=plan.lead, email=_address(plan.lead, f"L{number + 101}"),
            role="Team lead", site=plan.site, team=team, time_zone=zone, language=language,
        )  # fmt: skip
        team.save(update_fields=["manager"])
        teams[plan.name] = team
    Person.objects.bulk_create(
        Person(
            key=agent.key,
            name=agent.name,
            email=_address(agent.name, agent.key),
            role="Agent",
            site=agent.site,
            shift=agent.shift,
            language=agent.language,
            team=teams[agent.team],
            time_zone=agent.time_zone,
            part_time=agent.part_time,
            started_on=agent.started_on,
        )
        for agent in world.agents
    )
    return mara


def _address(name: str, key: str) -> str:
    """A mail address that can never reach anybody (the domain is reserved for examples)."""
    return f"{slugify(name)}.{key.casefold()}@example.com"


def _define_metrics() -> None:
    Metric.objects.bulk_create(
        Metric(
            key=skill.key,
            name=skill.name,
            kind=skill.kind,
            direction=skill.direction,
            unit=skill.unit,
            lower=skill.lower,
            upper=skill.upper,
        )
        for skill in centre.SKILLS
    )


def _give_logins(plan: Plan, *, seed: int) -> None:
    """Logins for the head, HR, and one pair of the plan who will take the steady way."""
    draft = next(
        draft
        for draft in plan.draft_pairs.select_related("learner", "coach").order_by("learner_id")
        if centre.pace_of(seed, draft.learner.key) == centre.STEADY
    )
    for person, name in ((draft.learner, "Lea Brandt"), (draft.coach, "Ivo Marković")):
        person.name = name
        person.email = _address(name, person.key)
        person.save(update_fields=["name", "email"])
    accounts = {
        "mara": Person.objects.get(key="M001"),
        "hr": Person.objects.get(key="M002"),
        "lea": draft.learner,
        "ivo": draft.coach,
    }
    hashed = make_password(PASSWORD)
    for login, person in accounts.items():
        person.user = get_user_model().objects.create(username=login, password=hashed)
        person.save(update_fields=["user"])


def _raise_a_hand(*, now: datetime) -> None:
    """Somebody in the middle who would like a coach, for the next cohort."""
    busy = Pair.objects.values("learner")
    coaching = Pair.objects.values("coach")
    person = (
        Person.objects.filter(role="Agent").exclude(pk__in=busy).exclude(pk__in=coaching)
    ).order_by("pk")[20]
    people.raise_hand(
        person=person,
        metric=Metric.objects.get(key="quality"),
        note="My reviews are fine, but I would like to get better at the closing part.",
        now=now,
    )


def _live(*, start: datetime, end: datetime, seed: int) -> None:
    """Everything that happens after `start` and until `end`, hour by hour."""
    world = None
    hour = start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    while hour <= end:
        if hour.hour == FIRST_HOUR:
            if hour.weekday() == cadence.MONDAY:
                world = world or _world(seed)
                monday = hour.date() - cadence.WEEK
                _store_week(world, monday, gains=_gains(world, monday))
                newest = Reading.objects.filter(period=monday)
                progress.readings_arrived(newest, now=hour)
            _meet(hour, seed=seed)
        if FIRST_HOUR <= hour.hour <= LAST_HOUR:
            ticks.tick(now=hour)
        hour += timedelta(hours=1)


def _world(seed: int) -> centre.Centre:
    # The people's start dates do not matter any more; everything else follows from the seed.
    return centre.build(seed=seed, today=date(2000, 1, 1))


def _store_week(world: centre.Centre, monday: date, *, gains: np.ndarray | None = None) -> None:
    number = (monday - Simulation.objects.get().epoch).days // 7
    persons = dict(Person.objects.filter(role="Agent").values_list("key", "pk"))
    metrics = dict(Metric.objects.values_list("key", "pk"))
    Reading.objects.bulk_create(
        [
            Reading(
                person_id=persons[world.agents[person].key],
                metric_id=metrics[centre.SKILLS[skill].key],
                period=monday,
                n=n,
                sum=total,
                sumsq=squares,
            )
            for person, skill, n, total, squares in centre.week(world, number, gains=gains)
        ],
        ignore_conflicts=True,
        batch_size=2000,
    )


def _gains(world: centre.Centre, monday: date) -> np.ndarray:
    """What coaching has added to each person's true skills by this week."""
    gains = np.zeros_like(world.truth)
    row = {agent.key: index for index, agent in enumerate(world.agents)}
    column = {skill.key: index for index, skill in enumerate(centre.SKILLS)}
    pairs = Pair.objects.filter(counts_from__lte=monday).select_related("learner", "metric")
    for pair in pairs.exclude(state=Pair.State.ENDED):
        at = row[pair.learner.key], column[pair.metric.key]
        skill = centre.SKILLS[at[1]]
        # Rates are kept as logarithms over there, and as plain values in a pair.
        target = np.log(pair.target) if skill.kind == "rate" else pair.target
        weeks = (monday - pair.counts_from).days / 7 + 1
        way = centre.way_gone(centre.pace_of(world.seed, pair.learner.key), weeks)
        gains[at] = max(gains[at], way * (target - world.truth[at]), key=abs)
    return gains


def _meet(hour: datetime, *, seed: int) -> None:
    """Pairs meet once a week, each on its own weekday, from the first week on."""
    for pair in Pair.objects.active().select_related("learner__team", "coach", "metric"):
        weekday = int(pair.learner.key.encode().hex(), 16) % 5
        if hour.weekday() == weekday and hour > pair.started_at:
            progress.log_session(pair=pair, held_on=hour.date(), note="", by=pair.learner, now=hour)
