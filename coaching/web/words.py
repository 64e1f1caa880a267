"""Sentences that pages say about numbers; the same for everybody who may read the page."""

from coaching.models import Pair, Person, Standing
from coaching.queries.rankings import BandCounts

SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
         "eleven", "twelve")  # fmt: skip


def count(number: int, noun: str, plural: str = "") -> str:
    """
    >>> count(1, "pair"), count(8, "person", "people"), count(31, "pair")
    ('one pair', 'eight people', '31 pairs')
    """
    word = SMALL[number] if number < len(SMALL) else f"{number:,}"
    return f"{word} {noun if number == 1 else plural or noun + 's'}"


def capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


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


def reliability(standing: Standing) -> str:
    """How far the estimate trusts the person's own readings."""
    own = round(100 * standing.reliability)
    if standing.raw is None:
        return "No readings in these weeks: the estimate is the peers' mean, and says so."
    return (
        f"Reliability {standing.reliability:.2f}: the estimate is {own} % their own readings "
        f"and {100 - own} % their peers'."
    )


def nobody_labelled(subject: str, counts: BandCounts, *, by_chance: bool) -> str:
    """Why a ranking carries no labels; empty when it carries some."""
    if counts.weak or counts.strong or not counts.total:
        return ""
    people = count(counts.total, "person", "people")
    if counts.too_small == counts.total:
        return f"Nobody is labelled on {subject}: groups under five are too small to compare."
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
