"""What the names of columns usually mean, in English and German."""

import re
from collections.abc import Iterable

_CAMEL = re.compile(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W_]+|[#Ø%]")


def spoken(header: str) -> str:
    """
    The header in small words with single spaces, camel case taken apart.

    >>> spoken("AvgTalkDuration"), spoken("agent_ID"), spoken("Answered (Y/N)")
    ('avg talk duration', 'agent id', 'answered y n')
    """
    return " ".join(_WORD.findall(_CAMEL.sub(" ", header))).casefold()


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


# -- about the person ------------------------------------------------------------------

PERSON = _any(
    r"\b(agents?|employees?|staff|advis[eo]r|rep|representative|operator|associate|consultant)\b",
    r"\b(person|people|colleague|worker|seller|sales ?person|clerk|technician|lecturer|teacher)\b",
    r"\b(nurse|assignee|owner|handled by|assigned to|closed by|member|learner|coach)\b",
    r"mitarbeit|bearbeiter|berater|verkäufer|angestellte|personal ?(nummer|nr)|kolleg",
)
NAME = _any(r"\bname\b", r"\bnamen\b", r"vollständiger name")
IDENTIFIER = _any(
    r"\b(id|ids|key|no|nr|number|code|login|username|user)\b",
    r"nummer|kürzel|kennung|personal ?nr",
)
NOT_A_PERSON = _any(
    r"\b(customer|client|product|company|file|campaign|call|case|ticket|survey|order|caller)\b",
    r"\b(queue|topic|category|metric|project|question|session)\b",
    r"kunde|produkt|firma|anruf(er)?\b|vorgang|thema|kategorie",
)
# A group of customers rather than somebody.
SEGMENT = _any(
    r"\bsegments?\b|\b(customer|client|guest|caller|patient|buyer|member)s? "
    r"(groups?|types?|tiers?|class(es)?|categor(y|ies)|regions?|clusters?)\b",
    r"\b(groups?|types?|tiers?|regions?) of (the |our )?(customers|clients|guests|buyers)\b",
    r"\b(ziel|kunden) ?(gruppen?|segmente?|typ(en)?|region(en)?|klassen?|art(en)?)\b",
    r"\b(gruppe|region|segment)e?n? (der|von|unserer) kunden\b",
)
# Says who only where nothing else does.
BARE_GROUP = _any(r"^(groups?|gruppen?)( (name|id))?$")
MANAGER = _any(
    r"manager|supervisor|team ?lead|\blead\b|reports to|\bboss\b",
    r"vorgesetzt|teamleit|führungskraft|abteilungsleit",
)
EMAIL = _any(r"\be ?mail\b", r"\bmail\b", r"mail ?adress")
TEAM = _any(r"\bteam\b", r"\bgroup\b", r"\bdept\b", r"department", r"gruppe", r"abteilung")
ATTRIBUTES: dict[str, re.Pattern[str]] = {
    "role": _any(r"\brole\b", r"job title", r"\bposition\b", r"\brolle\b", r"funktion"),
    "site": _any(r"\bsite\b", r"standort", r"\b(location|office|branch)\b", r"filiale"),
    "shift": _any(r"\bshift\b", r"schicht"),
    "language": _any(r"\blanguage\b", r"sprache"),
    "time_zone": _any(r"\btime ?zone\b", r"zeitzone", r"\btz\b"),
    "started_on": _any(
        r"\bstarted( on)?\b", r"\bstart date\b", r"\bhired?\b", r"\bjoin(ed|ing)\b", r"eintritt",
        r"\bstarts? on\b", r"anstellung",
    ),
    "part_time": _any(r"part ?time", r"teilzeit"),
    "capacity": _any(r"\bcapacity\b", r"kapazität"),
}  # fmt: skip

# -- when ------------------------------------------------------------------------------

DATE = _any(
    r"\b(date|day|week|period|month|timestamp|created|closed|datetime|when)\b",
    r"datum|\btag\b|woche|\bkw\b|monat|zeitraum|zeitpunkt",
)
TIME_OF_DAY = _any(r"^(start |end |call |begin )?(time|zeit)$", r"uhrzeit|\btime of (day|call)\b")

# -- what is counted -------------------------------------------------------------------

# Each: pattern, kind, direction. The first that fits wins.
METRICS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        _any(
            r"speed of answer|\b(handle|handling|talk|hold|wait|waiting|wrap|response|reaction)",
            r"\b(aht|acw|asa|frt|att)\b|duration|\bdelay\b|(resolution|answer|cycle|lead) time",
            r"time (to|per|spent)|dauer|wartezeit|zeit\b|\bminutes\b|\bseconds\b|after call work",
        ),
        "duration",
        "lower",
    ),
    (_any(r"\bschulnote\b|\bnote\b"), "mean", "lower"),
    (
        _any(
            r"csat|\bces\b|satisf|zufrieden|\bratings?\b|bewertung|\bstars?\b|sterne|\bscores?\b",
            r"\bnps\b|punkte|\bpoints\b|qualit|evaluation|\bqa\b|\bgrade\b|\bmarks?\b|audit",
        ),
        "mean",
        "higher",
    ),
    (
        _any(
            r"error|fehler|complain|beschwerde|reklamation|defect|mistake|escalat|eskal",
            r"abandon|transfer|weiterleit|reopen|absen|missed|rework|\breturns?\b|retour|storn",
            r"churn|kündig|unresolved|ungelöst|not resolved|late\b|verspät",
        ),
        "rate",
        "lower",
    ),
    (
        _any(
            r"resol|gelöst|lösungs|first contact|\bfcr\b|answered|beantwortet|angenommen",
            r"adheren|einhaltung|conver|success|erfolg|complian|on time|pünktlich|renew|retain",
            r"\bpass(ed)?\b|bestanden|\bsold\b",
        ),
        "proportion",
        "higher",
    ),
    (
        _any(r"\bsales?\b|verkäufe|verkauf|umsatz|revenue|\borders\b|bestellung|\bdeals\b|upsell"),
        "rate",
        "higher",
    ),
)

