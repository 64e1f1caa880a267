"""Readings of one metric -> estimates, probabilities, ranks and bands within peer groups."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from coaching.domain.ranking.groups import Bools, Floats, Ints, group_median, group_sum, ratio
from coaching.domain.ranking.kinds import Band, Direction, Kind, RankingError
from coaching.domain.ranking.shrinkage import shrink
from coaching.domain.ranking.tails import Tails, tails, true_quantile
from coaching.domain.ranking.tally import Tally, pooled_noise

# A label needs this probability, a leaning that one, and both this reliability.
LABEL = 0.80
LEANING = 0.50
RELIABLE = 0.50
# Fewer people with readings than this are shown, but not labelled.
SMALLEST_GROUP = 8
# So many robust standard deviations from the median a value is looked at before it is believed;
# never more of a group than this share.
FAR_OUT = 6.0
FAR_OUT_SHARE = 0.10
_CLIP = 3.0
# The hair by which rounding may miss a threshold, so that units and order decide nothing.
_HAIR = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class MetricRanking(Tails):
    """
    One metric's ranking. On the working scale unless said otherwise: the value itself, or the
    logarithm of the mean for durations (`to_units` leads back).

    Per person (people,), beside the probabilities and ranks of `Tails`, which speak of worse
    and better whatever the direction:

    group : peer group code
    n : count or exposure, 0 where missing
    raw : own value, NaN where missing
    theta, se : estimate of the true value and its standard error
    reliability : weight of the own value against the peers' mean, 0 .. 1
    z, se_z : signed so that higher is better, in observed standard deviations; z within +-3
    band : codes of `Band`

    Per group (groups,), NaN for a group without readings:

    mean, tau2 : the peers' mean and the expected variance between people
    tau2_plug_in : its Paule-Mandel point estimate, 0 where noise explains everything
    sigma2 : noise variance of a single value, over-dispersion included (divide by n)
    phi : the over-dispersion, 1 or more
    scale : observed standard deviation, weighted by n, that z is measured in
    top_mean : mean of the true values of the best q
    cut_low .. cut_skill : the true values at which the worst and best parts begin
    people : how many have readings
    """

    kind: Kind
    direction: Direction
    group: Ints
    n: Floats
    raw: Floats
    theta: Floats
    se: Floats
    reliability: Floats
    z: Floats
    se_z: Floats
    band: Ints
    mean: Floats
    tau2: Floats
    tau2_plug_in: Floats
    sigma2: Floats
    phi: Floats
    scale: Floats
    top_mean: Floats
    people: Ints

    @property
    def observed(self) -> Bools:
        return self.n > 0

    @property
    def check_data(self) -> Bools:
        return self.band == Band.CHECK_DATA


def rank_metric(
    tally: Tally,
    *,
    direction: Direction | str,
    group: ArrayLike | None = None,
    groups: int | None = None,
    q: float = 0.25,
    q_match: float = 0.40,
) -> MetricRanking:
    """
    Rank people on one metric within their peer groups, all groups at once.

    tally : the figures per person
    group : int array (people,), peer group of each person in 0 .. groups - 1; one when absent
    q : the part of the peers that is called worst or best
    q_match : the wider part that counts as need and skill when pairs are formed

    1. noise variance pooled over the group; 2. values that cannot be believed are set aside;
    3. each value shrunk toward the peers' mean (James-Stein, with the variance between people
    averaged over what it may be); 4. probability of truly being in the worst or best part;
    5. a band where the evidence carries one.

    :raises RankingError: for figures or settings that cannot be ranked

    >>> from coaching.domain.ranking.tally import tally
    >>> figures = tally(kind="proportion", person=range(3), n=[20, 5, 0], total=[12, 5, 0])
    >>> ranking = rank_metric(figures, direction="higher")
    >>> [Band(code).words for code in ranking.band]
    ['group too small', 'group too small', 'cannot tell']
    """
    direction = _direction(direction)
    _check_share(q, "q")
    _check_share(q_match, "q_match")
    group, groups = _group_codes(group, tally.n.size, groups)
    y, seen, sign = tally.y, tally.observed, direction.sign

    far_out = _far_out(tally, y, group, groups)
    yardstick = seen & ~far_out
    sigma2, phi = pooled_noise(tally, group=group, groups=groups, yardstick=yardstick)
    shrunken = shrink(
        y=y, n=tally.n, sigma2=sigma2, group=group, groups=groups, yardstick=yardstick
    )
    scale = _scale(y, tally.n, sigma2, group, groups, yardstick)
    theta, mean = shrunken.theta, shrunken.mean
    score, se_z = sign * (theta - mean[group]) / scale[group], shrunken.se / scale[group]
    tail = tails(
        score=score, se=se_z, group=group, groups=groups, yardstick=yardstick,
        q=q, q_match=q_match,
    )  # fmt: skip

    people = np.bincount(group[seen], minlength=groups)
    band = bands(
        p_low=tail.p_low, p_high=tail.p_high, enough=shrunken.reliability >= RELIABLE - _HAIR,
        observed=seen, small=people[group] < SMALLEST_GROUP, check=far_out,
    )  # fmt: skip

    def working(values: Floats) -> Floats:
        return mean + sign * scale * values

    in_units = {field.name: getattr(tail, field.name) for field in fields(tail)}
    for name in ("cut_low", "cut_high", "cut_need", "cut_skill"):
        in_units[name] = working(in_units[name])
    return MetricRanking(
        **in_units,
        kind=tally.kind, direction=direction, group=group, n=tally.n, raw=y, theta=theta,
        se=shrunken.se, reliability=shrunken.reliability, z=np.clip(score, -_CLIP, _CLIP),
        se_z=se_z, band=band, mean=mean, tau2=shrunken.tau2, tau2_plug_in=shrunken.tau2_plug_in,
        sigma2=sigma2, phi=phi, scale=scale, people=people,
        top_mean=working(_top_mean(score, se_z, tail, group, groups, yardstick, q)),
    )  # fmt: skip


def bands(
    *,
    p_low: Floats,
    p_high: Floats,
    enough: Bools,
    observed: Bools,
    small: Bools,
    check: Bools,
) -> Ints:
    """
    Codes of `Band` (people,): what the evidence carries, never a filled quota.

    enough : reliable enough to say anything; small : in too small a group; check : value that
    must be looked at first
    """
    return np.select(
        [
            check,
            ~observed,
            small,
            ~enough,
            p_low >= LABEL - _HAIR,
            p_high >= LABEL - _HAIR,
            p_low >= LEANING - _HAIR,
            p_high >= LEANING - _HAIR,
        ],
        [
            Band.CHECK_DATA,
            Band.CANNOT_TELL,
            Band.GROUP_TOO_SMALL,
            Band.CANNOT_TELL,
            Band.WEAK,
            Band.STRONG,
            Band.LEANING_WEAK,
            Band.LEANING_STRONG,
        ],
        Band.MIDDLE,
    ).astype(np.intp)


def percentile(ranking: MetricRanking, *, share: float) -> Floats:
    """
    The true value, on the working scale (groups,), that a share of the peers does not reach.

    share : 0 the worst .. 1 the best, whatever the direction. Quantiles of raw values lie too
    far out; these are of the true ones.

    :raises RankingError: unless 0 < share < 1
    """
    if not 0 < share < 1:
        raise RankingError("A percentile lies between 0 and 1, both excluded.")
    peers = np.flatnonzero(ranking.observed & ~ranking.check_data)
    se = np.maximum(ranking.se[peers], 1e-9 * ranking.scale[ranking.group[peers]])
    below = share if ranking.direction is Direction.HIGHER else 1 - share
    return true_quantile(
        score=ranking.theta[peers], se=se, group=ranking.group[peers],
        groups=ranking.mean.size, share=below,
    )  # fmt: skip


def to_units(*, kind: Kind | str, value: ArrayLike) -> Floats:
    """
    From the working scale to the metric's own units; the exponential for durations.

    >>> to_units(kind="duration", value=0.0)
    np.float64(1.0)
    """
    value = np.asarray(value, float)
    return np.exp(value) if Kind(kind) is Kind.DURATION else value


def from_units(*, kind: Kind | str, value: ArrayLike) -> Floats:
    """
    From the metric's own units to the working scale; the logarithm for durations.

    :raises RankingError: for a duration that is not longer than zero
    """
    value = np.asarray(value, float)
    if Kind(kind) is not Kind.DURATION:
        return value
    if (value <= 0).any():
        raise RankingError("A duration must be longer than zero.")
    return np.log(value)


def se_in_units(*, kind: Kind | str, value: ArrayLike, se: ArrayLike) -> Floats:
    """The standard error in the metric's own units, to first order (delta method)."""
    se = np.asarray(se, float)
    return se * np.exp(np.asarray(value, float)) if Kind(kind) is Kind.DURATION else se


