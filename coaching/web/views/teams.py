from dataclasses import dataclass

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from coaching.models import Person, Ranking, Standing, Visit, Yardstick
from coaching.queries import access, cohorts, metrics, pairs, people, rankings, teams
from coaching.services import visits
from coaching.web import charts, explorer
from coaching.web.doors import for_manager
from coaching.web.explorer import Lens
from coaching.web.history import Estimate, History, history

HISTORY_WEEKS = 26


@for_manager
def team_list(request: HttpRequest) -> HttpResponse:
    reader = request.person
    rows = list(
        teams.with_counts(reader).prefetch_related(
            Prefetch("people", queryset=people.visible_to(reader).filter(active=True))
        )
    )
    coaches = [person for team in rows for person in team.people.all()]
    taken = cohorts.seats_taken(coaches)
    for person in coaches:
        person.taken = taken.get(person.pk, 0)
    top = min((team.path.count("/") for team in rows), default=1)
    for team in rows:
        team.depth = min(team.path.count("/") - top, 4)
    return render(request, "manager/teams.html", {"teams": rows})


@for_manager
def person_page(request: HttpRequest, person: str) -> HttpResponse:
    """Somebody's skills with their history, pairs and raised hands, for their managers."""
    reader = request.person
    row = access.found_or_404(people.visible_to(reader).select_related("team__manager"), person)
    visits.note(looker=reader, subjects=[row], what=Visit.What.PERSON, now=request.now)
    ranking = rankings.latest_of(reader, row)
    own_pairs = pairs.with_progress(pairs.visible_to(reader))
    return render(
        request,
        "manager/person.html",
        {
            "person": row,
            "ranking": ranking,
            "skills": _skills(reader, row, ranking) if ranking else [],
            "learning": own_pairs.filter(learner=row),
            "coaching": own_pairs.filter(coach=row),
            "hands": metrics.hands_visible_to(reader).filter(person=row, lowered_at=None),
        },
    )


@dataclass(frozen=True, slots=True)
class Skill:
    """A standing as the person's page shows it; `interval` is None where it is not shown."""

    standing: Standing
    frame: Yardstick
    interval: charts.Interval | None
    why: list[tuple[str, str]]
    history: History | None


def _skills(reader: Person, subject: Person, ranking: Ranking) -> list[Skill]:
    frames = {(y.metric_id, y.group): y for y in rankings.yardsticks(ranking)}
    standings = rankings.standings_visible_to(reader).filter(ranking=ranking, person=subject)
    readings = people.readings_of(reader, subject, until=ranking.until, weeks=HISTORY_WEEKS)
    earlier = rankings.earlier_estimates(ranking, subject)
    skills = []
    for standing in standings.exclude(metric=None).order_by("metric__name", "pk"):
        frame = frames.get((standing.metric_id, standing.group))
        if frame is None:
            continue
        metric = standing.metric
        shown = frame.people >= rankings.SMALLEST_SHOWN
        reach = max(2.5 * frame.scale, 1e-9)
        low = min(frame.mean - reach, standing.estimate - charts.Z90 * standing.se)
        high = max(frame.mean + reach, standing.estimate + charts.Z90 * standing.se)
        axis = charts.axis(metric, low, high)
        lens = Lens(ranking, metric, {frame.group: frame}, frozenset(), axis)
        skills.append(
            Skill(
                standing,
                frame,
                charts.interval(standing, axis, frame.mean) if shown else None,
                explorer.why(standing, lens) if shown else [],
                history(
                    metric,
                    readings=readings.get(metric.pk, []),
                    estimates=[
                        Estimate(past.ranking.until, past.estimate, past.se)
                        for past, _ in earlier.get(metric.pk, [])
                    ],
                    sigma2=frame.sigma2,
                    peers=frame.mean if shown else None,
                ),
            )
        )
    return skills
