"""Small builders for people, readings, cohorts and pairs; every default can be overridden."""

from datetime import date, datetime, timedelta
from itertools import count

from django.contrib.auth import get_user_model

from coaching.domain import cadence
from coaching.models import (
    Cohort,
    Metric,
    Pair,
    Person,
    Ranking,
    Reading,
    Scorecard,
    ScorecardMetric,
    Session,
    Team,
)

_numbers = count(1)


def make_team(name: str = "", *, parent: Team | None = None) -> Team:
    return Team.objects.create(name=name or f"Team {next(_numbers)}", parent=parent)


def make_person(name: str = "", *, team: Team | None = None, login: str = "", **values) -> Person:
    number = next(_numbers)
    name = name or f"Person {number}"
    values = {
        "key": f"P{number}",
        "email": f"{name.split()[0].casefold()}.{number}@example.com",
        "time_zone": "Europe/Zurich",
        "role": "Agent",
        **values,
    }
    person = Person(name=name, team=team, **values)
    if login:
        person.user = get_user_model().objects.create_user(login, password="swim-lane-7")
    person.save()
    return person


def make_metric(key: str = "", **values) -> Metric:
    key = key or f"metric-{next(_numbers)}"
    values = {"name": key.replace("-", " ").capitalize(), "kind": "mean", **values}
    return Metric.objects.create(key=key, **values)


def add_reading(
    person: Person, metric: Metric, week: date, *, mean: float, n: float = 20, sd: float = 0.5
) -> Reading:
    """One week with this mean; the sum of squares follows from the spread."""
    row = reading_of(person, metric, week, mean=mean, n=n, sd=sd)
    reading, _ = Reading.objects.update_or_create(
        person=person,
        metric=metric,
        period=row.period,
        defaults={"n": row.n, "sum": row.sum, "sumsq": row.sumsq},
    )
    return reading


def reading_of(
    person: Person, metric: Metric, week: date, *, mean: float, n: float = 20, sd: float = 0.5
) -> Reading:
    """The same, not stored: many are stored at once."""
    total = mean * n
    squares = n * (mean**2 + sd**2) if metric.kind in ("mean", "duration") else total
    period = cadence.week_of(week)
    return Reading(person=person, metric=metric, period=period, n=n, sum=total, sumsq=squares)


def make_scorecard(team: Team, *metrics: Metric, **values) -> Scorecard:
    scorecard = Scorecard.objects.create(name=f"{team}: skills", team=team, **values)
    for metric in metrics:
        ScorecardMetric.objects.create(scorecard=scorecard, metric=metric)
    return scorecard


def make_cohort(team: Team, metric: Metric, *, now: datetime, state: str = "live") -> Cohort:
    """A cohort on its own, with a ranking that ranks nobody."""
    ranking = Ranking.objects.create(
        scorecard=make_scorecard(team, metric),
        since=cadence.week_of(now.date()) - timedelta(weeks=14),
        until=cadence.week_of(now.date()) - timedelta(weeks=1),
        created_at=now,
    )
    return Cohort.objects.create(
        name=f"Cohort {next(_numbers)}",
        team=team,
        ranking=ranking,
        state=state,
        test_date=(now + timedelta(weeks=8)).date(),
        created_at=now,
        launched_at=None if state == "draft" else now,
        closed_at=now if state == "closed" else None,
    )


def make_pair(
    learner: Person, coach: Person, *, metric: Metric, cohort: Cohort, now: datetime, **values
) -> Pair:
    """A live pair on a 1–5 metric: baseline 3.0, target 3.6."""
    values = {
        "slot": coach.pairs_as_coach.count() + 1,
        "score": 700,
        "parts": [{"metric": metric.key, "name": metric.name, "points": 700}],
        "baseline": 3.0,
        "baseline_se": 0.1,
        "peer_mean": 3.5,
        "tau2": 0.09,
        "sigma2": 0.9,
        "target": 3.6,
        "stretch": 3.66,
        "target_formula": "Half of the gap to the best quarter",
        "counts_from": cadence.week_of(now.date()) + cadence.WEEK,
        "clocks_from": now.date(),
        "test_date": cohort.test_date,
        "started_at": now,
        "state_since": now,
        "next_check_at": now + timedelta(days=1),
        "next_reminder_at": cadence.next_weekly(
            cadence.REMINDER_DAY, cadence.REMINDER_HOUR, learner.zone, now
        ),
        **values,
    }
    return Pair.objects.create(learner=learner, coach=coach, metric=metric, cohort=cohort, **values)


def hold_session(pair: Pair, day: date) -> Session:
    return Session.objects.create(
        pair=pair, held_on=day, logged_by=pair.learner, logged_at=pair.started_at
    )
