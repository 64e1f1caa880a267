"""A table of the scores of all pairs, read in blocks, and what a planner asks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from coaching.domain.matching.problem import (
    Bools,
    Ints,
    Plan,
    Refused,
    largest_score,
    seat_value,
)
from coaching.domain.matching.solver import tie_hash

ScoreBlocks = Callable[[int, int], npt.NDArray[np.integer]]

BLOCK_BYTES = 2**20  # a block and its copy stay in the processor's cache
KEPT_BYTES = 2**28  # a table up to this size is computed once and kept
SAMPLE = 1000  # learners from whom the first prices are guessed
GUESSES = 30
WARM, COLD = 0.01, 0.002  # heat of the softened choices, in shares of the highest score
REFINEMENTS = 30
WIDE = 3  # times the candidates: among so many the guess is refined
FEW_PEOPLE = 80  # with fewer on a side prices are not guessed
MOST_GUESSED = 8_000_000  # pairs, for the memory of the refinement
DITHER = 16  # parts of one score point by which equal scores are told apart
NEAR = 50  # highest score / NEAR below the best is worth a look
LEAST = -(2**60)
MOST_TIGHT = 5_000_000  # tight pairs beyond this would not fit in memory as a network


class Pairs:
    """The candidate pairs so far, sorted by learner and coach, each once."""

    def __init__(self, coaches: int, learner: Ints, coach: Ints, score: Ints) -> None:
        self.coaches = coaches
        self.learner = self.coach = self.score = np.zeros(0, dtype=np.int64)
        self.join(learner, coach, score)

    def join(self, learner: Ints, coach: Ints, score: Ints) -> None:
        key = np.concatenate(
            [self.learner * self.coaches + self.coach, learner * self.coaches + coach]
        )
        key, at = np.unique(key, return_index=True)
        self.learner, self.coach = np.divmod(key, max(self.coaches, 1))
        self.score = np.concatenate([self.score, score])[at]

    def only(self, which: Bools | Ints) -> Pairs:
        return Pairs(self.coaches, self.learner[which], self.coach[which], self.score[which])

    def without(self, barred: Ints) -> Pairs:
        key = self.learner * self.coaches + self.coach
        return self.only(~np.isin(key, barred[:, 0] * self.coaches + barred[:, 1]))

    def surplus_of(self, price: Ints, learners: int) -> tuple[Ints, Ints]:
        """Return score - price (pairs,) and the best of each learner, LEAST without a pair."""
        surplus = self.score - price[self.coach]
        top = np.full(learners, LEAST)
        if surplus.size:
            first = np.flatnonzero(np.diff(self.learner, prepend=-1))
            top[self.learner[first]] = np.maximum.reduceat(surplus, first)
        return surplus, top

    def best(self, price: Ints, count: int) -> Ints:
        """Return the positions of each learner's ``count`` best-priced pairs."""
        order = np.lexsort((price[self.coach] - self.score, self.learner))
        first = np.searchsorted(self.learner, self.learner)  # lexsort keeps the runs in place
        return np.sort(order[np.arange(order.size) - first < count])

    def keep(self, which: Bools) -> None:
        self.learner, self.coach, self.score = (
            self.learner[which],
            self.coach[which],
            self.score[which],
        )


class Softened:
    """
    Prices under which softened choices fill the seats: the scaling step of Sinkhorn (1967), for
    learners who spread over coaches in proportion to exp((score - price) / heat).
    """

    def __init__(self, capacity: Ints, *, asking: int, share: float = 1.0) -> None:
        seats = capacity * share
        # With fewer seats than learners every price would rise for ever; level them instead.
        seats *= max(1.0, asking / max(seats.sum(), 1e-9))
        self.seats = np.maximum(seats, 1e-9)

    def step(
        self, price: npt.NDArray[np.float32], asked: npt.NDArray[np.floating], heat: float
    ) -> npt.NDArray[np.float32]:
        change = heat * np.log(np.maximum(asked, 1e-6) / self.seats)
        return np.maximum(price + change, 0).astype(np.float32)


