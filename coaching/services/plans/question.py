"""A plan's cohort as a matching problem: who is asked for, who could, and who never."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import numpy as np
from django.db.models import Q, QuerySet

from coaching.domain import matching
from coaching.domain.pairing import LACKS, MAY_TEACH, NOTHING, Pairing, lacking, pairing
from coaching.domain.said import counted, listed, said, said_many
from coaching.models import Cohort, Member, Metric, Pair, Person, Plan, Rule, Team, Yardstick
from coaching.services.plans import sentences
from coaching.services.plans.affinity import Affinity, affinity_of
from coaching.services.plans.wishes import Wishes

# Ids of a learner's second and third rows, far beyond those of people.
APART = 2**40


@dataclass(frozen=True, eq=False)
class Question:
    """
    Everything that decides a plan. A row is a learner, or one skill of a learner who gets
    several coaches.

    rows : the person of each row
    asks : (rows,), position of the one metric a row asks for, NOTHING for whichever fits
    seats : (coaches,), free in this plan; busy : (coaches,), held by running pairs
    groups : peer groups as numbers, (rows,) and (coaches,)
    apart : person ids (learner, coach) -> why no plan puts them together
    coached : person id -> metrics (ids) they have a coach for at present
    drawn : public ids of everybody who takes part in the lot, also beyond these rows
    """

    wishes: Wishes
    rows: list[Person]
    asks: np.ndarray
    coaches: list[Person]
    metrics: list[Metric]
    found: Pairing
    affinity: Affinity
    seats: np.ndarray
    busy: np.ndarray
    groups: tuple[np.ndarray, np.ndarray]
    apart: dict[tuple[int, int], str]
    coached: dict[int, set[int]]
    drawn: list[str]

    def name(self, role: str, index: int) -> str:
        if role == "coach":
            return self.coaches[index].name
        person, skill = self.rows[index], self.asks[index]
        if skill != NOTHING and len(self.rows_of[person.public_id]) > 1:
            return f"{person.name} ({self.metrics[skill].name})"
        return person.name

    @cached_property
    def rows_of(self) -> dict[str, list[int]]:
        """Rows of each learner, by public id."""
        found: dict[str, list[int]] = defaultdict(list)
        for row, person in enumerate(self.rows):
            found[person.public_id].append(row)
        return found

    @property
    def several(self) -> bool:
        """Whether somebody has a row for each of several skills."""
        return len(self.rows_of) < len(self.rows)

    @cached_property
    def coach_at(self) -> dict[str, int]:
        return {person.public_id: index for index, person in enumerate(self.coaches)}

    @cached_property
    def pinned(self) -> list[tuple[int, int]]:
        """
        (row, coach) of each pin that speaks of people who take part.

        A learner with a row for each skill is pinned by the row that scores highest with that
        coach, each row once.
        """
        chosen = []
        for learner, coaches in self._ruled(Rule.Kind.PIN).items():
            rows = self.rows_of[learner]
            if len(rows) == 1:
                chosen += [(rows[0], coach) for coach in coaches]
                continue
            fits = self.candidate[np.ix_(rows, coaches)]
            score = self.found.scores.pairs(np.repeat(rows, len(coaches)), coaches * len(rows))
            worth = np.where(fits, score.reshape(fits.shape), -1)
            free = list(range(len(rows)))
            for at in np.argsort(-worth.max(axis=0), kind="stable").tolist():
                row = max(free, key=lambda one: (worth[one, at], -one), default=0)
                chosen.append((rows[row], coaches[at]))
                free = [one for one in free if one != row]
        return sorted(chosen)

    @cached_property
    def forbidden(self) -> list[tuple[int, int]]:
        """(row, coach) that a rule keeps apart, or that a pin of the learner's other row uses."""
        ruled = {
            (row, coach)
            for learner, coaches in self._ruled(Rule.Kind.FORBID).items()
            for row in self.rows_of[learner]
            for coach in coaches
        }
        for row, coach in self.pinned:
            others = self.rows_of[self.rows[row].public_id]
            ruled |= {(other, coach) for other in others if other != row}
        return sorted(ruled)

    def _ruled(self, kind: str) -> dict[str, list[int]]:
        """Learner's public id -> coaches. A rule about somebody left out has nothing to say."""
        found: dict[str, list[int]] = defaultdict(list)
        for rule in self.wishes.rules:
            if rule.kind == kind and rule.learner in self.rows_of and rule.coach in self.coach_at:
                found[rule.learner].append(self.coach_at[rule.coach])
        return found

    @cached_property
    def candidate(self) -> np.ndarray:
        """Bool array (rows, coaches): who could coach whom, whatever rules and floor say."""
        return self.found.possible & (self.found.focus != NOTHING)

    @cached_property
    def problem(self) -> matching.Problem:
        """:raises matching.Refused: when the rules contradict each other or the seats"""
        return self.found.problem(
            seats=self.seats,
            forbidden=self.forbidden,
            pinned=self.pinned,
            floor=self.wishes.floor,
            learner_ids=self.ids,
            coach_ids=[person.pk for person in self.coaches],
            name=self.name,
        )

    @property
    def ids(self) -> list[int]:
        """Stable ids of the rows: the person's own, and others for further skills."""
        times: Counter = Counter()
        found = []
        for person in self.rows:
            found.append(person.pk + APART * times[person.pk])
            times[person.pk] += 1
        return found

    def parts(self, rows: np.ndarray, coaches: np.ndarray) -> list[list[dict]]:
        """What the score of each pair is made of, the largest first; points add up to it."""
        by_metric = self.found.scores.parts(rows, coaches)
        columns = [
            ({"metric": metric.key, "name": metric.name}, by_metric[:, index].tolist())
            for index, metric in enumerate(self.metrics)
        ]
        columns += [
            ({"metric": "", "name": label}, points.tolist())
            for label, points in self.affinity.parts(rows, coaches)
        ]
        return [
            sorted(
                ({**what, "points": int(points[at])} for what, points in columns if points[at]),
                key=lambda part: -part["points"],
            )
            for at in range(len(rows))
        ]

    # -- in words ------------------------------------------------------------------------------

    def contradictions(self) -> list[str]:
        """Which pins cannot hold, and why, one sentence each."""
        told = []
        pins_of_coach: dict[int, list[str]] = defaultdict(list)
        for learner, coaches in self._ruled(Rule.Kind.PIN).items():
            rows = self.rows_of[learner]
            person = self.rows[rows[0]]
            if len(coaches) > len(rows):
                values = {
                    "learner": person.name,
                    "names": listed([self.coaches[coach].name for coach in coaches]),
                    "coaches": counted(len(rows), "coach,coaches"),
                }
                told.append(
                    said(
                        "%(learner)s is pinned with %(names)s, but gets %(coaches)s. Lift a pin, "
                        "or give them more coaches.",
                        **values,
                    )
                    if len(rows) < 3
                    else said(
                        "%(learner)s is pinned with %(names)s, but gets %(coaches)s. Lift a pin.",
                        **values,
                    )
                )
                continue
            for coach in coaches:
                pins_of_coach[coach].append(person.name)
        for row, coach in self.pinned:
            why = self.why_not(row, coach)
            if why:
                told.append(said("%(why)s Lift the pin of the two.", why=why))
        for coach, names in pins_of_coach.items():
            if len(names) > self.seats[coach]:
                told.append(self._too_many(coach, names))
        return told

    def _too_many(self, coach: int, names: list[str]) -> str:
        busy = int(self.busy[coach])
        left = counted(int(self.seats[coach]), "seat,seats")
        if busy:
            taken = counted(busy, "learner,learners")
            left = said("%(seats)s left (%(taken)s from before)", seats=left, taken=taken)
        else:
            left = said("%(seats)s left", seats=left)
        return said_many(
            "%(coach)s has %(left)s, but %(names)s is pinned there. Lift a pin or add a seat.",
            "%(coach)s has %(left)s, but %(names)s are pinned there. Lift a pin or add a seat.",
            len(names),
            coach=self.coaches[coach].name,
            left=left,
            names=listed(sorted(names)),
        )

    def why_not(self, row: int, coach: int) -> str:
        """Why these two cannot be a pair, as a sentence; empty when they can."""
        learner, other = self.rows[row], self.coaches[coach]
        both = {"coach": other.name, "learner": learner.name}
        if learner.pk == other.pk:
            return said(sentences.THEMSELVES, learner=learner.name)
        if (learner.pk, other.pk) in self.apart:
            return self.apart[learner.pk, other.pk]
        if self.groups[0][row] != self.groups[1][coach]:
            return said(sentences.OTHER_GROUP, **both)
        if not self.found.lacks[row].any():
            if self.coached.get(learner.pk):
                return said(sentences.HAS_COACHES, learner=learner.name)
            return said(sentences.LACKS_NOTHING, learner=learner.name)
        if self.found.focus[row, coach] == NOTHING:
            needs = np.flatnonzero(self.found.lacks[row])
            skills = listed([self.metrics[at].name for at in needs[:4].tolist()])
            return said(sentences.NOT_STRONG, skills=skills, **both)
        score, floor = int(self.found.scores.pairs([row], [coach])[0]), self.wishes.floor
        if score >= floor:
            return ""
        pinned = (row, coach) in self.pinned
        why = sentences.PINNED_BELOW_FLOOR if pinned else sentences.BELOW_FLOOR
        return said(why, score=score, floor=floor, **both)

    def why_nobody(self, row: int) -> str:
        """Why a row has no candidate at all, and what to do."""
        who = {"learner": self.rows[row].name}
        if not self.coaches:
            return sentences.NO_COACHES % who
        if not self.found.lacks[row].any() and self.coached.get(self.rows[row].pk):
            return sentences.COACHED_ELSEWHERE % who
        if not self.found.possible[row].any():
            return sentences.NO_PEER % who
        if self.candidate[row].any():
            return sentences.NOBODY_REACHES_FLOOR % {**who, "floor": self.wishes.floor}
        return sentences.NOBODY_STRONG % who


