"""Sentences that pages say about numbers; the same for everybody who may read the page."""

from collections.abc import Mapping

from django.utils.formats import get_format, number_format
from django.utils.translation import (
    get_language,
    gettext,
    gettext_lazy,
    ngettext,
    pgettext,
    pgettext_lazy,
)

from coaching.domain.ranking import LABEL, RELIABLE, SMALLEST_GROUP
from coaching.domain.said import listed
from coaching.domain.selection import Share
from coaching.models import Band, Pair, Person, Scorecard, Standing, Yardstick
from coaching.notifications.words import count as counted
from coaching.notifications.words import spelled, tell
from coaching.queries.rankings import BandCounts
from coaching.services.rankings import EVERYBODY

SHARES = (
    (0.25, gettext_lazy("a quarter")),
    (1 / 3, gettext_lazy("a third")),
    (0.5, pgettext_lazy("a share", "half")),
    (2 / 3, gettext_lazy("two thirds")),
    (0.75, gettext_lazy("three quarters")),
)
# A thing that is counted: one of it, and several.
Nouns = tuple[str, str]
SUBJECTS = {
    Scorecard.Subject.PEOPLE: gettext_lazy("person,people"),
    Scorecard.Subject.TEAMS: gettext_lazy("team,teams"),
    Scorecard.Subject.SEGMENTS: gettext_lazy("segment,segments"),
}
# What people are told apart by, and the values of it that are not their company's own words.
TRAITS = {
    "role": gettext_lazy("role"),
    "site": gettext_lazy("site"),
    "shift": gettext_lazy("shift"),
    "language": gettext_lazy("language"),
    "tenure": gettext_lazy("tenure"),
    "part-time": gettext_lazy("part-time"),
    "full-time": gettext_lazy("full-time"),
    "under 6 months": gettext_lazy("under 6 months"),
    "6 months to 2 years": gettext_lazy("6 months to 2 years"),
    "over 2 years": gettext_lazy("over 2 years"),
    "not known": gettext_lazy("not known"),
}


def count(number: int, noun: str, plural: str = "") -> str:
    """
    >>> count(1, "pair"), count(8, "person", "people"), count(31, "pair")
    ('one pair', 'eight people', '31 pairs')
    """
    return counted(number, f"{noun},{plural or noun + 's'}")


def nouns(subject: str) -> Nouns:
    """What a ranking is of."""
    one, _, many = str(SUBJECTS[Scorecard.Subject(subject)]).partition(",")
    return one, many


def figure(number: float) -> str:
    """
    A whole number in the groups of the reader's language.

    >>> figure(12345)
    '12,345'
    """
    return number_format(number, decimal_pos=0, force_grouping=True)


def local(number: str) -> str:
    """A number as Python writes it, with the decimal sign of the reader's language."""
    return number.replace(".", get_format("DECIMAL_SEPARATOR"))


def percent(share: float | None) -> str:
    """
    >>> percent(0.8234), percent(0.999), percent(None)
    ('82 %', '> 99 %', '')
    """
    if share is None:
        return ""
    if 0.995 < share < 1:
        return "> 99 %"
    if 0 < share < 0.005:
        return "< 1 %"
    return f"{100 * share:.0f} %"


def capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def trait(word: str) -> str:
    """What people are told apart by, or a value of it, translated where the word is ours."""
    return str(TRAITS.get(word, word))


def peers(group: str) -> str:
    """The name of a peer group."""
    return gettext("everybody") if group == EVERYBODY else group


def inside(label: str) -> str:
    """
    A label within a sentence; German nouns keep their capitals.

    >>> inside("Higher is better")
    'higher is better'
    """
    return str(label) if (get_language() or "").startswith("de") else str(label).lower()


def part_name(part: Mapping) -> str:
    """What a part of a score is called: a skill, or what the two share."""
    return part["name"] if part.get("metric") else gettext(part["name"])


