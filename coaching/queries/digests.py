"""What a digest tells, as plain values: at most five of a kind, the rest a count and a link."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet

from coaching.domain import cadence
from coaching.domain.said import Said, said, said_many
from coaching.models import Case, Cohort, Helper, Letter, Pair, Person, Team, Waiting
from coaching.queries import access, letters, quiet
from coaching.queries import cohorts as cohort_queries
from coaching.queries import pairs as pair_queries

MOST_ITEMS = 5
URGENCY = (
    Pair.State.STUCK,
    Pair.State.AT_RISK,
    Pair.State.ON_TRACK,
    Pair.State.PASSED,
    Pair.State.ENDED,
)
CLOCKS = {
    Case.Clock.ACTIVITY: said("No sessions"),
    Case.Clock.OUTCOME: said("Sessions, but no movement"),
    Case.Clock.READINGS: said("No readings"),
}
FAILURES = {
    "": said("perhaps not sent"),
    Letter.Failure.REFUSED: said("the address was refused"),
    Letter.Failure.LATER: said("the mail server asked to come back"),
    Letter.Failure.UNREACHED: said("the mail server could not be reached"),
    Letter.Failure.SENDER: said("the mail server takes nothing from us"),
    Letter.Failure.UNWRITABLE: said("the letter could not be written"),
    Letter.Failure.POISON: said("it stopped every worker that took it"),
}
FAILED = (Letter.State.DEAD, Letter.State.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Week:
    """The week a digest looks back on, for readers in one zone."""

    due: datetime
    today: date

    @property
    def since(self) -> datetime:
        return self.due - timedelta(days=7)


def week_of(reader: Person, *, due: datetime) -> Week:
    return Week(due, due.astimezone(reader.zone).date())


# -- who reads one -------------------------------------------------------------------------


def readers(*, since: datetime, until: datetime) -> QuerySet[Person]:
    """
    Who may have something to read: managers, helpers, and both sides of pairs that swim or
    were over after `since`, as far as they began before `until`.
    """
    over = Q(passed_at__gte=since) | Q(ended_at__gte=since)
    pairs = Pair.objects.filter(Q(state__in=Pair.ACTIVE) | over, started_at__lte=until)
    helps = Helper.objects.filter(person=OuterRef("pk"), until=None, since__lte=until)
    return Person.objects.filter(
        Exists(pairs.filter(learner=OuterRef("pk")))
        | Exists(pairs.filter(coach=OuterRef("pk")))
        | Exists(helps)
        | Exists(Team.objects.filter(manager=OuterRef("pk"))),
        active=True,
        kind=Person.Kind.PERSON,
    )


# -- what it says --------------------------------------------------------------------------


def contents(people: Iterable[Person], *, week: Week) -> dict[int, dict]:
    """
    What the digests of these people say, by row number; who has nothing to read is not in it.

    Their own pairs are read together, whatever their number; a manager costs a few queries.
    """
    people = list(people)
    own = _own_pairs(people, week)
    managers = _concerned(people)
    found = {}
    for person in people:
        told = {"needs": [], "cohorts": [], "more_cohorts": 0, "own": own.get(person.pk, [])}
        if person.pk in managers:
            told |= _managed(person, week)
        if told["needs"] or told["cohorts"] or told["own"]:
            found[person.pk] = told
    return found


def _concerned(people: list[Person]) -> set[int]:
    """Row numbers of those who manage a team with a cohort, or with a learner, of any time."""
    busy = Team.objects.filter(
        Exists(Cohort.objects.filter(team=OuterRef("pk")))
        | Exists(Pair.objects.filter(learner__team=OuterRef("pk")))
    )
    paths = list(busy.values_list("path", flat=True))
    managed = Team.objects.filter(manager__in=people).values_list("manager", "path")
    everything = {person.pk for person in people if access.sees_everything(person)}
    return {
        manager
        for manager, own in managed
        if manager in everything or any(path.startswith(own) for path in paths)
    }


def _cut(items: list, count: int, **values) -> dict:
    """The first five of a list, and how many more there are."""
    more = max(count - MOST_ITEMS, 0)
    return {"items": items[:MOST_ITEMS], "more": more, "count": count, **values}


# -- one's own pairs -----------------------------------------------------------------------


def _own_pairs(people: list[Person], week: Week) -> dict[int, list[dict]]:
    """Groups of pairs by reader: what they learn, whom they coach, whom they help."""
    recent = Q(state__in=Pair.ACTIVE) | Q(passed_at__gte=week.since) | Q(ended_at__gte=week.since)
    helping = Helper.objects.filter(person__in=people, until=None)
    pairs = (
        pair_queries.with_progress(
            Pair.objects.filter(
                Q(learner__in=people) | Q(coach__in=people) | Q(pk__in=helping.values("pair"))
            ).select_related("learner", "coach", "metric")
        )
        .filter(recent)
        .annotate(
            sessions_held=Count(
                "sessions",
                filter=Q(
                    sessions__held_on__gte=week.today - cadence.WEEK,
                    sessions__held_on__lt=week.today,
                ),
                distinct=True,
            )
        )
        .prefetch_related(
            Prefetch("helpers", queryset=helping.select_related("person"), to_attr="read_by")
        )
    )
    sides: dict[int, dict[str, list]] = defaultdict(lambda: defaultdict(list))
    wanted = {person.pk: person for person in people}
    for pair in sorted(pairs, key=lambda pair: (URGENCY.index(pair.state), pair.pk)):
        if pair.learner_id in wanted:
            item = _pair_item(pair, wanted[pair.learner_id], "learner", week)
            sides[pair.learner_id]["learner"].append(item)
        if pair.coach_id in wanted:
            item = _pair_item(pair, wanted[pair.coach_id], "coach", week)
            sides[pair.coach_id]["coach"].append(item)
        for helper in pair.read_by if pair.is_active else ():
            item = _pair_item(pair, wanted[helper.person_id], "helper", week)
            sides[helper.person_id]["helper"].append(item)
    return {
        person: [
            _cut(groups[side], len(groups[side]), side=side, link="/me/")
            for side in ("learner", "coach", "helper")
            if groups[side]
        ]
        for person, groups in sides.items()
    }


def _pair_item(pair: Pair, reader: Person, side: str, week: Week) -> dict:
    looks = list(pair.looks.all())
    fresh = bool(looks) and looks[-1].taken_at >= week.since
    return {
        "partner": pair.coach.name if side == "learner" else pair.learner.name,
        "coach": pair.coach.name,
        "metric": pair.metric.name,
        "target": pair.target_text,
        "level": pair.read(looks[-1].level) if looks else "",
        # The level before this week's look; empty when nothing new came in.
        "before": pair.read(looks[-2].level) if fresh and len(looks) > 1 else "",
        "fresh": fresh,
        "sessions": pair.sessions_held,
        "state": pair.state,
        "passed": pair.state == Pair.State.PASSED,
        "ended": pair.state == Pair.State.ENDED,
        "days_left": max((pair.test_date - week.today).days, 0),
        "next_step": _next_step(pair, reader, side, week),
        "link": f"/pairs/{pair.public_id}/",
    }


def _next_step(pair: Pair, reader: Person, side: str, week: Week) -> Said:
    if side == "helper":
        return said("Ask %(name)s what would help this week.", name=pair.learner.first_name)
    return pair_queries.next_step(pair, reader, today=week.today)


# -- what one manages ----------------------------------------------------------------------


def _managed(reader: Person, week: Week) -> dict:
    cohorts = list(
        cohort_queries.with_counts(
            cohort_queries.visible_to(reader).filter(
                Q(state=Cohort.State.LIVE) | Q(closed_at__gte=week.since)
            )
        )
    )
    cases = cohort_queries.cases_visible_to(reader).filter(decided_at=None)
    counts = cases.order_by().values_list("pair__cohort").annotate(number=Count("pk"))
    waiting_for = defaultdict(int, counts)
    needs = [
        _cases(cases.order_by("opened_at", "pk"), sum(waiting_for.values())),
        _proposals(cohorts),
        _silent(reader, week),
        _failed(reader, week),
    ]
    items = _cohorts(cohorts, waiting_for, week)
    return {
        "needs": [section for section in needs if section["items"]],
        "cohorts": items[:MOST_ITEMS],
        "more_cohorts": max(len(items) - MOST_ITEMS, 0),
    }


def _cases(cases: QuerySet[Case], count: int) -> dict:
    """Stuck pairs that wait for a decision, the oldest first."""
    items = [
        {
            "who": _both(case.pair),
            "what": CLOCKS[case.clock],
            "link": f"/pairs/{case.pair.public_id}/",
        }
        for case in cases[:MOST_ITEMS]
    ]
    return _cut(items, count, kind="cases", link="/cohorts/")


def _both(pair: Pair) -> Said:
    return said("%(coach)s and %(learner)s", coach=pair.coach.name, learner=pair.learner.name)


def _silence(days: int, *, met: bool) -> Said:
    if met:
        return said_many("no session for %(number)s day", "no session for %(number)s days", days)
    return said_many(
        "no session yet, after %(number)s day", "no session yet, after %(number)s days", days
    )


def _proposals(cohorts: list[Cohort]) -> dict:
    """Learners without a coach; those for whom one is proposed first."""
    rows = (
        Waiting.objects.filter(cohort__in=cohorts, settled_at=None)
        .select_related("learner", "cohort")
        .order_by(F("proposed_at").asc(nulls_last=True), "place", "pk")
    )
    count = rows.count()
    items = [
        {
            "who": row.learner.name,
            "what": said("a coach is proposed") if row.proposal else said("waits for a coach"),
            "link": f"/cohorts/{row.cohort.public_id}/",
        }
        for row in rows[:MOST_ITEMS]
    ]
    return _cut(items, count, kind="waiting", link="/cohorts/")


def _silent(reader: Person, week: Week) -> dict:
    """Pairs that have not met for long, those whose clock runs out first ahead."""
    items = [
        {
            "who": _both(one.pair),
            "what": _silence(one.days, met=one.met),
            "link": f"/pairs/{one.pair.public_id}/",
        }
        for one in quiet.quiet_pairs(reader, now=week.due)
    ]
    return _cut(items, len(items), kind="silent", link="/cohorts/")


def _failed(reader: Person, week: Week) -> dict:
    """People whom letters of the week did not reach, as far as the reader may know of them."""
    rows = (
        letters.visible_to(reader)
        .filter(state__in=FAILED, created_at__gte=week.since, created_at__lt=week.due)
        .exclude(recipient=reader)
        .order_by("recipient__name", "-pk")
    )
    items, seen = [], set()
    for letter in rows:
        if letter.recipient_id not in seen:
            seen.add(letter.recipient_id)
            items.append(
                {
                    "who": letter.recipient.name,
                    "what": FAILURES[letter.failure],
                    "link": f"/letters/{letter.public_id}/",
                }
            )
    return _cut(items, len(items), kind="failed", link="/letters/")


def _cohorts(cohorts: list[Cohort], cases: dict[int, int], week: Week) -> list[dict]:
    """Those that need a decision first."""
    fresh = defaultdict(list)
    passes = Pair.objects.filter(cohort__in=cohorts, passed_at__gte=week.since)
    for pair in passes.select_related("learner").order_by("passed_at", "pk"):
        fresh[pair.cohort_id].append(pair.learner.name)
    items = [
        {
            "name": cohort.name,
            "link": f"/cohorts/{cohort.public_id}/",
            "pairs": cohort.pair_count,
            "passed": cohort.passed_count,
            "on_track": cohort.on_track_count,
            "at_risk": cohort.at_risk_count,
            "stuck": cohort.stuck_count,
            "closed": cohort.state == Cohort.State.CLOSED,
            "days_left": max((cohort.test_date - week.today).days, 0),
            "passed_this_week": fresh[cohort.pk][:MOST_ITEMS],
            "more_passed": max(len(fresh[cohort.pk]) - MOST_ITEMS, 0),
            "case_count": cases[cohort.pk],
        }
        for cohort in cohorts
    ]
    return sorted(items, key=lambda item: (-item["case_count"], item["closed"], item["name"]))