def question_of(
    plan: Plan,
    wishes: Wishes | None = None,
    *,
    now: datetime,
    only: Collection[int] | None = None,
    asking: Mapping[int, int | None] | None = None,
    leaving: Collection[int] = (),
) -> Question:
    """
    Gather everybody in the plan's cohort with their needs, skills, seats and rules; a fixed
    number of queries.

    wishes : instead of the plan's own
    only : ids of the people to look at, when not everybody
    asking : ids of the learners to look at, and of the one metric each asks for, if any
    leaving : numbers of pairs that would end, whose learner and seat are free then

    Never a candidate: oneself, the manager of one's team or of a team above it, somebody of
    another peer group, a pair that was ended before (unless nobody was to blame), and for a
    skill whoever learns it, or teaches it to somebody, at present.
    """
    wishes = Wishes.of(plan) if wishes is None else wishes
    people = _Gathered(plan, wishes, only, asking, leaving)
    rows, coaches = people.rows, people.coaches
    affinity = affinity_of(
        wishes.preferences, rows, coaches, worked=people.history.together, now=now
    )
    groups = (people.groups_of(rows), people.groups_of(coaches))
    busy = np.array([people.history.busy[coach.pk] for coach in coaches], dtype=np.int64)
    seats = [wishes.capacities.get(coach.public_id, coach.capacity) for coach in coaches]
    return Question(
        wishes=wishes,
        rows=rows,
        asks=people.asks,
        coaches=coaches,
        metrics=people.metrics,
        found=pairing(
            need=people.need,
            skill=people.skill,
            weights=people.weights,
            possible=_possible(rows, coaches, groups, people.apart),
            asks=people.asks,
            taken=people.taken,
            same=affinity.same,
            points=affinity.table,
        ),
        affinity=affinity,
        seats=np.maximum(np.array(seats, dtype=np.int64) - busy, 0),
        busy=busy,
        groups=groups,
        apart=people.apart,
        coached=people.history.learning,
        drawn=_drawn(plan, wishes) if wishes.lot is not None else [],
    )


