"""Plans: who could coach whom, the one optimum under the manager's rules, and why."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from django.db import transaction
from django.db.models import F

from coaching.domain import matching
from coaching.errors import CoachingError
from coaching.models import Cohort, DraftPair, Member, Metric, Pair, Person, Plan, Rule, Unpaired
from coaching.services import audit

# A coach teaches only what they are more likely than not to be among the best two fifths in,
# and a learner learns only what they are more likely than not among the worst two fifths in.
MAY_TEACH = 0.5
LACKS = 0.5
DEFAULT_PREFERENCES = {"site": 100, "shift": 50}
FEW_COACHES = 3


@dataclass(frozen=True)
class Question:
    """
    A cohort as a matching problem.

    need : array (learners, metrics), skill : array (coaches, metrics), from 0 to 1
    possible : array (learners, coaches), pairs that no rule of the house excludes
    focus : array (learners, coaches), position of the metric to work on, -1 for none
    """

    learners: list[Person]
    coaches: list[Person]
    metrics: list[Metric]
    scores: matching.Scores
    seats: np.ndarray
    possible: np.ndarray
    focus: np.ndarray
    rules: list[Rule]
    preferences: dict[str, int]

    def name(self, role: str, index: int) -> str:
        return (self.learners if role == "learner" else self.coaches)[index].name

    @cached_property
    def problem(self) -> matching.Problem:
        """:raises matching.Refused: when the rules contradict each other or the seats"""
        learner, coach = np.nonzero(self.possible & (self.focus >= 0))
        learner_at = {person.pk: index for index, person in enumerate(self.learners)}
        coach_at = {person.pk: index for index, person in enumerate(self.coaches)}
        ruled: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for rule in self.rules:
            # A rule about somebody who was left out of the cohort has nothing to say.
            if rule.learner_id in learner_at and rule.coach_id in coach_at:
                ruled[rule.kind].append((learner_at[rule.learner_id], coach_at[rule.coach_id]))
        return matching.Problem(
            learners=len(self.learners),
            coaches=len(self.coaches),
            capacity=self.seats,
            learner=learner,
            coach=coach,
            score=self.scores.pairs(learner, coach),
            forbidden=ruled[Rule.Kind.FORBID],
            pinned=ruled[Rule.Kind.PIN],
            learner_ids=[person.pk for person in self.learners],
            coach_ids=[person.pk for person in self.coaches],
            one_directory=True,
            name=self.name,
        )

    def parts(self, learner: int, coach: int) -> list[dict]:
        """What the score of a pair is made of; the points add up to the score."""
        points = self.scores.parts(np.array([learner]), np.array([coach]))[0]
        found = [
            {"metric": metric.key, "name": metric.name, "points": int(value)}
            for metric, value in zip(self.metrics, points, strict=True)
            if value
        ]
        for attribute, value in self.preferences.items():
            mine = getattr(self.learners[learner], attribute)
            if mine and mine == getattr(self.coaches[coach], attribute):
                found.append({"metric": "", "name": f"Same {attribute}", "points": value})
        return sorted(found, key=lambda part: -part["points"])


def question_of(plan: Plan) -> Question:
    """
    Gather everybody in the plan's cohort with their needs, skills, seats and rules.

    Never a candidate: oneself, the manager of one's team or of a team above
    it, somebody of another peer group, a pair that was ended before.
    """
    cohort = Cohort.objects.select_related("ranking").get(pk=plan.cohort_id)
    members = list(
        cohort.members.filter(left_out=False, person__active=True)
        .select_related("person__team", "metric")
        .prefetch_related("person__managed_teams")
        .order_by("person_id")
    )
    taught = [member for member in members if member.side == Member.Side.LEARNER]
    learners = [member.person for member in taught]
    coaches = [member.person for member in members if member.side == Member.Side.COACH]
    weights = {
        row.metric_id: row.weight
        for row in cohort.ranking.yardsticks.filter(weight__gt=0).order_by("pk")
    }
    metrics = sorted(Metric.objects.filter(pk__in=weights), key=lambda metric: metric.pk)
    column = {metric.pk: index for index, metric in enumerate(metrics)}
    need, need_group = _matrix(cohort, learners, column, "p_need")
    skill, skill_group = _matrix(cohort, coaches, column, "p_skill")
    lacks = need >= LACKS
    for row, member in enumerate(taught):
        if member.metric_id in column:
            # A raised hand asks for one skill; the ranking has no say in it.
            need[row], lacks[row] = 0, False
            need[row, column[member.metric_id]] = 1
            lacks[row, column[member.metric_id]] = True
        elif not lacks[row].any() and need[row].any():
            # Below the others overall without one clear weakness: the largest one counts.
            lacks[row, need[row].argmax()] = True
    swimming = Pair.objects.active().filter(learner__in=learners, metric__in=metrics)
    row_of = {person.pk: row for row, person in enumerate(learners)}
    for person, metric in swimming.values_list("learner", "metric"):
        # Has a coach for that already; a second one would be refused at the launch.
        lacks[row_of[person], column[metric]] = False
    preferences = {
        attribute: points
        for attribute, points in plan.preferences.items()
        if attribute in Person.ATTRIBUTES and points
    }
    scores = matching.build_scores(
        need,
        skill,
        [weights[metric.pk] for metric in metrics],
        same=tuple(
            (*_codes(learners, coaches, attribute), points)
            for attribute, points in preferences.items()
        ),
    )
    focus = np.full((len(learners), len(coaches)), -1)
    for row in range(len(learners)):
        at = np.full(len(coaches), row)
        parts = scores.parts(at, np.arange(len(coaches)))
        focus[row] = matching.focus_metric(parts, (skill >= MAY_TEACH) & lacks[row])
    return Question(
        learners=learners,
        coaches=coaches,
        metrics=metrics,
        scores=scores,
        seats=_seats(plan, coaches),
        possible=_possible(learners, coaches, need_group, skill_group),
        focus=focus,
        rules=list(plan.rules.all()),
        preferences=preferences,
    )


def _matrix(
    cohort: Cohort, members: list[Person], column: dict[int, int], field: str
) -> tuple[np.ndarray, list[str]]:
    row = {person.pk: index for index, person in enumerate(members)}
    values = np.zeros((len(members), len(column)))
    groups = [""] * len(members)
    standings = cohort.ranking.standings.filter(person__in=row, metric__in=column)
    for person, metric, value, group in standings.values_list("person", "metric", field, "group"):
        values[row[person], column[metric]] = min(max(value, 0.0), 1.0)
        groups[row[person]] = group
    return values, groups


def _codes(
    learners: list[Person], coaches: list[Person], attribute: str
) -> tuple[np.ndarray, np.ndarray]:
    """The same number for the same value of an attribute, -1 where it is unknown."""
    values = sorted({getattr(person, attribute) for person in [*learners, *coaches]} - {""})
    code = {value: index for index, value in enumerate(values)}
    return tuple(
        np.array([code.get(getattr(person, attribute), -1) for person in side], dtype=np.int64)
        for side in (learners, coaches)
    )


def _seats(plan: Plan, coaches: list[Person]) -> np.ndarray:
    """Seats left for this plan: capacity, less the pairs a coach has in any cohort."""
    busy = Counter(Pair.objects.active().filter(coach__in=coaches).values_list("coach", flat=True))
    return np.array(
        [
            max(plan.capacities.get(coach.public_id, coach.capacity) - busy[coach.pk], 0)
            for coach in coaches
        ],
        dtype=np.int64,
    )


def _possible(
    learners: list[Person],
    coaches: list[Person],
    learner_groups: list[str],
    coach_groups: list[str],
) -> np.ndarray:
    possible = np.array(learner_groups)[:, None] == np.array(coach_groups)[None, :]
    possible = possible.reshape(len(learners), len(coaches))
    paths = [learner.team.path if learner.team else "" for learner in learners]
    for index, coach in enumerate(coaches):
        for team in coach.managed_teams.all():
            below = [row for row, path in enumerate(paths) if path.startswith(team.path)]
            possible[below, index] = False
    row = {person.pk: index for index, person in enumerate(learners)}
    column = {person.pk: index for index, person in enumerate(coaches)}
    ended = Pair.objects.filter(
        state=Pair.State.ENDED, learner__in=learners, coach__in=coaches
    ).values_list("learner", "coach")
    for learner, coach in ended:
        possible[row[learner], column[coach]] = False
    return possible


class RulesContradict(CoachingError):
    """The manager's rules cannot all hold; the message names the people and the rules."""


