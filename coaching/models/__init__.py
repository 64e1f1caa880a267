from coaching.models.cohort import Cohort, Member
from coaching.models.event import Event
from coaching.models.hand_raise import HandRaise
from coaching.models.imports import Import, ImportFile
from coaching.models.letter import Letter, Notice
from coaching.models.look import Look
from coaching.models.metric import Metric
from coaching.models.pair import Case, Pair
from coaching.models.person import Person
from coaching.models.plan import DraftPair, Plan, Rule, Unpaired
from coaching.models.ranking import Band, Ranking, Standing, Yardstick
from coaching.models.reading import Reading
from coaching.models.scorecard import Scorecard, ScorecardMetric
from coaching.models.session import Session
from coaching.models.system import Beat, Simulation
from coaching.models.team import Team

__all__ = [
    "Band",
    "Beat",
    "Case",
    "Cohort",
    "DraftPair",
    "Event",
    "HandRaise",
    "Import",
    "ImportFile",
    "Letter",
    "Look",
    "Member",
    "Metric",
    "Notice",
    "Pair",
    "Person",
    "Plan",
    "Ranking",
    "Reading",
    "Rule",
    "Scorecard",
    "ScorecardMetric",
    "Session",
    "Simulation",
    "Standing",
    "Team",
    "Unpaired",
    "Yardstick",
]
