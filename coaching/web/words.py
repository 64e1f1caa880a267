"""Sentences that pages say about numbers; the same for everybody who may read the page."""

from django.utils.formats import number_format
from django.utils.text import get_text_list
from django.utils.translation import get_language, gettext, ngettext

from coaching.domain.ranking import LABEL, RELIABLE, SMALLEST_GROUP
from coaching.domain.selection import Share
from coaching.models import Band, Pair, Person, Standing, Yardstick
from coaching.queries.rankings import BandCounts

SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
         "eleven", "twelve")  # fmt: skip
SHARES = ((0.25, "a quarter"), (1 / 3, "a third"), (0.5, "half"), (2 / 3, "two thirds"),
          (0.75, "three quarters"))  # fmt: skip


def count(number: int, noun: str, plural: str = "") -> str:
    """
    >>> count(1, "pair"), count(8, "person", "people"), count(31, "pair")
    ('one pair', 'eight people', '31 pairs')
    """
    return f"{spelled(number)} {noun if number == 1 else plural or noun + 's'}"


def spelled(number: int) -> str:
    """
    >>> spelled(0), spelled(12), spelled(1234)
    ('no', 'twelve', '1,234')
    """
    small = gettext("no,one,two,three,four,five,six,seven,eight,nine,ten,eleven,twelve").split(",")
    return small[number] if number < len(small) else figure(number)


def counted(number: int, nouns: str) -> str:
    """
    The same with both forms of the noun in one text, as they are translated.

    >>> counted(1, "person,people"), counted(8, "person,people")
    ('one person', 'eight people')
    """
    one, _, many = nouns.partition(",")
    return count(number, one, many)


def figure(number: float) -> str:
    """
    A whole number in the groups of the reader's language.

    >>> figure(12345)
    '12,345'
    """
    return number_format(number, decimal_pos=0, force_grouping=True)


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


def inside(label: str) -> str:
    """
    A label within a sentence; German nouns keep their capitals.

    >>> inside("Higher is better")
    'higher is better'
    """
    return str(label) if (get_language() or "").startswith("de") else str(label).lower()


def why_pair(pair: Pair, reader: Person) -> list[str]:
    """
    Why these two, in two sentences; without a rank or a score, whoever reads.

    The names change with the reader, the facts do not.
    """
    names = pair.learner.first_name, pair.coach.first_name
    if names[0] == names[1]:
        names = pair.learner.name, pair.coach.name
    learner = "you" if reader.pk == pair.learner_id else names[0]
    coach = "you" if reader.pk == pair.coach_id else names[1]
    does = "do" if coach == "you" else "does"
    return [
        capital(
            f"{coach} reliably {does} well in {pair.metric.name}, which is where "
            f"{learner} can gain most."
        ),
        capital(
            f"{coach} had a seat free, and of all the ways to pair this cohort the plan chose "
            "the one in which the most people get the coach who fits."
        ),
    ]


def who_decides(pair: Pair, reader: Person) -> str:
    """What somebody in a pair that is stuck should know; the same for both of them."""
    whose = "Your" if reader.pk == pair.learner_id else f"{pair.learner.first_name}'s"
    return (
        f"{whose} manager has been asked how to go on. Nobody is to blame, and you need not wait: "
        "one session helps most."
    )


def coach_line(presses: list[bool]) -> str:
    """
    How much waits for a coach; one flag a learner.

    >>> coach_line([True, False, False]), coach_line([False, False])
    ('Something waits for you with one of them; it stands first.', 'Nothing waits for you today.')
    """
    number = sum(presses)
    if not number:
        return "Nothing waits for you today."
    if number == len(presses):
        return "Something waits for you with each of them."
    which = "it stands" if number == 1 else "they stand"
    return f"Something waits for you with {count(number, 'of them', 'of them')}; {which} first."


def share_of(part: float) -> str:
    """
    A share as people say it, where a word comes close enough.

    >>> share_of(0.5), share_of(0.74), share_of(0.62), share_of(1)
    ('half', 'three quarters', '62 %', 'all')
    """
    for value, word in SHARES:
        if abs(part - value) < 0.02:
            return word
    if part >= 0.98:
        return "all" if part == 1 else "almost all"
    return f"{100 * part:.0f} %"


