"""All estimates of a ranking at a glance: a histogram whose bars are stacked by band."""

from collections import defaultdict
from dataclasses import dataclass

from django.utils.translation import ngettext

from coaching.models import Band
from coaching.queries.rankings import Border
from coaching.web import words
from coaching.web.charts import Axis, Tick

BINS = 60
# From the ground up: what is known of people first, what is not known above it.
STACK = (
    Band.WEAK,
    Band.STRONG,
    Band.LEANING_WEAK,
    Band.LEANING_STRONG,
    Band.MIDDLE,
    Band.CANNOT_TELL,
    Band.TOO_SMALL,
    Band.CHECK,
)
# With more peer groups than this, their borders are drawn as one stretch.
MOST_LINES = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """In percent of the picture; y downward."""

    x: float
    y: float
    width: float
    height: float
    band: str
    text: str


@dataclass(frozen=True, slots=True)
class Edge:
    """Where the worst or best part begins: one line, or a stretch when peer groups differ."""

    lines: list[float]
    low: float
    high: float
    text: str
    anchor: str

    @property
    def width(self) -> float:
        return self.high - self.low

    @property
    def rest(self) -> float:
        return 100 - self.low


@dataclass(frozen=True, slots=True)
class Strip:
    bars: list[Bar]
    worst: Edge | None
    best: Edge | None
    ticks: list[Tick]
    people: int
    highest: int
    words: str

    @property
    def edges(self) -> list[Edge]:
        return [edge for edge in (self.worst, self.best) if edge]

    @property
    def several(self) -> bool:
        """Whether peer groups differ in where their borders lie."""
        return any(len(edge.lines) != 1 for edge in self.edges)


def strip(
    counts: dict[tuple[int, str], int],
    axis: Axis,
    *,
    worst: list[Border],
    best: list[Border],
    q: float,
) -> Strip:
    """
    counts : people by bin (0 .. BINS - 1 from the axis' low to its high end) and band
    worst, best : the borders of the peer groups that are shown
    """
    stacks: dict[int, dict[str, int]] = defaultdict(dict)
    for (place, band), people in counts.items():
        stacks[place][band] = people
    highest = max((sum(stack.values()) for stack in stacks.values()), default=0)
    width = 100 / BINS
    bars = []
    for place in sorted(stacks):
        x = place * width if axis.sign > 0 else 100 - (place + 1) * width
        top = 0
        for band in STACK:
            people = stacks[place].get(band.value, 0)
            if people:
                top += people
                bars.append(
                    Bar(
                        x,
                        100 - 100 * top / highest,
                        width,
                        100 * people / highest,
                        band.value,
                        _people(people, band),
                    )
                )
    bands: dict[str, int] = defaultdict(int)
    for (_, band), people in counts.items():
        bands[band] += people
    total = sum(bands.values())
    told = ", ".join(
        f"{words.figure(bands[b.value])} {words.inside(b.label)}" for b in STACK if bands[b.value]
    )
    estimates = ngettext(
        "%(number)s estimate on one scale", "%(number)s estimates on one scale", total
    ) % {"number": words.spelled(total)}
    low, high = words.ends(q)
    return Strip(
        bars=bars,
        worst=_edge(worst, axis, low, side=-1),
        best=_edge(best, axis, high, side=1),
        ticks=axis.ticks,
        people=total,
        highest=highest,
        words=f"{estimates}: {told}." if told else f"{estimates}.",
    )


def _people(number: int, band: Band) -> str:
    people = ngettext("%(number)s person", "%(number)s people", number)
    return f"{people % {'number': words.spelled(number)}}: {words.inside(band.label)}"


def _edge(borders: list[Border], axis: Axis, text: str, *, side: int) -> Edge | None:
    places = sorted(axis.x(border.value) for border in borders)
    places = [x for x in places if 0 <= x <= 100]
    if not places:
        return None
    low, high = places[0], places[-1]
    # The word stands outside the middle, unless there is no room for it.
    outside = low > 14 if side < 0 else high < 86
    anchor = "end" if (side < 0) == outside else "start"
    return Edge(places if len(places) <= MOST_LINES else [], low, high, text, anchor)
