"""Several metrics of a scorecard -> one standing per person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from coaching.domain.ranking.groups import Bools, Floats, Ints
from coaching.domain.ranking.kinds import RankingError
from coaching.domain.ranking.metric import (
    _HAIR,
    RELIABLE,
    SMALLEST_GROUP,
    MetricRanking,
    _check_share,
    bands,
)
from coaching.domain.ranking.tails import Tails, tails

# Of the scorecard's weight, so much must have been observed before anything is said.
OBSERVED_WEIGHT = 0.60


@dataclass(frozen=True, slots=True, eq=False)
class CompositeRanking(Tails):
    """
    A scorecard's ranking; scores in observed standard deviations, higher is better.

    Per person (people,), beside the probabilities and ranks of `Tails`:

    group : peer group code
    score, se : weighted mean of the metrics' z and its standard error
    reliability : weighted mean of the metrics' reliabilities
    observed_weight : share of the weight on metrics with readings
    eligible : enough weight observed, and reliable enough
    band : codes of `Band`

    Per group (groups,): people with readings on any weighted metric; cut_low .. cut_skill.
    """

    group: Ints
    score: Floats
    se: Floats
    reliability: Floats
    observed_weight: Floats
    eligible: Bools
    band: Ints
    people: Ints


def composite(
    rankings: Sequence[MetricRanking],
    *,
    weights: ArrayLike,
    shared_calls: float = 0.0,
    q: float = 0.25,
    q_match: float = 0.40,
) -> CompositeRanking:
    """
    Weigh several metrics of the same people into one ranking.

    rankings : one per metric, over the same people and peer groups
    weights : array (metrics,), 0 or more; only their proportions count
    shared_calls : correlation of the metrics' errors, for metrics measured on the same calls

    score = sum w z; its variance is (1 - r) sum w^2 se_z^2 + r (sum w se_z)^2. A missing metric
    counts as the peers' mean with its full uncertainty: no bonus for what was not measured.

    :raises RankingError: for weights or rankings that do not fit together
    """
    w = np.asarray(weights, float)
    if not len(rankings) or w.shape != (len(rankings),):
        raise RankingError("A composite needs at least one metric, and a weight for each.")
    if not np.isfinite(w).all() or (w < 0).any():
        raise RankingError("A weight cannot be negative or missing; direction belongs to a metric.")
    if not w.sum() > 0:
        raise RankingError("At least one metric needs a weight above zero.")
    if not 0 <= shared_calls <= 1:
        raise RankingError("The correlation of shared calls lies between 0 and 1.")
    _check_share(q, "q")
    _check_share(q_match, "q_match")
    group, groups = rankings[0].group, rankings[0].mean.size
    if any(one.mean.size != groups or not np.array_equal(one.group, group) for one in rankings):
        raise RankingError("All metrics of a composite must rank the same people and groups.")

    score, square, straight, reliability, weight = (np.zeros(group.shape) for _ in range(5))
    check = np.zeros(group.shape, dtype=bool)
    for one, share in zip(rankings, w / w.sum(), strict=True):
        if share == 0:
            continue
        # A group without a single reading of this metric: nothing known, one whole spread.
        score += share * np.nan_to_num(one.z, nan=0.0)
        se = np.nan_to_num(one.se_z, nan=1.0)
        square += (share * se) ** 2
        straight += share * se
        reliability += share * one.reliability
        weight += share * one.observed
        check |= one.check_data
    se = np.sqrt((1 - shared_calls) * square + shared_calls * straight**2)

    observed = weight > 0
    eligible = (weight >= OBSERVED_WEIGHT - _HAIR) & (reliability >= RELIABLE - _HAIR)
    people = np.bincount(group[observed], minlength=groups)
    tail = tails(
        score=score, se=se, group=group, groups=groups, yardstick=observed & ~check,
        q=q, q_match=q_match,
    )  # fmt: skip
    band = bands(
        p_low=tail.p_low, p_high=tail.p_high, enough=eligible, observed=observed,
        small=people[group] < SMALLEST_GROUP, check=check,
    )  # fmt: skip
    return CompositeRanking(
        **{field.name: getattr(tail, field.name) for field in fields(tail)},
        group=group, score=score, se=se, reliability=reliability, observed_weight=weight,
        eligible=eligible, band=band, people=people,
    )  # fmt: skip
