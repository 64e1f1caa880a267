"""
D1: eight writers do what must not happen twice, or not together, at one moment.

Each race is run so many times; each time it has people of its own. A refusal in words
(`CoachingError`) is an answer; any other exception breaks the race.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from django.db.models import Q

from coaching.errors import CoachingError
from coaching.management.chaos import world
from coaching.management.chaos.stage import Finding, Size, Stage, one_moment, stage, until
from coaching.models import (
    Cohort,
    DraftPair,
    Event,
    Letter,
    Metric,
    Pair,
    Person,
    Plan,
    Ranking,
    Reading,
    Scorecard,
    Standing,
    Team,
    Waiting,
    Yardstick,
)
from coaching.queries import looks
from coaching.queries import pairs as pair_queries
from coaching.services import departures, launches, progress, readings

NOW = world.NOW
MONDAY = NOW.date()
WEEK = timedelta(weeks=1)
# Weeks after which a pair may pass.
WEEKS = 6
LATER = NOW + WEEKS * WEEK + timedelta(days=3)
# Seconds until all writers stand at the line.
LINE_UP = 0.25


# -- what a writer does --------------------------------------------------------------------------


def launch(*, plan: int, by: int) -> None:
    launches.launch(plan=Plan.objects.get(pk=plan), by=Person.objects.get(pk=by), now=NOW)


def end(*, pair: int, by: int) -> None:
    pair = Pair.objects.select_related("learner", "coach", "metric", "cohort").get(pk=pair)
    departures.end_pair(pair=pair, by=Person.objects.get(pk=by), now=LATER)


def leave(*, person: int) -> None:
    departures.leaves(person=Person.objects.get(pk=person), by=None, now=LATER)


def send(*, by: int, person: str, metric: str, weeks: list[str], n: int, mean: float) -> None:
    rows = [
        {"person": person, "metric": metric, "period": week, "n": n, "sum": n * mean,
         "sumsq": n * (mean**2 + 0.25)}
        for week in weeks
    ]  # fmt: skip
    readings.ingest(rows=rows, by=Person.objects.get(pk=by), now=LATER)


def check() -> None:
    progress.check_due(now=LATER)


MOVES: dict[str, Callable[..., None]] = {
    "launch": launch, "end": end, "leave": leave, "send": send, "check": check,
}  # fmt: skip


def run(*, move: str, arguments: dict, at: float, said: str) -> None:
    """Wait for the moment, make the move, and say what came of it."""
    time.sleep(max(at - time.time(), 0))
    try:
        MOVES[move](**arguments)
        word = move
    except CoachingError as refusal:
        word = type(refusal).__name__
    except Exception as failure:
        word = f"! {type(failure).__name__}: {' '.join(str(failure).split())[:200]}"
    with Path(said).open("a") as file:
        file.write(f"{word}\n")


# -- what they do it to ----------------------------------------------------------------------------


@dataclass
class Centre:
    """A team with its manager, a metric, and a ranking that knows everybody who is asked for."""

    team: Team
    mara: Person
    metric: Metric
    ranking: Ranking
    numbers: Counter = field(default_factory=Counter)

    @classmethod
    def open(cls) -> "Centre":
        team = Team.objects.create(name="Races")
        (mara,) = world.people(["mara@example.com"], team=team)
        team.manager = mara
        team.save()
        metric, _ = Metric.objects.get_or_create(
            key="csat", defaults={"name": "Satisfaction", "kind": "mean"}
        )
        ranking = Ranking.objects.create(
            scorecard=Scorecard.objects.create(name="All", team=team), created_at=NOW,
            since=MONDAY - 14 * WEEK, until=MONDAY - WEEK,
        )  # fmt: skip
        Yardstick.objects.create(
            ranking=ranking, metric=metric, weight=1, group="all", people=99, mean=3.5, tau2=0.09,
            tau2_plug_in=0.09, sigma2=0.9, scale=0.3, top_quartile=4, low_cut=3.2,
        )  # fmt: skip
        return cls(team, mara, metric, ranking)

    def people(self, number: int) -> list[Person]:
        self.numbers["people"] += number
        last = self.numbers["people"]
        rows = world.people(
            [f"racer.{at}@example.com" for at in range(last - number, last)], team=self.team
        )
        Standing.objects.bulk_create(
            Standing(
                ranking=self.ranking, person=row, metric=self.metric, group="all", n=50, raw=3,
                estimate=3, se=0.1, reliability=0.9, z=-1, p_low=0, p_high=0, p_need=0.9,
                p_skill=0.9, rank_low=0, rank_high=1, band="weak",
            )
            for row in rows
        )  # fmt: skip
        return rows

    def plan(self, *together: tuple[Person, Person]) -> Plan:
        """A draft plan that pairs (learner, coach)."""
        cohort = Cohort.objects.create(
            name="Race", team=self.team, ranking=self.ranking, created_by=self.mara,
            test_date=MONDAY + 10 * WEEK, created_at=NOW,
        )  # fmt: skip
        plan = Plan.objects.create(
            cohort=cohort, created_at=NOW, solved_at=NOW, matched=len(together)
        )
        DraftPair.objects.bulk_create(
            DraftPair(
                plan=plan, learner=learner, coach=coach, metric=self.metric, score=700,
                feasible_coaches=3,
            )
            for learner, coach in together
        )  # fmt: skip
        return plan

    def launched(self, *together: tuple[Person, Person]) -> list[Pair]:
        plan = self.plan(*together)
        launches.launch(plan=plan, by=self.mara, now=NOW)
        return list(plan.cohort.pairs.order_by("pk"))

    def launching(self, plan: Plan) -> tuple[str, dict]:
        return "launch", {"plan": plan.pk, "by": self.mara.pk}

    def sending(self, person: Person, *, mean: float, n: int = 200) -> tuple[str, dict]:
        weeks = [(MONDAY + number * WEEK).isoformat() for number in range(1, WEEKS)]
        return "send", {
            "by": self.mara.pk, "person": person.key, "metric": self.metric.key, "weeks": weeks,
            "n": n, "mean": mean,
        }  # fmt: skip


# The moves of one round, and what must hold after it, given what the writers said.
Moves = list[tuple[str, dict]]
Round = tuple[Moves, Callable[[Counter[str]], bool]]


def one_plan(centre: Centre, writers: int) -> Round:
    """All press the one button: launched once, each pair and each letter once."""
    learner, coach = centre.people(2)
    plan = centre.plan((learner, coach))

    def holds(said: Counter[str]) -> bool:
        letters = Letter.objects.filter(pair__cohort=plan.cohort)
        events = Event.objects.filter(verb="cohort launched", subject_id=plan.cohort.public_id)
        return (
            said == {"launch": 1, "AlreadyLaunched": writers - 1}
            and plan.cohort.pairs.count() == events.count() == 1
            and letters.count() == 2
        )

    return [centre.launching(plan)] * writers, holds


def last_seat(centre: Centre, writers: int) -> Round:
    """A learner each wants a coach with two seats."""
    coach, *learners = centre.people(1 + writers)
    plans = [centre.plan((learner, coach)) for learner in learners]

    def holds(said: Counter[str]) -> bool:
        pairs = Pair.objects.active().filter(coach=coach)
        return (
            1 <= said["launch"] == pairs.count() <= coach.capacity
            and said["SeatTaken"] == writers - said["launch"]
        )

    return [centre.launching(plan) for plan in plans], holds


def one_learner(centre: Centre, writers: int) -> Round:
    """As many coaches want one learner."""
    learner, *coaches = centre.people(1 + writers)
    plans = [centre.plan((learner, coach)) for coach in coaches]

    def holds(said: Counter[str]) -> bool:
        return (
            said == {"launch": 1, "SeatTaken": writers - 1}
            and Pair.objects.active().filter(learner=learner).count() == 1
        )

    return [centre.launching(plan) for plan in plans], holds


def both_ways(centre: Centre, writers: int) -> Round:
    """Half would have one coach the other, half the other way round, in one skill."""
    one, other = centre.people(2)
    plans = [centre.plan((one, other) if at % 2 else (other, one)) for at in range(writers)]

    def holds(said: Counter[str]) -> bool:
        pairs = Pair.objects.active().filter(Q(learner=one) | Q(learner=other))
        return said["launch"] == pairs.count() == 1

    return [centre.launching(plan) for plan in plans], holds


def same_week(centre: Centre, writers: int) -> Round:
    """The same weeks of one person arrive from everybody at once, with different numbers."""
    (person,) = centre.people(1)

    def holds(said: Counter[str]) -> bool:
        rows = Reading.objects.filter(person=person)
        whole = {(row.n, round(row.sum / row.n, 6)) for row in rows}
        possible = {(100.0 + at, round(3 + at / 10, 6)) for at in range(writers)}
        return said == {"send": writers} and rows.count() == WEEKS - 1 and whole <= possible

    return [
        centre.sending(person, mean=3 + at / 10, n=100 + at) for at in range(writers)
    ], holds  # fmt: skip


def numbers_while_judging(centre: Centre, writers: int) -> Round:
    """
    Good numbers arrive while sweeps judge: passed once; each look says what is stored, and what
    came after the pass is put before its manager.
    """
    pair = _due(centre)

    def holds(said: Counter[str]) -> bool:
        progress.check_due(now=LATER)
        pair.refresh_from_db()
        passes = Event.objects.filter(verb="pair passed", subject_id=pair.public_id).count()
        told = Letter.objects.filter(pair=pair, kind="passed").count()
        return (
            said == {"send": writers // 2, "check": writers - writers // 2}
            and pair.state == Pair.State.PASSED
            and (passes, told) == (1, 2)
            and (_looks_agree(pair) or pair.review_since is not None)
        )

    sends = [centre.sending(pair.learner, mean=4.6 + at / 100) for at in range(writers // 2)]
    return [*sends, *[("check", {})] * (writers - len(sends))], holds


def corrected_pass(centre: Centre, writers: int) -> Round:
    """The numbers of a pass are corrected: it stays, and its manager is asked; nobody else."""
    pair = _due(centre)
    move, arguments = centre.sending(pair.learner, mean=4.6)
    MOVES[move](**arguments)
    progress.check_due(now=LATER)
    letters = Letter.objects.filter(pair=pair).count()

    def holds(said: Counter[str]) -> bool:
        pair.refresh_from_db()
        return (
            said == {"send": writers // 2, "check": writers - writers // 2}
            and pair.state == Pair.State.PASSED
            and pair.review_since is not None
            and Letter.objects.filter(pair=pair).count() == letters
        )

    sends = [centre.sending(pair.learner, mean=3.0 + at / 100) for at in range(writers // 2)]
    return [*sends, *[("check", {})] * (writers - len(sends))], holds


def somebody_leaves(centre: Centre, writers: int) -> Round:
    """A coach leaves while pairs of theirs end and more are launched."""
    coach, learner, *others = centre.people(writers)
    (pair,) = centre.launched((learner, coach))
    plans = [centre.plan((other, coach)) for other in others]

    def holds(said: Counter[str]) -> bool:
        waits = Letter.objects.filter(recipient=coach, state=Letter.State.PENDING)
        ended = Pair.objects.filter(coach=coach, state=Pair.State.ENDED)
        lines = Event.objects.filter(
            verb__startswith="pair ended", subject_id__in=ended.values("public_id")
        )
        return (
            not Pair.objects.active().filter(coach=coach).exists()
            and not waits.exists()
            and lines.count() == ended.count() == 1 + said["launch"]
        )

    return [
        ("leave", {"person": coach.pk}),
        ("end", {"pair": pair.pk, "by": learner.pk}),
        *map(centre.launching, plans),
    ], holds


def one_after_the_other(centre: Centre, writers: int) -> Round:
    """A pair ends as its learner is launched with others: their histories do not overlap."""
    learner, coach, *others = centre.people(writers)
    (pair,) = centre.launched((learner, coach))
    plans = [centre.plan((learner, other)) for other in others]

    def holds(said: Counter[str]) -> bool:
        active = Pair.objects.active().filter(learner=learner)
        return (said["end"], said["NotActive"]) == (1, 1) and active.count() == said["launch"] <= 1

    ends = [("end", {"pair": pair.pk, "by": who.pk}) for who in (learner, coach)]
    return [*ends, *map(centre.launching, plans)], holds


def _due(centre: Centre) -> Pair:
    """A live pair that the next sweep looks at."""
    (pair,) = centre.launched(tuple(centre.people(2)))
    Pair.objects.filter(pk=pair.pk).update(next_check_at=LATER)
    return pair


def _looks_agree(pair: Pair) -> bool:
    pair = pair_queries.with_record(Pair.objects.filter(pk=pair.pk)).get()
    found = looks.readings_of([pair], now=LATER)[pair.learner_id, pair.metric_id]
    fresh = {look.week: round(look.level, 6) for look in looks.looks_from(pair, found, now=LATER)}
    return all(fresh.get(look.week) == round(look.level, 6) for look in pair.looks.all())


class Race(NamedTuple):
    about: str
    prepare: Callable[[Centre, int], Round]


RACES = [
    Race("one plan", one_plan),
    Race("the last seat", last_seat),
    Race("one learner", one_learner),
    Race("both ways", both_ways),
    Race("the same week", same_week),
    Race("numbers while judging", numbers_while_judging),
    Race("a corrected pass", corrected_pass),
    Race("somebody leaves", somebody_leaves),
    Race("one after the other", one_after_the_other),
]


def nine_races(size: Size) -> Finding:
    """Each race so many times, with so many writers."""
    told, held = [], True
    with stage(size) as here:
        for race in RACES:
            world.empty()
            centre = Centre.open()
            broken, errors, said = 0, Counter(), Counter()
            for number in range(size.rounds):
                moves, holds = race.prepare(centre, size.racers)
                words = _run(here, moves, f"{race.prepare.__name__}-{number}")
                errors.update({word: count for word, count in words.items() if word[0] == "!"})
                said += words
                broken += not holds(words)
            held = held and not broken and not errors
            failures = "".join(f" ({count} × {word})" for word, count in errors.most_common(2))
            told.append(
                f"{race.about}: {broken} of {size.rounds} broken, {errors.total()} unhandled "
                f"errors{failures}; of {said.total()} moves "
                + ", ".join(
                    f"{count} {word}" for word, count in said.most_common() if word[0] != "!"
                )
            )
    return Finding(held, "; ".join(each.replace("; ", ", ") for each in told))


def _run(here: Stage, moves: Moves, name: str) -> Counter[str]:
    """Have all moves made at one moment; what the writers said."""
    said = here.folder / f"said-{name}"
    at = time.time() + LINE_UP
    for move, arguments in moves:
        here.start("race", move=move, arguments=arguments, at=at, said=str(said))
    until(lambda: said.exists() and said.read_text().count("\n") == len(moves), every=0.01)
    return Counter(said.read_text().splitlines())


# -- D3: a state change is killed around its commit ------------------------------------------------


def change(*, pairs: list[int]) -> None:
    """End pair after pair, each with its audit line."""
    for key in pairs:
        pair = Pair.objects.active().select_related("learner", "coach").filter(pk=key).first()
        if pair:
            departures.end_pair(pair=pair, by=pair.learner, now=LATER)


def changes_killed(size: Size) -> Finding:
    """Kill whoever changes states: each change has its audit line, each line its change."""
    rng = random.Random(3)
    with stage(size) as here:
        # So many are enough to be killed over: one is ended, the next one under way.
        world.pairs(3 * size.kills + 20)
        kills = 0
        for _ in range(size.kills):
            left = [*Pair.objects.active().order_by("pk").values_list("pk", flat=True)]
            if not left:
                break
            worker = here.start("change", pairs=left)
            until(partial(_fewer_than, len(left)), every=0.002)
            time.sleep(rng.uniform(0, 0.03))
            here.kill(worker)
            kills += 1
        until(lambda: not here.alive(), every=0.02)
        with one_moment():
            ended = set(Pair.objects.filter(state="ended").values_list("public_id", flat=True))
            verbs = Event.objects.filter(verb__startswith="pair ended")
            lines = list(verbs.values_list("subject_id", flat=True))
            told = set(Letter.objects.filter(kind="left").values_list("pair__public_id", flat=True))
            raised = set(Pair.objects.filter(revision__gt=0).values_list("public_id", flat=True))
            waits = set(
                Waiting.objects.filter(after__isnull=False).values_list(
                    "after__public_id", flat=True
                )
            )
    alone = len(ended ^ set(lines)) + len(ended ^ told) + len(ended ^ raised) + len(ended ^ waits)
    return Finding(
        alone == 0 and len(lines) == len(set(lines)) and kills >= size.kills * 0.9,
        f"{kills} kills: {len(ended)} pairs ended, {len(lines)} audit lines, {len(told)} told by "
        f"letter, {alone} without the others",
    )


def _fewer_than(number: int) -> bool:
    return Pair.objects.active().count() < number
