"""
Plans: who could coach whom, the one optimum under the manager's wishes, and why.

`question` states it, `solving` answers, `steps` is the one way in which a plan changes,
`changes` what a manager can do, `moves` who moved; `what_if` and `comparison` only look.
"""

from coaching.domain.pairing import DEFAULT_PREFERENCES, FEW_COACHES, LACKS, MAY_TEACH
from coaching.errors import CoachingError
from coaching.services.membership import NoReason
from coaching.services.plans import comparison, loads, sentences, what_if
from coaching.services.plans.affinity import LABELS as PREFERENCES
from coaching.services.plans.background import parts_waiting, split_queued, work_off
from coaching.services.plans.changes import (
    add_rule,
    copy,
    draft,
    drop,
    drop_rule,
    leave_out,
    rename,
    set_capacity,
    solve,
    solve_all,
    swap,
    take_in,
    unknown_before,
    wish,
)
from coaching.services.plans.question import Question, question_of
from coaching.services.plans.refusals import (
    BeingSolved,
    ChangedMeanwhile,
    CohortLaunched,
    NotADraft,
    NothingToRedo,
    NothingToUndo,
    NotInPlan,
    OnlyPlan,
    RulesContradict,
    TooLarge,
    WishRefused,
)
from coaching.services.plans.steps import redo, undo, who_was_quicker

__all__ = [
    "DEFAULT_PREFERENCES",
    "FEW_COACHES",
    "LACKS",
    "MAY_TEACH",
    "PREFERENCES",
    "BeingSolved",
    "ChangedMeanwhile",
    "CoachingError",
    "CohortLaunched",
    "NoReason",
    "NotADraft",
    "NotInPlan",
    "NothingToRedo",
    "NothingToUndo",
    "OnlyPlan",
    "Question",
    "RulesContradict",
    "TooLarge",
    "WishRefused",
    "add_rule",
    "comparison",
    "copy",
    "draft",
    "drop",
    "drop_rule",
    "leave_out",
    "loads",
    "parts_waiting",
    "question_of",
    "redo",
    "rename",
    "sentences",
    "set_capacity",
    "solve",
    "solve_all",
    "split_queued",
    "swap",
    "take_in",
    "undo",
    "unknown_before",
    "what_if",
    "who_was_quicker",
    "wish",
    "work_off",
]