def quarter(q: float) -> str:
    """
    The part of the peers that a ranking calls its worst or best.

    >>> quarter(0.25), quarter(0.4)
    ('quarter', '40 %')
    """
    return {0.25: "quarter", 0.2: "fifth", 0.5: "half"}.get(q) or f"{100 * q:.0f} %"


def amount(cases: float) -> str:
    """
    >>> amount(22.4), amount(3.16), amount(0.25), amount(12345)
    ('22', '3.2', '0.25', '12,345')
    """
    return f"{cases:,.0f}" if cases >= 10 or cases == int(cases) else f"{cases:.2g}"


def estimate(standing: Standing, frame: Yardstick | None, name: str) -> str:
    """
    How an estimate came about, by the k of its peer group; `frame` is None for overall.

    >>> frame = Yardstick(sigma2=0.88, tau2=0.04)
    >>> estimate(Standing(metric_id=1, raw=4.1, n=66, reliability=0.75), frame, "Lea")
    'k = 22: somebody with 22 cases is half themselves, half their peers; Lea has 66, so three \
quarters.'
    """
    if frame is None:
        return (
            f"The mean of {name}'s skills by their weights, each in spreads from the peers' mean; "
            "a skill without readings counts as the peers' mean."
        )
    if standing.raw is None:
        return "No readings in these weeks: the estimate is the peers' mean, and says so."
    if frame.sigma2 == 0:
        return f"These readings do not scatter at all, so the estimate is {name}'s own mean."
    if frame.tau2 == 0:
        return "Chance alone explains how these peers differ, so the estimate is their mean."
    k = frame.sigma2 / frame.tau2
    if k < 1:
        rule = f"k = {amount(k)}: a single case already says more than the peers do"
    else:
        rule = (
            f"k = {amount(k)}: somebody with {amount(k)} cases is half themselves, half their peers"
        )
    own = standing.reliability
    has = f"{name} has {amount(standing.n)}, so {share_of(own)}"
    expected = standing.n / (standing.n + k)
    if abs(expected - own) > 0.03:
        less = "less" if own < expected else "more"
        has += (
            f" (a little {less} than k says, because how much these peers truly differ is "
            "uncertain itself)"
        )
    return f"{rule}; {has}."


def reliability(standing: Standing) -> str:
    """
    How far the estimate trusts the person's own readings.

    >>> reliability(Standing(raw=4.1, reliability=0.75))
    "0.75: the estimate is 75 % their own readings and 25 % their peers' mean."
    """
    own = round(100 * standing.reliability)
    return (
        f"{standing.reliability:.2f}: the estimate is {own} % their own readings "
        f"and {100 - own} % their peers' mean."
    )


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
    return (
        f"The chance of truly being in the worst {quarter(q)} of the peers is "
        f"{chance(standing.p_low)}, in the best {chance(standing.p_high)}."
    )


def place(standing: Standing) -> str:
    """
    >>> place(Standing(rank_low=0.12, rank_high=0.63))
    'Nine times in ten the true place lies between 12 and 63 of 100 peers, counted from the worst.'
    """
    low, high = round(100 * standing.rank_low), round(100 * standing.rank_high)
    return (
        f"Nine times in ten the true place lies between {low} and {high} of 100 peers, "
        "counted from the worst."
    )


def raw(standing: Standing) -> str:
    """
    >>> from coaching.models import Metric
    >>> metric = Metric(kind="mean")
    >>> raw(Standing(metric=metric, raw=3.913, n=66))
    '3.91 over 66 cases: what was counted, with all its luck still in it.'
    """
    if standing.raw is None:
        return "Nothing was counted in these weeks."
    return (
        f"{standing.metric.read(standing.raw)} over {amount(standing.n)} cases: what was "
        "counted, with all its luck still in it."
    )


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
    part, kind = quarter(q), Band(standing.band)
    needs = f"the label needs {percent(LABEL)} and a reliability of {RELIABLE:.2f}"
    if kind == Band.CHECK:
        return (
            "Check the numbers: this value lies so far from all peers that it may be a mistake. "
            "Look at the export; correct it, or keep it knowingly. Until then nobody is chosen "
            "or compared by it."
        )
    if kind == Band.TOO_SMALL:
        return (
            f"Group too small: bands need at least {SMALLEST_GROUP} peers with readings. Compare "
            "among more people, for example across the sites of one role."
        )
    if kind == Band.CANNOT_TELL:
        if standing.raw is None and standing.metric_id is not None:
            return "Cannot tell: there are no readings. Import these weeks, or wait for some."
        if standing.reliability < RELIABLE:
            return (
                f"Cannot tell: with a reliability of {standing.reliability:.2f} the peers say "
                "more than the own readings. Take in more weeks, or have more cases surveyed."
            )
        return "Cannot tell: too much of the scorecard's weight has no readings. Import the rest."
    if kind == Band.MIDDLE:
        return (
            f"Middle, because neither the worst nor the best {part} is likely: "
            f"{chance(standing.p_low)} and {chance(standing.p_high)}."
        )
    low = kind in (Band.WEAK, Band.LEANING_WEAK)
    likely = chance(standing.p_low if low else standing.p_high)
    return (
        f"{kind.label}, because the chance of truly being in the {'worst' if low else 'best'} "
        f"{part} is {likely}; {needs}."
    )