class CohortLaunched(CoachingError):
    message = "This cohort has been launched already; it needs no further plan."


class NotADraft(CoachingError):
    message = "This plan has been launched; its pairs are changed on their own pages."


def draft(*, cohort: Cohort, by: Person, now: datetime) -> Plan:
    """
    A new plan for a draft cohort, solved.

    :raises CohortLaunched: when the cohort needs no plan any more
    """
    if not Cohort.objects.filter(pk=cohort.pk, state=Cohort.State.DRAFT).exists():
        raise CohortLaunched
    with transaction.atomic():
        plan = Plan.objects.create(cohort=cohort, preferences=DEFAULT_PREFERENCES, created_at=now)
        _solve(plan, now=now)
    return plan


@transaction.atomic
def solve(*, plan: Plan, by: Person, now: datetime) -> Plan:
    """
    Solve a draft plan again, after people, numbers or seats changed.

    :raises RulesContradict, NotADraft:
    """
    return _change(plan, now=now)


@transaction.atomic
def add_rule(
    *, plan: Plan, kind: str, learner: Person, coach: Person, by: Person, now: datetime
) -> Plan:
    """
    Pin a pair or forbid it; a rule on the same two people is replaced.

    :raises RulesContradict: and nothing is changed
    """
    if learner == coach:
        raise RulesContradict(f"A rule needs two people; {coach.name} cannot coach themselves.")
    Rule.objects.update_or_create(
        plan=plan,
        learner=learner,
        coach=coach,
        defaults={"kind": kind, "made_by": by, "made_at": now},
    )
    _note(plan, f"{kind}: {coach.name} and {learner.name}", by=by, now=now)
    return _change(plan, now=now)


