"""My assignment: what a learner and a coach see of it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from coaching.queries import letters, metrics, pairs, rankings
from coaching.queries import people as people_queries
from coaching.services import people
from coaching.web import charts, words
from coaching.web.doors import flash_form_errors, flashing, for_person
from coaching.web.forms import HandForm, SessionForm
from coaching.web.history import Estimate, history

MOST_NEWS = 6
HISTORY_WEEKS = 26


@for_person
def me(request: HttpRequest) -> HttpResponse:
    reader = request.person
    today = request.now.astimezone(reader.zone).date()
    mine = list(pairs.mine(reader))
    for pair in mine:
        pair.step = pairs.next_step(pair, reader, today=today)
        pair.partner = pair.partner_of(reader)
    learning = [pair for pair in mine if pair.learner_id == reader.pk]
    coaching = [pair for pair in mine if pair.coach_id == reader.pk]
    first = next((pair for pair in [*learning, *coaching] if pair.is_active), None)
    first = first or next(iter([*learning, *coaching]), None)
    context = {
        "first": first,
        "learning": [pair for pair in learning if pair is not first],
        "coaching": [pair for pair in coaching if pair is not first],
        "hands": metrics.hands_visible_to(reader).filter(person=reader, lowered_at=None),
        "hand_form": HandForm(reader=reader),
        "news": letters.news_for(reader, now=request.now)[:MOST_NEWS],
    }
    if first:
        sessions = pairs.sessions_of(first)
        looks = list(first.looks.all())
        context |= {
            "side": "learner" if first.learner_id == reader.pk else "coach",
            "sessions": sessions[::-1],
            "level": first.read(looks[-1].level) if looks else "",
            "looks": looks,
            "why": words.why_pair(first, reader),
            "session_form": SessionForm(today=today) if first.is_active else None,
            "picture": charts.progress_picture(
                first,
                looks=looks,
                readings=pairs.readings_of(first, reader),
                sessions=sessions,
                today=today,
            ),
        }
    return render(request, "staff/me.html", context)


@for_person
def skills(request: HttpRequest) -> HttpResponse:
    """One's own skills against benchmarks; nobody reads a rank of themselves or of others."""
    reader = request.person
    own = rankings.own_standings(reader)
    shown = []
    if own:
        readings = people_queries.readings_of(
            reader, reader, until=own.ranking.until, weeks=HISTORY_WEEKS
        )
        earlier = rankings.earlier_estimates(own.ranking, reader)
        for skill in own.skills:
            past = history(
                skill.metric,
                readings=readings.get(skill.metric.pk, []),
                estimates=[
                    Estimate(row.ranking.until, row.estimate, row.se)
                    for row, _ in earlier.get(skill.metric.pk, [])
                ],
                sigma2=skill.sigma2,
                peers=skill.peers,
                best=skill.best,
            )
            shown.append((skill, charts.own_interval(skill), past))
    return render(request, "staff/skills.html", {"own": own, "skills": shown})


@require_POST
@for_person
def hand_raise(request: HttpRequest) -> HttpResponse:
    form = HandForm(request.POST, reader=request.person)
    if form.is_valid():
        with flashing(request, "Your hand is up. The next plan takes you in."):
            people.raise_hand(person=request.person, now=request.now, **form.cleaned_data)
    else:
        flash_form_errors(request, form)
    return redirect("me")


@require_POST
@for_person
def hand_lower(request: HttpRequest, hand: int) -> HttpResponse:
    row = get_object_or_404(
        metrics.hands_visible_to(request.person).filter(person=request.person), pk=hand
    )
    with flashing(request, "Your hand is down again."):
        people.lower_hand(hand=row, by=request.person, now=request.now)
    return redirect("me")
