"""
The ranking explorer: what the address asks for, which standings that means, and what each of
them says. The page and the export read the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coaching.models import Band, Metric, Ranking, Scorecard, Standing, Yardstick
from coaching.queries import rankings
from coaching.web import charts, words
from coaching.web.asking import Asked, free, one_of

ORDERS = {
    # Chances end at one; beyond it the distance from the peers goes on.
    "low": (_("Most in need"), ("-p_low", "z")),
    "high": (_("Strongest"), ("-p_high", "-z")),
    "name": (_("Name"), ()),
    "n": (_("Most cases"), ("-n",)),
    "unsure": (_("Most uncertain"), ("-se",)),
}
# What the address calls it: its name on the page, where it stands, and what is said without it.
GROUPINGS = {
    "peers": (_("Peer group"), "group", _("no peer group")),
    "team": (_("Team"), "person__team__name", _("no team")),
    "site": (_("Site"), "person__site", _("no site")),
}


@dataclass(frozen=True, slots=True)
class Choice(Asked):
    """Which people of a ranking, and how they are grouped."""

    q: str = free(80)
    band: str = one_of(Band.values)
    team: str = free(12)
    site: str = free(100)
    shift: str = free(100)
    peers: str = free(420)
    by: str = one_of(GROUPINGS)
    sort: str = one_of(ORDERS)


def narrowed(standings: QuerySet[Standing], choice: Choice) -> QuerySet[Standing]:
    exact = {
        "band": choice.band,
        "person__team__public_id": choice.team,
        "person__site": choice.site,
        "person__shift": choice.shift,
        "group": choice.peers,
    }
    standings = standings.filter(**{field: value for field, value in exact.items() if value})
    if choice.q:
        named = Q()
        # SQLite folds only ASCII: a name with an accent is also looked for as names are written.
        for text in {choice.q, choice.q.lower(), choice.q.title(), choice.q.upper()}:
            named |= Q(person__name__icontains=text) | Q(team__name__icontains=text)
        standings = standings.filter(named)
    return standings


def ordered(standings: QuerySet[Standing], choice: Choice, hidden: list[str]) -> QuerySet[Standing]:
    """
    Grouped and sorted as asked. People of groups too small to show come last, by name: their
    order would tell what is not shown.
    """
    standings = standings.annotate(
        subject_name=Coalesce("person__name", "team__name"),
        unseen=Case(When(group__in=hidden, then=Value(1)), default=Value(0)),
    )
    keys = ORDERS[choice.sort or "low"][1]
    first = ["unseen"] if keys else []
    for key in keys:
        seen = Case(When(unseen=0, then=F(key.removeprefix("-"))), default=Value(None))
        first.append(seen.desc() if key.startswith("-") else seen.asc())
    if choice.by:
        first.insert(0, F(GROUPINGS[choice.by][1]).asc(nulls_last=True))
    return standings.order_by(*first, "subject_name", "pk")


@dataclass(frozen=True, slots=True)
class Lens:
    """In what a ranking's standings on one metric (or overall) are read."""

    ranking: Ranking
    metric: Metric | None
    frames: dict[str, Yardstick]
    hidden: frozenset[str]
    axis: charts.Axis | None

    @classmethod
    def of(
        cls, ranking: Ranking, metric: Metric | None, frames: Iterable[Yardstick],
        standings: QuerySet[Standing],
    ) -> "Lens":  # fmt: skip
        hidden = frozenset(rankings.too_small_to_show(ranking, metric))
        believed = standings.exclude(group__in=hidden)
        # One mistake in an export must not press everybody else together.
        ends = rankings.spread(believed.exclude(band=Band.CHECK), reach=charts.Z90)
        axis = charts.axis(metric, *ends) if ends else None
        return cls(ranking, metric, {frame.group: frame for frame in frames}, hidden, axis)

    @property
    def q(self) -> float:
        """The part of the peers that this ranking calls its worst or best."""
        return self.ranking.settings.get("q", 0.25)

    def mean(self, group: str) -> float | None:
        if self.metric is None:
            return 0.0
        frame = self.frames.get(group)
        return frame.mean if frame else None

    def shows(self, standing: Standing) -> bool:
        return standing.group not in self.hidden

    def read(self, value: float) -> str:
        return self.metric.read(value) if self.metric else words.local(f"{value:+.2f}")


@dataclass(frozen=True, slots=True)
class Row:
    """A standing as the page shows it."""

    standing: Standing
    name: str
    under: str
    person_id: str
    heading: str
    group_mean: str
    group_people: int
    shown: bool
    interval: charts.Interval | None
    estimate: str
    raw: str
    why: list[tuple[str, str]]


def rows(shown: Iterable[Standing], lens: Lens, choice: Choice, means: dict) -> list[Row]:
    """`means`: group means by the value of the grouping's field, when grouped."""
    found, last = [], object()
    for standing in shown:
        key = group_key(standing, choice.by)
        heading, mean = "", None
        if choice.by and key != last:
            heading, last = str(key or GROUPINGS[choice.by][2]), key
            if choice.by == "peers":
                heading = words.peers(heading)
            mean = means.get(key)
        visible = lens.shows(standing)
        person = standing.person
        people = lens.ranking.subject == Scorecard.Subject.PEOPLE
        found.append(
            Row(
                standing=standing,
                name=str(person or standing.team),
                under=str(person.team or gettext("no team")) if person else "",
                person_id=person.public_id if person and people else "",
                heading=heading,
                group_mean=lens.read(mean.mean) if mean and mean.mean is not None else "",
                group_people=mean.people if mean else 0,
                shown=visible,
                interval=charts.interval(standing, lens.axis, lens.mean(standing.group))
                if visible and lens.axis
                else None,
                estimate=lens.read(standing.estimate) if visible else "",
                raw=lens.read(standing.raw) if standing.raw is not None else "",
                why=why(standing, lens) if visible else [],
            )
        )
    return found


def group_key(standing: Standing, by: str) -> str | None:
    """The value of the grouping's field, without asking the database again."""
    if by == "peers":
        return standing.group
    person = standing.person
    if person is None:
        return None
    return person.site if by == "site" else person.team and person.team.name


def why(standing: Standing, lens: Lens) -> list[tuple[str, str]]:
    """Every number of a row with the sentence that explains it."""
    frame = lens.frames.get(standing.group) if lens.metric else None
    person = standing.person
    name = person.first_name if person and person.kind == person.Kind.PERSON else str(
        person or standing.team
    )  # fmt: skip
    estimate = gettext("Estimate %(value)s") % {"value": lens.read(standing.estimate)}
    lines = [(estimate, words.estimate(standing, frame, name))]
    if lens.metric is None or standing.raw is not None:
        lines.append((gettext("Reliability"), words.reliability(standing)))
    if lens.metric is not None:
        lines.append((gettext("Own mean"), words.raw(standing)))
    return [
        *lines,
        (gettext("Chances"), words.chances(standing, lens.q)),
        (gettext("Place"), words.place(standing)),
        (gettext("Band"), words.band(standing, lens.q)),
    ]
