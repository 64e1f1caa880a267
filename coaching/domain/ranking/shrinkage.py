"""How far people truly differ, and each person's value shrunk toward the peers by that much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.special import expit

from coaching.domain.ranking.groups import Bools, Floats, Ints, group_sum, ratio

# Above this many people the between-person variance is known well enough to plug in.
GRID_PEOPLE = 5_000
_NODES, _WEIGHTS = leggauss(64)
_COARSE = np.linspace(0.0, 1.0, 16)
# Grid points whose weight is below exp(-25) of the largest do not count as mass.
_NEGLIGIBLE = 25.0
# Cells (people x grid points) held at a time: small enough for the processor's cache.
_CELLS = 1 << 19


@dataclass(frozen=True, slots=True)
class Shrunken:
    """
    Estimates on the working scale.

    theta, se, reliability : arrays (people,)
    mean, tau2, tau2_plug_in : arrays (groups,); the peers' mean, the expected between-person
    variance, and its Paule-Mandel point estimate
    """

    theta: Floats
    se: Floats
    reliability: Floats
    mean: Floats
    tau2: Floats
    tau2_plug_in: Floats


def moment_variance(*, y: Floats, v: Floats, group: Ints, groups: int) -> Floats:
    """
    Between-person variance by the method of moments (DerSimonian & Laird 1986).

    y, v : arrays (people,), own value and its noise variance (> 0); group : codes

    With v = sigma2 / n it is the unbiased Buehlmann-Straub estimator of credibility theory.
    Return an array (groups,), cut off at zero; zero for a group of fewer than two.
    """

    def add(values: Floats) -> Floats:
        return group_sum(values, group=group, groups=groups)

    w = 1 / v
    s0, s1, people = add(w), add(w * y), np.bincount(group, minlength=groups)
    mean = ratio(s1, s0, empty=0.0)
    excess = add(w * (y - mean[group]) ** 2) - (people - 1)
    room = s0 - ratio(add(w**2), s0, empty=0.0)
    return np.where(people > 1, np.maximum(ratio(excess, room, empty=0.0), 0.0), 0.0)


def paule_mandel(*, y: Floats, v: Floats, group: Ints, groups: int) -> Floats:
    """
    Between-person variance at which the weighted spread is what it should be
    (Paule & Mandel 1982): sum (y - mu)^2 / (v + tau2) = people - 1.

    y, v : arrays (people,), own value and its noise variance (> 0); group : codes

    Return an array (groups,); exactly zero where noise alone explains the spread.
    """
    people = np.bincount(group, minlength=groups)
    tau2 = moment_variance(y=y, v=v, group=group, groups=groups)
    smallest = np.full(groups, np.inf)
    np.minimum.at(smallest, group, v)
    # The left side is convex and falls in tau2, so after its first step Newton's method comes
    # from the left and cannot overshoot.
    for _ in range(100):
        w = 1 / (v + tau2[group])
        s0 = group_sum(w, group=group, groups=groups)
        s1 = group_sum(w * y, group=group, groups=groups)
        mean = ratio(s1, s0, empty=0.0)
        part = w * (y - mean[group]) ** 2
        spread = group_sum(part, group=group, groups=groups)
        slope = group_sum(w * part, group=group, groups=groups)
        step = np.where(people > 1, ratio(spread - (people - 1), slope, empty=0.0), 0.0)
        after = np.maximum(tau2 + step, 0.0)
        moved = np.abs(after - tau2) > 1e-13 * (after + smallest)
        tau2 = after
        if not moved.any():
            break
    return tau2


def shrink(
    *, y: Floats, n: Floats, sigma2: Floats, group: Ints, groups: int, yardstick: Bools
) -> Shrunken:
    """
    Estimate each person's true value: peer mean + reliability x (own value - peer mean).

    y, n : arrays (people,), own value (NaN where missing) and its count or exposure
    sigma2 : array (groups,), noise variance of a single value
    yardstick : bool array (people,), who shapes the peers' mean and spread

    The variance tau2 between people is unknown: b = v0 / (v0 + tau2), v0 the harmonic mean of
    the noise variances, has a uniform prior on (0, 1) (Strawderman's prior; Morris & Lysy 2012),
    and the estimates are mixed over its posterior; above GRID_PEOPLE people the Paule-Mandel
    value is plugged in. A missing person gets the peers' mean with the full spread and
    reliability 0; where there is no noise the own value stands with se 0; where there are no
    readings at all everything is NaN.
    """
    seen = n > 0
    who, peers = np.flatnonzero(seen), np.flatnonzero(yardstick)
    where = group[peers]
    people = np.bincount(where, minlength=groups)
    some = people > 0

    # Units in which the group's mean is 0 and v0 is 1. As v = sigma2 / n, v0 = sigma2 / mean n.
    n_sum = group_sum(n[peers], group=where, groups=groups)
    ny_sum = group_sum(n[peers] * y[peers], group=where, groups=groups)
    centre = ratio(ny_sum, n_sum)
    n_mean = ratio(n_sum, people)
    exact = some & (sigma2 == 0)
    v0 = np.where(exact, 1.0, sigma2 / n_mean)
    unit = np.sqrt(v0)
    u = np.zeros(y.shape)
    u[who] = (y[who] - centre[group[who]]) / unit[group[who]]
    r = np.ones(y.shape)
    r[who] = n_mean[group[who]] / n[who]

    plug_in = paule_mandel(y=u[peers], v=r[peers], group=where, groups=groups)
    # One person tells nothing about the spread between people: the prior's middle, b = 1/2.
    point = np.where(people == 1, 1.0, plug_in)
    posterior = _at_one_point(u, r, point, group, groups, who, peers)
    gridded = (people > 1) & (people <= GRID_PEOPLE) & ~exact
    _mix_over_grid(posterior, u, r, plug_in, group, seen, yardstick, gridded)

    theta = np.where(seen, u + posterior.shift, posterior.mean[group])
    variance = np.where(seen, posterior.variance, posterior.spread[group])
    reliability = np.where(seen, posterior.reliability, 0.0)
    mean, tau2 = posterior.mean, posterior.tau2
    if exact.any():
        inside = exact[group]
        square = group_sum(u[peers] ** 2, group=where, groups=groups)
        plain = group_sum(u[peers], group=where, groups=groups) / np.maximum(people, 1)
        between = np.maximum(square - people * plain**2, 0.0) / np.maximum(people - 1, 1)
        mean, tau2 = np.where(exact, plain, mean), np.where(exact, between, tau2)
        plug_in = np.where(exact, between, plug_in)
        full = between * (1 + 1 / np.maximum(people, 1))
        theta = np.where(inside, np.where(seen, u, plain[group]), theta)
        variance = np.where(inside, np.where(seen, 0.0, full[group]), variance)
        reliability = np.where(inside, np.where(seen, 1.0, 0.0), reliability)

    return Shrunken(
        # The own value itself, not the way there and back, where there is no noise.
        theta=np.where(seen & exact[group], y, centre[group] + unit[group] * theta),
        se=unit[group] * np.sqrt(np.maximum(variance, 0.0)),
        reliability=np.where(some[group], reliability, 0.0),
        mean=centre + unit * mean,
        tau2=np.where(some, v0 * tau2, np.nan),
        tau2_plug_in=np.where(some, v0 * plug_in, np.nan),
    )


@dataclass(slots=True)
class _Posterior:
    """What is known after mixing, in the group's own units; filled in group by group."""

    shift: Floats  # E theta - own value, per person
    variance: Floats  # of theta, per person
    reliability: Floats  # per person
    mean: Floats  # per group
    tau2: Floats  # per group
    spread: Floats  # variance of a person about whom nothing is known, per group


def _at_one_point(
    u: Floats, r: Floats, tau2: Floats, group: Ints, groups: int, who: Ints, peers: Ints
) -> _Posterior:
    """The posterior when tau2 (groups,) is taken as known."""
    where = group[peers]
    w = 1 / (r[peers] + tau2[where])
    s0 = group_sum(w, group=where, groups=groups)
    s1 = group_sum(w * u[peers], group=where, groups=groups)
    mean = ratio(s1, s0)
    mean_variance = ratio(np.ones(groups), s0)
    posterior = _Posterior(
        *(np.zeros(u.shape) for _ in range(3)), mean, tau2.copy(), tau2 + mean_variance
    )
    inside = group[who]
    b = r[who] / (r[who] + tau2[inside])
    posterior.shift[who] = b * (mean[inside] - u[who])
    posterior.variance[who] = r[who] * (1 - b) + b**2 * mean_variance[inside]
    posterior.reliability[who] = 1 - b
    return posterior


def _mix_over_grid(
    posterior: _Posterior,
    u: Floats,
    r: Floats,
    plug_in: Floats,
    group: Ints,
    seen: Bools,
    yardstick: Bools,
    gridded: Bools,
) -> None:
    """Replace the posterior of the groups marked in `gridded` by the mixture over tau2."""
    for batch, slots, filled in _batches(group, seen & gridded[group], gridded):
        _mix_batch(
            posterior, u[slots], r[slots], plug_in[batch], batch, slots, filled,
            filled & yardstick[slots],
        )  # fmt: skip


def _batches(group: Ints, chosen: Bools, gridded: Bools) -> Iterator[tuple[Ints, Ints, Bools]]:
    """
    Lay groups of like size side by side as rows of a rectangle.

    Yield (batch, slots, filled): the groups (g,), their people (g, j), and which slots hold
    somebody; the others repeat a person and must be given no weight.
    """
    people = np.flatnonzero(chosen)
    people = people[np.argsort(group[people], kind="stable")]
    size = np.bincount(group[people], minlength=gridded.size)
    start = np.cumsum(size) - size
    todo = np.flatnonzero(gridded)
    todo = todo[np.argsort(size[todo], kind="stable")]
    room = _CELLS // _NODES.size
    at = 0
    while at < todo.size:
        # Sizes ascend: a batch ends before it grows too large, or too much of it is padding.
        ahead = size[todo[at : at + room]]
        fits = (ahead * np.arange(1, ahead.size + 1) <= room) & (ahead <= 1.25 * ahead[0] + 4)
        stop = at + max(int(np.argmin(np.append(fits, False))), 1)
        batch = todo[at:stop]
        column = np.arange(size[batch].max())
        filled = column < size[batch][:, None]
        slots = people[start[batch][:, None] + np.where(filled, column, 0)]
        yield batch, slots, filled
        at = stop


def _mix_batch(
    posterior: _Posterior,
    u: Floats,
    r: Floats,
    plug_in: Floats,
    batch: Ints,
    slots: Ints,
    filled: Bools,
    peers: Bools,
) -> None:
    """One rectangle (g, j) of groups against 64 values of tau2 (in units of v0)."""
    counted = peers.astype(float)
    moments = np.stack([counted, counted * u, counted * u**2], axis=1)  # (g, 3, j)
    r_column = r[:, :, None]

    def likelihood(tau2: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Log weight, 1 / (v + tau2), the mean, and sum w, for tau2 (g, k)."""
        w = r_column + tau2[:, None, :]  # (g, j, k)
        logs = (counted[:, None, :] @ np.log(w))[:, 0]
        np.reciprocal(w, out=w)
        s0, s1, s2 = np.moveaxis(moments @ w, 1, 0)
        mean = s1 / s0
        return -0.5 * (logs + np.log(s0) + (s2 - s1 * mean)), w, mean, s0

    # Find the mass on the scale a = log tau2, on which it is smooth and not too narrow.
    low = np.full(batch.size, -_NEGLIGIBLE)
    high = np.log(np.maximum(plug_in, 1.0)) + 16.0
    for _ in range(2):
        a = low[:, None] + (high - low)[:, None] * _COARSE
        tau2 = np.exp(a)
        height = likelihood(tau2)[0] + a - 2 * np.log1p(tau2)  # uniform in b, as density in a
        mass = height > height.max(axis=1, keepdims=True) - _NEGLIGIBLE
        first = np.argmax(mass, axis=1)
        last = a.shape[1] - 1 - np.argmax(mass[:, ::-1], axis=1)
        row = np.arange(batch.size)
        low = a[row, np.maximum(first - 1, 0)]
        high = a[row, np.minimum(last + 1, a.shape[1] - 1)]

    # 64 Gauss-Legendre points in the root of b: with two or three people the weight behaves
    # like a root at b = 0, and would be integrated badly in b itself.
    s_low, s_high = np.sqrt(expit(-high)), np.sqrt(expit(-low))
    s = (s_low + s_high)[:, None] / 2 + (s_high - s_low)[:, None] / 2 * _NODES
    tau2 = np.expm1(-2 * np.log(s))  # (1 - b) / b
    height, w, mean, s0 = likelihood(tau2)
    p = _WEIGHTS * s * np.exp(height - height.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)  # (g, k)

    def expect(values: Floats) -> Floats:
        return (p * values).sum(axis=1)

    centre = expect(mean)
    posterior.mean[batch] = centre
    posterior.tau2[batch] = expect(tau2)
    posterior.spread[batch] = expect(tau2 + 1 / s0 + (mean - centre[:, None]) ** 2)

    # With B = r w: theta - u = E B (mean - u), and the variance is E tau2 B + E B^2 / s0 plus
    # that of B (mean - u); tau2 B = r (1 - B).
    eb, ebm = np.moveaxis(w @ np.stack([p, p * mean], axis=2), 2, 0) * r
    np.square(w, out=w)
    b2 = np.stack([p, p * mean, p * mean**2, p / s0], axis=2)
    eb2, eb2m, eb2mm, eb2s = np.moveaxis(w @ b2, 2, 0) * r**2
    shift = ebm - eb * u
    square = eb2mm - 2 * u * eb2m + u**2 * eb2
    variance = r * (1 - eb) + eb2s + np.maximum(square - shift**2, 0.0)
    somebody = slots[filled]
    posterior.shift[somebody] = shift[filled]
    posterior.variance[somebody] = variance[filled]
    posterior.reliability[somebody] = 1 - eb[filled]
