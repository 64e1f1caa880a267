"""Who is truly in the worst or best part of the peers, and between which ranks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import betaincinv, erfc, ndtr, ndtri

from coaching.domain.ranking.groups import Bools, Floats, Ints, group_sum, ratio

# An exactly known value still needs some width, as a share of the spread of its peers.
_POINT = 1e-9
_SLICE = 1 << 14
_Z, _P = hermegauss(9)
_P = _P / _P.sum()


@dataclass(frozen=True, slots=True)
class Tails:
    """
    Probabilities and ranks, arrays (people,), of scores for which higher is better.

    p_low, p_high : P(truly in the worst q), P(truly in the best q)
    p_need, p_skill : the same for q_match
    rank_low, rank_high : 90 % interval of the percentile rank, 0 worst, 1 best
    cut_low, cut_high, cut_need, cut_skill : arrays (groups,), the scores at which those parts
    of the true values begin
    """

    p_low: Floats
    p_high: Floats
    p_need: Floats
    p_skill: Floats
    rank_low: Floats
    rank_high: Floats
    cut_low: Floats
    cut_high: Floats
    cut_need: Floats
    cut_skill: Floats


def normal_cdf(x: Floats) -> Floats:
    # Twice as fast as scipy's ndtr, and as exact; most of the time here is spent in it.
    return 0.5 * erfc(x * -np.sqrt(0.5))


def tails(
    *,
    score: Floats,
    se: Floats,
    group: Ints,
    groups: int,
    yardstick: Bools,
    q: float,
    q_match: float,
) -> Tails:
    """
    Tail probabilities and rank intervals of people within their peer groups.

    score, se : arrays (people,), higher is better, NaN where nothing can be said
    yardstick : bool array (people,), the peers against whom everybody is held

    The cut c_q solves mean over the peers of Phi((c - score) / se) = q, so the mean P_low of
    the peers is q exactly. A probability is NaN where the score or the group is.
    """
    who = np.flatnonzero(yardstick)
    where = group[who]
    people = np.bincount(where, minlength=groups)
    some = people > 0
    size = np.maximum(people, 1)

    # In units of the peers' own spread, so that the width of a point is the same everywhere.
    centre = group_sum(score[who], group=where, groups=groups) / size
    off = score[who] - centre[where]
    unit = np.sqrt(group_sum(off**2, group=where, groups=groups) / size)
    typical = np.sqrt(group_sum(se[who] ** 2, group=where, groups=groups) / size)
    unit = np.where(unit > _POINT * np.abs(centre), unit, np.where(typical > 0, typical, 1.0))
    c = np.where(some[group], (score - centre[group]) / unit[group], np.nan)
    width = np.maximum(se / unit[group], _POINT)

    def cut(share: float) -> Floats:
        return true_quantile(score=c[who], se=width[who], group=where, groups=groups, share=share)

    def below(cuts: Floats) -> Floats:
        return normal_cdf((cuts[group] - c) / width)

    cuts = [cut(share) for share in (q, 1 - q, q_match, 1 - q_match)]
    low, high, need, skill = cuts
    rank_low, rank_high = _rank_interval(c, width, se, group, groups, yardstick)
    return Tails(
        below(low), 1 - below(high), below(need), 1 - below(skill), rank_low, rank_high,
        *(np.where(some, centre + unit * value, np.nan) for value in cuts),
    )  # fmt: skip


def true_quantile(*, score: Floats, se: Floats, group: Ints, groups: int, share: float) -> Floats:
    """
    The value below which a share of each group's *true* values lies.

    score, se : arrays (people,), se > 0; share : between 0 and 1

    Raw values spread wider than true ones, so their quantiles are too far out; this solves
    mean Phi((c - score) / se) = share. Return an array (groups,), NaN for an empty group.
    """
    z = ndtri(share)
    people = np.bincount(group, minlength=groups)
    size = np.maximum(people, 1)
    # The answer lies between the smallest and the largest of the people's own quantiles.
    own = score + se * z
    low, high = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(low, group, own)
    np.maximum.at(high, group, own)
    mean = group_sum(score, group=group, groups=groups) / size
    square = group_sum(score**2 + se**2, group=group, groups=groups) / size
    c = np.clip(mean + z * np.sqrt(np.maximum(square - mean**2, 0.0)), low, high)

    # Newton's method inside a shrinking bracket, for all groups at once; groups that have
    # arrived are left behind.
    active = people > 0
    answer = np.where(active, c, np.nan)
    index = np.arange(groups)
    for _ in range(200):
        x = (c[group] - score) / se
        miss = group_sum(normal_cdf(x), group=group, groups=c.size) / size - share
        slope = group_sum(np.exp(-0.5 * x * x) / se, group=group, groups=c.size)
        slope /= size * np.sqrt(2 * np.pi)
        low, high = np.where(miss < 0, c, low), np.where(miss > 0, c, high)
        step = ratio(miss, np.where(slope > 1e-99, slope, 0.0), empty=np.inf)
        after = c - step
        middle = (low + high) / 2
        after = np.where((after > low) & (after < high), after, middle)
        answer[index[active]] = c[active]
        active &= (np.abs(miss) > 1e-13) & (middle > low) & (middle < high)
        if not active.any():
            break
        c = after
        if 2 * np.count_nonzero(active) < c.size:
            keep = active[group]
            group = (np.cumsum(active) - 1)[group[keep]]
            score, se = score[keep], se[keep]
            index, c, low, high, size = (values[active] for values in (index, c, low, high, size))
            active = np.ones(c.size, dtype=bool)
    return answer


def _rank_interval(
    score: Floats, width: Floats, se: Floats, group: Ints, groups: int, yardstick: Bools
) -> tuple[Floats, Floats]:
    """
    The 90 % interval of everybody's percentile rank among the peers.

    Given a person's true value x, each other peer is below it with a probability of their own;
    F(x) is the mean of these. Mean and variance of the rank follow by integrating F over the
    person's own uncertainty (Gauss-Hermite), and a beta law carries them.
    """
    mean, variance = np.full(score.shape, 0.5), np.full(score.shape, 1 / 12)
    known = np.isfinite(score) & np.isfinite(width)
    everybody = np.flatnonzero(known)
    everybody = everybody[np.argsort(group[everybody], kind="stable")]
    peers = everybody[yardstick[everybody]]
    low, high, steps = _table_shape(score[peers], width[peers], group[peers], groups)
    # Groups with tables of the same shape go together, so that nobody's rank depends on which
    # other groups are ranked in the same call.
    for shape in np.unique(steps[steps > 0]):
        chosen = np.flatnonzero(steps == shape)
        code = np.full(groups, -1)
        code[chosen] = np.arange(chosen.size)
        all_here = everybody[code[group[everybody]] >= 0]
        peers_here = peers[code[group[peers]] >= 0]
        end = np.cumsum(np.bincount(code[group[all_here]], minlength=chosen.size))
        peers_end = np.cumsum(np.bincount(code[group[peers_here]], minlength=chosen.size))
        for first, last in _runs(end):
            inside = all_here[end[first - 1] if first else 0 : end[last]]
            others = peers_here[peers_end[first - 1] if first else 0 : peers_end[last]]
            run = chosen[first : last + 1]
            curve = _Curve(
                score[others], width[others], code[group[others]] - first,
                low=low[run], high=high[run], steps=int(shape),
            )  # fmt: skip
            for at in range(0, inside.size, _SLICE):
                part = inside[at : at + _SLICE]
                mean[part], variance[part] = curve.rank_moments(
                    score[part], width[part], code[group[part]] - first, yardstick[part]
                )

    # Exactly known people have exact ranks; a table of F would blur them.
    exact = group_sum(se[peers], group=group[peers], groups=groups) == 0
    n_peers = np.bincount(group[peers], minlength=groups)
    sure = peers[exact[group[peers]] & (n_peers[group[peers]] > 1)]
    if sure.size:
        mean[sure] = _midrank(score[sure], group[sure])
        variance[sure] = 0.0

    room = mean * (1 - mean)
    spread = (variance > 1e-12) & (room > 1e-12)
    strength = np.divide(room, variance, out=np.full(mean.shape, 2.0), where=spread) - 1
    strength = np.maximum(strength, 1e-3)
    a, b = mean * strength, (1 - mean) * strength
    lower = np.where(spread, betaincinv(a, b, 0.05), mean)
    upper = np.where(spread, betaincinv(a, b, 0.95), mean)
    return np.where(known, lower, np.nan), np.where(known, upper, np.nan)


def _table_shape(
    score: Floats, width: Floats, group: Ints, groups: int
) -> tuple[Floats, Floats, Ints]:
    """
    From where to where, and in how many steps, each group's F is to be tabulated; 0 steps for
    a group without peers.
    """
    people = np.bincount(group, minlength=groups)
    low, high = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(low, group, score - 4.5 * width)
    np.maximum.at(high, group, score + 4.5 * width)
    some = people > 0
    low, high = np.where(some, low, 0.0), np.where(some, high, 1.0)
    # Twice as fine as the people are sharp, as a power of two; the curve of very many is
    # smooth of itself.
    sharp = ratio(group_sum(1 / width, group=group, groups=groups), people, empty=1.0)
    wanted = np.clip(2 * (high - low) * sharp, 32, np.where(people > 1000, 64, 256))
    steps = 2 ** np.ceil(np.log2(wanted)).astype(np.intp)
    return low, high, np.where(some, steps, 0)


def _runs(end: Ints) -> Iterator[tuple[int, int]]:
    """
    Neighbouring groups (first, last) of together about 64 thousand people.

    end : how many people there are up to and with each group
    """
    first = 0
    while first < end.size:
        before = end[first - 1] if first else 0
        last = int(np.searchsorted(end, before + 4 * _SLICE, side="right")) - 1
        last = max(last, first)
        yield first, last
        first = last + 1


class _Curve:
    """F(x), the mean chance of a peer to be below x, for each of a run of groups, as a table."""

    def __init__(
        self, score: Floats, width: Floats, group: Ints, *, low: Floats, high: Floats, steps: int
    ) -> None:
        groups = low.size
        self.people = np.bincount(group, minlength=groups)
        size = np.maximum(self.people, 1)
        self.low, self.h, self.steps = low, (high - low) / steps, steps
        x = low[:, None] + self.h[:, None] * np.arange(steps + 1)
        self.below = np.zeros((groups, steps + 1))
        self.slope, self.noise = np.zeros_like(self.below), np.zeros_like(self.below)
        rows = max(_SLICE * 16 // (steps + 1), 1)
        for at in range(0, score.size, rows):
            # People come sorted by group, so each group here is one run of rows.
            where = group[at : at + rows]
            starts = np.flatnonzero(np.append(True, where[1:] != where[:-1]))
            z = (x[where] - score[at : at + rows, None]) / width[at : at + rows, None]
            p = normal_cdf(z)
            self.below[where[starts]] += np.add.reduceat(p, starts)
            self.noise[where[starts]] += np.add.reduceat(p * (1 - p), starts)
            np.exp(-0.5 * z * z, out=z)
            z /= width[at : at + rows, None]
            self.slope[where[starts]] += np.add.reduceat(z, starts)
        self.below /= size[:, None]
        self.noise /= size[:, None]
        self.slope *= (self.h / (size * np.sqrt(2 * np.pi)))[:, None]

    def rank_moments(
        self, score: Floats, width: Floats, group: Ints, peer: Bools
    ) -> tuple[Floats, Floats]:
        """Mean and variance of the percentile rank; a peer is not held against themselves."""
        x = score[:, None] + width[:, None] * _Z
        place = np.clip((x - self.low[group, None]) / self.h[group, None], 0, self.steps)
        left = np.minimum(place.astype(np.intp), self.steps - 1)
        t = place - left
        left += group[:, None] * (self.steps + 1)
        f0, f1 = self.below.reshape(-1)[left], self.below.reshape(-1)[left + 1]
        g0, g1 = self.noise.reshape(-1)[left], self.noise.reshape(-1)[left + 1]
        # A cubic through values and slopes; limited slopes keep it rising (Fritsch & Carlson).
        rise = f1 - f0
        d0 = np.minimum(self.slope.reshape(-1)[left], 3 * rise)
        d1 = np.minimum(self.slope.reshape(-1)[left + 1], 3 * rise)
        f = f0 + t * (d0 + t * (3 * rise - 2 * d0 - d1 + t * (d0 + d1 - 2 * rise)))
        g = g0 + t * (g1 - g0)

        people = self.people[group][:, None]
        others = np.maximum(people - peer[:, None], 1)
        own = ndtr(_Z) * peer[:, None]
        f = np.clip((people * f - own) / others, 0.0, 1.0)
        g = np.maximum(people * g - own * (1 - own), 0.0) / others**2
        mean = f @ _P
        variance = (f - mean[:, None]) ** 2 @ _P + g @ _P
        # Alone, any rank is as good as any other.
        alone = (self.people[group] - peer) == 0
        return np.where(alone, 0.5, mean), np.where(alone, 1 / 12, variance)


def _midrank(score: Floats, group: Ints) -> Floats:
    """Percentile rank, 0 to 1, of exact scores within groups of at least two; ties share."""
    order = np.lexsort((score, group))
    s, g = score[order], group[order]
    new_group = np.append(True, g[1:] != g[:-1])
    new_value = new_group | np.append(True, s[1:] != s[:-1])
    value, team = np.cumsum(new_value) - 1, np.cumsum(new_group) - 1
    start = np.flatnonzero(new_value)
    end = np.append(start[1:], s.size) - 1
    first = np.flatnonzero(new_group)
    size = np.diff(np.append(first, s.size))
    rank = np.empty(s.size)
    rank[order] = ((start + end) / 2)[value] - first[team]
    rank[order] /= (size - 1)[team]
    return rank