@transaction.atomic
def drop_rule(*, rule: Rule, by: Person, now: datetime) -> Plan:
    plan = rule.plan
    _note(plan, f"no longer {rule}", by=by, now=now)
    rule.delete()
    return _change(plan, now=now)


@transaction.atomic
def set_capacity(*, plan: Plan, coach: Person, seats: int, by: Person, now: datetime) -> Plan:
    """
    Give a coach so many learners at a time in this plan.

    :raises CoachingError: for fewer than none or more than fifty
    """
    if not 0 <= seats <= 50:
        raise CoachingError(f"{coach.name} can take from 0 to 50 learners at a time.")
    # Locked until the end, so that two managers' seats do not overwrite each other.
    plan.capacities = Plan.objects.select_for_update().get(pk=plan.pk).capacities
    plan.capacities[coach.public_id] = seats
    plan.save(update_fields=["capacities"])
    _note(plan, f"{coach.name} takes {seats}", by=by, now=now)
    return _change(plan, now=now)


@transaction.atomic
def leave_out(*, plan: Plan, person: Person, note: str, by: Person, now: datetime) -> Plan:
    """Leave a selected person out; they stay listed, so that the choice can be seen and undone."""
    members = Member.objects.filter(cohort=plan.cohort_id, person=person, left_out=False)
    if members.update(left_out=True, note=note[:300]) != 1:
        raise CoachingError(f"{person.name} is not in this plan.")
    _note(plan, f"{person.name} left out", by=by, now=now)
    return _change(plan, now=now)


@transaction.atomic
def take_in(*, plan: Plan, person: Person, side: str, note: str, by: Person, now: datetime) -> Plan:
    """
    Take a person in, on one side, whatever the ranking said; somebody left out comes back.

    :raises CoachingError: when the ranking of this cohort does not know the person
    """
    cohort = plan.cohort
    if not cohort.ranking.standings.filter(person=person).exists():
        raise CoachingError(
            f"{person.name} has no standing in this ranking, so nobody knows what they need or "
            "can teach. Import their readings and rank again."
        )
    if side not in Member.Side.values:
        raise CoachingError("Choose whether they learn or coach.")
    Member.objects.update_or_create(
        cohort=cohort,
        person=person,
        defaults={"side": side, "left_out": False, "note": note[:300]},
        create_defaults={
            "side": side,
            "source": Member.Source.MANAGER,
            "note": note[:300],
        },
    )
    _note(plan, f"{person.name} taken in", by=by, now=now)
    return _change(plan, now=now)


