"""
What separates the best from the worst: which metrics differ between the top and the bottom.

A subject (a person, a team, a segment of customers) is at the top or at the bottom by the
overall score, or by one metric that is chosen as the outcome. Each other metric is then
compared between the two. The overall score that decides about a metric is made without that
metric, so that none explains itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from coaching.domain.ranking import RELIABLE, SMALLEST_GROUP, Band, RankingError
from coaching.domain.ranking.composite import OBSERVED_WEIGHT
from coaching.domain.ranking.groups import Bools, Floats, Ints
from coaching.domain.ranking.metric import bands
from coaching.domain.ranking.tails import normal_cdf, true_quantile

# Of a band with fewer subjects than this a mean says little; then thirds are compared.
SMALLEST_BAND = 5
# With fewer subjects in all, nothing is said.
SMALLEST_COMPARISON = SMALLEST_GROUP
SIGNIFICANT = 0.05
_HAIR = 1e-9
_UNKNOWN = float("nan")


class Split(StrEnum):
    """Who was compared, or why nobody was."""

    BANDS = "bands"
    THIRDS = "thirds"
    # Fewer than `SMALLEST_COMPARISON` subjects with both the metric and a score without it.
    TOO_FEW = "too few"
    # Nothing else has a weight, so nothing decides who is at the top.
    ALONE = "alone"
    # Everybody's score is the same.
    NO_SPREAD = "no spread"


class Verdict(StrEnum):
    SEPARATES = "separates"
    PERHAPS = "perhaps"
    NO_SIGN = "no sign"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """
    One metric of all subjects, in observed spreads from their peers' mean; higher is better.

    Arrays (subjects,):

    own : the subject's own value, NaN where missing
    noise : noise variance of `own`
    between : variance of the true values among the subject's peers
    z, se_z : estimate and its standard error; 0 and the peers' whole spread where missing
    reliability : weight of the own value in the estimate, 0 .. 1
    check : a value that must be looked at before it is believed

    weight : in the overall score
    """

    own: Floats
    noise: Floats
    between: Floats
    z: Floats
    se_z: Floats
    reliability: Floats
    check: Bools
    weight: float


def measured(
    *,
    raw: ArrayLike,
    n: ArrayLike,
    z: ArrayLike,
    se: ArrayLike,
    reliability: ArrayLike,
    check: ArrayLike,
    group: ArrayLike,
    mean: ArrayLike,
    scale: ArrayLike,
    tau2: ArrayLike,
    sigma2: ArrayLike,
    sign: int,
    weight: float,
) -> Measured:
    """
    A ranked metric, from its working scale to spreads in which higher is better.

    raw, n, z, se, reliability, check : arrays (subjects,) as in `ranking.MetricRanking`
    group : int array (subjects,), the peer group
    mean, scale, tau2, sigma2 : arrays (groups,), NaN for a group without readings
    sign : 1 if higher values are better, else -1
    """
    group = np.asarray(group, dtype=np.intp)
    raw, n, z, se = (np.asarray(values, float) for values in (raw, n, z, se))
    mean, scale, tau2, sigma2 = (
        np.asarray(values, float)[group] for values in (mean, scale, tau2, sigma2)
    )
    seen = np.isfinite(raw) & (n > 0) & np.isfinite(mean)
    # Without any spread everybody is at the mean, whatever the unit.
    unit = np.where(scale > 0, scale, 1.0)
    square = np.where(seen, unit, 1.0) ** 2
    return Measured(
        own=np.where(seen, sign * (raw - mean) / unit, np.nan),
        noise=np.where(seen, np.nan_to_num(sigma2) / np.where(seen, n, 1.0) / square, 0.0),
        between=np.where(seen, np.nan_to_num(tau2) / square, 0.0),
        z=np.nan_to_num(z, nan=0.0),
        se_z=np.where(np.isfinite(se) & np.isfinite(scale), se / unit, 1.0),
        reliability=np.nan_to_num(np.asarray(reliability, float), nan=0.0),
        check=np.asarray(check, bool),
        weight=float(weight),
    )


@dataclass(frozen=True, slots=True)
class Driver:
    """
    How far one metric differs between the top and the bottom.

    metric : its place in what was given
    split : who was compared, or why nobody was; then all numbers are NaN
    without_itself : the score that decided was made without this metric
    top, bottom : how many subjects were compared
    top_mean, bottom_mean : their precision-weighted means, in observed spreads
    effect : their difference; above 0 the top is better in this metric, too
    se, df : standard error of the effect and its degrees of freedom
    p : probability of an effect of this size or larger if there is none (two-sided)
    p_holm : the same, corrected for having looked at several metrics
    """

    metric: int
    split: Split
    without_itself: bool
    top: int = 0
    bottom: int = 0
    top_mean: float = _UNKNOWN
    bottom_mean: float = _UNKNOWN
    effect: float = _UNKNOWN
    se: float = _UNKNOWN
    df: float = _UNKNOWN
    p: float = _UNKNOWN
    p_holm: float = _UNKNOWN

    @property
    def told(self) -> bool:
        return self.split in (Split.BANDS, Split.THIRDS)

    @property
    def verdict(self) -> Verdict:
        if not self.told:
            return Verdict.UNTOLD
        if self.p_holm <= SIGNIFICANT:
            return Verdict.SEPARATES
        return Verdict.PERHAPS if self.p <= SIGNIFICANT else Verdict.NO_SIGN

    def interval(self, level: float) -> tuple[float, float]:
        """Where the true effect lies with this confidence (Student's t), looked at alone."""
        half = self.se * float(stdtrit(self.df, (1 + level) / 2))
        return self.effect - half, self.effect + half


def drivers(
    metrics: Sequence[Measured],
    *,
    group: ArrayLike,
    q: float = 0.25,
    outcome: int | None = None,
) -> list[Driver]:
    """
    Compare each metric between the top and the bottom; in the order given, without the outcome.

    metrics : over the same subjects
    group : int array (subjects,), the peer group
    q : the part of the peers that is called best or worst
    outcome : the metric that decides who is at the top; None: the overall score without the
        metric that is compared

    1. The top and the bottom are the strong and the weak band of what decides. If either
       counts fewer than 5, the upper and lower third are taken instead.
    2. Each side's mean weighs a subject by 1 / (noise + variance between subjects), as in a
       random-effects mean (DerSimonian & Laird 1986).
    3. Its variance is sum w²e²/(1 - h) / (sum w)², h = w / sum w (HC2, MacKinnon & White 1985),
       which does not rely on the weights being right, and never less than what the noise of
       the readings alone makes, sum w² noise / (sum w)².
    4. The difference is held against Student's t with the degrees of freedom of Welch (1947),
       a side counting (sum w)² / sum w² subjects (Kish 1965). With equal weights, 2 to 4 are
       Welch's test.
    5. The probabilities are corrected over all compared metrics by Holm (1979): if no metric
       separates, the chance that any is said to is at most 5 %.

    :raises RankingError: for metrics that do not fit together
    """
    group = np.asarray(group, dtype=np.intp)
    if any(one.own.shape != group.shape for one in metrics):
        raise RankingError("All metrics must be of the same subjects.")
    if outcome is not None and not 0 <= outcome < len(metrics):
        raise RankingError("The outcome must be one of the metrics.")
    weights = np.array([one.weight for one in metrics], float)
    if (weights < 0).any() or not np.isfinite(weights).all():
        raise RankingError("A weight cannot be negative or missing.")
    found = []
    for at, one in enumerate(metrics):
        if at == outcome:
            continue
        deciding = np.zeros(len(metrics))
        if outcome is None:
            deciding[:] = weights
            deciding[at] = 0.0
        else:
            deciding[outcome] = 1.0
        bare = Driver(at, Split.ALONE, outcome is None and weights[at] > 0)
        if deciding.sum() > 0:
            bare = _compared(bare, one, _score(metrics, deciding, group, q))
        found.append(bare)
    return _corrected(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Score:
    """What decides, arrays (subjects,): the score, the bands it carries, and who has one."""

    value: Floats
    band: Ints
    known: Bools


def _score(metrics: Sequence[Measured], weights: Floats, group: Ints, q: float) -> _Score:
    """The weighted mean of some metrics, as `ranking.composite` makes it."""
    value, square, reliability, seen = (np.zeros(group.shape) for _ in range(4))
    check = np.zeros(group.shape, dtype=bool)
    for one, share in zip(metrics, weights / weights.sum(), strict=True):
        if share == 0:
            continue
        value += share * one.z
        square += (share * one.se_z) ** 2
        reliability += share * one.reliability
        seen += share * np.isfinite(one.own)
        check |= one.check
    groups = int(group.max(initial=0)) + 1
    observed = seen > 0
    small = np.bincount(group[observed], minlength=groups)[group] < SMALLEST_GROUP
    enough = seen >= OBSERVED_WEIGHT - _HAIR
    # An exactly known score still needs some width; `ranking.tails` gives it one, too.
    se = np.maximum(np.sqrt(square), _HAIR)
    peers = np.flatnonzero(observed & ~check)

    def cut(share: float) -> Floats:
        return true_quantile(
            score=value[peers], se=se[peers], group=group[peers], groups=groups, share=share
        )[group]

    band = bands(
        p_low=normal_cdf((cut(q) - value) / se), p_high=normal_cdf((value - cut(1 - q)) / se),
        enough=enough & (reliability >= RELIABLE - _HAIR),
        observed=observed, small=small, check=check,
    )  # fmt: skip
    return _Score(value, band, enough & ~small & ~check)


def _compared(bare: Driver, one: Measured, score: _Score) -> Driver:
    usable = np.flatnonzero(score.known & np.isfinite(one.own) & ~one.check)
    if usable.size < SMALLEST_COMPARISON:
        return replace(bare, split=Split.TOO_FEW)
    split = Split.BANDS
    top = usable[score.band[usable] == Band.STRONG]
    bottom = usable[score.band[usable] == Band.WEAK]
    if min(top.size, bottom.size) < SMALLEST_BAND:
        split = Split.THIRDS
        # A stable order: of equal scores the earlier subject counts as lower.
        order = usable[np.argsort(score.value[usable], kind="stable")]
        third = (order.size + 1) // 3
        bottom, top = order[:third], order[-third:]
        if not score.value[bottom].max() < score.value[top].min():
            return replace(bare, split=Split.NO_SPREAD)
    top_mean, top_variance, top_df = _mean(one, top)
    bottom_mean, bottom_variance, bottom_df = _mean(one, bottom)
    effect, variance = top_mean - bottom_mean, top_variance + bottom_variance
    se = float(np.sqrt(variance))
    if se > 0:
        df = variance**2 / (top_variance**2 / top_df + bottom_variance**2 / bottom_df)
        p = 2 * float(stdtr(df, -abs(effect) / se))
    else:
        df, p = top_df + bottom_df, float(effect == 0)
    return replace(
        bare, split=split, top=top.size, bottom=bottom.size, top_mean=top_mean,
        bottom_mean=bottom_mean, effect=effect, se=se, df=df, p=p,
    )  # fmt: skip


def _mean(one: Measured, who: Ints) -> tuple[float, float, float]:
    """Precision-weighted mean of some subjects' own values, its variance, degrees of freedom."""
    own, noise = one.own[who], one.noise[who]
    spread = noise + one.between[who]
    w = 1 / spread if (spread > 0).all() else np.ones(who.size)
    w = w / w.sum()
    mean = float(w @ own)
    scatter = float(np.sum(w**2 * (own - mean) ** 2 / (1 - w)))
    return mean, max(scatter, float(w**2 @ noise)), 1 / float(w @ w) - 1


def _corrected(found: list[Driver]) -> list[Driver]:
    """Holm's step-down correction over the metrics that were compared."""
    told = sorted((driver.p, at) for at, driver in enumerate(found) if driver.told)
    worst = 0.0
    for done, (p, at) in enumerate(told):
        worst = max(worst, min(1.0, p * (len(told) - done)))
        found[at] = replace(found[at], p_holm=worst)
    return found