def _drawn(plan: Plan, wishes: Wishes) -> list[str]:
    learners = Member.objects.filter(
        cohort=plan.cohort_id, side=Member.Side.LEARNER, left_out=False, person__active=True
    )
    ids = learners.order_by("person_id").values_list("person__public_id", flat=True)
    return [public_id for public_id in ids if public_id not in wishes.left_out]


def independent_parts(plan: Plan, wishes: Wishes) -> list[tuple[list[int], list[int]]]:
    """
    Learners and coaches (person ids) of each part of a plan that has no candidate in another,
    the largest first; learners whom nobody can coach come last, in one part with a coach of each
    peer group, who is in a part of their own as well.

    Told from the skills that peers lack and teach, without looking at any pair.
    """
    people = _Gathered(plan, wishes, None)
    _, lacks = lacking(people.need, asks=people.asks, taken=people.taken)
    learners = list({person.pk: person for person in people.rows})
    place = {pk: at for at, pk in enumerate(learners)}
    row_of = np.array([place[person.pk] for person in people.rows], dtype=np.int64)
    row, asked = np.nonzero(lacks)
    coach, taught = np.nonzero(people.skill >= MAY_TEACH)
    # Whoever lacks or teaches a skill in a peer group meets the others at one point.
    metrics = len(people.metrics)
    meeting = np.concatenate(
        [
            people.groups_of(people.rows)[row] * metrics + asked,
            people.groups_of(people.coaches)[coach] * metrics + taught,
        ]
    )
    who = np.concatenate([row_of[row], len(learners) + coach])
    pairs = np.unique(np.stack([who, meeting], axis=1)[meeting >= 0], axis=0)
    points, at = np.unique(pairs[:, 1], return_inverse=True)
    ones = np.ones(len(learners) + len(people.coaches), dtype=np.int64)
    parts, alone = [], []
    for members, _ in matching.strata(
        matching.Problem(
            learners=ones.size, coaches=points.size, capacity=np.ones_like(points),
            learner=pairs[:, 0], coach=at, score=np.zeros_like(at),
        )
    ):  # fmt: skip
        learning = [learners[one] for one in members.tolist() if one < len(learners)]
        teaching = [
            people.coaches[one - len(learners)].pk
            for one in members.tolist()
            if one >= len(learners)
        ]
        if learning and teaching:
            parts.append((learning, teaching))
        else:
            alone += learning
    if not alone:
        return parts
    # One coach of each peer group, to tell who has peers that coach from who has none.
    first = dict(
        zip(people.groups_of(people.coaches).tolist()[::-1], people.coaches[::-1], strict=True)
    )
    return [*parts, (sorted(alone), sorted(coach.pk for coach in first.values()))]