def overall_scale(weights: dict[str, float]) -> str:
    """
    What +0.5 means; `weights` by the metrics' names.

    >>> overall_scale({"Satisfaction": 2, "Resolution": 1})
    "Overall is counted in spreads from the peers' mean: 0 is like the peers, +0.5 half a spread \
better, and no skill counts for more than 3. Weights: Satisfaction 2, Resolution 1."
    """
    told = ", ".join(f"{name} {weight:g}" for name, weight in weights.items())
    return (
        "Overall is counted in spreads from the peers' mean: 0 is like the peers, +0.5 half a "
        f"spread better, and no skill counts for more than 3. Weights: {told or 'none'}."
    )


def nobody_labelled(subject: str, counts: BandCounts, *, by_chance: bool) -> str:
    """Why a ranking carries no labels; empty when it carries some."""
    if counts.weak or counts.strong or not counts.total:
        return ""
    people = count(counts.total, "person", "people")
    if counts.too_small == counts.total:
        return (
            f"Nobody is labelled on {subject}: "
            f"groups under {SMALL[SMALLEST_GROUP]} are too small to compare."
        )
    if by_chance:
        return (
            f"Nobody is labelled on {subject}: the {people} differ by no more than "
            "chance would make them."
        )
    share = f" (typical reliability {counts.reliability:.2f})" if counts.reliability else ""
    return (
        f"Nobody is labelled on {subject}: there are too few readings to tell the {people} "
        f"apart{share}. More weeks help; guessing would not."
    )


def out_of_proportion(attribute: str, share: Share) -> str:
    """A warning that the people with one value are labelled more often than all others."""
    return (
        f"{capital(attribute)} “{share.value}”: {share.labelled} of {share.people} would be "
        f"learners, against {share.rest_labelled} of {share.rest_people} of everybody else. Chance "
        "does not explain that. Before you launch, look for a cause that is not the people: "
        "other cases, other tools, less training."
    )


def plan_change(matched: int, total: int) -> str:
    """
    What a change of a plan cost or brought.

    >>> plan_change(1, -240), plan_change(0, 12), plan_change(0, 0)
    ('One more matched. The total falls by 240.', 'The total rises by 12.', 'The plan is as good \
as before.')
    """
    told = []
    if matched:
        word = "more" if matched > 0 else "fewer"
        told.append(f"{capital(count(abs(matched), word, word))} matched.")
    if total:
        told.append(f"The total {'rises' if total > 0 else 'falls'} by {abs(total):,}.")
    return " ".join(told) or "The plan is as good as before."


def price(lost_seats: int, lost_score: int, waiting: list[str]) -> str:
    """
    What the whole cohort loses by a wish; `waiting` names those who would be left without.

    >>> price(0, 0, []), price(0, 18, []), price(1, 4, ["Tom Ash"]), price(0, -3, [])
    ('nothing', '18 points', 'Tom Ash goes without a coach', 'nothing')
    >>> price(2, 40, ["Tom Ash", "Lea Brandt"])
    'Tom Ash and Lea Brandt go without a coach'
    """
    if lost_seats > 0:
        who = listing(waiting) if waiting else count(lost_seats, "learner")
        return f"{who} {'goes' if max(len(waiting), lost_seats) == 1 else 'go'} without a coach"
    if lost_score <= 0:
        return "nothing"
    return f"{lost_score:,} point{'s' if lost_score > 1 else ''}"


