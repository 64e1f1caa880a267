"""What counts, how much and among whom; who changed it, and when."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from coaching.domain.said import Figure
from coaching.models import Event, Scorecard
from coaching.notifications.words import tell
from coaching.queries import access, rankings
from coaching.queries import scorecards as queries
from coaching.services import scorecards
from coaching.services.scorecards import NoReadings, ScorecardRefused
from coaching.web.doors import flashing, for_manager
from coaching.web.forms import NewScorecardForm, ScorecardForm

MOST_CHANGES = 50
LABELS = {
    "name": _("Name"),
    "subject": _("Who is ranked"),
    "peers_by": _("Peers share"),
    "weeks": _("Weeks of readings"),
    "minimum_n": _("Minimum evidence"),
    "policy": _("Policy"),
    "q": _("Band width"),
}

PEERS = {
    "role": _("role"),
    "site": _("site"),
    "shift": _("shift"),
    "language": _("language"),
}


@for_manager
def scorecard_page(request: HttpRequest, scorecard: str) -> HttpResponse:
    card = _found(request, scorecard)
    metrics = list(queries.metrics_for(card))
    form = ScorecardForm(request.POST or None, card=card, metrics=metrics)
    if form.is_valid():
        version = card.version
        try:
            scorecards.change_scorecard(
                scorecard=card, by=request.person, now=request.now, **form.changes
            )
        except ScorecardRefused as refusal:
            if refusal.field == "version":
                messages.error(request, tell(refusal.message))
                return redirect("scorecard", card.public_id)
            field = refusal.field if refusal.field in form.fields else None
            form.add_error(field, tell(refusal.message))
        else:
            _say(request, card, version)
            return redirect("scorecard", card.public_id)
    log = queries.log_of(request.person, card)[:MOST_CHANGES]
    return render(
        request,
        "manager/scorecard.html",
        {"card": card, "form": form, "log": [(event, told(event)) for event in log]},
    )


@require_POST
@for_manager
def scorecard_propose(request: HttpRequest, scorecard: str) -> HttpResponse:
    """Weights and peers as today's readings would have them proposed."""
    card = _found(request, scorecard)
    version = card.version
    with flashing(request) as attempt:
        scorecards.propose_again(scorecard=card, by=request.person, now=request.now)
    if attempt.done:
        _say(request, card, version)
    return redirect("scorecard", card.public_id)


@for_manager
def scorecard_new(request: HttpRequest) -> HttpResponse:
    form = NewScorecardForm(request.POST or None, reader=request.person)
    if form.is_valid():
        given = form.cleaned_data
        if not given["name"]:
            # The name is theirs from now on, so it is in their language.
            name = tell(scorecards.proposed_name(given["team"], given["subject"]))
            given["name"] = name[: scorecards.LONGEST_NAME]
        try:
            card = scorecards.default_scorecard(by=request.person, now=request.now, **given)
        except ScorecardRefused as refusal:
            form.add_error(refusal.field, tell(refusal.message))
        except NoReadings as refusal:
            form.add_error("team", tell(refusal.message))
        else:
            return redirect("scorecard", card.public_id)
    return render(request, "manager/scorecard_new.html", {"form": form})


def _found(request: HttpRequest, scorecard: str) -> Scorecard:
    cards = rankings.with_latest(rankings.scorecards_visible_to(request.person))
    return access.found_or_404(cards, scorecard)


def _say(request: HttpRequest, card: Scorecard, before: int) -> None:
    if card.version == before:
        messages.success(request, gettext("Nothing was different, so nothing was changed."))
        return
    messages.success(
        request,
        gettext(
            "Saved as version %(version)s. Rankings that exist stay as they were; rank again to "
            "use it."
        )
        % {"version": card.version},
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a scorecard's log."""

    label: str
    old: str
    new: str


def told(event: Event) -> list[Change]:
    """What an event of the log changed, in words."""
    return [
        Change(
            change.get("name") or LABELS.get(change["field"], change["field"]),
            _in_words(change["field"], change["old"]),
            _in_words(change["field"], change["new"]),
        )
        for change in event.details.get("changes", [])
    ]


def _in_words(field: str, value: object) -> str:
    """
    >>> _in_words("q", 0.2), _in_words("peers_by", []), _in_words("weight", None)
    ('20 %', 'nothing', 'not on it')
    """
    match field, value:
        case "weight", None:
            return gettext("not on it")
        case "q", float():
            return f"{tell(Figure(f'{100 * value:.4g}'))} %"
        case "peers_by", list():
            return ", ".join(str(PEERS.get(name, name)) for name in value) or gettext("nothing")
        case "policy", _ if value in Scorecard.Policy.values:
            return Scorecard.Policy(value).label.split(":")[0]
        case "subject", _ if value in Scorecard.Subject.values:
            return str(Scorecard.Subject(value).label)
        case _, float():
            return tell(Figure(f"{value:g}"))
    return str(value)
