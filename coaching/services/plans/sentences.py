"""
What a plan keeps in words: its steps, who moved and why, and why somebody has no coach.

It is kept in English, as the API and the audit trail tell it. `web.retold` finds these sentences
again and says them in the reader's language, which is why each stands here whole.
"""

from django.utils.translation import gettext_noop

from coaching.models import Member, Person

# -- steps: no full stop, several of them apart by semicolons ----------------------------------

DRAFTED = gettext_noop("Drafted")
SOLVED_AGAIN = gettext_noop("Solved again on today's people and seats")
PINNED = gettext_noop("%(coach)s and %(learner)s pinned together")
KEPT_APART = gettext_noop("%(coach)s and %(learner)s kept apart")
NOT_PINNED = gettext_noop("%(coach)s and %(learner)s no longer pinned together")
NOT_KEPT_APART = gettext_noop("%(coach)s and %(learner)s no longer kept apart")
SWAPPED = gettext_noop("%(one)s and %(other)s exchanged coaches")
SEATS = gettext_noop("%(coach)s takes %(number)s at a time")
LEFT_OUT = gettext_noop("%(person)s left out of this plan: %(reason)s")
LEFT_OUT_OF_ALL = gettext_noop("%(person)s left out of the cohort: %(reason)s")
TAKEN_BACK = gettext_noop("%(person)s taken back into the cohort: %(reason)s")
TAKES_PART = gettext_noop("%(person)s takes part again")
ADDED_AS_LEARNER = gettext_noop("%(person)s added as a learner: %(reason)s")
ADDED_AS_COACH = gettext_noop("%(person)s added as a coach: %(reason)s")
SELECTED_AGAIN = gettext_noop(
    "Selected again by the policy “%(policy)s”: %(came)s came, %(went)s went"
)
PREFERENCES = gettext_noop("Preferences: %(points)s")
NO_PREFERENCES = gettext_noop("Preferences: none")
WEIGHTS = gettext_noop("Weights: %(weights)s")
USUAL_WEIGHTS = gettext_noop("Weights: those of the ranking")
FLOOR = gettext_noop("No pair below %(floor)s")
NO_FLOOR = gettext_noop("No floor")
BY_LOT = gettext_noop("The lot %(lot)s draws who waits")
BY_SCORE = gettext_noop("The score decides who waits")
SEVERAL = gettext_noop("More than one coach: %(people)s")
NOBODY_SEVERAL = gettext_noop("More than one coach: nobody")
COPIED = gettext_noop("Copied from %(plan)s")
COPIED_FROM_NAMELESS = gettext_noop("Copied from another plan")
# The reason for which steps back leave somebody out who came later.
CAME_LATER = gettext_noop("Was not in this plan at that step.")

STEPS = (
    DRAFTED, SOLVED_AGAIN, PINNED, KEPT_APART, NOT_PINNED, NOT_KEPT_APART, SWAPPED, SEATS,
    LEFT_OUT, LEFT_OUT_OF_ALL, TAKEN_BACK, TAKES_PART, ADDED_AS_LEARNER, ADDED_AS_COACH,
    SELECTED_AGAIN, PREFERENCES, NO_PREFERENCES, WEIGHTS, USUAL_WEIGHTS, FLOOR, NO_FLOOR, BY_LOT,
    BY_SCORE, SEVERAL, NOBODY_SEVERAL, COPIED, COPIED_FROM_NAMELESS, CAME_LATER,
)  # fmt: skip


def added(person: Person, side: str, reason: str) -> str:
    what = ADDED_AS_COACH if side == Member.Side.COACH else ADDED_AS_LEARNER
    return what % {"person": person.name, "reason": reason}


# -- why two cannot be a pair ------------------------------------------------------------------