def why_pair(pair: Pair, reader: Person) -> list[str]:
    """
    Why these two, in two sentences; without a rank or a score, whoever reads.

    The names change with the reader, the facts do not.
    """
    names = pair.learner.first_name, pair.coach.first_name
    if names[0] == names[1]:
        names = pair.learner.name, pair.coach.name
    if reader.pk == pair.coach_id:
        strong = gettext(
            "You reliably do well in %(metric)s, which is where %(learner)s can gain most."
        )
        free = gettext(
            "You had a seat free, and of all the ways to pair this cohort the plan chose the one "
            "in which the most people get the coach who fits."
        )
    else:
        strong = (
            gettext("%(coach)s reliably does well in %(metric)s, which is where you can gain most.")
            if reader.pk == pair.learner_id
            else gettext(
                "%(coach)s reliably does well in %(metric)s, which is where %(learner)s can gain "
                "most."
            )
        )
        free = gettext(
            "%(coach)s had a seat free, and of all the ways to pair this cohort the plan chose the "
            "one in which the most people get the coach who fits."
        )
    told = {"learner": names[0], "coach": names[1], "metric": pair.metric.name}
    return [capital(strong % told), capital(free % told)]


def who_decides(pair: Pair, reader: Person) -> str:
    """What somebody in a pair that is stuck should know; the same for both of them."""
    if reader.pk == pair.learner_id:
        return gettext(
            "Your manager has been asked how to go on. Nobody is to blame, and you need not wait: "
            "one session helps most."
        )
    return gettext(
        "%(learner)s's manager has been asked how to go on. Nobody is to blame, and you need not "
        "wait: one session helps most."
    ) % {"learner": pair.learner.first_name}


def coach_line(presses: list[bool]) -> str:
    """
    How much waits for a coach; one flag a learner.

    >>> coach_line([True, False, False]), coach_line([False, False])
    ('Something waits for you with one of them; it stands first.', 'Nothing waits for you today.')
    """
    number = sum(presses)
    if not number:
        return gettext("Nothing waits for you today.")
    if number == len(presses):
        return gettext("Something waits for you with each of them.")
    return ngettext(
        "Something waits for you with %(some)s of them; it stands first.",
        "Something waits for you with %(some)s of them; they stand first.",
        number,
    ) % {"some": spelled(number)}


def share_of(part: float) -> str:
    """
    A share as people say it, where a word comes close enough.

    >>> share_of(0.5), share_of(0.74), share_of(0.62), share_of(1)
    ('half', 'three quarters', '62 %', 'all')
    """
    for value, word in SHARES:
        if abs(part - value) < 0.02:
            return str(word)
    if part >= 0.98:
        return pgettext("a share", "all") if part == 1 else pgettext("a share", "almost all")
    return f"{100 * part:.0f} %"


def quarter(q: float) -> str:
    """
    The part of the peers that a ranking calls its worst or best.

    >>> quarter(0.25), quarter(0.4)
    ('quarter', '40 %')
    """
    named = {
        0.25: pgettext("part of the peers", "quarter"),
        0.2: pgettext("part of the peers", "fifth"),
        0.5: pgettext("part of the peers", "half"),
    }
    return named.get(q) or f"{100 * q:.0f} %"


def in_worst(q: float) -> str:
    """
    >>> in_worst(0.25), in_worst(0.4)
    ('in the worst quarter', 'in the worst 40 %')
    """
    named = {
        0.25: gettext("in the worst quarter"),
        0.2: gettext("in the worst fifth"),
        0.5: gettext("in the worst half"),
    }
    return named.get(q) or gettext("in the worst %(part)s") % {"part": quarter(q)}


def in_best(q: float) -> str:
    """
    >>> in_best(0.2), in_best(0.1)
    ('in the best fifth', 'in the best 10 %')
    """
    named = {
        0.25: gettext("in the best quarter"),
        0.2: gettext("in the best fifth"),
        0.5: gettext("in the best half"),
    }
    return named.get(q) or gettext("in the best %(part)s") % {"part": quarter(q)}


def ends(q: float) -> tuple[str, str]:
    """
    What a ranking calls the worst and the best part of the peers.

    >>> ends(0.25), ends(0.4)
    (('worst quarter', 'best quarter'), ('worst 40 %', 'best 40 %'))
    """
    named = {
        0.25: (gettext("worst quarter"), gettext("best quarter")),
        0.2: (gettext("worst fifth"), gettext("best fifth")),
        0.5: (gettext("worst half"), gettext("best half")),
    }
    if q in named:
        return named[q]
    share = {"share": f"{100 * q:.0f} %"}
    return gettext("worst %(share)s") % share, gettext("best %(share)s") % share


def amount(cases: float) -> str:
    """
    >>> amount(22.4), amount(3.16), amount(0.25), amount(12345)
    ('22', '3.2', '0.25', '12,345')
    """
    if cases >= 10 or cases == int(cases):
        return figure(round(cases))
    return local(f"{cases:.2g}")