def interval_in_units(
    *, kind: Kind | str, value: ArrayLike, se: ArrayLike, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Where the true value lies with probability `level`, in the metric's own units."""
    half = ndtri((1 + level) / 2) * np.asarray(se, float)
    value = np.asarray(value, float)
    return to_units(kind=kind, value=value - half), to_units(kind=kind, value=value + half)


def _direction(direction: Direction | str) -> Direction:
    try:
        return Direction(direction)
    except ValueError:
        raise RankingError(f"A direction is 'higher' or 'lower', not {direction!r}.") from None


def _check_share(share: float, name: str) -> None:
    if not 0 < share <= 0.5:
        raise RankingError(f"{name} must be above 0 and at most 0.5, not {share}.")


def _group_codes(group: ArrayLike | None, people: int, groups: int | None) -> tuple[Ints, int]:
    codes = np.zeros(people, np.intp) if group is None else np.asarray(group, dtype=np.intp)
    if codes.shape != (people,):
        raise RankingError(f"There are {people} people, but {codes.size} peer groups for them.")
    highest = int(codes.max(initial=-1))
    groups = max(highest + 1, 1) if groups is None else groups
    if codes.size and not 0 <= codes.min() <= highest < groups:
        raise RankingError(f"Each peer group must be a number from 0 to {groups - 1}.")
    return codes, groups


def _scale(
    y: Floats, n: Floats, sigma2: Floats, group: Ints, groups: int, yardstick: Bools
) -> Floats:
    """
    Observed standard deviation per group, weighted by n.

    The observed one, not the true one: a metric that cannot be measured then adds little to a
    composite, and never noise. Where all values are the same, what noise alone would make it.
    """
    who = np.flatnonzero(yardstick)
    where = group[who]

    def add(values: Floats) -> Floats:
        return group_sum(values, group=where, groups=groups)

    exposure = add(n[who])
    some = exposure > 0
    centre = ratio(add(n[who] * y[who]), exposure, empty=0.0)
    off = y[who] - centre[where]
    variance = ratio(add(n[who] * off**2), exposure, empty=0.0)
    per_person = ratio(exposure, np.bincount(where, minlength=groups), empty=1.0)
    noise = np.where(some & (sigma2 > 0), sigma2 / per_person, 1.0)
    same = variance <= (1e-12 * centre) ** 2
    return np.where(some, np.sqrt(np.where(same, noise, variance)), np.nan)


def _far_out(tally: Tally, y: Floats, group: Ints, groups: int) -> Bools:
    """
    People whose value should be checked before it is believed.

    More than FAR_OUT robust standard deviations (1.4826 times the median deviation) from the
    group's median, and more than as many of their own standard errors: two unlucky surveys are
    no mistake. The furthest first, at most FAR_OUT_SHARE of a group; those who tie at that
    limit are left alone together.
    """
    far = np.zeros(y.shape, dtype=bool)
    people = np.bincount(group[tally.observed], minlength=groups)
    most = np.floor(FAR_OUT_SHARE * people + _HAIR).astype(np.intp)
    who = np.flatnonzero(tally.observed & (most > 0)[group])
    if not who.size:
        return far
    where = group[who]
    median = group_median(y[who], group=where, groups=groups)
    off = np.abs(y[who] - median[where])
    robust = 1.4826 * group_median(off, group=where, groups=groups)
    # More than half the same value: the mean deviation still sees how far the others are.
    size = np.abs(median) if tally.kind is not Kind.DURATION else np.ones(groups)
    mean_off = group_sum(off, group=where, groups=groups) / np.maximum(people, 1)
    robust = np.where(robust > 1e-9 * size, robust, 1.2533 * mean_off)
    suspect = (off > FAR_OUT * robust[where]) & (off > 1e-9 * size[where])
    if not suspect.any():
        return far

    # What a value's own noise may do is judged without the suspects, who may have made it up.
    calm = tally.observed.copy()
    calm[who[suspect]] = False
    try:
        sigma2, _ = pooled_noise(tally, group=group, groups=groups, yardstick=calm)
    except RankingError:
        return far  # Only the suspects show any noise: they are needed.
    suspect &= off > FAR_OUT * np.sqrt(sigma2[where] / tally.n[who])

    who, where, off = who[suspect], where[suspect], off[suspect]
    order = np.lexsort((-off, where))
    count = np.bincount(where, minlength=groups)
    start = np.cumsum(count) - count
    limit = np.zeros(groups)
    crowded = np.flatnonzero(count > most)
    limit[crowded] = off[order][start[crowded] + most[crowded]]
    far[who[off > limit[where] * (1 + _HAIR)]] = True
    return far


def _top_mean(
    score: Floats, se: Floats, tail: Tails, group: Ints, groups: int, yardstick: Bools, q: float
) -> Floats:
    """Mean of the true scores of each group's best q: the mean of a cut normal mixture."""
    who = np.flatnonzero(yardstick)
    where = group[who]
    x = ratio(tail.cut_high[where] - score[who], se[who], empty=0.0)
    part = score[who] * tail.p_high[who] + se[who] * np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)
    people = np.bincount(where, minlength=groups)
    total = group_sum(part, group=where, groups=groups)
    return ratio(total, q * people)
