"""Which letters come, when, and where else: everybody's own."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coaching import engine
from coaching.models import Channel
from coaching.notifications import feeds
from coaching.queries import access, preferences
from coaching.queries import channels as channel_queries
from coaching.services import channels as channel_services
from coaching.services import preferences as services
from coaching.web.doors import flash_form_errors, flashing, for_person
from coaching.web.preference_forms import ChannelForm, HoursForm, PauseForm, grid, off_by


@for_person
def preferences_page(request: HttpRequest) -> HttpResponse:
    person = request.person
    channels = list(channel_queries.of(person))
    rows = grid(person, channels)
    form = HoursForm(request.POST or None, person=person)
    if request.method == "POST" and form.is_valid():
        shown = {row["kind"] for row in rows}
        unseen = preferences.turned_off(person) - shown
        with flashing(request, _("Saved. It holds from the next letter on.")) as attempt:
            services.change(
                person=person,
                now=request.now,
                off=(off_by(request.POST, rows, "email") | unseen) - preferences.MANDATORY,
                **form.changes,
            )
            for channel in channels:
                channel_services.choose(
                    channel=channel,
                    leaves_out=off_by(request.POST, rows, channel.public_id),
                    in_words=f"{channel.public_id}-words" in request.POST,
                )
        if attempt.done:
            return redirect("preferences")
    return render(request, "staff/preferences.html", _context(request, form, rows, channels))


def _context(request: HttpRequest, form: HoursForm, rows: list, channels: list[Channel]) -> dict:
    person = request.person
    today = request.now.astimezone(person.zone).date()
    paused = person.letters_paused_until
    return {
        "form": form,
        "rows": rows,
        "channels": channels,
        "outlook": preferences.outlook(person, request.now),
        "paused_until": paused if paused and paused > today else None,
        "pause_form": PauseForm(today=today),
        "channel_form": ChannelForm(initial={"kind": Channel.Kind.WEBHOOK}),
        "chat_ready": channel_services.chat_ready(),
        "secret": request.session.pop("webhook_secret", None),
        "feed": settings.SITE_URL + feeds.path(person) if person.calendar_key else "",
    }


@require_POST
@for_person
def pause(request: HttpRequest) -> HttpResponse:
    if "end" in request.POST:
        with flashing(request, _("Your letters come again.")):
            services.pause(person=request.person, until=None, now=request.now)
        return redirect("preferences")
    form = PauseForm(request.POST, today=request.now.astimezone(request.person.zone).date())
    if form.is_valid():
        with flashing(request, _("Your letters wait. Inside Lanemate you are told as ever.")):
            services.pause(person=request.person, now=request.now, **form.cleaned_data)
    else:
        flash_form_errors(request, form)
    return redirect("preferences")


@require_POST
@for_person
def channel_add(request: HttpRequest) -> HttpResponse:
    form = ChannelForm(request.POST)
    if form.is_valid():
        with flashing(request, _("Added. Send it a test to see it work.")):
            channel = channel_services.add(
                person=request.person, now=request.now, **form.cleaned_data
            )
            if channel.secret:
                # Shown once, on the next page, and never again.
                request.session["webhook_secret"] = channel.secret
    else:
        flash_form_errors(request, form)
    return redirect("preferences")


@require_POST
@for_person
def channel_change(request: HttpRequest, channel: str, what: str) -> HttpResponse:
    """What a channel's buttons do: test, replay, switch it on again, remove it."""
    deeds = {
        "test": (channel_services.test, _("A test is on its way; what became of it stands below.")),
        "replay": (channel_services.replay, _("What failed is sent once more.")),
        "on": (channel_services.switch_on, _("It is on again.")),
        "remove": (channel_services.remove, _("Removed. It hears nothing any more.")),
    }
    if what not in deeds:
        raise Http404
    row = access.found_or_404(channel_queries.of(request.person), channel)
    deed, done = deeds[what]
    with flashing(request, done):
        deed(channel=row, by=request.person, now=request.now)
        engine.wake()
    return redirect("preferences")