def estimate(standing: Standing, frame: Yardstick | None, name: str) -> str:
    """
    How an estimate came about, by the k of its peer group; `frame` is None for overall.

    >>> frame = Yardstick(sigma2=0.88, tau2=0.04)
    >>> estimate(Standing(metric_id=1, raw=4.1, n=66, reliability=0.75), frame, "Lea")
    'k = 22: somebody with 22 cases is half themselves, half their peers; Lea has 66, so three \
quarters.'
    """
    if frame is None:
        return gettext(
            "The mean of %(name)s's skills by their weights, each in spreads from the peers' mean; "
            "a skill without readings counts as the peers' mean."
        ) % {"name": name}
    if standing.raw is None:
        return gettext("No readings in these weeks: the estimate is the peers' mean, and says so.")
    if frame.sigma2 == 0:
        return gettext(
            "These readings do not scatter at all, so the estimate is %(name)s's own mean."
        ) % {"name": name}
    if frame.tau2 == 0:
        return gettext(
            "Chance alone explains how these peers differ, so the estimate is their mean."
        )
    k = frame.sigma2 / frame.tau2
    if k < 1:
        rule = gettext("k = %(k)s: a single case already says more than the peers do")
    else:
        rule = gettext("k = %(k)s: somebody with %(k)s cases is half themselves, half their peers")
    own = standing.reliability
    expected = standing.n / (standing.n + k)
    if abs(expected - own) <= 0.03:
        has = gettext("%(name)s has %(cases)s, so %(share)s")
    elif own < expected:
        has = gettext(
            "%(name)s has %(cases)s, so %(share)s (a little less than k says, because how much "
            "these peers truly differ is uncertain itself)"
        )
    else:
        has = gettext(
            "%(name)s has %(cases)s, so %(share)s (a little more than k says, because how much "
            "these peers truly differ is uncertain itself)"
        )
    has %= {"name": name, "cases": amount(standing.n), "share": share_of(own)}
    return f"{rule % {'k': amount(k)}}; {has}."


def reliability(standing: Standing) -> str:
    """
    How far the estimate trusts the person's own readings.

    >>> reliability(Standing(raw=4.1, reliability=0.75))
    "0.75: the estimate is 75 % their own readings and 25 % their peers' mean."
    """
    own = round(100 * standing.reliability)
    return gettext(
        "%(reliability)s: the estimate is %(own)s their own readings and %(rest)s their peers' "
        "mean."
    ) % {
        "reliability": local(f"{standing.reliability:.2f}"),
        "own": f"{own} %",
        "rest": f"{100 - own} %",
    }


def chance(p: float) -> str:
    """
    A chance of something nobody can know for certain.

    >>> chance(0.0), chance(0.34), chance(1.0)
    ('< 1 %', '34 %', '> 99 %')
    """
    return percent(min(max(p, 1e-6), 1 - 1e-6))


def chances(standing: Standing, q: float) -> str:
    """
    >>> chances(Standing(p_low=0.34, p_high=0.001), 0.25)
    'The chance of truly being in the worst quarter of the peers is 34 %, in the best < 1 %.'
    """
    return gettext(
        "The chance of truly being %(in_worst)s of the peers is %(low)s, in the best %(high)s."
    ) % {
        "in_worst": in_worst(q),
        "low": chance(standing.p_low),
        "high": chance(standing.p_high),
    }


def place(standing: Standing) -> str:
    """
    >>> place(Standing(rank_low=0.12, rank_high=0.63))
    'Nine times in ten the true place lies between 12 and 63 of 100 peers, counted from the worst.'
    """
    return gettext(
        "Nine times in ten the true place lies between %(low)s and %(high)s of 100 peers, "
        "counted from the worst."
    ) % {"low": round(100 * standing.rank_low), "high": round(100 * standing.rank_high)}


def raw(standing: Standing) -> str:
    """
    >>> from coaching.models import Metric
    >>> metric = Metric(kind="mean")
    >>> raw(Standing(metric=metric, raw=3.913, n=66))
    '3.91 over 66 cases: what was counted, with all its luck still in it.'
    """
    if standing.raw is None:
        return gettext("Nothing was counted in these weeks.")
    return gettext(
        "%(mean)s over %(cases)s cases: what was counted, with all its luck still in it."
    ) % {"mean": standing.metric.read(standing.raw), "cases": amount(standing.n)}


