"""The weekly digest: Monday 08:00 where the reader is; nothing to say, no letter."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q

from coaching.domain import cadence
from coaching.models import Beat, Case, Cohort, Pair, Person, Team
from coaching.notifications import messages, outbox
from coaching.queries import cohorts as cohort_queries
from coaching.queries import pairs as pair_queries

MOST_ITEMS = 5


def write_due(*, now: datetime) -> int:
    """
    Promise this week's digest to everybody whose Monday morning has come.

    The sweep works zone by zone and remembers, for each, the Monday it has
    done: a tick in the middle of the week costs one query. Five weeks of
    silence give one digest.
    """
    zones = list(_readers().order_by().values_list("time_zone", flat=True).distinct())
    done = dict(Beat.objects.filter(name__startswith="digest ").values_list("name", "at"))
    written = 0
    for zone_name in sorted(zones):
        zone = ZoneInfo(zone_name)
        due = cadence.latest_weekly(cadence.DIGEST_DAY, cadence.DIGEST_AT, zone, now)
        name = f"digest {zone_name}"
        if name not in done:
            # The first reader of a zone: last Monday's digest was not promised to anybody.
            Beat.objects.get_or_create(name=name, defaults={"at": due})
            continue
        if done[name] >= due:
            continue
        readers = list(_readers().filter(time_zone=zone_name).order_by("pk"))
        letters = [
            messages.digest(reader, due=due, content=content)
            for reader in readers
            if (content := content_for(reader, due=due))
        ]
        outbox.promise(letters, now=now)
        # After the letters: who stops in between writes them again, to no effect.
        Beat.objects.update_or_create(name=name, defaults={"at": due})
        written += len(letters)
    return written


def _readers():
    """Everybody who may have something to read: half of a pair, or a manager."""
    in_pair = Pair.objects.filter(Q(learner=OuterRef("pk")) | Q(coach=OuterRef("pk")))
    manages = Team.objects.filter(manager=OuterRef("pk"))
    return Person.objects.filter(
        Exists(in_pair) | Exists(manages), active=True, kind=Person.Kind.PERSON
    )


def content_for(reader: Person, *, due: datetime) -> dict | None:
    """What a reader's digest says, as plain values; None when there is nothing to say."""
    since = due - timedelta(days=7)
    cohorts = _cohort_items(reader, since=since)
    pairs = _pair_items(reader, since=since, today=due.astimezone(reader.zone).date())
    if not cohorts and not pairs:
        return None
    return {
        "cohorts": cohorts[:MOST_ITEMS],
        "more_cohorts": max(len(cohorts) - MOST_ITEMS, 0),
        "pairs": pairs[:MOST_ITEMS],
        "more_pairs": max(len(pairs) - MOST_ITEMS, 0),
    }


def _cohort_items(reader: Person, *, since: datetime) -> list[dict]:
    """Cohorts that run or closed within the week, those that need a decision first."""
    cohorts = list(
        cohort_queries.with_counts(
            cohort_queries.visible_to(reader).filter(
                Q(state=Cohort.State.LIVE) | Q(closed_at__gte=since)
            )
        )
    )
    if not cohorts:
        return []
    cases, fresh = defaultdict(list), defaultdict(list)
    open_cases = Case.objects.filter(pair__cohort__in=cohorts, decided_at=None)
    for case in open_cases.select_related("pair__learner", "pair__coach").order_by("opened_at"):
        cases[case.pair.cohort_id].append(case)
    passes = Pair.objects.filter(cohort__in=cohorts, passed_at__gte=since)
    for pair in passes.select_related("learner").order_by("passed_at"):
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
            "passed_this_week": fresh[cohort.pk],
            "cases": [
                {
                    "who": f"{case.pair.coach.name} and {case.pair.learner.name}",
                    "why": case.get_clock_display(),
                    "link": messages.pair_link(case.pair),
                }
                for case in cases[cohort.pk][:MOST_ITEMS]
            ],
            "case_count": len(cases[cohort.pk]),
        }
        for cohort in cohorts
    ]
    return sorted(items, key=lambda item: (-item["case_count"], item["name"]))


def _pair_items(reader: Person, *, since: datetime, today: date) -> list[dict]:
    """The reader's own pairs that swim, or passed within the week."""
    pairs = pair_queries.mine(reader).filter(Q(state__in=Pair.ACTIVE) | Q(passed_at__gte=since))
    items = []
    for pair in pairs:
        looks = list(pair.looks.all())
        items.append(
            {
                "side": "learner" if pair.learner_id == reader.pk else "coach",
                "partner": pair.partner_of(reader).name,
                "metric": pair.metric.name,
                "target": pair.target_text,
                "level": pair.read(looks[-1].level) if looks else "",
                "passed": pair.state == Pair.State.PASSED,
                "days_left": max((pair.test_date - today).days, 0),
                "next_step": pair_queries.next_step(pair, reader, today=today),
                "link": messages.pair_link(pair),
            }
        )
    return items
