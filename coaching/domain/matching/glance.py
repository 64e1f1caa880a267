"""All pairs of a skill table at a glance: maxima of scores less prices, without the scores."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from coaching.domain.matching.problem import Bools, Ints
from coaching.domain.matching.scores import SKILL_DECIMALS, Scores

Singles = npt.NDArray[np.float32]

GROUP = 32  # coaches whose best is remembered
PRODUCT = 4 * GROUP  # coaches in one matrix product, small enough to stay in one thread
TILE = 256  # learners at a time
STACK = 8  # products in one call
NEVER = np.float32(-1e30)
NOBODY = -1
NO_RULES = np.zeros((0, 2), dtype=np.int64)
LOTS = 3  # random traits, of coaches and of likings for them, that make up the noise
WIDEST = 2**14  # spread of prices beyond which single precision is no longer worth its bounds


class Glance:
    """
    Bounds on score - price of all pairs, from single-precision matrix products.

    A score is a floor of (share x skill) / unit, so score - price for a whole price is the floor
    of a product that has the price as one more skill, which every learner lacks the same. Points
    for equal codes are one more price in a group of learners with the same codes. Nothing is
    divided, rounded or stored pair by pair: of each GROUP coaches only the maximum is kept.
    """

    def __init__(self, scores: Scores, open_coach: Bools) -> None:
        self.scores = scores
        n, m = scores.shape
        metrics = scores.share.shape[1]
        self.left = np.empty((n, metrics + 1), dtype=np.float32)
        self.left[:, :metrics] = (
            scores.share * (10**SKILL_DECIMALS / Scores.unit(scores.share))[:, None]
        )
        self.left[:, metrics] = -1
        size = _padded(m)
        self.right = np.zeros((size, metrics + 1), dtype=np.float32)
        self.right[:m, :metrics] = scores.skill / 10**SKILL_DECIMALS
        # Who a row speaks of; NOBODY for coaches without seats and for padding.
        self.coach = np.full(size, NOBODY)
        self.coach[:m] = np.where(open_coach, np.arange(m), NOBODY)
        self.right[self.coach < 0, :metrics] = 0
        self.codes = _codes(scores)

    def sweep(self, price: Ints, rows: Ints, barred: Ints, *, noise: float = 0.0) -> Iterator[Tile]:
        """
        Yield the pairs of these learners with all open coaches, tile by tile.

        price : (coaches,); rows : (k,) learners in rising order; barred : (b, 2), sorted by
            learner, pairs that do not count
        noise : tells equal scores apart, differently for every learner, by up to so many points
        """
        for same in self._alike(rows):
            slack = self._charge(price, int(same[0])) + noise
            left, right = self.left, self.right
            if noise:
                rng = np.random.default_rng(same.size)
                lot = noise / LOTS
                luck = rng.uniform(-lot, lot, (right.shape[0], LOTS)).astype(np.float32)
                turn = rng.uniform(-1, 1, (left.shape[0], LOTS)).astype(np.float32)
                left, right = np.hstack([left, turn]), np.hstack([right, luck])
            for at in range(0, same.size, TILE):
                few = same[at : at + TILE]
                yield Tile(self.scores, left[few], right, self.coach, few, slack, barred)

    def bids(self, has: Ints, rows: Ints) -> Iterator[Tile]:
        """
        Yield the open coaches as learners see them: ``best`` is score - has, ``rows`` are coaches.

        has : (learners,), what each has less what it pays; rows : (k,) the learners who bid, in
            rising order. Forbidden pairs count, so the highest bid is a bound.
        """
        coaches = np.flatnonzero(self.coach[: self.scores.shape[1]] >= 0)
        metrics = self.left.shape[1] - 1
        for same in self._alike(rows):
            points = self.scores.preference(np.full(coaches.size, int(same[0])), coaches)
            left = np.empty((coaches.size, metrics + 2), dtype=np.float32)
            left[:, :metrics] = self.right[coaches, :metrics]
            left[:, metrics], left[:, -1] = points, -1
            right = np.zeros((_padded(same.size), metrics + 2), dtype=np.float32)
            right[: same.size, :metrics] = self.left[same, :metrics]
            right[: same.size, metrics], right[: same.size, -1] = 1, has[same]
            right[same.size :, -1] = -NEVER
            learner = np.full(right.shape[0], NOBODY)
            learner[: same.size] = same
            slack = self._slack(float(np.abs(has[same]).max()))
            for at in range(0, coaches.size, TILE):
                few = slice(at, at + TILE)
                yield Tile(self.scores, left[few], right, learner, coaches[few], slack, NO_RULES)

    def _slack(self, widest: float) -> float:
        """
        Return how far a value may be from the true one, at most: the classic bound on a sum of
        products in any order (Higham 2002, sec. 3.1), doubled.
        """
        return 2.0 * (self.left.shape[1] + 4) * 2.0**-24 * (widest + 2 * self.scores.most)

    def _alike(self, rows: Ints) -> Iterator[Ints]:
        """Yield the learners with the same codes together."""
        for code in np.unique(self.codes[rows]).tolist():
            yield rows[self.codes[rows] == code]

    def _charge(self, price: Ints, learner: int) -> float:
        """
        Take these prices, less the points that learners with the codes of this one have.

        Return how far a value may be from the true one, at most.
        """
        everybody = np.arange(price.size)
        paid = price - self.scores.preference(np.full(everybody.size, learner), everybody)
        charged = self.right[: price.size, -1]
        charged[:] = np.where(self.coach[: price.size] >= 0, paid, -NEVER)
        self.right[price.size :, -1] = -NEVER
        widest = float(np.abs(paid[self.coach[: price.size] >= 0]).max(initial=0))
        return self._slack(widest)


class Tile:
    """
    Some learners with all, or with some, coaches.

    rows : (k,) the learners
    best : (groups, k), the highest score - price in each group of coaches, give or take ``slack``
    coach : (size,), who a place in the groups is
    """

    def __init__(
        self,
        scores: Scores,
        left: Singles,
        right: Singles,
        coach: Ints,
        rows: Ints,
        slack: float,
        barred: Ints,
    ) -> None:
        self.scores, self.left, self.coach, self.rows, self.slack = scores, left, coach, rows, slack
        self.groups = right.reshape(-1, GROUP, right.shape[1])
        self.size = coach.size
        products = right.reshape(-1, PRODUCT, right.shape[1])
        across = np.ascontiguousarray(left.T)
        best = np.empty((self.groups.shape[0], rows.size), dtype=np.float32)
        share = PRODUCT // GROUP
        room = np.empty((STACK, PRODUCT, rows.size), dtype=np.float32)
        for at in range(0, products.shape[0], STACK):
            some = products[at : at + STACK]
            value = np.matmul(some, across, out=room[: some.shape[0]])
            value = value.reshape(some.shape[0] * share, GROUP, rows.size)
            value.max(axis=1, out=best[at * share : (at + some.shape[0]) * share])
        first, last = np.searchsorted(barred[:, 0], [rows[0], rows[-1] + 1])
        rule = barred[first:last]
        place = np.searchsorted(rows, rule[:, 0])
        mine = rows[place] == rule[:, 0]
        self.rule_place, self.rule_coach = place[mine], rule[mine, 1]
        if self.rule_place.size:
            key = self.rule_place * best.shape[0] + self.rule_coach // GROUP
            place, group = np.divmod(np.unique(key), best.shape[0])
            best[group, place] = self.within(place[:, None], group[:, None])[:, 0].max(axis=1)
        self.best = best

    def within(self, place: Ints, group: Ints) -> Singles:
        """
        Return score - price (a, b, GROUP), give or take slack, of learners with groups of coaches.

        place : (a, 1), positions in ``rows``; group : (a, b)
        """
        value = np.matmul(self.groups[group], self.left[place[:, 0], None, :, None])[..., 0]
        for one, coach in zip(self.rule_place.tolist(), self.rule_coach.tolist(), strict=True):
            at, which = np.nonzero((place == one) & (group == coach // GROUP))
            value[at, which, coach % GROUP] = NEVER
        return value

    def top(self, price: Ints) -> Ints:
        """Return the highest score - price (k,) of each learner, exactly; -2**60 if none."""
        highest = self.best.max(axis=0).astype(np.float64)
        top = np.floor(highest + self.slack)
        unsure = np.flatnonzero((top != np.floor(highest - self.slack)) & (highest > NEVER / 2))
        if unsure.size:
            place, coach, score = self.pairs_from(unsure, highest[unsure] - 2 * self.slack)
            exact = np.full(self.rows.size, np.iinfo(np.int64).min)
            np.maximum.at(exact, place, score - price[coach])
            top[unsure] = exact[unsure]
        return np.maximum(top, -(2.0**60)).astype(np.int64)

    def pairs_from(self, place: Ints, least: npt.NDArray[np.float64]) -> tuple[Ints, Ints, Ints]:
        """
        Return (place, coach, score) of pairs of these learners, exactly: every pair whose
        score - price may be ``least`` (given for each place) or more, and some others.
        """
        group, which = np.nonzero(self.best[:, place] >= (least - self.slack)[None, :])
        coach = self.coach[(group[:, None] * GROUP + np.arange(GROUP)).ravel()]
        place = np.repeat(place[which], GROUP)
        fine = coach >= 0
        place, coach = place[fine], coach[fine]
        if self.rule_place.size:
            ruled = np.isin(
                place * self.size + coach, self.rule_place * self.size + self.rule_coach
            )
            place, coach = place[~ruled], coach[~ruled]
        return place, coach, self.scores.pairs(self.rows[place], coach)

    def candidates(self, which: Ints, count: int, astray: float = 0.0) -> tuple[Ints, Ints]:
        """
        Return (learner, coach) pairs: the best of each of the ``count`` best groups.

        astray : which groups are the best may be mistaken by so many points, so that learners who
            are alike name different coaches; the very best is never missed
        """
        best = self.best[:, which]
        count = min(count, best.shape[0])
        if astray > 0:
            top = best.argmax(axis=0), np.arange(which.size)
            rng = np.random.default_rng(int(self.rows[0]))
            best = best + rng.uniform(0, astray, best.shape).astype(np.float32)
            best[top] += np.float32(astray)
        group = np.argpartition(best, best.shape[0] - count, axis=0)[-count:].T
        value = self.within(which[:, None], group)
        inner = value.argmax(axis=2)
        real = np.take_along_axis(value, inner[..., None], axis=2)[..., 0] > NEVER / 2
        learner = np.broadcast_to(self.rows[which][:, None], group.shape)
        return learner[real], self.coach[(group * GROUP + inner)[real]]


def _padded(count: int) -> int:
    return -(-max(count, 1) // PRODUCT) * PRODUCT


def _codes(scores: Scores) -> Ints:
    """One number (learners,) for everything about a learner that points are given for."""
    code = np.zeros(scores.shape[0], dtype=np.int64)
    for learner_code, _, _ in scores.same:
        _, own = np.unique(learner_code, return_inverse=True)
        _, code = np.unique(code * (int(own.max(initial=0)) + 1) + own, return_inverse=True)
    return code
