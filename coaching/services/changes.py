"""What a file changes: the difference between its rows and the database, and the writing of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from zoneinfo import available_timezones

from django.db.models.functions import Lower

from coaching.domain import tables
from coaching.domain.said import Said, said
from coaching.models import Import, Metric, Person, Reading, Team
from coaching.models.base import folded
from coaching.queries import access
from coaching.services import progress

# So many names, readings and changes are shown; the others are counted.
SHOWN = 10
SHOWN_CHANGES = 200
FIRST_TEAM = "Everybody"
OTHER_KIND_HINT = said(
    "Say above whom the rows are about, or give the segment a name that nobody bears."
)
# Kinds and directions inside a sentence.
COUNTS_AS = {
    Metric.Kind.MEAN: said("mean of scores"),
    Metric.Kind.PROPORTION: said("share of cases"),
    Metric.Kind.RATE: said("events per exposure"),
    Metric.Kind.DURATION: said("duration"),
}
BETTER_IS = {
    Metric.Direction.HIGHER: said("higher is better"),
    Metric.Direction.LOWER: said("lower is better"),
}


@dataclass
class Change:
    """The difference between a file and the database."""

    source: Import
    shape: str
    kind: Person.Kind
    rows: int
    found: list[tables.FoundPerson]
    known: dict[str, Person]
    metrics: list[Metric]
    new: list[tables.Reading]
    changed: list[tuple[tables.Reading, Reading]]
    same: int
    problems: list[dict]
    problem_count: int

    @property
    def newcomers(self) -> list[tables.FoundPerson]:
        return [person for person in self.found if folded(person.key) not in self.known]

    def preview(self) -> dict:
        """What would happen, as plain values."""
        weeks = sorted({row.period for row in self.new} | {row.period for row, _ in self.changed})
        newcomers = self.newcomers
        fewer = sum(row.n < old.n for row, old in self.changed)
        return {
            "rows": self.rows,
            "metrics": [_described(metric) for metric in self.metrics],
            "people": {
                "new": len(newcomers),
                "known": len(self.found) - len(newcomers),
                "names": [person.name for person in newcomers[:SHOWN]],
            },
            "weeks": {
                "first": weeks[0].isoformat(),
                "last": weeks[-1].isoformat(),
                "count": len(weeks),
            }
            if weeks
            else {},
            "readings": {
                "new": len(self.new),
                "changed": len(self.changed),
                "same": self.same,
                # A reading that shrinks is often a week that the export cut off.
                "fewer": fewer,
            },
            "sample": [
                self._shown(row) for row in [*self.new, *(row for row, _ in self.changed)][:SHOWN]
            ],
        }

    def _metric(self, key: str) -> Metric:
        return next(metric for metric in self.metrics if metric.key == key)

    def _shown(self, row: tables.Reading) -> dict:
        metric = self._metric(row.metric)
        return {
            "person": row.person,
            "metric": metric.name,
            "week": row.period.isoformat(),
            "n": row.n,
            "value": metric.show(row.sum / row.n),
        }

    def apply(self, *, now: datetime) -> dict:
        """Write people, metrics and readings; returns what was written."""
        new_metrics = [metric for metric in self.metrics if metric.pk is None]
        Metric.objects.bulk_create(new_metrics)
        people_new, people_changed = self._store_people()
        metrics = {metric.key: metric for metric in Metric.objects.all()}
        rows = [
            Reading(
                person=self.known[folded(row.person)],
                metric=metrics[row.metric],
                period=row.period,
                n=row.n,
                sum=row.sum,
                sumsq=row.sumsq,
                source=self.source,
            )
            for row in [*self.new, *(row for row, _ in self.changed)]
        ]
        Reading.objects.bulk_create(
            rows,
            batch_size=2000,
            update_conflicts=True,
            unique_fields=["person", "metric", "period"],
            update_fields=["n", "sum", "sumsq", "source"],
        )
        progress.readings_arrived(Reading.objects.filter(source=self.source), now=now)
        return {
            "readings": {
                "new": len(self.new),
                "changed": len(self.changed),
                "same": self.same,
            },
            "people": people_new,
            "people_changed": people_changed,
            "metrics": len(new_metrics),
            "changes": [
                {
                    **{key: value for key, value in self._shown(row).items() if key != "value"},
                    "old": self._metric(row.metric).show(old.sum / old.n),
                    "new": self._metric(row.metric).show(row.sum / row.n),
                }
                for row, old in self.changed[:SHOWN_CHANGES]
            ],
        }

    def _store_people(self) -> tuple[int, int]:
        root = self.source.team or _first_team()
        teams = self._teams(root)
        newcomers, changed = [], []
        for found in self.found:
            person = self.known.get(folded(found.key))
            team = teams.get(folded(found.team)) if found.team else None
            values = {"name": found.name, "email": found.email, **found.attributes}
            if person is None:
                person = Person(key=found.key, kind=self.kind, team=team or root)
                if self.kind == Person.Kind.SEGMENT:
                    person.capacity = 0
                newcomers.append(person)
            elif any(
                value not in ("", None) and getattr(person, name) != value
                for name, value in values.items()
                if name != "name" or found.name != found.key
            ) or (team and person.team_id != team.pk):
                changed.append(person)
            else:
                continue
            for name, value in values.items():
                # An empty cell says nothing; and a bare identifier is no better name.
                known_name = name == "name" and person.name and found.name == found.key
                if value not in ("", None) and not known_name:
                    setattr(person, name, value)
            if team:
                person.team = team
        Person.objects.bulk_create(newcomers, batch_size=1000)
        for person in changed:
            person.save()
        self.known |= {folded(person.key): person for person in newcomers}
        self._appoint(teams)
        return len(newcomers), len(changed)

    def _teams(self, root: Team) -> dict[str, Team]:
        """The teams the file names, by folded name; new ones are founded below `root`."""
        names = {folded(found.team): found.team for found in self.found if found.team}
        teams = {team.name_folded: team for team in Team.objects.filter(name_folded__in=names)}
        for key in sorted(names.keys() - teams.keys()):
            teams[key] = Team.objects.create(name=names[key], parent=root)
        return teams

    def _appoint(self, teams: dict[str, Team]) -> None:
        """Make the people whose addresses stand as managers the managers of those teams."""
        wanted = {
            folded(found.team): found.manager
            for found in self.found
            if found.team and found.manager
        }
        by_email = {
            person.email.casefold(): person
            for person in Person.objects.annotate(small=Lower("email")).filter(
                small__in=[address.lower() for address in wanted.values()]
            )
        }
        for key, address in wanted.items():
            manager = by_email.get(address.casefold())
            if manager and teams[key].manager_id != manager.pk:
                teams[key].manager = manager
                teams[key].save(update_fields=["manager"])


def _described(metric: Metric) -> dict:
    fields = ("key", "name", "kind", "direction", "unit", "lower", "upper")
    return {**{name: getattr(metric, name) for name in fields}, "new": metric.pk is None}


def _first_team() -> Team:
    """Where people join when there are no teams yet."""
    team = Team.objects.filter(parent=None).order_by("pk").first()
    return team or Team.objects.create(name=FIRST_TEAM)


def of_file(
    source: Import,
    table: tables.Table,
    mapping: tables.Mapping,
    *,
    today: date,
    on_progress: Callable[[int], None],
) -> Change:
    """
    Read a table and compare it with what is stored; nothing is written.

    :raises tables.MappingError, tables.TableError:
    """
    if mapping.shape == "roster":
        tallied = tables.read_roster(table, mapping, on_progress=on_progress)
        readings: Iterable[tables.Reading] = ()
    else:
        tallied = tables.aggregate(table, mapping, today=today, on_progress=on_progress)
        readings = tallied.readings
    metrics = _metrics(mapping)
    known = _known_people(tallied.people)
    problems = [asdict(problem) for problem in tallied.problems]
    foreign = _foreign(source, tallied.people, known)
    kind = Person.Kind.SEGMENT if mapping.who == "segments" else Person.Kind.PERSON
    taken = {key for key, person in known.items() if person.kind != kind} - foreign
    zones = available_timezones()
    nowhere = [
        person
        for person in tallied.people
        if person.attributes.get("time_zone", "UTC") not in zones
    ]
    for person in nowhere:
        zone = person.attributes.pop("time_zone")
        problems.append(
            {
                "sheet": table.sheet,
                "row": None,
                "column": mapping.attributes["time_zone"],
                "value": zone,
                "message": said(
                    "“%(zone)s”, the time zone of %(person)s, is not a time zone.",
                    zone=zone,
                    person=person.name,
                ),
                "hint": said("Write it like Europe/Zurich, or leave the cell empty."),
                "rule": "not a time zone",
            }
        )
    problems += [
        {
            "sheet": table.sheet,
            "row": None,
            "column": mapping.person,
            "value": person.key,
            "message": said(
                "%(person)s belongs to a team that you do not manage.", person=person.name
            ),
            "hint": said(
                "Leave these rows out, or have somebody import them who manages that team."
            ),
            "rule": "another team",
        }
        for person in tallied.people
        if folded(person.key) in foreign
    ]
    problems += [
        {
            "sheet": table.sheet,
            "row": None,
            "column": mapping.person,
            "value": person.key,
            "message": _known_otherwise(known[folded(person.key)]),
            "hint": OTHER_KIND_HINT,
            "rule": "of the other kind",
        }
        for person in tallied.people
        if folded(person.key) in taken
    ]
    left_out = foreign | taken
    new, changed, same = compare(
        (row for row in readings if folded(row.person) not in left_out), known, metrics
    )
    return Change(
        source=source,
        shape=mapping.shape,
        kind=kind,
        rows=tallied.rows_read,
        found=[person for person in tallied.people if folded(person.key) not in left_out],
        known=known,
        metrics=metrics,
        new=new,
        changed=changed,
        same=same,
        problems=problems,
        problem_count=sum(tallied.problem_counts.values()) + len(nowhere) + len(left_out),
    )


def _known_otherwise(person: Person) -> Said:
    if person.kind == Person.Kind.PERSON:
        return said("“%(name)s” is known as a person, not as a customer segment.", name=person.name)
    return said("“%(name)s” is known as a customer segment, not as a person.", name=person.name)


def _metrics(mapping: tables.Mapping) -> list[Metric]:
    """
    The mapping's metrics, those that exist as they are stored.

    :raises tables.MappingError: when one exists and counts something else
    """
    stored = {
        metric.key: metric
        for metric in Metric.objects.filter(key__in=[found.key for found in mapping.metrics])
    }
    metrics = []
    for found in mapping.metrics:
        metric = stored.get(found.key)
        if metric and (metric.kind, metric.direction) != (found.kind, found.direction):
            raise tables.MappingError(
                said(
                    "“%(metric)s” exists already as %(kind)s, %(direction)s. Give the column "
                    "“%(column)s” the same kind and direction, or another name.",
                    metric=metric.name,
                    kind=COUNTS_AS[metric.kind],
                    direction=BETTER_IS[metric.direction],
                    column=found.name,
                )
            )
        metrics.append(
            metric
            or Metric(
                key=found.key,
                name=found.name,
                kind=found.kind,
                direction=found.direction,
                unit=found.unit,
                lower=found.lower,
                upper=found.upper,
            )
        )
    return metrics


def _known_people(found: Sequence[tables.FoundPerson]) -> dict[str, Person]:
    known = {}
    for part in in_parts([folded(person.key) for person in found]):
        for person in Person.objects.filter(key_folded__in=part).select_related("team"):
            known[person.key_folded] = person
    return known


def _foreign(
    source: Import, found: Sequence[tables.FoundPerson], known: dict[str, Person]
) -> set[str]:
    """Folded keys of people in the file who are, or would come, in teams of somebody else."""
    by = source.uploaded_by
    if by is None or access.sees_everything(by):
        return set()
    paths = tuple(access.managed_paths(by))
    others = {
        team.name_folded
        for team in Team.objects.filter(
            name_folded__in={folded(person.team) for person in found if person.team}
        )
        if not team.path.startswith(paths)
    }
    strangers = {
        key
        for key, person in known.items()
        if person.team is None or not person.team.path.startswith(paths)
    }
    return strangers | {folded(person.key) for person in found if folded(person.team) in others}


def compare(
    readings: Iterable[tables.Reading], known: dict[str, Person], metrics: list[Metric]
) -> tuple[list[tables.Reading], list[tuple[tables.Reading, Reading]], int]:
    """Sort a file's readings into new ones, changed ones with what is stored, and the same."""
    readings = list(readings)
    weeks = [row.period for row in readings] or [date.min]
    stored = {
        (row.person_id, row.metric_id, row.period): row
        for part in in_parts([person.pk for person in known.values()])
        for row in Reading.objects.filter(
            person__in=part,
            metric__in=[metric.pk for metric in metrics if metric.pk],
            period__range=(min(weeks), max(weeks)),
        )
    }
    ids = {metric.key: metric.pk for metric in metrics}
    new, changed, same = [], [], 0
    for row in readings:
        person = known.get(folded(row.person))
        old = stored.get((person.pk, ids[row.metric], row.period)) if person else None
        if old is None:
            new.append(row)
        elif _alike(old.n, row.n) and _alike(old.sum, row.sum) and _alike(old.sumsq, row.sumsq):
            same += 1
        else:
            changed.append((row, old))
    return new, changed, same


def in_parts(values: list, size: int = 500) -> Iterator[list]:
    """Few enough at a time for one query's parameters."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _alike(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other), 1.0)
