from collections.abc import Iterable, Iterator

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from coaching.domain.ranking import interval_in_units
from coaching.models import Band, Metric, Person, Ranking, Scorecard, Standing, Team, Yardstick
from coaching.queries import access, rankings
from coaching.services import exports as export_services
from coaching.services import rankings as ranking_services
from coaching.services import scorecards as scorecard_services
from coaching.web import explorer, exports, words
from coaching.web.doors import flash_form_errors, flashing, for_manager
from coaching.web.explorer import Choice, Lens
from coaching.web.forms import TeamForm
from coaching.web.paging import page_of
from coaching.web.strip import BINS, strip

PAGE = 100


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
        card = scorecard_services.default_scorecard(
            team=form.cleaned_data["team"], by=request.person, now=request.now
        )
        row = ranking_services.run(scorecard=card, by=request.person, now=request.now)
    return redirect("ranking", row.public_id) if attempt.done else redirect("rankings")


@require_POST
@for_manager
def rank_again(request: HttpRequest, scorecard: str) -> HttpResponse:
    card = access.found_or_404(rankings.scorecards_visible_to(request.person), scorecard)
    with flashing(request, gettext("Ranked on the newest readings.")) as attempt:
        row = ranking_services.run(scorecard=card, by=request.person, now=request.now)
    return redirect("ranking", row.public_id) if attempt.done else redirect("rankings")


def _asked(
    request: HttpRequest, ranking: str
) -> tuple[Ranking, list[Yardstick], Metric | None, QuerySet[Standing]]:
    """The ranking, its yardsticks, the metric that is asked for, and the standings on it."""
    row = access.found_or_404(rankings.visible_to(request.person), ranking)
    yardsticks = list(rankings.yardsticks(row))
    metric = next((y.metric for y in yardsticks if y.metric.key == request.GET.get("metric")), None)
    standings = rankings.standings_visible_to(request.person).filter(ranking=row, metric=metric)
    return row, yardsticks, metric, standings


@for_manager
def ranking_page(request: HttpRequest, ranking: str) -> HttpResponse:
    row, yardsticks, metric, standings = _asked(request, ranking)
    metrics = list({yardstick.metric_id: yardstick.metric for yardstick in yardsticks}.values())
    frames = [yardstick for yardstick in yardsticks if yardstick.metric == metric]
    counts = rankings.band_counts(standings)
    lens = Lens.of(row, metric, frames, standings)
    choice = Choice.of(request.GET)
    found = explorer.narrowed(standings, choice)
    peers = rankings.group_means(found, "group")
    singular, plural = words.nouns(row.subject)
    page = page_of(request, explorer.ordered(found, choice, sorted(lens.hidden)), size=PAGE)
    means = peers if choice.by == "peers" else {}
    if choice.by in ("team", "site"):
        visible = found.exclude(group__in=lens.hidden)
        means = rankings.group_means(visible, explorer.GROUPINGS[choice.by][1])
    return render(
        request,
        "manager/ranking.html",
        {
            "ranking": row,
            "subject": Scorecard.Subject(row.subject),
            "singular": singular,
            "plural": plural,
            "notes": _notes(row),
            "metrics": metrics,
            "metric": metric,
            "counts": counts,
            "silence": words.nobody_labelled(
                metric.name if metric else gettext("the overall score"),
                counts,
                by_chance=rankings.differ_by_chance(frames),
            ),
            "frames": [frame for frame in frames if frame.group not in lens.hidden],
            "scale": ""
            if metric
            else words.overall_scale({y.metric.name: y.weight for y in yardsticks}),
            "axis": lens.axis,
            "strip": _strip(found, lens, peers),
            "page": page,
            "rows": explorer.rows(page.object_list, lens, choice, means),
            "choice": choice,
            "orders": [
                (key, told[0]) for key, told in explorer.ORDERS.items() if metric or key != "n"
            ],
            "bands": Band.choices,
            **_options(row, peers, choice),
        },
    )


def _notes(ranking: Ranking) -> list[object]:
    """What a reader should know about what does not count, and who cannot be labelled."""
    made = ranking.settings
    # Older rankings have kept their sentences as text alone.
    old = (*made.get("left_out", {}).values(), made.get("small_groups"))
    return made.get("notes", [note for note in old if note])


def _strip(found: QuerySet[Standing], lens: Lens, peers: dict):
    """The overview of what is found, except of groups too small to show."""
    if lens.axis is None:
        return None
    low, high = lens.axis.low, lens.axis.high
    counts = rankings.histogram(found.exclude(group__in=lens.hidden), low=low, high=high, bins=BINS)

    def edges(*, best: bool) -> list[rankings.Border]:
        every = rankings.borders(lens.ranking, lens.metric, best=best)
        return [edge for edge in every if edge.group in peers.keys() - lens.hidden]

    return strip(counts, lens.axis, worst=edges(best=False), best=edges(best=True), q=lens.q)


