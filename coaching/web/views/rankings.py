from collections import defaultdict

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from coaching.models import Band, Metric, Standing, Team, Yardstick
from coaching.queries import access, rankings
from coaching.services import rankings as ranking_services
from coaching.services import scorecards
from coaching.web import charts, words
from coaching.web.doors import flash_form_errors, flashing, for_manager
from coaching.web.forms import TeamForm
from coaching.web.paging import page_of

OVERALL = "overall"
ORDERS = {
    "low": ("Most in need first", ["-p_low", "person__name", "pk"]),
    "high": ("Strongest first", ["-p_high", "person__name", "pk"]),
    "name": ("By name", ["person__name", "pk"]),
}


@for_manager
def ranking_list(request: HttpRequest) -> HttpResponse:
    cards = list(rankings.with_latest(rankings.scorecards_visible_to(request.person)))
    return render(
        request,
        "manager/rankings.html",
        {"cards": cards, "form": TeamForm(reader=request.person)},
    )


@require_POST
@for_manager
def rank_team(request: HttpRequest) -> HttpResponse:
    """Rank a team that has no scorecard yet, on everything that has been imported."""
    form = TeamForm(request.POST, reader=request.person)
    if not form.is_valid():
        flash_form_errors(request, form)
        return redirect("rankings")
    with flashing(request) as attempt:
        card = scorecards.default_scorecard(
            team=form.cleaned_data["team"], by=request.person, now=request.now
        )
        row = ranking_services.run(scorecard=card, by=request.person, now=request.now)
    return redirect("ranking", row.public_id) if attempt.done else redirect("rankings")


@require_POST
@for_manager
def rank_again(request: HttpRequest, scorecard: str) -> HttpResponse:
    card = access.found_or_404(rankings.scorecards_visible_to(request.person), scorecard)
    with flashing(request, "Ranked on the newest readings.") as attempt:
        row = ranking_services.run(scorecard=card, by=request.person, now=request.now)
    return redirect("ranking", row.public_id) if attempt.done else redirect("rankings")


@for_manager
def ranking_page(request: HttpRequest, ranking: str) -> HttpResponse:
    row = access.found_or_404(rankings.visible_to(request.person), ranking)
    yardsticks = list(rankings.yardsticks(row))
    metrics = list({yardstick.metric_id: yardstick.metric for yardstick in yardsticks}.values())
    metric = next((m for m in metrics if m.key == request.GET.get("metric")), None)
    every = rankings.standings_visible_to(request.person).filter(ranking=row)
    standings = every.filter(metric=metric)
    counts = rankings.band_counts(standings)
    frames = [yardstick for yardstick in yardsticks if yardstick.metric == metric]
    chosen = _filters(request)
    order = chosen["sort"] or "low"
    page = page_of(request, _narrowed(standings, chosen).order_by(*ORDERS[order][1]), size=100)
    axis = _draw(page.object_list, standings, metric, frames)
    return render(
        request,
        "manager/ranking.html",
        {
            "ranking": row,
            "metrics": metrics,
            "metric": metric,
            "counts": counts,
            "silence": words.nobody_labelled(
                metric.name if metric else "the overall score",
                counts,
                by_chance=rankings.differ_by_chance(frames),
            ),
            "frames": frames,
            "axis": axis,
            "page": page,
            "chosen": chosen,
            "order": order,
            "orders": [(key, label) for key, (label, _) in ORDERS.items()],
            "bands": Band.choices,
            "teams": Team.objects.filter(
                path__startswith=row.scorecard.team.path, people__standings__ranking=row
            ).distinct(),
        },
    )


def _filters(request: HttpRequest) -> dict[str, str]:
    """What the address asks for; anything unknown is dropped."""
    band, sort = request.GET.get("band", ""), request.GET.get("sort", "")
    return {
        "band": band if band in Band.values else "",
        "team": request.GET.get("team", "")[:12],
        "q": request.GET.get("q", "").strip()[:80],
        "sort": sort if sort in ORDERS else "",
    }


def _narrowed(standings, chosen: dict[str, str]):
    if chosen["band"]:
        standings = standings.filter(band=chosen["band"])
    if chosen["team"]:
        standings = standings.filter(person__team__public_id=chosen["team"])
    if chosen["q"]:
        standings = standings.filter(person__name__icontains=chosen["q"])
    return standings


def _draw(
    shown: list[Standing], standings, metric: Metric | None, frames: list[Yardstick]
) -> charts.Axis | None:
    """Give each shown standing its place on one common axis, which is returned."""
    ends = rankings.spread(standings, reach=charts.Z90)
    if ends is None:
        return None
    axis = charts.axis(metric, *ends)
    means = defaultdict(lambda: None if metric else 0.0)
    means |= {frame.group: frame.mean for frame in frames}
    for standing in shown:
        standing.interval = charts.interval(standing, axis, means[standing.group])
        standing.words = words.reliability(standing)
        standing.estimate_text = (
            metric.read(standing.estimate) if metric else f"{standing.estimate:+.2f}"
        )
        standing.raw_text = metric.read(standing.raw) if metric and standing.raw is not None else ""
        standing.place_low = round(100 * standing.rank_low)
        standing.place_high = round(100 * standing.rank_high)
    return axis