def band(standing: Standing, q: float) -> str:
    """
    Why this band, and what to do where there is none.

    >>> band(Standing(band=Band.WEAK, p_low=0.91, reliability=0.8), 0.25)
    'Weak, because the chance of truly being in the worst quarter is 91 %; the label needs 80 % \
and a reliability of 0.50.'
    >>> band(Standing(band=Band.CANNOT_TELL, raw=4, reliability=0.3), 0.25)
    'Cannot tell: with a reliability of 0.30 the peers say more than the own readings. Take in \
more weeks, or have more cases surveyed.'
    """
    kind = Band(standing.band)
    if kind == Band.CHECK:
        return gettext(
            "Check the numbers: this value lies so far from all peers that it may be a mistake. "
            "Look at the export; correct it, or keep it knowingly. Until then nobody is chosen "
            "or compared by it."
        )
    if kind == Band.TOO_SMALL:
        return gettext(
            "Group too small: bands need at least %(number)s peers with readings. Compare "
            "among more people, for example across the sites of one role."
        ) % {"number": SMALLEST_GROUP}
    if kind == Band.CANNOT_TELL:
        if standing.raw is None and standing.metric_id is not None:
            return gettext(
                "Cannot tell: there are no readings. Import these weeks, or wait for some."
            )
        if standing.reliability < RELIABLE:
            return gettext(
                "Cannot tell: with a reliability of %(reliability)s the peers say more than the "
                "own readings. Take in more weeks, or have more cases surveyed."
            ) % {"reliability": local(f"{standing.reliability:.2f}")}
        return gettext(
            "Cannot tell: too much of the scorecard's weight has no readings. Import the rest."
        )
    if kind == Band.MIDDLE:
        return gettext(
            "Middle, because neither the worst nor the best %(part)s is likely: %(low)s and "
            "%(high)s."
        ) % {
            "part": quarter(q),
            "low": chance(standing.p_low),
            "high": chance(standing.p_high),
        }
    low = kind in (Band.WEAK, Band.LEANING_WEAK)
    return gettext(
        "%(band)s, because the chance of truly being %(where)s is %(chance)s; the label needs "
        "%(sure)s and a reliability of %(reliable)s."
    ) % {
        "band": kind.label,
        "where": in_worst(q) if low else in_best(q),
        "chance": chance(standing.p_low if low else standing.p_high),
        "sure": percent(LABEL),
        "reliable": local(f"{RELIABLE:.2f}"),
    }


def overall_scale(weights: dict[str, float]) -> str:
    """
    What +0.5 means; `weights` by the metrics' names.

    >>> overall_scale({"Satisfaction": 2, "Resolution": 1})
    "Overall is counted in spreads from the peers' mean: 0 is like the peers, +0.5 half a spread \
better, and no skill counts for more than 3. Weights: Satisfaction 2, Resolution 1."
    """
    told = ", ".join(f"{name} {local(f'{weight:g}')}" for name, weight in weights.items())
    return gettext(
        "Overall is counted in spreads from the peers' mean: 0 is like the peers, %(half)s half a "
        "spread better, and no skill counts for more than 3. Weights: %(weights)s."
    ) % {"half": local("+0.5"), "weights": told or pgettext("weights", "none")}


def nobody_labelled(subject: str, counts: BandCounts, *, by_chance: bool) -> str:
    """Why a ranking carries no labels; empty when it carries some."""
    if counts.weak or counts.strong or not counts.total:
        return ""
    told = {"subject": subject, "people": counted(counts.total, gettext("person,people"))}
    if counts.too_small == counts.total:
        return gettext(
            "Nobody is labelled on %(subject)s: groups under %(number)s are too small to compare."
        ) % {"subject": subject, "number": spelled(SMALLEST_GROUP)}
    if by_chance:
        sentence = gettext(
            "Nobody is labelled on %(subject)s: the %(people)s differ by no more than chance "
            "would make them."
        )
    elif counts.reliability:
        told["reliability"] = local(f"{counts.reliability:.2f}")
        sentence = gettext(
            "Nobody is labelled on %(subject)s: there are too few readings to tell the %(people)s "
            "apart (typical reliability %(reliability)s). More weeks help; guessing would not."
        )
    else:
        sentence = gettext(
            "Nobody is labelled on %(subject)s: there are too few readings to tell the %(people)s "
            "apart. More weeks help; guessing would not."
        )
    return sentence % told


