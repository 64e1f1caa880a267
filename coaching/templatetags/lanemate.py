"""Tags for templates: `{% load lanemate %}`. Django looks for them in this package only."""

from datetime import date, datetime

from django import template
from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from coaching.models import Band, Cohort, Look, Metric, Pair
from coaching.notifications.words import tell
from coaching.web import charts, icons, retold, steps, stored, words
from coaching.web.case_forms import ClocksForm

register = template.Library()
register.filter("retold", retold.retold)

STATE_ICONS = {
    Pair.State.PASSED: "check",
    Pair.State.ON_TRACK: "wave",
    Pair.State.AT_RISK: "warning",
    Pair.State.STUCK: "stop",
    Pair.State.ENDED: "minus",
}
# tone and icon of a band; the word always stands beside them
BANDS = {
    Band.WEAK: ("at_risk", "down"),
    Band.LEANING_WEAK: ("open", "down"),
    Band.MIDDLE: ("neutral", "minus"),
    Band.LEANING_STRONG: ("open", "up"),
    Band.STRONG: ("passed", "up"),
    Band.CANNOT_TELL: ("open", "question"),
    Band.TOO_SMALL: ("open", "team"),
    Band.CHECK: ("stuck", "warning"),
}


# Pages that have no place of their own in the navigation, and where they belong.
SECTIONS = {
    "": "home",
    "hands": "home",
    "plans": "cohorts",
    "pairs": "cohorts",
    "people": "teams",
    "scorecards": "rankings",
}


@register.inclusion_tag("components/nav_item.html", takes_context=True)
def nav_item(context, name: str, label: str, icon_name: str) -> dict:
    place = context["request"].path.split("/")[1]
    current = SECTIONS.get(place, place)
    if current == "cohorts" and not context.get("is_manager"):
        current = "me"
    return {"name": name, "label": label, "icon_name": icon_name, "current": current == name}


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """A decoration: whoever cannot see it misses nothing."""
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" '
        'aria-hidden="true" focusable="false"><path d="{}"/></svg>',
        extra,
        icons.PATHS[name],
    )


@register.inclusion_tag("components/badge.html")
def state_badge(state: str) -> dict:
    kind = Pair.State(state)
    return {"tone": kind.value, "icon_name": STATE_ICONS[kind], "label": kind.label}


@register.inclusion_tag("components/badge.html")
def band_badge(band: str) -> dict:
    kind = Band(band)
    tone, name = BANDS[kind]
    return {"tone": tone, "icon_name": name, "label": kind.label}


@register.inclusion_tag("components/meter.html")
def passes_meter(cohort, large: bool = False) -> dict:
    """The everybody-passes bar of a cohort that came through `queries.cohorts.with_counts`."""
    counts = {state.value: getattr(cohort, f"{state.value}_count") for state in Pair.State}
    counts["waiting"] = cohort.waiting_count
    return {"segments": charts.meter(counts), "cohort": cohort, "large": large}


@register.inclusion_tag("components/lane.html")
def lane(pair: Pair) -> dict:
    """A pair's way from start to target; its looks are prefetched."""
    looks: list[Look] = list(pair.looks.all())
    last = looks[-1] if looks else None
    return {"lane": charts.lane(pair, last), "pair": pair, "last": last and pair.read(last.level)}


@register.inclusion_tag("components/planning_steps.html", takes_context=True)
def planning_steps(context, at: str, *, scorecard=None, ranking=None, cohort=None, plan=None):
    """Where one is on the way to a launch; before the draft, the address may name one."""
    came_from = None
    if cohort is None:
        came_from, came_plan = steps.draft_in(context["request"])
        if came_from and (scorecard is None or came_from.ranking.scorecard_id == scorecard.pk):
            cohort, plan = came_from, came_plan
        else:
            came_from = None
    return {
        "steps": steps.steps(at, scorecard=scorecard, ranking=ranking, cohort=cohort, plan=plan),
        "draft": came_from,
        "back": came_from and steps.go_on(came_from),
    }


@register.filter
def go_on(cohort: Cohort) -> steps.GoOn:
    """Where a draft that came through `queries.cohorts.drafts` was left."""
    return steps.go_on(cohort)


