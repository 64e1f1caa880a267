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
from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import (
    Case,
    Cohort,
    Metric,
    Pair,
    Person,
    Plan,
    Reading,
    Session,
    Simulation,
    Team,
)
from coaching.queries import cases as case_queries
from coaching.queries import clock
from coaching.services import (
    cases,
    cohorts,
    happenings,
    launches,
    people,
    plans,
    progress,
    rankings,
    scorecards,
    sessions,
    ticks,
    worksheets,
)

SEED = 4
WEEKS = 26
# Whole weeks of readings after the launch of the first cohort.
WEEKS_OF_COACHING = 7
TIME_TO_THE_TEST = timedelta(weeks=10)
FIRST_SITE = "Leeds"
PASSWORD = "lanemate"
ROOT = "Northwind contact centre"
# When a simulated day is looked at: often enough that letters leave in the morning of every
# site. At weekends nothing leaves, and the first look is the only one.
HOURS = (5, 9, 11, 16)
AFTERNOON = time(14)
# So long the head of the centre lets a case lie before it is answered.
PATIENCE = timedelta(days=2)
FIRST_WEEKS = timedelta(weeks=5)
# What went how, what is tried next, and what the coach does: pages of the kind that people write.
PAGES = (
    (
        "The refund calls went better: I let people finish. One got loud, and I hurried.",
        "Count to two before I answer.",
        "Listen in on two calls on Thursday, and play you one of mine.",
    ),
    (
        "Openings are fine now. I still lose them when I look something up.",
        "Say out loud what I am doing while I search.",
        "We write down three sentences for it together.",
    ),
    (
        "A quiet week. The one hard case went well because I asked what they had tried.",
        "Ask that in every case.",
        "Collect the answers with you; they make a good list.",
    ),
)


class NotSimulated(CoachingError):
    message = said(
        "This database holds real people. Weeks can only pass in the simulated contact centre "
        "that “manage.py demo” sets up."
    )


class AlreadyPassing(CoachingError):
    message = said("Another week is just passing. Wait for it to end.")


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
    happenings.make_seats_scarce(plan, by=mara, now=launched_at)
    _give_logins(plan, seed=seed)
    launches.launch(plan=plan, by=mara, now=launched_at)
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
        if hour.hour == HOURS[0]:
            if hour.weekday() == cadence.MONDAY:
                world = world or _world(seed)
                monday = hour.date() - cadence.WEEK
                _store_week(world, monday, gains=_gains(world, monday))
                newest = Reading.objects.filter(period=monday)
                progress.readings_arrived(newest, now=hour)
            _meet(hour, seed=seed)
            _decide(now=hour)
            happenings.happen(now=hour, head=Person.objects.get(key="M001"))
        if hour.hour in (HOURS if hour.weekday() < cadence.SATURDAY else HOURS[:1]):
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
    # Whoever tries out an import of their own may have launched a cohort of other people.
    ours = Pair.objects.filter(learner__key__in=row, metric__key__in=column)
    pairs = ours.filter(counts_from__lte=monday).select_related("learner", "metric")
    for pair in pairs.exclude(ending__in=[Pair.Ending.ACCEPTED, Pair.Ending.UNDONE]):
        at = row[pair.learner.key], column[pair.metric.key]
        skill = centre.SKILLS[at[1]]
        # Rates are kept as logarithms over there, and as plain values in a pair.
        target = np.log(pair.target) if skill.kind == "rate" else pair.target
        # Who waits for another coach stays where they are.
        until = min(monday, pair.ended_at.date()) if pair.ended_at else monday
        weeks = max((until - pair.counts_from).days / 7 + 1, 0)
        way = centre.way_gone(centre.pace_of(world.seed, pair.learner.key), weeks)
        gains[at] = max(gains[at], way * (target - world.truth[at]), key=abs)
    return gains


def _meet(hour: datetime, *, seed: int) -> None:
    """
    Pairs meet once a week, each on its own weekday, from the first week on. They plan the next
    session when they part, and most of them write the week's page.
    """
    rows = Pair.objects.active().select_related("learner__team", "coach", "metric", "cohort")
    busy = _too_busy(now=hour)
    for pair in rows.prefetch_related("sessions"):
        number = int(pair.learner.key.encode().hex(), 16)
        if hour <= pair.started_at or pair.pk in busy:
            continue
        _hold(pair, number, hour=hour)
        if hour.weekday() == (number + 1) % 5 and (number + 1) % 4:
            _write(pair, number, hour=hour)


def _too_busy(*, now: datetime) -> set[int]:
    """
    Pairs that find no time to meet until somebody decides about them, by number.

    Of each cohort one from the start, which the head of the centre answers for,
    and one from its sixth week on, which is left to the reader.
    """
    busy = set()
    for cohort in Cohort.objects.filter(state=Cohort.State.LIVE).order_by("pk"):
        rows = Pair.objects.filter(cohort=cohort, learner__user=None, coach__user=None)
        pairs = list(rows.order_by("pk").prefetch_related("cases"))
        if _grown(cohort, now=now):
            swimming = [pair for pair in pairs if pair.state in Pair.ACTIVE]
            chosen = swimming[:1]
        else:
            chosen = [pair for pair in pairs if pair.started_at == cohort.launched_at][-1:]
        busy |= {pair.pk for pair in chosen if not any(case.decision for case in pair.cases.all())}
    return busy


def _grown(cohort: Cohort, *, now: datetime) -> bool:
    return now - cohort.launched_at >= FIRST_WEEKS


def _hold(pair: Pair, number: int, *, hour: datetime) -> None:
    planned = [row for row in pair.sessions.all() if row.state == Session.State.PLANNED]
    # They say so on the day after it; some need to be asked.
    told = timedelta(days=2 if number % 3 == 0 else 0)
    over = [row for row in planned if row.starts_at + told <= hour]
    for session in over:
        sessions.hold(session=session, by=pair.learner, now=hour)
    if not over and (planned or hour.weekday() != number % 5):
        return
    if not over:
        sessions.log(pair=pair, held_on=hour.date(), note="", by=pair.learner, now=hour)
    # Half of them plan ahead; the others agree on it in the corridor.
    if int(pair.coach.key.encode().hex(), 16) % 2:
        day = hour.date() + timedelta(days=(number % 5 - hour.weekday() - 1) % 7 + 1)
        sessions.plan(
            pair=pair,
            starts_at=cadence.occurrence(day, AFTERNOON, pair.learner.zone),
            by=pair.coach,
            now=hour,
            place=f"Room {pair.slot}",
        )


def _write(pair: Pair, number: int, *, hour: datetime) -> None:
    """A page of the week, of what such pages say."""
    went, will_try, coach_does = PAGES[(number + hour.isocalendar().week) % len(PAGES)]
    week = {"pair": pair, "week": hour.date(), "now": hour}
    worksheets.write(by=pair.learner, went=went, will_try=will_try, **week)
    if number % 3:
        worksheets.write(by=pair.coach, coach_does=coach_does, **week)


def _decide(*, now: datetime) -> None:
    """In a cohort's first weeks the head answers pairs that do not meet; later cases wait."""
    head = Person.objects.get(key="M001")
    waits = case_queries.to_decide(head).filter(
        opened_at__lte=now - PATIENCE, clock=Case.Clock.ACTIVITY
    )
    for case in waits.select_related("pair__cohort"):
        if _grown(case.pair.cohort, now=now):
            continue
        cases.decide(
            case=case,
            decision=Case.Decision.EVERYTHING,
            note="Your shifts hardly overlapped in these weeks; from Monday on they do.",
            means=cases.Means(weeks=2),
            by=head,
            now=now,
        )