def out_of_proportion(attribute: str, share: Share) -> str:
    """A warning that the people with one value are labelled more often than all others."""
    return gettext(
        "%(attribute)s “%(value)s”: %(labelled)s of %(people)s would be learners, against "
        "%(rest_labelled)s of %(rest_people)s of everybody else. Chance does not explain that. "
        "Before you launch, look for a cause that is not the people: other cases, other tools, "
        "less training."
    ) % {
        "attribute": capital(trait(attribute)),
        "value": trait(share.value),
        "labelled": share.labelled,
        "people": share.people,
        "rest_labelled": share.rest_labelled,
        "rest_people": share.rest_people,
    }


def plan_change(matched: int, total: int) -> str:
    """
    What a change of a plan cost or brought.

    >>> plan_change(1, -240), plan_change(0, 12), plan_change(0, 0)
    ('One more matched. The total falls by 240.', 'The total rises by 12.', 'The plan is as good \
as before.')
    """
    told = []
    if matched:
        word = gettext("more,more") if matched > 0 else gettext("fewer,fewer")
        told.append(
            gettext("%(so_many)s matched.") % {"so_many": capital(counted(abs(matched), word))}
        )
    if total:
        by = {"points": figure(abs(total))}
        told.append(
            gettext("The total rises by %(points)s.") % by
            if total > 0
            else gettext("The total falls by %(points)s.") % by
        )
    return " ".join(told) or gettext("The plan is as good as before.")


def price(lost_seats: int, lost_score: int, waiting: list[str]) -> str:
    """
    What the whole cohort loses by a wish; `waiting` names those who would be left without.

    >>> price(0, 0, []), price(0, 18, []), price(1, 4, ["Tom Ash"]), price(0, -3, [])
    ('nothing', '18 points', 'Tom Ash goes without a coach', 'nothing')
    >>> price(2, 40, ["Tom Ash", "Lea Brandt"])
    'Tom Ash and Lea Brandt go without a coach'
    """
    if lost_seats > 0:
        who = listing(waiting) if waiting else counted(lost_seats, gettext("learner,learners"))
        return ngettext(
            "%(who)s goes without a coach",
            "%(who)s go without a coach",
            max(len(waiting), lost_seats),
        ) % {"who": who}
    if lost_score <= 0:
        return gettext("nothing")
    points = {"points": figure(lost_score)}
    return ngettext("%(points)s point", "%(points)s points", lost_score) % points


def listing(names: list[str], most: int = 4) -> str:
    """
    >>> listing(["Ivo"]), listing(["Ivo", "Lea", "Tom"]), listing(["Ivo", "Lea", "Tom"], most=2)
    ('Ivo', 'Ivo, Lea and Tom', 'Ivo, Lea and one more')
    """
    if len(names) > most:
        names = [*names[:most], counted(len(names) - most, gettext("more,more"))]
    return str(tell(listed(names)))


def changed_meanwhile(steps: list[tuple[str | None, str]]) -> str:
    """
    Why a change was not made: `steps` are who did what since the page was opened.

    >>> changed_meanwhile([("Otto Weiss", "Ivo and Lea pinned together")])
    'Your change was not made, because the plan is no longer the one you saw. Otto Weiss \
meanwhile: “Ivo and Lea pinned together”. Look at it, and make your change again if you still \
want it.'
    """
    told = "; ".join(
        gettext("%(who)s meanwhile: “%(what)s”") % {"who": who or gettext("Somebody"), "what": what}
        for who, what in steps[-4:]
    )
    return _not_made(told or gettext("Somebody solved it again on today's people and seats"))


def undone_meanwhile(steps: list[str]) -> str:
    """
    >>> undone_meanwhile(["Ivo has 3 seats"])
    'Your change was not made, because the plan is no longer the one you saw. Somebody took back: \
“Ivo has 3 seats”. Look at it, and make your change again if you still want it.'
    """
    if not steps:
        return changed_meanwhile([])
    told = ", ".join(gettext("“%(name)s”") % {"name": what} for what in steps[-4:])
    return _not_made(gettext("Somebody took back: %(steps)s") % {"steps": told})


def _not_made(told: str) -> str:
    return gettext(
        "Your change was not made, because the plan is no longer the one you saw. %(what)s. Look "
        "at it, and make your change again if you still want it."
    ) % {"what": told}