class _Taking(NamedTuple):
    person: Person
    side: str
    metric_id: int | None


class _Gathered:
    """
    Who takes part, with what they need and can: arrays by row or coach, in the order of ids.

    rows : the person of each row; asks : (rows,); need, taken : (rows, metrics)
    skill : (coaches, metrics), 0 where somebody learns the skill at present
    apart : (learner's id, coach's id) -> why no plan puts them together
    """

    def __init__(
        self,
        plan: Plan,
        wishes: Wishes,
        only: Collection[int] | None,
        asking: Mapping[int, int | None] | None = None,
        leaving: Collection[int] = (),
    ) -> None:
        cohort = Cohort.objects.select_related("ranking").get(pk=plan.cohort_id)
        selected = cohort.members.filter(left_out=False, person__active=True)
        if only is not None:
            selected = selected.filter(person__in=list(only))
        members = _members(selected, wishes)
        taught = [member for member in members if member.side == Member.Side.LEARNER]
        if asking is not None:
            taught = [
                member._replace(metric_id=asking[member.person.pk] or member.metric_id)
                for member in taught
                if member.person.pk in asking
            ]
        self.coaches = [member.person for member in members if member.side == Member.Side.COACH]
        weight, self.metrics = _metrics(cohort, wishes)
        self.weights = [weight[metric.pk] for metric in self.metrics]
        column = {metric.pk: index for index, metric in enumerate(self.metrics)}
        self.known = _Known(cohort, column, selected)
        self.history = _History(selected.values("person"), leaving)
        need = self.known.of([member.person.pk for member in taught], "need")
        taken = self._taken(taught, column, weight)
        self.rows, self.asks, source = _rows(taught, wishes, column, need, taken, self.weights)
        self.need, self.taken = need[source], taken[source]
        self.skill = self.known.of([coach.pk for coach in self.coaches], "skill")
        for row, coach in enumerate(self.coaches):
            for metric in self.history.learning.get(coach.pk, ()):
                if metric in column:
                    self.skill[row, column[metric]] = 0
        teams = Team.objects.filter(manager__in=selected.values("person"))
        self.apart = {**self.history.failed, **_managed(self.rows, self.coaches, teams)}

    def _taken(
        self, taught: list[_Taking], column: dict[int, int], weight: dict[int, float]
    ) -> np.ndarray:
        """
        What each learner has a coach for already, or coaches others in. A skill that weighs
        nothing is not planned for either, unless somebody asks for it.
        """
        taken = np.zeros((len(taught), len(column)), dtype=bool)
        for row, member in enumerate(taught):
            busy = self.history.taken(member.person.pk)
            for metric, at in column.items():
                idle = not weight[metric] and metric != member.metric_id
                taken[row, at] = idle or metric in busy
        return taken

    def groups_of(self, people: list[Person]) -> np.ndarray:
        return self.known.groups([person.pk for person in people])


