"""What cannot be done with a plan, in words for the person who tried."""

from coaching.domain.said import said
from coaching.errors import CoachingError


class RulesContradict(CoachingError):
    """The manager's rules cannot all hold; the message names the people and the rules."""


class WishRefused(CoachingError):
    """A wish that makes no sense; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


class CohortLaunched(CoachingError):
    message = said("This cohort has been launched already; it needs no further plan.")


class NotADraft(CoachingError):
    message = said("This plan has been launched; its pairs are changed on their own pages.")


class ChangedMeanwhile(CoachingError):
    """Somebody else was quicker; the message says who and with what."""

    message = said(
        "The plan changed while you were looking at it. Look again, then repeat your change."
    )


class NothingToUndo(CoachingError):
    message = said("There is nothing to undo: this is how the plan was drafted.")


class NothingToRedo(CoachingError):
    message = said("There is nothing to do again: nothing was undone since the last change.")


class OnlyPlan(CoachingError):
    message = said("This is the cohort's only plan. Change it, or make a copy first.")


class NotInPlan(CoachingError):
    pass


class TooLarge(CoachingError):
    message = said("This plan is too large for that question; it is solved in the background.")


class BeingSolved(CoachingError):
    message = said("This plan is being solved in the background. Look again in a moment.")
