"""Which pairs of a running cohort the address asks for, and what it may be asked for."""

from dataclasses import dataclass
from itertools import groupby

from django.db.models import Count, F, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from coaching.models import Metric, Pair, Person, Team
from coaching.queries import pairs, people
from coaching.web.asking import Asked, free, one_of

ORDERS = {
    "": (_("Most urgent first"), ()),
    "quiet": (_("Longest without a session"), (F("last_session").asc(nulls_first=True), "pk")),
    "learner": (pgettext_lazy("sort by", "Learner"), ("learner__name", "pk")),
    "coach": (pgettext_lazy("sort by", "Coach"), ("coach__name", "learner__name", "pk")),
    "test": (_("Test date"), ("test_date", "pk")),
}


@dataclass(frozen=True, slots=True)
class Choice(Asked):
    """Which pairs of a cohort."""

    q: str = free(80)
    state: str = one_of(Pair.State.values)
    team: str = free(12)
    metric: str = free(64)
    coach: str = free(12)
    sort: str = one_of(ORDERS)


def narrowed(rows: QuerySet[Pair], choice: Choice) -> QuerySet[Pair]:
    """All that is asked for but the state, which has tabs of its own."""
    exact = {
        "learner__team__public_id": choice.team,
        "metric__key": choice.metric,
        "coach__public_id": choice.coach,
    }
    rows = rows.filter(**{field: value for field, value in exact.items() if value})
    if choice.q:
        rows = rows.filter(people.named(choice.q, "learner__name", "coach__name"))
    return rows


def ordered(rows: QuerySet[Pair], choice: Choice) -> QuerySet[Pair]:
    """With all that a card shows."""
    shown = pairs.on_board(rows)
    order = ORDERS[choice.sort][1]
    return shown.order_by(*order) if order else shown


@dataclass(frozen=True, slots=True)
class Tab:
    state: str
    label: str
    count: int


def tabs(rows: QuerySet[Pair]) -> list[Tab]:
    """The states that occur, the most urgent first; one query."""
    counts = dict(rows.order_by().values_list("state").annotate(Count("pk", distinct=True)))
    return [
        Tab(state.value, state.label, counts[state.value])
        for state in pairs.BOARD_ORDER
        if counts.get(state.value)
    ]


def options(rows: QuerySet[Pair]) -> dict[str, list]:
    """What occurs among these pairs, by name; three queries."""
    of = rows.order_by()
    return {
        "teams": list(Team.objects.filter(pk__in=of.values("learner__team"))),
        "metrics": list(Metric.objects.filter(pk__in=of.values("metric")).order_by("name", "pk")),
        "coaches": list(Person.objects.filter(pk__in=of.values("coach"))),
    }


def lanes(page: list[Pair]) -> list[tuple[Pair.State, list[Pair]]]:
    """The pairs of a page in the order of the board, by state."""
    groups = groupby(page, key=lambda row: row.state)
    return [(Pair.State(state), list(group)) for state, group in groups]
