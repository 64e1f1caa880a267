from coaching.models.cohort import Cohort, Member
from coaching.models.dip import Dip
from coaching.models.event import Event
from coaching.models.hand_raise import HandRaise
from coaching.models.imports import Import, ImportFile
from coaching.models.letter import Attempt, Bounce, Letter, Notice
from coaching.models.look import Look
from coaching.models.metric import Metric
from coaching.models.pair import Case, Clinic, Helper, Pair, TargetChange, Waiting
from coaching.models.person import Channel, Leave, OptOut, Person
from coaching.models.plan import DraftPair, Plan, PlanPart, PlanStep, Rule, Unpaired
from coaching.models.push import Push
from coaching.models.ranking import Band, Ranking, Standing, Yardstick
from coaching.models.reading import Reading
from coaching.models.scorecard import Scorecard, ScorecardMetric
from coaching.models.session import Session, Worksheet
from coaching.models.system import Beat, Simulation
from coaching.models.team import Team
from coaching.models.thanks import Thanks
from coaching.models.visit import Visit

__all__ = [
    "Attempt",
    "Band",
    "Beat",
    "Bounce",
    "Case",
    "Channel",
    "Clinic",
    "Cohort",
    "Dip",
    "DraftPair",
    "Event",
    "HandRaise",
    "Helper",
    "Import",
    "ImportFile",
    "Leave",
    "Letter",
    "Look",
    "Member",
    "Metric",
    "Notice",
    "OptOut",
    "Pair",
    "Person",
    "Plan",
    "PlanPart",
    "PlanStep",
    "Push",
    "Ranking",
    "Reading",
    "Rule",
    "Scorecard",
    "ScorecardMetric",
    "Session",
    "Simulation",
    "Standing",
    "TargetChange",
    "Team",
    "Thanks",
    "Unpaired",
    "Visit",
    "Waiting",
    "Worksheet",
    "Yardstick",
]