def reselected(before: tuple[int, int], after: tuple[int, int]) -> str:
    """
    Learners and coaches of a cohort before and after they were chosen again.

    >>> reselected((8, 5), (12, 5)), reselected((8, 5), (8, 5))
    ('Chosen again: twelve learners instead of eight, and five coaches as before.', 'Chosen again: \
eight learners and five coaches, as before.')
    """
    nouns = (gettext("learner,learners"), gettext("coach,coaches"))
    told = [counted(now, noun) for now, noun in zip(after, nouns, strict=True)]
    same = [was == now for was, now in zip(before, after, strict=True)]
    if all(same):
        return gettext("Chosen again: %(learners)s and %(coaches)s, as before.") % {
            "learners": told[0],
            "coaches": told[1],
        }
    told = [
        gettext("%(now)s as before") % {"now": now}
        if kept
        else gettext("%(now)s instead of %(before)s") % {"now": now, "before": spelled(was)}
        for now, was, kept in zip(told, before, same, strict=True)
    ]
    return gettext("Chosen again: %(learners)s, and %(coaches)s.") % {
        "learners": told[0],
        "coaches": told[1],
    }


def waiting(learners: int, coaches: int) -> str:
    """
    >>> waiting(3, 1)
    'Three learners wait for a seat with the same coach'
    """
    who = capital(counted(learners, gettext("learner,learners")))
    if coaches == 1:
        return gettext("%(learners)s wait for a seat with the same coach") % {"learners": who}
    return gettext("%(learners)s wait for a seat with one of %(coaches)s") % {
        "learners": who,
        "coaches": counted(coaches, gettext("coach,coaches")),
    }


def shortage(learners: int, seats: int, coaches: int) -> str:
    """
    Why some learners wait together, and the smallest cure.

    >>> shortage(3, 4, 2)
    'All four seats of two coaches are taken. One more seat at any of them places one more \
learner; three more place everybody.'
    """
    values = {
        "seats": counted(seats, gettext("seat,seats")),
        "coaches": counted(coaches, gettext("coach,coaches")),
        "more": counted(learners, gettext("more,more")),
    }
    one = coaches == 1
    if not seats:
        values["coaches"] = capital(values["coaches"])
        taken = (
            gettext("This coach has no seat left.")
            if one
            else gettext("%(coaches)s have no seat left.")
        )
    elif one:
        taken = ngettext(
            "The %(seats)s of this coach is taken.", "All %(seats)s of this coach are taken.", seats
        )
    else:
        taken = ngettext(
            "The %(seats)s of %(coaches)s is taken.",
            "All %(seats)s of %(coaches)s are taken.",
            seats,
        )
    cure = (
        gettext("One more seat there places one more learner; %(more)s place everybody.")
        if one
        else gettext(
            "One more seat at any of them places one more learner; %(more)s place everybody."
        )
    )
    return f"{taken} {cure}" % values


def why_lot(waiting: int) -> str:
    """Why a lot is the fairest way to say who waits, and what it is good for later."""
    return gettext(
        "%(learners_have)s to wait for a seat as long as the seats are as they are. Where the need "
        "is alike, a lot is the fairest way to say who: nobody is favoured, and everybody can "
        "check it. It is also the only way that later proves what the coaching did, because those "
        "who wait differ from those who start by nothing but chance."
    ) % {"learners_have": capital(counted(waiting, gettext("learner has,learners have")))}


def seats(name: str, before: int, now: int) -> str:
    """
    What a change of seats means.

    >>> seats("Ivo", 1, 2), seats("Ivo", 2, 0)
    ('Ivo takes two learners at a time. Whoever waits in a running cohort may be proposed to them \
now.', 'Ivo takes no new learners. Running pairs go on.')
    >>> seats("Ivo", 3, 1), seats("Ivo", 1, 1)
    ('Ivo takes one learner at a time. Running pairs go on.', 'Ivo takes one learner at a time, as \
before.')
    """
    told = {"name": name, "learners": counted(now, gettext("learner,learners"))}
    if now == before:
        return gettext("%(name)s takes %(learners)s at a time, as before.") % told
    if now > before:
        return (
            gettext(
                "%(name)s takes %(learners)s at a time. Whoever waits in a running cohort may be "
                "proposed to them now."
            )
            % told
        )
    if now:
        return gettext("%(name)s takes %(learners)s at a time. Running pairs go on.") % told
    return gettext("%(name)s takes no new learners. Running pairs go on.") % {"name": name}