def _options(ranking: Ranking, peers: dict, choice: Choice) -> dict:
    """What the filters offer: only what occurs in this ranking."""
    if ranking.subject == Scorecard.Subject.TEAMS:
        return {"groupings": [("peers", explorer.GROUPINGS["peers"][0])]}
    people = Person.objects.filter(standings__ranking=ranking, standings__metric=None)

    def values(field: str) -> list[str]:
        found = people.exclude(**{field: ""}).order_by(field)
        return list(found.values_list(field, flat=True).distinct())

    sites, shifts = values("site"), values("shift")
    teams = Team.objects.filter(
        path__startswith=ranking.scorecard.team.path, people__standings__ranking=ranking
    )
    groupings = [(key, told[0]) for key, told in explorer.GROUPINGS.items()]
    return {
        "teams": teams.distinct(),
        "sites": sites if len(sites) > 1 or choice.site else [],
        "shifts": shifts if len(shifts) > 1 or choice.shift else [],
        "peer_groups": sorted(peers) if len(peers) > 1 or choice.peers else [],
        "groupings": groupings if sites else [g for g in groupings if g[0] != "site"],
    }


@require_POST
@for_manager
def ranking_export(request: HttpRequest, ranking: str) -> HttpResponseBase:
    """What the reader sees, on all its pages: the same filters, order and suppression."""
    row, yardsticks, metric, standings = _asked(request, ranking)
    frames = [yardstick for yardstick in yardsticks if yardstick.metric == metric]
    lens, choice = Lens.of(row, metric, frames, standings), Choice.of(request.GET)
    found = explorer.ordered(explorer.narrowed(standings, choice), choice, sorted(lens.hidden))
    form = "xlsx" if request.POST.get("form") == "xlsx" else "csv"
    people = found.count()
    if form == "xlsx" and people + 3 > exports.MOST_SHEET_ROWS:
        messages.error(
            request, gettext("Excel holds a million rows in a sheet. Take the CSV, or filter.")
        )
        return redirect("ranking", row.public_id)
    export_services.ranking_taken(
        ranking=row, metric=metric, form=form, people=people, filters=choice.told(),
        by=request.person, now=request.now,
    )  # fmt: skip
    table = _table(found.iterator(chunk_size=2000), lens)
    name = f"{slugify(row.scorecard.name) or 'ranking'}-{metric.key if metric else 'overall'}"
    if form == "csv":
        return exports.as_csv(table, filename=name)
    return exports.as_workbook(table, filename=name, title=gettext("Ranking"))


def _table(standings: Iterable[Standing], lens: Lens) -> Iterator[list[exports.Cell]]:
    metric = lens.metric
    yield _headings()
    for row in standings:
        person = row.person
        known: list[exports.Cell] = [
            str(person or row.team),
            person.key if person else "",
            str(person.team or "") if person else "",
            person.site if person else "",
            person.shift if person else "",
            words.peers(row.group),
            metric.name if metric else gettext("Overall"),
            metric.unit if metric else gettext("spreads from the peers' mean"),
            row.n if metric else None,
            metric.in_units(row.raw) if metric and row.raw is not None else None,
        ]
        if not lens.shows(row):
            yield [*known, *([None] * 8), gettext("group too small to show")]
            continue
        kind = metric.kind if metric else Metric.Kind.MEAN
        ends = interval_in_units(kind=kind, value=row.estimate, se=row.se, level=0.90)
        yield [
            *known,
            metric.in_units(row.estimate) if metric else row.estimate,
            *(float(end) for end in ends),
            row.reliability,
            row.p_low,
            row.p_high,
            100 * row.rank_low,
            100 * row.rank_high,
            row.get_band_display(),
        ]
    ranking = lens.ranking
    yield []
    yield [
        gettext(
            "%(scorecard)s, %(since)s to %(until)s. For offering help; not made for pay, "
            "appraisal or dismissal."
        )
        % {"scorecard": ranking.scorecard, "since": ranking.since, "until": ranking.until}
    ]


def _headings() -> list[exports.Cell]:
    level = {"level": "90 %"}
    return [
        gettext("Name"), gettext("Key"), gettext("Team"), gettext("Site"), gettext("Shift"),
        gettext("Peers"), gettext("Skill"), gettext("Unit"), gettext("Cases"),
        gettext("Own mean"), gettext("Estimate"), gettext("%(level)s from") % level,
        gettext("%(level)s to") % level, gettext("Reliability"), gettext("Chance worst part"),
        gettext("Chance best part"), gettext("Place from (0 worst)"),
        gettext("Place to (100 best)"), gettext("Band"),
    ]  # fmt: skip
