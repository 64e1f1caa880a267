from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from coaching import engine
from coaching.models import Person, Ranking, Standing, Visit, Yardstick
from coaching.queries import access, metrics, pairs, people, rankings, teams
from coaching.services import seats, visits
from coaching.web import charts, explorer, words
from coaching.web.doors import flash_form_errors, flashing, for_manager
from coaching.web.explorer import Lens
from coaching.web.forms import OwnSeatsForm
from coaching.web.history import Estimate, History, history
from coaching.web.paging import page_of

HISTORY_WEEKS = 26
PEOPLE = 50


@for_manager
def team_list(request: HttpRequest) -> HttpResponse:
    """Every team one looks after, with its people and seats in numbers."""
    today = request.now.astimezone(request.person.zone).date()
    rows = list(teams.overview(request.person, today=today))
    top = min((team.path.count("/") for team in rows), default=1)
    for team in rows:
        team.depth = min(team.path.count("/") - top, 4)
        team.share = min(100 * team.taken / max(team.seats, 1), 100)
    return render(request, "manager/teams.html", {"teams": rows})


@for_manager
def team_page(request: HttpRequest, team: str) -> HttpResponse:
    """The people of a team: seats, load, days away and running pairs."""
    reader = request.person
    row = access.found_or_404(teams.managed_by(reader).select_related("manager", "parent"), team)
    choice = Choice.of(request.GET)
    rows = teams.people_of(row, reader, below=choice.below)
    if choice.q:
        rows = rows.filter(people.named(choice.q, "name"))
    page = page_of(request, rows, size=PEOPLE)
    today = request.now.astimezone(reader.zone).date()
    return render(
        request,
        "manager/team.html",
        {
            "team": row,
            "choice": choice,
            "page": page,
            "seats": teams.seats_of(list(page), reader, today=today),
            "today": today,
            "children": teams.managed_by(reader).filter(parent=row),
            "above": teams.managed_by(reader).filter(pk=row.parent_id).first(),
        },
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """Which people of a team the address asks for."""

    q: str
    below: bool

    @classmethod
    def of(cls, asked: QueryDict) -> "Choice":
        return cls(asked.get("q", "").replace("\0", "").strip()[:80], asked.get("below") == "1")


@require_POST
@for_manager
def person_seats(request: HttpRequest, person: str) -> HttpResponse:
    """How many learners somebody takes at a time, in running cohorts, too."""
    row = access.found_or_404(people.managed_by(request.person), person)
    form = OwnSeatsForm(request.POST)
    if form.is_valid():
        number = form.cleaned_data["seats"]
        with flashing(request) as attempt:
            before = seats.change(person=row, seats=number, by=request.person, now=request.now)
        if attempt.done:
            messages.success(request, words.seats(row.name, before, number))
            # Whoever waits is proposed a coach by the next sweep.
            engine.wake()
    else:
        flash_form_errors(request, form)
    back = request.POST.get("from", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/teams/"):
        return redirect(back)
    return redirect("person", person)


@for_manager
def person_page(request: HttpRequest, person: str) -> HttpResponse:
    """Somebody's skills with their history, pairs and raised hands, for their managers."""
    reader = request.person
    row = access.found_or_404(people.visible_to(reader).select_related("team__manager"), person)
    visits.note(looker=reader, subjects=[row], what=Visit.What.PERSON, now=request.now)
    ranking = rankings.latest_of(reader, row)
    today = request.now.astimezone(reader.zone).date()
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
            "seat": teams.seats_of([row], reader, today=today)[0],
            "today": today,
            "managed": people.managed_by(reader).filter(pk=row.pk).exists(),
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
