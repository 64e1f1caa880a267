"""
What the pages of a plan are made of: the numbers of their head, what the address asks for, who
changed the plan meanwhile, and how a refused or a done change is told.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from coaching.models import DraftPair, Member, Metric, Person, Plan, PlanStep, Unpaired
from coaching.queries import people
from coaching.services.plans import affinity, loads, what_if
from coaching.web import charts, words
from coaching.web.asking import Asked, free, one_of
from coaching.web.retold import retold

FEW_COACHES = 3
# Moves that are read at a glance; the others fold.
MOVES_SHOWN = 6
# Coaches any one of whose seats would place one more learner, offered as buttons.
CURES = 3

ORDERS = {
    "best": (gettext_lazy("Best match first"), ("-score",)),
    "weakest": (gettext_lazy("Weakest match first"), ("score",)),
    "learner": (gettext_lazy("Learner"), ("learner__name",)),
    "coach": (gettext_lazy("Coach"), ("coach__name", "-score")),
    "close": (
        gettext_lazy("Closest runner-up first"),
        ("runner_up_unmatches", F("runner_up_cost").asc(nulls_last=True), "-score"),
    ),
    "few": (gettext_lazy("Fewest possible coaches"), ("feasible_coaches", "-score")),
}
SHOWS = {
    "pinned": gettext_lazy("Pinned by you"),
    "few": gettext_lazy("Few possible coaches"),
    "free": gettext_lazy("Another coach costs nothing"),
    "moved": gettext_lazy("Moved by the last change"),
}


@dataclass(frozen=True, slots=True)
class Choice(Asked):
    """Which pairs of a plan."""

    q: str = free(80)
    skill: str = free(64)
    show: str = one_of(SHOWS)
    sort: str = one_of(ORDERS)


def chosen(
    pairs: QuerySet[DraftPair], choice: Choice, last: PlanStep | None
) -> QuerySet[DraftPair]:
    if choice.q:
        pairs = pairs.filter(people.named(choice.q, "learner__name", "coach__name"))
    if choice.skill:
        pairs = pairs.filter(metric__key=choice.skill)
    if choice.show == "pinned":
        pairs = pairs.filter(pinned=True)
    elif choice.show == "few":
        pairs = pairs.filter(feasible_coaches__lt=FEW_COACHES)
    elif choice.show == "free":
        pairs = pairs.filter(pinned=False, runner_up_cost=0, runner_up_unmatches=False)
    elif choice.show == "moved":
        moved = {move.get("learner") for move in last.moves} if last else set()
        pairs = pairs.filter(learner__name__in=moved)
    return pairs.order_by(*ORDERS[choice.sort or "best"][1], "pk")


def siblings_of(plan: Plan) -> list[Plan]:
    """All plans for one cohort, the first one first, each with what it is `called`."""
    rows = list(
        plan.cohort.plans.order_by("created_at", "pk").only(
            "pk", "public_id", "name", "matched", "total", "state", "cohort_id"
        )
    )
    for number, row in enumerate(rows, 1):
        row.called = row.name or (
            gettext("First plan")
            if number == 1
            else gettext("Plan %(number)s") % {"number": number}
        )
    return rows


@dataclass(frozen=True, slots=True)
class Head:
    """
    A plan in numbers, what the last change did to them, and the ways back and forth.

    matched_by, total_by, worst_by : against the step before; None without one
    most, mean : learners of a coach who has any
    """

    matched: int
    learners: int
    total: int
    worst: int
    coaches: int
    used: int
    most: int
    mean: float
    matched_by: int | None
    total_by: int | None
    worst_by: int | None
    last: PlanStep | None
    undo: str
    redo: str

    @property
    def moves(self) -> list[dict]:
        return self.last.moves if self.last else []

    @property
    def first_moves(self) -> list[dict]:
        return self.moves[:MOVES_SHOWN]

    @property
    def other_moves(self) -> list[dict]:
        return self.moves[MOVES_SHOWN:]

    @property
    def waiting(self) -> int:
        return max(self.learners - self.matched, 0)


def head_of(plan: Plan) -> Head:
    """Three queries, whatever the number of people."""
    sides = Counter(taking_part(plan).values_list("side", flat=True))
    load = Counter(plan.draft_pairs.order_by().values_list("coach", flat=True))
    near = plan.steps.filter(number__gte=plan.step - 1, number__lte=plan.step + 1).defer("wishes")
    at = {step.number: step for step in near.select_related("by")}
    last, before, later = (at.get(plan.step + by) for by in (0, -1, 1))

    def change(field: str) -> int | None:
        if last is None or before is None or field not in before.outcome:
            return None
        return getattr(plan, field) - before.outcome[field]

    return Head(
        matched=plan.matched,
        # Who gets two coaches counts twice, as in `matched`.
        learners=sides[Member.Side.LEARNER] + sum(number - 1 for number in plan.wants.values()),
        total=plan.total,
        worst=plan.worst,
        coaches=sides[Member.Side.COACH],
        used=len(load),
        most=max(load.values(), default=0),
        mean=sum(load.values()) / len(load) if load else 0.0,
        matched_by=change("matched"),
        total_by=change("total"),
        worst_by=change("worst"),
        last=last,
        undo=last.what if last and before else "",
        redo=later.what if later else "",
    )


def taking_part(plan: Plan) -> QuerySet[Member]:
    """Members of the cohort whom neither the cohort nor this plan leaves out."""
    return (
        plan.cohort.members.filter(left_out=False, person__active=True)
        .exclude(person__public_id__in=list(plan.left_out))
        .order_by()
    )


def coaches_of(plan: Plan, text: str) -> QuerySet[Member]:
    """Coaches of a plan, those with most learners first."""
    load = (
        plan.draft_pairs.filter(coach=OuterRef("person"))
        .order_by()
        .values("coach")
        .annotate(load=Count("pk"))
        .values("load")
    )
    rows = taking_part(plan).filter(side=Member.Side.COACH).select_related("person__team")
    if text:
        rows = rows.filter(people.named(text, "person__name"))
    return rows.annotate(load_here=Coalesce(Subquery(load), 0)).order_by(
        "-load_here", "person__name", "pk"
    )


@dataclass(slots=True)
class Shortage:
    """
    Learners without a coach who wait for the same seats, or one of them with a reason of its own.

    coaches : (coach, load) of the contested seats, those with the fewest hours first
    rivals : names of learners who have one of these seats
    """

    title: str
    reason: str
    rows: list[Unpaired]
    coaches: list[tuple[Person, loads.Load]]
    rivals: list[str]

    @property
    def cures(self) -> list[tuple[Person, loads.Load]]:
        return self.coaches[:CURES]


def waiting_of(plan: Plan) -> QuerySet[Unpaired]:
    """Learners without a coach: those a seat would help first, in the order of the lot."""
    rows = plan.unpaired.select_related("learner__team")
    return rows.order_by("-scarce", F("place").asc(nulls_last=True), "learner__name", "pk")


def shortages(rows: list[Unpaired], plan: Plan) -> list[Shortage]:
    """Learners who compete for the same seats together, the others each on their own."""
    together: dict[tuple, list[Unpaired]] = {}
    for row in rows:
        key = tuple(sorted(row.contested)) if row.scarce else (row.pk,)
        together.setdefault(key, []).append(row)
    known = names_of(list({one for row in rows for one in (*row.competing, *row.contested)}))
    contested = {one for row in rows for one in row.contested}
    load = loads.of([known[one] for one in contested if one in known], plan=plan)
    waiting = set(plan.unpaired.values_list("learner__public_id", flat=True))
    found = []
    for group in together.values():
        first = group[0]
        coaches = [known[one] for one in first.contested if one in known]
        rivals = {one for row in group for one in row.competing if one in known} - waiting
        alone = len(group) == 1
        found.append(
            Shortage(
                title=first.learner.name if alone else words.waiting(len(group), len(coaches)),
                reason=first.reason
                if alone
                else words.shortage(len(group), first.seats, len(coaches)),
                rows=group,
                coaches=sorted(
                    ((coach, load[coach.pk]) for coach in coaches),
                    key=lambda entry: (entry[1].hours, entry[0].name),
                ),
                rivals=sorted(known[one].name for one in rivals),
            )
        )  # fmt: skip
    return found


# What is said beside each preference.
TOLD = {
    "site": gettext_lazy("They sit in one place."),
    "shift": gettext_lazy("They work the same shift."),
    "language": gettext_lazy("They share a language."),
    "hours": gettext_lazy("By the share of the shorter week in which both work."),
    "tenure": gettext_lazy("In full below a year between their starts; nothing from five."),
    "contact": gettext_lazy("The same team, or a pair before."),
}


def kinds() -> list[tuple[str, str, str]]:
    """Preferences as (key, label, sentence), in the order in which they are offered."""
    return [(key, gettext(label), TOLD[key]) for key, label in affinity.LABELS.items()]


def weighed(plan: Plan) -> list[Metric]:
    """Metrics that the ranking weighs, each with its `weight` there."""
    weights = dict(
        plan.cohort.ranking.yardsticks.filter(weight__gt=0)
        .order_by()
        .values_list("metric", "weight")
    )
    metrics = list(Metric.objects.filter(pk__in=weights).order_by("name"))
    for metric in metrics:
        metric.weight = weights[metric.pk]
    return metrics


@dataclass(frozen=True, slots=True)
class Move:
    """Somebody who would have another coach; a name is empty for none."""

    learner: str
    leaves: str
    takes: str


@dataclass(frozen=True, slots=True)
class Offered:
    """A coach for one learner as the page shows it, with what insisting would cost everybody."""

    coach: Person
    metric: Metric | None
    score: int
    parts: list[dict]
    possible: bool
    price: str
    costs_nothing: bool
    loses_seat: bool
    left_without: str
    gains: str
    others: list[Move]
    here: bool
    pinned: bool
    exact: bool
    why_not: str
    load: loads.Load | None


def offers(prices: what_if.Prices, plan: Plan, learner: Person) -> list[Offered]:
    coaches = [offer.coach for offer in prices.offers if offer.possible]
    load = loads.of(coaches, plan=plan) if coaches else {}
    return [
        Offered(
            coach=offer.coach,
            metric=offer.metric,
            score=offer.score,
            parts=offer.parts,
            possible=offer.possible,
            price=words.price(
                offer.lost_seats, offer.lost_score, [one.name for one in offer.left_without]
            ),
            costs_nothing=offer.lost_seats <= 0 and offer.lost_score <= 0,
            loses_seat=offer.lost_seats > 0,
            left_without=words.listing([one.name for one in offer.left_without]),
            gains=words.listing(
                [one.name for one, leaves, _ in offer.moves if leaves is None and one != learner]
            ),
            others=[
                Move(one.name, leaves.name if leaves else "", takes.name if takes else "")
                for one, leaves, takes in offer.moves
                if one != learner
            ],
            here=offer.here,
            pinned=offer.pinned,
            exact=offer.exact,
            why_not=offer.why_not,
            load=load.get(offer.coach.pk),
        )
        for offer in prices.offers
    ]


@dataclass(frozen=True, slots=True)
class Curve:
    """What each floor would give, as a picture in percent of its sides, and as rows."""

    rows: list
    matched: str
    total: str
    dots: list[charts.Dot]
    ticks: list[tuple[float, str, str]]
    here: float
    most_matched: int
    most_total: int
    words: str


def curve(rows: list, floor: int) -> Curve:
    """
    rows : `Floor`s from the lowest to the highest

    Both lines stand on zero, so that how far they fall is how much is lost.
    """
    end = max([row.floor for row in rows] + [floor, 1])
    most = max((row.matched for row in rows), default=0) or 1
    total = max((row.total for row in rows), default=0) or 1

    def points(values: list[tuple[int, float]]) -> list[tuple[float, float]]:
        return [(100 * at / end, 100 - 94 * share) for at, share in values]

    matched = points([(row.floor, row.matched / most) for row in rows])
    totals = points([(row.floor, row.total / total) for row in rows])
    told = [
        gettext("Floor %(floor)s: %(matched)s with a coach, total %(total)s, weakest %(worst)s")
        % {
            "floor": row.floor,
            "matched": row.matched,
            "total": words.figure(row.total),
            "worst": row.worst,
        }
        for row in rows
    ]
    return Curve(
        rows=rows,
        matched=" ".join(f"{x:.2f},{y:.2f}" for x, y in matched),
        total=" ".join(f"{x:.2f},{y:.2f}" for x, y in totals),
        dots=[
            charts.Dot(x, y, y, y, False, text) for (x, y), text in zip(matched, told, strict=True)
        ],
        ticks=[(0.0, "start", "0"), (50.0, "middle", f"{end // 2}"), (100.0, "end", f"{end}")],
        here=100 * floor / end,
        most_matched=most,
        most_total=total,
        words="; ".join(told),
    )


def seen(plan: Plan) -> str:
    """What a form says about the plan it was made for: its revision and the step it stood at."""
    return f"{plan.revision}.{plan.step}"


def changed_since(plan: Plan, told: str) -> str:
    """
    In words, what others did to a plan since a page of it was made; empty when nothing.

    `told` is what `seen` gave to the page; a form that says nothing takes the plan as it is.
    """
    revision, _, step = told.partition(".")
    if not revision.isdecimal() or not step.isdecimal() or int(revision) == plan.revision:
        return ""
    since = int(step)
    if plan.step > since:
        steps = list(
            plan.steps.filter(number__gt=since, number__lte=plan.step).select_related("by")
        )
        return words.changed_meanwhile(
            [(row.by and row.by.name, retold(row.what)) for row in steps]
        )
    undone = plan.steps.filter(number__gt=plan.step, number__lte=since)
    return words.undone_meanwhile([retold(row.what) for row in undone])


def revision_of(told: str) -> int | None:
    """The revision in what `seen` gave to the page; None when the form says nothing of it."""
    number = told.partition(".")[0]
    return int(number) if number.isdecimal() else None


def lot_number(plan: Plan) -> int:
    """
    The number of a cohort's lot: always the same one, so that nobody draws until they like it.
    """
    digest = hashlib.sha256(f"lot of {plan.cohort.public_id}".encode()).digest()
    return int.from_bytes(digest[:4]) % 1_000_000


def back_to(request: HttpRequest, plan: Plan) -> str:
    """Where a form of the plan's pages was sent from; never an address outside of them."""
    home = reverse("plan", args=[plan.public_id])
    asked = urlsplit(request.POST.get("back") or request.GET.get("back") or home)
    if asked.scheme or asked.netloc or not asked.path.startswith(home):
        return home
    return f"{asked.path}?{asked.query}" if asked.query else asked.path


def names_of(public_ids: list[str]) -> dict[str, Person]:
    return {row.public_id: row for row in Person.objects.filter(public_id__in=public_ids)}