def skills_lacking(plan: Plan, person: Person) -> int:
    """How many skills a learner of the plan could have a coach for."""
    cohort = plan.cohort
    _, metrics = _metrics(cohort, Wishes.of(plan))
    rows = cohort.ranking.standings.filter(person=person, metric__in=metrics, p_need__gte=LACKS)
    found = set(rows.values_list("metric_id", flat=True))
    hand = cohort.members.filter(person=person).values_list("metric", flat=True).first()
    active = Pair.objects.active().filter(learner=person).values_list("metric", flat=True)
    return len((found | ({hand} - {None})) - set(active))


def _metrics(cohort: Cohort, wishes: Wishes) -> tuple[dict[int, float], list[Metric]]:
    """Weights by metric id, the plan's own first, and the metrics in the order of their ids."""
    rows = Yardstick.objects.filter(ranking=cohort.ranking_id, weight__gt=0).order_by("pk")
    weight, metrics = {}, {}
    for row in rows.select_related("metric"):
        metrics[row.metric_id] = row.metric
        weight[row.metric_id] = float(wishes.weights.get(row.metric.key, row.weight))
    return weight, [metrics[pk] for pk in sorted(metrics)]


class _Known:
    """What the ranking knows of everybody in the cohort, in one query."""

    def __init__(self, cohort: Cohort, column: dict[int, int], selected: QuerySet[Member]) -> None:
        rows = cohort.ranking.standings.filter(
            person__in=selected.values("person"), metric__in=list(column)
        ).values_list("person_id", "metric_id", "p_need", "p_skill", "group")
        people, metrics, need, skill, group = zip(*rows, strict=True) if rows else [()] * 5
        self.place = {pk: at for at, pk in enumerate(dict.fromkeys(people))}
        self.values = {
            "need": np.zeros((len(self.place) + 1, len(column))),
            "skill": np.zeros((len(self.place) + 1, len(column))),
        }
        at = np.array([self.place[pk] for pk in people], dtype=np.intp)
        to = np.array([column[pk] for pk in metrics], dtype=np.intp)
        self.values["need"][at, to] = np.clip(need, 0.0, 1.0)
        self.values["skill"][at, to] = np.clip(skill, 0.0, 1.0)
        codes = {name: code for code, name in enumerate(dict.fromkeys(group))}
        # Who has no standing (the last place) is nobody's peer.
        self.group = np.full(len(self.place) + 1, -1)
        self.group[at] = [codes[name] for name in group]

    def of(self, people: Iterable[int], what: str) -> np.ndarray:
        return self.values[what][self._places(people)]

    def groups(self, people: Iterable[int]) -> np.ndarray:
        """Peer groups as numbers (people,), -1 for somebody without a standing."""
        return self.group[self._places(people)]

    def _places(self, people: Iterable[int]) -> np.ndarray:
        return np.array([self.place.get(pk, len(self.place)) for pk in people], dtype=np.intp)