def listing(names: list[str], most: int = 4) -> str:
    """
    >>> listing(["Ivo"]), listing(["Ivo", "Lea", "Tom"]), listing(["Ivo", "Lea", "Tom"], most=2)
    ('Ivo', 'Ivo, Lea and Tom', 'Ivo, Lea and one more')
    """
    if len(names) > most:
        left = len(names) - most
        more = ngettext("one more", "%(number)s more", left) % {"number": spelled(left)}
        names = [*names[:most], more]
    return get_text_list(names, gettext("and"))


def changed_meanwhile(steps: list[tuple[str | None, str]]) -> str:
    """
    Why a change was not made: `steps` are who did what since the page was opened.

    >>> changed_meanwhile([("Otto Weiss", "Ivo and Lea pinned together")])
    'Your change was not made, because the plan is no longer the one you saw. Otto Weiss \
meanwhile: “Ivo and Lea pinned together”. Look at it, and make your change again if you still \
want it.'
    """
    told = "; ".join(f"{who or 'Somebody'} meanwhile: “{what}”" for who, what in steps[-4:])
    return _not_made(told or "Somebody solved it again on today's people and seats")


def undone_meanwhile(steps: list[str]) -> str:
    """
    >>> undone_meanwhile(["Ivo has 3 seats"])
    'Your change was not made, because the plan is no longer the one you saw. Somebody took back: \
“Ivo has 3 seats”. Look at it, and make your change again if you still want it.'
    """
    if not steps:
        return changed_meanwhile([])
    return _not_made("Somebody took back: " + ", ".join(f"“{what}”" for what in steps[-4:]))


def _not_made(told: str) -> str:
    return (
        f"Your change was not made, because the plan is no longer the one you saw. {told}. "
        "Look at it, and make your change again if you still want it."
    )


def reselected(before: tuple[int, int], after: tuple[int, int]) -> str:
    """
    Learners and coaches of a cohort before and after they were chosen again.

    >>> reselected((8, 5), (12, 5)), reselected((8, 5), (8, 5))
    ('Chosen again: twelve learners instead of eight, and five coaches as before.', 'Chosen again: \
eight learners and five coaches, as before.')
    """
    told = [
        count(now, *noun)
        + ("" if now == was else f" instead of {SMALL[was] if was < len(SMALL) else f'{was:,}'}")
        for was, now, noun in zip(before, after, (("learner",), ("coach", "coaches")), strict=True)
    ]
    same = [was == now for was, now in zip(before, after, strict=True)]
    if all(same):
        return f"Chosen again: {told[0]} and {told[1]}, as before."
    if any(same):
        told[same.index(True)] += " as before"
    return f"Chosen again: {told[0]}, and {told[1]}."


def waiting(learners: int, coaches: int) -> str:
    """
    >>> waiting(3, 1)
    'Three learners wait for a seat with the same coach'
    """
    whose = "the same coach" if coaches == 1 else f"one of {count(coaches, 'coach', 'coaches')}"
    return f"{capital(count(learners, 'learner'))} wait for a seat with {whose}"


def shortage(learners: int, seats: int, coaches: int) -> str:
    """
    Why some learners wait together, and the smallest cure.

    >>> shortage(3, 4, 2)
    'All four seats of two coaches are taken. One more seat at any of them places one more \
learner; three more place everybody.'
    """
    whose = "this coach" if coaches == 1 else count(coaches, "coach", "coaches")
    taken = (
        f"{'All ' if seats > 1 else 'The '}{count(seats, 'seat')} of {whose} "
        f"{'are' if seats > 1 else 'is'} taken."
        if seats
        else f"{capital(whose)} {'has' if coaches == 1 else 'have'} no seat left."
    )
    at = "there" if coaches == 1 else "at any of them"
    more = count(learners, "more", "more")
    return f"{taken} One more seat {at} places one more learner; {more} place everybody."


def why_lot(waiting: int, seats: str) -> str:
    """Why a lot is the fairest way to say who waits, and what it is good for later."""
    return (
        f"{capital(count(waiting, 'learner has', 'learners have'))} to wait for a seat {seats}. "
        "Where the need is alike, a lot is the fairest way to say who: nobody is favoured, and "
        "everybody can check it. It is also the only way that later proves what the coaching "
        "did, because those who wait differ from those who start by nothing but chance."
    )


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