class Table:
    """
    The scores of all pairs in blocks, and who is left to plan for once pins are seated.

    center : (coaches,), rough seat prices once candidates were looked for, or None
    highest : the highest score of any pair, known after ``first_candidates``
    worth : what filling a seat counts in score, known from then on too
    """

    def __init__(
        self,
        scores: ScoreBlocks | npt.NDArray[np.integer],
        *,
        learners: int | None,
        capacity: npt.ArrayLike,
        wanting: npt.ArrayLike | None,
        forbidden: npt.ArrayLike = (),
        pinned: npt.ArrayLike = (),
    ) -> None:
        if isinstance(scores, np.ndarray):
            self._block: ScoreBlocks = lambda start, stop: scores[start:stop]
            learners = scores.shape[0]
        elif learners is None:
            raise ValueError("Say how many learners the score blocks speak of.")
        else:
            self._block = scores
        seats = np.asarray(capacity, dtype=np.int64)
        if (seats < 0).any():
            raise Refused(["Every capacity must be 0 or more."])
        m = seats.size
        barred = np.asarray(forbidden, dtype=np.int64).reshape(-1, 2)
        pins = np.asarray(pinned, dtype=np.int64).reshape(-1, 2)
        for rule in (barred, pins):
            if ((rule < 0) | (rule >= [learners, m])).any():
                raise Refused(["A rule names an unknown learner or coach."])
        self.barred = barred[np.argsort(barred[:, 0], kind="stable")]
        self.barred_first = np.searchsorted(self.barred[:, 0], np.arange(learners + 1))
        demand = np.ones(learners, dtype=np.int64)
        if wanting is not None:
            demand[~np.asarray(wanting, dtype=bool)] = 0
        self.rows = max(1, BLOCK_BYTES // (4 * max(m, 1)))
        self._kept: list[npt.NDArray[np.integer]] | None = None
        self.pins = pins
        self.pin_score = np.array(
            [self._read(one, one + 1)[0, other] for one, other in pins.tolist()], dtype=np.int64
        )
        left = demand - np.bincount(pins[:, 0], minlength=learners)
        self.base = np.bincount(pins[:, 1], minlength=m)
        reasons = [f"Learner {i} has more pins than wishes." for i in np.flatnonzero(left < 0)]
        reasons += [
            f"Coach {j} has {seats[j]} seats but {self.base[j]} pins."
            for j in np.flatnonzero(self.base > seats)
        ]
        reasons += [
            f"Learner {pins[k, 0]} and coach {pins[k, 1]} are pinned but may not be paired."
            for k in np.flatnonzero(self.pin_score < 0)
        ]
        if reasons:
            raise Refused(reasons)
        self.wished, self.demand = demand, left
        self.capacity = np.minimum(seats - self.base, learners)
        self.center: Ints | None = None
        self.highest = 0
        self.worth = 1
        self.gappy = False  # whether any pair is missing

    def blocks(self) -> Iterator[tuple[int, int, npt.NDArray[np.integer]]]:
        """Yield (start, stop, scores of these learners with every coach)."""
        for at, start in enumerate(range(0, self.demand.size, self.rows)):
            stop = min(start + self.rows, self.demand.size)
            yield start, stop, self._kept[at] if self._kept else self._read(start, stop)

    def prepare(self) -> None:
        """Learn the highest score without asking for candidates."""
        self.first_candidates(1, 0, np.random.default_rng(0))

    def first_candidates(
        self, best: int, random: int, rng: np.random.Generator
    ) -> tuple[Ints, Ints, Ints]:
        """Return (learner, coach, score) of promising and random pairs, reading all scores once."""
        n, m = self.demand.size, self.capacity.size
        guess = self.guessed_prices(rng)
        wide = max(best, min(WIDE * best, MOST_GUESSED // max(n, 1))) if guess.any() else best
        promising, chance, kept = [], [], []
        keep = None
        for start, stop, block in self.blocks():
            if block.dtype.kind not in "iu":
                raise Refused(["Scores must be whole numbers."])
            if keep is None:
                keep = n * m * block.itemsize <= KEPT_BYTES
            if keep:
                kept.append(block)
            top = int(block.max(initial=0))
            self.gappy |= bool(block.min(initial=0) < 0)
            self.highest = max(self.highest, top)
            rows = np.flatnonzero(self.demand[start:stop])
            if m == 0 or rows.size == 0:
                continue
            spread = top + int(guess.max()) + 1
            kind = np.int16 if spread < np.iinfo(np.int16).max else np.int64
            surplus = np.subtract(block[rows], guess.astype(kind), dtype=kind, casting="unsafe")
            if self.gappy:
                surplus[block[rows] < 0] = np.iinfo(kind).min
            promising.append(listed(start, rows, _best_columns(surplus, wide), block))
            chance.append(listed(start, rows, rng.integers(0, m, (rows.size, random)), block))
        self._kept = kept or None
        self.weigh_seats()
        learner, coach, score = joined_columns(promising)
        if wide > best:
            pairs = Pairs(m, learner, coach, score)
            self.center = self.cooled(pairs, guess, WARM, COLD)
            pairs = pairs.only(pairs.best(self.center, best))
            learner, coach, score = pairs.learner, pairs.coach, pairs.score
        return joined_columns([(learner, coach, score), *chance])

    def weigh_seats(self) -> None:
        """Say what filling a seat is worth, now that the highest score is known."""
        seats = int(min(self.wished.sum(), self.capacity.sum() + self.pin_score.size))
        limit = largest_score(learners=self.demand.size, coaches=self.capacity.size, seats=seats)
        if self.highest > limit:
            raise Refused([f"The score {self.highest} is too large; up to {limit} is exact here."])
        self.worth = seat_value(self.highest, seats)

    def guessed_prices(self, rng: np.random.Generator) -> Ints:
        """
        Return rough seat prices (coaches,) from a sample of learners, so that the first candidates
        are not everybody's same stars. A wrong guess costs rounds, never the optimum.
        """
        m = self.capacity.size
        asking = np.flatnonzero(self.demand)
        if min(m, asking.size) < FEW_PEOPLE:
            return np.zeros(m, dtype=np.int64)
        sample = np.sort(rng.choice(asking, min(SAMPLE, asking.size), replace=False))
        score = np.concatenate([self._read(one, one + 1) for one in sample.tolist()])
        scale = max(int(score.max()), 1)
        score = np.where(score < 0, -10.0 * scale, score).astype(np.float32)
        soft = Softened(self.capacity, asking=sample.size, share=sample.size / asking.size)
        price = np.zeros(m, dtype=np.float32)
        for _ in range(GUESSES):
            share = score - price
            share -= share.max(axis=1, keepdims=True)
            np.exp(share / (scale * WARM), out=share)
            share /= share.sum(axis=1, keepdims=True)
            price = soft.step(price, share.sum(axis=0), scale * WARM)
        return np.rint(price).astype(np.int64)

    def cooled(self, pairs: Pairs, price: Ints, warm: float, cold: float) -> Ints:
        """
        Return prices (coaches,) under which choices among these pairs, softened less and less,
        fill the seats; a coach whom no pair names keeps the price.
        """
        learner, coach, plain = pairs.learner, pairs.coach, pairs.score.astype(np.float32)
        first = np.flatnonzero(np.diff(learner, prepend=-1))
        place = np.repeat(np.arange(first.size), np.diff(first, append=learner.size))
        soft = Softened(self.capacity, asking=first.size)
        cooling = price.astype(np.float32)
        for heat in np.geomspace(warm, cold, REFINEMENTS) * max(self.highest, 1):
            share = plain - cooling[coach]
            share -= np.maximum.reduceat(share, first)[place]
            np.exp(share / np.float32(heat), out=share)
            share /= np.add.reduceat(share, first)[place]
            cooling = soft.step(cooling, np.bincount(coach, share, price.size), heat)
        named = np.bincount(coach, minlength=price.size) > 0
        return np.where(named, np.rint(cooling), price).astype(np.int64)

    def priced(
        self, price: Ints, marginal: Ints, add: int, astray: float
    ) -> tuple[Ints, tuple[Ints, Ints, Ints]]:
        """
        Return the best surplus of each learner over all coaches, at least 0, and the best-priced
        pairs of all learners who see something nearly as good as ``marginal``, what they have.

        astray : by how many points, about, the other pairs may be worse than the best; where
            tables are stored ``DITHER`` does enough
        """
        top = np.zeros(self.demand.size, dtype=np.int64)
        found = []
        near = self.highest // NEAR
        for start, stop, block, surplus, offset in self._surplus(price):
            lowest = np.iinfo(surplus.dtype).min
            highest = surplus.max(axis=1, initial=lowest)
            real = (highest > lowest) & (self.demand[start:stop] > 0)
            top[start:stop] = np.where(real, np.maximum(highest + np.int64(offset), 0), 0)
            rows = np.flatnonzero(real & (top[start:stop] > marginal[start:stop] - near))
            if rows.size:
                columns = _best_columns(surplus[rows], add)
                found.append(listed(start, rows, columns, block))
        return top, joined_columns(found)

    def tight(self, price: Ints, top: Ints) -> tuple[Ints, Ints, Ints] | None:
        """Return (learner, coach, score) of every tight pair, or None if they are too many."""
        found, count = [], 0
        for start, stop, block, surplus, offset in self._surplus(price):
            target = top[start:stop] - offset
            limits = np.iinfo(surplus.dtype)
            rows = np.flatnonzero(
                (self.demand[start:stop] > 0) & (target > limits.min) & (target <= limits.max)
            )
            row, column = np.nonzero(surplus[rows] == target[rows].astype(surplus.dtype)[:, None])
            count += row.size
            if count > MOST_TIGHT:
                return None
            row = rows[row]
            found.append((start + row, column, block[row, column].astype(np.int64)))
        return joined_columns(found)

    def plan(self, learner: Ints, coach: Ints, score: Ints, price: Ints) -> Plan:
        learner = np.concatenate([learner, self.pins[:, 0]])
        coach = np.concatenate([coach, self.pins[:, 1]])
        order = np.argsort(learner, kind="stable")
        taken = np.bincount(learner, minlength=self.demand.size)
        return Plan(
            learner=learner[order],
            coach=coach[order],
            score=np.concatenate([score, self.pin_score])[order],
            pinned=np.repeat([False, True], [score.size, self.pin_score.size])[order],
            load=np.bincount(coach, minlength=self.capacity.size),
            unfilled=self.wished - taken,
            price=price,
            seat_value=self.worth,
        )

    def _read(self, start: int, stop: int) -> npt.NDArray[np.integer]:
        block = self._block(start, stop)
        rules = self.barred[self.barred_first[start] : self.barred_first[stop]]
        if rules.size:
            signed = np.promote_types(block.dtype, np.int8)
            block = block.astype(signed)  # a copy: the caller's own table stays as it is
            block[rules[:, 0] - start, rules[:, 1]] = -1
        return block

    def _surplus(
        self, price: Ints
    ) -> Iterator[tuple[int, int, npt.NDArray[np.integer], npt.NDArray[np.signedinteger], int]]:
        """
        Yield (start, stop, scores, surplus, offset): value - price is surplus + offset, in the
        narrowest type that holds it, for the time goes into moving it through memory.
        """
        lowest = int(price.min()) if price.size else 0
        spread = int(price.max(initial=0)) - lowest + self.highest + 2
        kind = next(t for t in (np.int16, np.int32, np.int64) if spread < np.iinfo(t).max)
        relative = (price - lowest).astype(kind)
        for start, stop, block in self.blocks():
            surplus = np.subtract(block, relative, dtype=kind, casting="unsafe")
            if self.gappy:
                surplus[block < 0] = np.iinfo(kind).min
            yield start, stop, block, surplus, self.worth - lowest


def _best_columns(worth: npt.NDArray[np.integer], count: int) -> npt.NDArray[np.intp]:
    """
    Return ``count`` columns (rows, count) with high values, the highest among them.

    Equal values are told apart by a noise that differs from row to row: learners who are alike
    must not all name the same coaches. In wide tables the winners of groups of columns are
    compared, not all columns: which of the next best are found hardly matters, and a maximum is
    far cheaper than a selection.
    """
    rows, m = worth.shape
    if m <= count:
        return np.broadcast_to(np.arange(m), (rows, m))
    kind = np.int32 if worth.dtype.itemsize <= 2 else np.int64
    noise = np.lib.stride_tricks.sliding_window_view(_noise(m + rows).astype(kind), m)[:rows]
    # The lowest number marks a missing pair, and must stay low when multiplied.
    low = np.iinfo(kind).min // (2 * DITHER)
    worth = np.maximum(worth, low, dtype=kind) * DITHER + noise
    groups = 4 * count
    if m < 4 * groups:
        return np.argpartition(worth, m - count, axis=1)[:, m - count :]
    width = m // groups
    main = worth[:, : groups * width].reshape(rows, groups, width).argmax(axis=2)
    columns = main + np.arange(groups) * width
    if groups * width < m:
        rest = worth[:, groups * width :].argmax(axis=1) + groups * width
        columns = np.concatenate([columns, rest[:, None]], axis=1)
    winners = np.take_along_axis(worth, columns, axis=1)
    chosen = np.argpartition(winners, winners.shape[1] - count, axis=1)[:, -count:]
    return np.take_along_axis(columns, chosen, axis=1)


@lru_cache(maxsize=4)
def _noise(size: int) -> Ints:
    """One strip below DITHER, read from another start in every row."""
    place = np.arange(size)
    return tie_hash(place, place) % DITHER


def listed(
    start: int, rows: Ints, columns: npt.NDArray[np.intp], block: npt.NDArray[np.integer]
) -> tuple[Ints, Ints, Ints]:
    """Return (learner, coach, score) of the chosen columns, without pairs that must not be."""
    row = np.repeat(rows, columns.shape[1])
    column = columns.ravel().astype(np.int64)
    score = block[row, column].astype(np.int64)
    fine = score >= 0
    return start + row[fine], column[fine], score[fine]


def joined_columns(found: list[tuple[Ints, Ints, Ints]]) -> tuple[Ints, Ints, Ints]:
    if not found:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty, empty
    learner, coach, score = (np.concatenate(column) for column in zip(*found, strict=True))
    return learner, coach, score
