"""What people fill in about their letters; kinds and channels are a grid of boxes."""

import zoneinfo
from datetime import date, timedelta
from functools import cache

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from coaching.models import Channel, Letter, Person
from coaching.queries import access, preferences
from coaching.web.forms import Plain, day_input

Kind = Letter.Kind
# When each kind comes, said to whoever gets it.
WHEN = {
    Kind.INVITATION: _("when you are in a new pair"),
    Kind.REMINDER: _("while your pair is on its way, and not a day longer"),
    Kind.ESCALATION: _("when a pair you look after is stuck and you decide"),
    Kind.PASSED: _("once, when a pair of yours has reached its target"),
    Kind.DECIDED: _("when somebody has decided about your pair"),
    Kind.CLOSED: _("once, when a cohort of yours closes"),
    Kind.DIGEST: _("on Monday morning, in weeks that have something to tell"),
    Kind.SESSION: _("when a session is planned, moved or withdrawn"),
    Kind.PROPOSAL: _("when a coach is proposed for somebody in your teams who waits"),
    Kind.CORRECTION: _("when something we told you was wrong"),
    Kind.HELPER: _("when somebody could do with your help"),
    Kind.LEFT: _("when a pair of yours has ended"),
}
FOR_MANAGERS = (Kind.ESCALATION, Kind.PROPOSAL)
DAYS = [
    ("1", _("Monday")), ("2", _("Tuesday")), ("3", _("Wednesday")), ("4", _("Thursday")),
    ("5", _("Friday")), ("6", _("Saturday")), ("7", _("Sunday")),
]  # fmt: skip
OTHERS = _("Other names")


@cache
def zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every zone by its continent, as a choice; names without a continent come last."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zoneinfo.available_timezones()):
        area, _, place = name.partition("/")
        label = place.replace("_", " ").replace("/", ", ")
        groups.setdefault(area if place else "", []).append((name, label or name))
    last = groups.pop("", [])
    return [*groups.items(), (OTHERS, last)]


def tongues() -> list[tuple[str, str]]:
    """Each language in itself, so that whoever reads nothing else finds it."""
    return [("", _("As my browser says")), *settings.LANGUAGES]


class HoursForm(Plain):
    days = forms.MultipleChoiceField(
        label=_("Days"),
        choices=DAYS,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _(
                "Choose at least one day; to hear nothing for a while, pause your letters."
            )
        },
    )
    day_begins = forms.TimeField(
        label=_("From"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    day_ends = forms.TimeField(
        label=_("Until"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zones, widget=forms.Select(attrs={"translate": "no"})
    )
    reads = forms.ChoiceField(
        label=_("Language of pages and letters"), choices=tongues, required=False
    )

    def __init__(self, *args, person: Person, **kwargs) -> None:
        initial = {
            "days": list(person.working_days),
            "day_begins": person.day_begins,
            "day_ends": person.day_ends,
            "time_zone": person.time_zone,
            "reads": person.reads,
        }
        super().__init__(*args, initial=initial, **kwargs)

    def clean(self) -> dict:
        given = super().clean()
        begins, ends = given.get("day_begins"), given.get("day_ends")
        if begins and ends and begins >= ends:
            self.add_error("day_ends", _("Your day must end after it begins."))
        return given

    @property
    def changes(self) -> dict:
        """What the service takes."""
        given = dict(self.cleaned_data)
        given["working_days"] = "".join(sorted(given.pop("days")))
        return given


class PauseForm(Plain):
    until = forms.DateField(
        label=_("No letters before"),
        widget=day_input(),
        error_messages={"required": _("Choose the day on which letters shall come again.")},
    )

    def __init__(self, *args, today: date, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["until"].widget.attrs["min"] = (today + timedelta(days=1)).isoformat()


class ChannelForm(Plain):
    kind = forms.ChoiceField(label=_("What"), choices=Channel.Kind, widget=forms.RadioSelect)
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        widget=forms.TextInput(
            attrs={"placeholder": _("https://… or slack://…"), "autocomplete": "off"}
        ),
        help_text=_(
            "For a webhook an address that begins with https://. For a chat the address "
            "as Apprise writes it: slack://…, msteams://…, tgram://…"
        ),
    )


def grid(person: Person, channels: list[Channel]) -> list[dict]:
    """
    One row a kind a person may get: its words, whether it always comes, and its boxes.

    Each box is [name in the form, label, ticked].
    """
    off = preferences.turned_off(person)
    manager = access.is_manager(person)
    rows = []
    for kind in Kind:
        if kind in FOR_MANAGERS and not manager:
            continue
        rows.append(
            {
                "kind": kind.value,
                "label": kind.label,
                "when": WHEN.get(kind, ""),
                "always": kind in preferences.MANDATORY,
                "email": kind not in off,
                "channels": [
                    (f"{channel.public_id}", channel, kind not in channel.leaves_out)
                    for channel in channels
                ],
            }
        )
    return rows


def off_by(data, rows: list[dict], name: str) -> set[str]:
    """Kinds whose box of a column was left empty, of those that the page showed."""
    ticked = set(data.getlist(name))
    return {row["kind"] for row in rows if row["kind"] not in ticked}