def _note(plan: Plan, what: str, *, by: Person, now: datetime) -> None:
    audit.record("plan changed", plan, by=by, now=now, team=plan.cohort.team, what=what)


def _change(plan: Plan, *, now: datetime) -> Plan:
    drafts = Plan.objects.filter(pk=plan.pk, state=Plan.State.DRAFT)
    if drafts.update(revision=F("revision") + 1) != 1:
        raise NotADraft
    _solve(plan, now=now)
    return plan


def _solve(plan: Plan, *, now: datetime) -> None:
    """Replace the plan's draft pairs by the optimum for its cohort, seats and rules."""
    question = question_of(plan)
    try:
        problem = question.problem
        answer = matching.solve(problem)
    except matching.Refused as refusal:
        raise RulesContradict(" ".join(refusal.reasons)) from refusal
    DraftPair.objects.filter(plan=plan).delete()
    Unpaired.objects.filter(plan=plan).delete()
    DraftPair.objects.bulk_create(_draft_pairs(plan, question, answer), batch_size=500)
    Unpaired.objects.bulk_create(_unpaired(plan, question, answer), batch_size=500)
    plan.matched, plan.total, plan.worst = answer.matched, answer.total, answer.worst or 0
    plan.solved_at = now
    plan.save(update_fields=["matched", "total", "worst", "solved_at"])
    plan.refresh_from_db(fields=["revision"])


def _draft_pairs(plan: Plan, question: Question, answer: matching.Plan) -> list[DraftPair]:
    problem = question.problem
    feasible = np.bincount(problem.learner, minlength=problem.learners)
    exchanges = matching.Exchanges(problem, answer)
    rows = []
    for learner, coach, score, pinned in zip(
        answer.learner.tolist(),
        answer.coach.tolist(),
        answer.score.tolist(),
        answer.pinned.tolist(),
        strict=True,
    ):
        row = DraftPair(
            plan=plan,
            learner=question.learners[learner],
            coach=question.coaches[coach],
            metric=question.metrics[question.focus[learner, coach]],
            score=score,
            parts=question.parts(learner, coach),
            feasible_coaches=int(feasible[learner]),
            pinned=pinned,
        )
        other = matching.NOBODY if pinned else exchanges.runner_up(learner)
        if other != matching.NOBODY:
            price = exchanges.regret(learner)
            row.runner_up = question.coaches[other]
            row.runner_up_score = int(question.scores.pairs([learner], [other])[0])
            row.runner_up_unmatches = bool(price.lost_seats[other])
            # Somebody else's place can be lost and score be won by it; a cost is never below 0.
            row.runner_up_cost = max(int(price.lost_score[other]), 0)
        rows.append(row)
    return rows


def _unpaired(plan: Plan, question: Question, answer: matching.Plan) -> list[Unpaired]:
    waiting = np.flatnonzero(answer.unfilled > 0).tolist()
    shortages = (
        matching.Shortages(question.problem, answer, name=question.name) if waiting else None
    )
    return [
        Unpaired(
            plan=plan,
            learner=question.learners[learner],
            reason=shortages.why(learner).reason
            if (question.problem.learner == learner).any()
            else _why_no_candidate(question, learner),
        )
        for learner in waiting
    ]


def _why_no_candidate(question: Question, learner: int) -> str:
    who = question.learners[learner].name
    if Pair.objects.active().filter(learner=question.learners[learner]).exists():
        return f"{who} has a coach already, in another cohort. Leave them out here."
    if not question.coaches:
        return (
            f"Nobody is a coach in this plan, so {who} has none. Add a coach, or choose the "
            "policy “leaning” for the scorecard."
        )
    if not question.possible[learner].any():
        return (
            f"No coach is of the same peer group as {who} and free to coach them. Add a coach "
            "of that group."
        )
    return (
        f"No coach here is strong in what {who} needs. Add a coach who is, or a second skill "
        "to work on."
    )