THEMSELVES = gettext_noop("%(learner)s cannot coach themselves.")
ENDED_BEFORE = gettext_noop("%(coach)s and %(learner)s were a pair before, and it was ended.")
LINE_MANAGER = gettext_noop("%(coach)s is the line manager of %(learner)s, and a coach is a peer.")
OTHER_GROUP = gettext_noop(
    "%(coach)s and %(learner)s are of different peer groups; only peers coach peers."
)
HAS_COACHES = gettext_noop("%(learner)s has a coach already, for everything they lack.")
LACKS_NOTHING = gettext_noop("The ranking knows nothing that %(learner)s lacks.")
NOT_STRONG = gettext_noop("%(coach)s is not strong in %(skills)s, which %(learner)s needs.")
BELOW_FLOOR = gettext_noop(
    "%(coach)s and %(learner)s score %(score)s, below the floor of %(floor)s."
)
PINNED_BELOW_FLOOR = gettext_noop(
    "%(coach)s and %(learner)s score %(score)s, and no pair shall score less than %(floor)s. Lower "
    "the floor, or keep it and let them go."
)
YOU_KEEP_APART = gettext_noop("You keep %(coach)s and %(learner)s apart.")
YOU_PINNED = gettext_noop("You pinned %(learner)s with %(coach)s.")

WHY_NOT = (
    THEMSELVES, ENDED_BEFORE, LINE_MANAGER, OTHER_GROUP, HAS_COACHES, LACKS_NOTHING, NOT_STRONG,
    BELOW_FLOOR, PINNED_BELOW_FLOOR, YOU_KEEP_APART, YOU_PINNED,
)  # fmt: skip

# -- who moved and why: what set it going, and after a semicolon why the new place is this one --

GONE = gettext_noop("%(person)s takes no part any more.")
DESELECTED = gettext_noop("%(person)s is no longer selected.")
SEAT_TO_PINNED = gettext_noop("%(coach)s's seat went to %(rival)s, whom you pinned.")
SEAT_TO_NEW = gettext_noop("%(coach)s's seat went to %(rival)s, who had nobody.")
SEAT_TO_OTHER = gettext_noop("%(coach)s's seat went to %(rival)s, who came from %(other)s.")
FEWER_SEATS = gettext_noop("%(coach)s has fewer seats now.")
LEFT_A_SEAT = gettext_noop("%(rival)s left a seat with %(coach)s.")
MORE_SEATS = gettext_noop("%(coach)s has more seats now.")
SEAT_FREE = gettext_noop("%(coach)s has a seat free.")
NO_SEAT_LEFT = gettext_noop("no other seat is left for %(learner)s.")
HAD_NOBODY = gettext_noop("%(learner)s had nobody before.")
STRONGEST_NEXT = gettext_noop("%(learner)s is strongest with %(coach)s next.")
BEST_FOR_ALL = gettext_noop("with %(coach)s, %(learner)s is placed best for everybody together.")

MOVES = (
    GONE, DESELECTED, SEAT_TO_PINNED, SEAT_TO_NEW, SEAT_TO_OTHER, FEWER_SEATS, LEFT_A_SEAT,
    MORE_SEATS, SEAT_FREE, NO_SEAT_LEFT, HAD_NOBODY, STRONGEST_NEXT, BEST_FOR_ALL,
)  # fmt: skip

# -- why somebody has no coach, where nobody could -----------------------------------------------

NO_COACHES = gettext_noop(
    "Nobody is a coach in this plan, so %(learner)s has none. Add a coach, or choose the policy "
    "“leaning” for the scorecard."
)
COACHED_ELSEWHERE = gettext_noop(
    "%(learner)s has a coach already, in another cohort. Leave them out here."
)
NO_PEER = gettext_noop(
    "No coach is of the same peer group as %(learner)s and free to coach them. Add a coach of that "
    "group."
)
NOBODY_REACHES_FLOOR = gettext_noop(
    "Nobody who could coach %(learner)s reaches the floor of %(floor)s points. Lower the floor, or "
    "add a coach."
)
NOBODY_STRONG = gettext_noop(
    "No coach here is strong in what %(learner)s needs. Add a coach who is, or a second skill to "
    "work on."
)
BY_LOT_HERE = gettext_noop("The lot decided: place %(place)s of %(number)s.")
HAS_SOME = gettext_noop("%(learner)s has a coach for %(skills)s, and none for the rest.")

WITHOUT_A_COACH = (
    NO_COACHES, COACHED_ELSEWHERE, NO_PEER, NOBODY_REACHES_FLOOR, NOBODY_STRONG, BY_LOT_HERE,
    HAS_SOME,
)  # fmt: skip