@register.inclusion_tag("components/clocks.html", takes_context=True)
def clocks(context, cohort: Cohort) -> dict:
    """How long a cohort's pairs may go on before somebody decides, and a form to change it."""
    form = ClocksForm(cohort=cohort, auto_id="id_clocks_%s")
    return {"cohort": cohort, "clocks_form": form, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("components/shares.html")
def shares(parts: list, score: int) -> dict:
    named = [{**part, "name": words.part_name(part)} for part in parts]
    return {"shares": charts.shares(named), "score": score}


@register.inclusion_tag("components/field.html")
def field(bound, small: bool = False) -> dict:
    """A form field with its label, help and errors tied to it for screen readers."""
    ids = []
    if bound.help_text:
        ids.append(f"{bound.auto_id}_help")
    if bound.errors:
        ids.append(f"{bound.auto_id}_error")
    if ids:
        bound.field.widget.attrs["aria-describedby"] = " ".join(ids)
    choices = (
        bound.field.widget.input_type == "radio"
        if hasattr(bound.field.widget, "input_type")
        else False
    )
    return {"field": bound, "choices": choices, "small": small}


@register.simple_tag
def reading(metric: Metric | None, value: float) -> str:
    """A value of the working scale in the metric's words; overall, in spreads."""
    return metric.read(value) if metric else words.local(f"{value:+.2f}")


@register.filter
def initials(name: str) -> str:
    """
    >>> initials("Lea Anna Meier"), initials("Ivo")
    ('LM', 'I')
    """
    words_ = name.split()
    return "".join(word[0] for word in (words_[:1] + words_[1:][-1:])).upper()


@register.filter
def ago(then: datetime | date | None, now: datetime) -> str:
    """
    How long ago, in the words of a day; further back, the date.

    >>> from datetime import UTC
    >>> noon = datetime(2027, 1, 4, 12, tzinfo=UTC)
    >>> ago(date(2027, 1, 4), noon), ago(date(2027, 1, 1), noon), ago(date(2026, 11, 2), noon)
    ('today', '3 days ago', '2 November 2026')
    """
    if then is None:
        return gettext("never")
    day = timezone.localtime(then).date() if isinstance(then, datetime) else then
    today = timezone.localtime(now).date()
    days = (today - day).days
    if days in (0, 1):
        return (gettext("today"), gettext("yesterday"))[days]
    if 1 < days < 14:
        return ngettext("%(days)s day ago", "%(days)s days ago", days) % {"days": days}
    return formatted(day, gettext("j F") if day.year == today.year else gettext("j F Y"))


@register.filter
def ahead(day: date, now: datetime) -> str:
    """
    How far ahead a day is, in words.

    >>> from datetime import UTC
    >>> noon = datetime(2027, 1, 4, 12, tzinfo=UTC)
    >>> ahead(date(2027, 1, 5), noon), ahead(date(2027, 2, 1), noon), ahead(date(2027, 1, 2), noon)
    ('tomorrow', 'in 4 weeks', 'passed 2 days ago')
    """
    days = (day - timezone.localtime(now).date()).days
    if days < 0:
        return ngettext("passed %(days)s day ago", "passed %(days)s days ago", -days) % {
            "days": -days
        }
    if days < 2:
        return (gettext("today"), gettext("tomorrow"))[days]
    if days < 15 or (days % 7 > 0 and days < 28):
        return ngettext("in %(days)s day", "in %(days)s days", days) % {"days": days}
    weeks = days // 7
    return ngettext("in %(weeks)s week", "in %(weeks)s weeks", weeks) % {"weeks": weeks}


@register.filter
def iso_day(text: str) -> str:
    """
    A day that was kept as text, as people write it.

    >>> iso_day("2027-01-04")
    '4 January 2027'
    """
    return formatted(date.fromisoformat(text), gettext("j F Y"))


@register.filter
def minus(whole: float, part: float) -> float:
    return whole - part


@register.filter
def signed(number: int) -> str:
    """
    A change in figures.

    >>> signed(1240), signed(-3)
    ('+1,240', '−3')
    """
    return f"{'+' if number > 0 else '−'}{words.figure(abs(number))}"


@register.filter
def percent(share: float | None) -> str:
    return words.percent(share)


@register.filter
def counted(number: int, noun: str) -> str:
    """
    `{{ 3|counted:"pair" }}` is “three pairs”; an odd plural stands after a comma.

    In a page that is translated: `{{ 3|counted:_("pair,pairs") }}`.
    """
    return words.counted(number, noun)


@register.filter
def spelled(number: int) -> str:
    return words.spelled(number)


@register.filter
def inside(label: str) -> str:
    return words.inside(label)


@register.filter
def told(value: object) -> object:
    """A sentence, a measure or a moment that knows what it is made of, in the reader's language."""
    return tell(value)


@register.filter
def told_of(text: str, sentences: dict) -> str:
    """What was kept as English text, by what it was made of; what is not among that, as it is."""
    return tell(sentences.get(text, text))


@register.filter
def letter_word(kind: str) -> str:
    return stored.word(kind, "letter")


@register.filter
def try_word(came: str) -> str:
    return stored.word(came, "try")


@register.filter
def part_name(part: dict) -> str:
    return words.part_name(part)


@register.filter
def first_capital(sentence: str) -> str:
    return words.capital(sentence)


@register.filter
def trait(word: str) -> str:
    """What people are told apart by, in the reader's language."""
    return words.trait(word)


@register.filter
def traits(names: list[str]) -> str:
    return ", ".join(words.trait(name) for name in names)


@register.filter
def peers(group: str) -> str:
    """The name of a peer group."""
    return words.peers(group)


@register.filter
def webcal(address: str) -> str:
    """
    A web address as calendars subscribe to it.

    >>> webcal("https://lanemate.example/calendar/x.ics")
    'webcal://lanemate.example/calendar/x.ics'
    """
    return "webcal://" + address.partition("://")[2]


@register.filter
def css(value: str) -> str:
    """A band as a class name."""
    return str(value).replace(" ", "-").replace("_", "-")
