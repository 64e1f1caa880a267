"""
Who is strong and who is weak, with what certainty.

Readings are added up per person (`tally`), each metric is ranked within its peer groups
(`rank_metric`), and a scorecard's metrics are weighed together (`composite`). A person's own
value is shrunk toward the peers' mean by its reliability, and a band is given only where the
probability of truly being in the worst or best part carries it.
"""

from coaching.domain.ranking.composite import CompositeRanking, composite
from coaching.domain.ranking.kinds import Band, Direction, Kind, RankingError
from coaching.domain.ranking.metric import (
    LABEL,
    LEANING,
    RELIABLE,
    SMALLEST_GROUP,
    MetricRanking,
    from_units,
    interval_in_units,
    percentile,
    rank_metric,
    se_in_units,
    to_units,
)
from coaching.domain.ranking.shrinkage import moment_variance, paule_mandel, shrink
from coaching.domain.ranking.tally import Fault, Tally, pooled_noise, row_faults, tally

__all__ = [
    "LABEL",
    "LEANING",
    "RELIABLE",
    "SMALLEST_GROUP",
    "Band",
    "CompositeRanking",
    "Direction",
    "Fault",
    "Kind",
    "MetricRanking",
    "RankingError",
    "Tally",
    "composite",
    "from_units",
    "interval_in_units",
    "moment_variance",
    "paule_mandel",
    "percentile",
    "pooled_noise",
    "rank_metric",
    "row_faults",
    "se_in_units",
    "shrink",
    "tally",
    "to_units",
]