METRIC_LABEL = _any(r"^(metric|kpi|skill|measure|indicator|kennzahl|merkmal)( name)?$")

_CASES = (
    r"calls|cases|contacts|chats|tickets|surveys|responses|ratings|answers|conversations"
    r"|interactions|anrufe|fälle|gespräche|kontakte|umfragen|antworten|vorgänge|bewertungen"
)
COUNT = _any(
    rf"^(n|count|anzahl|sample size|stichprobe|{_CASES}|cases? count)$",
    rf"^(n|no|number|num|count|anzahl|#|total)( of| der)? ({_CASES})$",
    rf"^({_CASES}) (n|count|anzahl|total|handled|taken)$",
)
EXPOSURE = _any(r"^(hours( worked)?|(arbeits)?stunden|exposure)$")
SURVEYS = _any(r"survey|response|rating|answer|umfrage|antwort|bewertung")

_STATISTICS: dict[str, str] = {
    **dict.fromkeys(("n", "count", "anzahl"), "n"),
    **dict.fromkeys(
        ("mean", "avg", "average", "mittelwert", "durchschnitt", "mittel", "ø"), "mean"
    ),
    **dict.fromkeys(("sum", "total", "summe"), "sum"),
    **dict.fromkeys(("sd", "std", "stdev", "stddev", "standardabweichung"), "sd"),
    **dict.fromkeys(("sumsq", "ss"), "sumsq"),
}


def statistic(words: str) -> tuple[str, str]:
    """
    The metric and the statistic a header speaks of; an empty statistic if none.

    >>> statistic("csat n"), statistic("mean handle time"), statistic("sd"), statistic("csat")
    (('csat', 'n'), ('handle time', 'mean'), ('', 'sd'), ('csat', ''))
    """
    parts = words.split()
    if parts and parts[-1] in _STATISTICS:
        return " ".join(parts[:-1]), _STATISTICS[parts[-1]]
    if parts and parts[0] in _STATISTICS:
        return " ".join(parts[1:]).removeprefix("of "), _STATISTICS[parts[0]]
    return words, ""


# Person names that are no people: the last row of many reports.
TOTALS = frozenset(
    {"total", "totals", "grand total", "sum", "average", "overall", "all agents"}
    | {"gesamt", "gesamtergebnis", "summe", "durchschnitt", "alle mitarbeiter"}
)

_YES_NO = re.compile(r"\s*[(\[]\s*[yj]\s*/\s*n\s*[)\]]\s*", re.IGNORECASE)
_UNITS: tuple[tuple[re.Pattern[str], float], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), factor)
    for names, factor in (
        ("ms|milliseconds|millisekunden", 0.001),
        ("s|secs?|seconds|sek|sekunden", 1.0),
        ("m|mins?|minutes|minuten", 60.0),
        ("h|hrs?|hours|std|stunden", 3600.0),
    )
    for pattern in (
        rf"[\s_]*(?:[(\[]\s*|\bin )({names})\b\.?[)\]]?",
        rf"(?<=[^\W_])_({names})$",
    )
)


def title(header: str) -> str:
    """
    A metric's name from its header, without the unit and the hint how to fill it in.

    >>> title("Answered (Y/N)"), title("Speed of answer in seconds"), title("AvgTalkDuration")
    ('Answered', 'Speed of answer', 'Avg Talk Duration')
    """
    name = _YES_NO.sub(" ", header)
    for pattern, _ in _UNITS:
        name = pattern.sub("", name)
    name = " ".join(_CAMEL.sub(" ", name.replace("_", " ")).split())
    return name or header


def seconds_per_unit(header: str) -> float | None:
    """
    Seconds in the unit that a header names, or None.

    >>> seconds_per_unit("AHT (min)"), seconds_per_unit("Speed of answer in seconds")
    (60.0, 1.0)
    """
    return next((factor for pattern, factor in _UNITS if pattern.search(header)), None)


def first_match(
    patterns: Iterable[tuple[re.Pattern[str], str, str]], words: str
) -> tuple[str, str] | None:
    """Kind and direction of the first pattern that occurs in the words."""
    return next(((kind, way) for pattern, kind, way in patterns if pattern.search(words)), None)
