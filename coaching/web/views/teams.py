from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from coaching.models import Person
from coaching.queries import access, cohorts, pairs, people, rankings, teams
from coaching.web import charts
from coaching.web.doors import for_manager


@for_manager
def team_list(request: HttpRequest) -> HttpResponse:
    reader = request.person
    rows = list(
        teams.with_counts(reader).prefetch_related(
            Prefetch("people", queryset=Person.objects.filter(active=True))
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
    reader = request.person
    row = access.found_or_404(people.visible_to(reader).select_related("team__manager"), person)
    ranking = rankings.latest_of(reader, row)
    skills = []
    if ranking:
        means = {(y.metric_id, y.group): y for y in rankings.yardsticks(ranking)}
        own = rankings.standings_visible_to(reader).filter(ranking=ranking, person=row)
        for standing in own.exclude(metric=None):
            yardstick = means.get((standing.metric_id, standing.group))
            if yardstick is None:
                continue
            reach = max(2.5 * yardstick.scale, 1e-9)
            low = min(yardstick.mean - reach, standing.estimate - charts.Z90 * standing.se)
            high = max(yardstick.mean + reach, standing.estimate + charts.Z90 * standing.se)
            axis = charts.axis(standing.metric, low, high)
            skills.append((standing, charts.interval(standing, axis, yardstick.mean), yardstick))
    own_pairs = pairs.with_progress(pairs.visible_to(reader))
    return render(
        request,
        "manager/person.html",
        {
            "person": row,
            "ranking": ranking,
            "skills": skills,
            "learning": own_pairs.filter(learner=row),
            "coaching": own_pairs.filter(coach=row),
        },
    )