class _History:
    """Every pair that anybody of the cohort is or was in, in one query."""

    def __init__(self, people, leaving: Collection[int]) -> None:
        rows = Pair.objects.filter(Q(learner__in=people) | Q(coach__in=people)).values_list(
            "pk", "learner_id", "coach_id", "metric_id", "state", "ending",
            "learner__name", "coach__name",
        )  # fmt: skip
        self.busy: Counter = Counter()
        self.learning: dict[int, set[int]] = defaultdict(set)
        self.teaching: dict[int, set[int]] = defaultdict(set)
        self.together: set[tuple[int, int]] = set()
        self.failed: dict[tuple[int, int], str] = {}
        for pk, learner, coach, metric, state, ending, who, by in rows:
            self.together |= {(learner, coach), (coach, learner)}
            if pk in leaving:
                continue
            if state in Pair.ACTIVE:
                self.busy[coach] += 1
                self.learning[learner].add(metric)
                self.teaching[coach].add(metric)
            elif state == Pair.State.ENDED and ending not in Pair.BLAMELESS:
                self.failed[learner, coach] = said(sentences.ENDED_BEFORE, coach=by, learner=who)

    def taken(self, person: int) -> set[int]:
        """Metrics that somebody has a coach for already, or coaches others in."""
        return self.learning.get(person, set()) | self.teaching.get(person, set())


def _members(selected: QuerySet[Member], wishes: Wishes) -> list[_Taking]:
    """Who takes part, in the order of their ids; teams come once, not with each of their people."""
    people = {
        person.pk: person
        for person in Person.objects.filter(pk__in=selected.values("person")).order_by()
    }
    teams = Team.objects.in_bulk({person.team_id for person in people.values()} - {None})
    found = []
    rows = selected.order_by("person_id").values_list("person_id", "side", "metric_id")
    for pk, side, metric in rows:
        person = people[pk]
        if person.team_id is not None:
            person.team = teams[person.team_id]
        if person.public_id not in wishes.left_out:
            found.append(_Taking(person, side, metric))
    return found


def _rows(
    taught: list[_Taking],
    wishes: Wishes,
    column: dict[int, int],
    need: np.ndarray,
    taken: np.ndarray,
    weights: list[float],
) -> tuple[list[Person], np.ndarray, np.ndarray]:
    """
    The rows of the problem: people, what each asks for, and positions among the learners.

    Who gets several coaches is split into so many skills: the one a hand was raised for, then
    those that are needed most, by need and weight.
    """
    rows, asks, source = [], [], []
    for at, member in enumerate(taught):
        hand = column.get(member.metric_id, NOTHING)
        wanted = wishes.wants.get(member.person.public_id, 1)
        if wanted > 1:
            lacking = np.flatnonzero((need[at] >= LACKS) & ~taken[at])
            by_need = lacking[
                np.argsort(-(need[at] * np.array(weights))[lacking], kind="stable")
            ].tolist()
            if hand != NOTHING and not taken[at, hand]:
                by_need = [hand, *(skill for skill in by_need if skill != hand)]
            skills = by_need[:wanted]
            if len(skills) > 1:
                rows += [member.person] * len(skills)
                asks += skills
                source += [at] * len(skills)
                continue
        rows.append(member.person)
        asks.append(hand)
        source.append(at)
    return rows, np.array(asks, dtype=np.int64), np.array(source, dtype=np.intp)


def _managed(
    rows: list[Person], coaches: list[Person], teams: QuerySet[Team]
) -> dict[tuple[int, int], str]:
    """Learners below each coach who manages one of the teams."""
    bosses = {coach.pk: coach for coach in coaches}
    found = {}
    for manager, path in teams.values_list("manager_id", "path"):
        if manager not in bosses:
            continue
        for person in rows:
            if person.team and person.team.path.startswith(path):
                found[person.pk, manager] = said(
                    sentences.LINE_MANAGER, coach=bosses[manager].name, learner=person.name
                )
    return found


def _possible(
    rows: list[Person],
    coaches: list[Person],
    groups: tuple[np.ndarray, np.ndarray],
    apart: dict[tuple[int, int], str],
) -> np.ndarray:
    possible = (groups[0][:, None] == groups[1][None, :]) & (groups[0] >= 0)[:, None]
    row: dict[int, list[int]] = defaultdict(list)
    for index, person in enumerate(rows):
        row[person.pk].append(index)
    column = {person.pk: index for index, person in enumerate(coaches)}
    for learner, coach in apart:
        if learner in row and coach in column:
            possible[row[learner], column[coach]] = False
    return possible
