"""Throttles: whoever fails too often waits, longer each time, and whoever asks too often waits a moment."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

MAX_KEYS = 10_000  # names or addresses that are remembered: past it, the one seen longest ago is forgotten
BURST = 5.0  # seconds of a pace that may be used at once
MAX_WAIT = 5.0  # seconds that a pace holds anything up

Clock = Callable[[], float]
State = TypeVar("State")


class LatestKeys(OrderedDict[Hashable, State]):
    """A dictionary that keeps only the keys that were set last, MAX_KEYS of them."""

    def __setitem__(self, key: Hashable, state: State) -> None:
        super().__setitem__(key, state)
        self.move_to_end(key)
        if len(self) > MAX_KEYS:
            del self[next(iter(self))]


@dataclass(slots=True)
class _Failures:
    count: int
    last: float
    until: float


@dataclass(frozen=True, slots=True)
class BackoffPolicy:
    """How many failures are free, and how many seconds the next ones cost: twice as many each time.

    All are forgotten `memory` seconds after the last one.
    """

    free: int
    first: float = 1.0
    longest: float = 60.0
    memory: float = 900.0


class Backoff:
    """Makes those who failed wait.

    An attempt counts as a failure until it is taken back: otherwise a thousand attempts at once would be
    free.
    """

    def __init__(self, policy: BackoffPolicy, clock: Clock = time.monotonic) -> None:
        self._policy, self._clock = policy, clock
        self._failures: LatestKeys[_Failures] = LatestKeys()

    def wait(self, key: Hashable) -> float:
        """Return the seconds until an attempt is allowed; 0 where it is allowed now."""
        failures = self._failures.get(key)
        return 0.0 if failures is None else max(0.0, failures.until - self._clock())

    def attempt(self, key: Hashable) -> None:
        """Count an attempt."""
        now, policy = self._clock(), self._policy
        failures = self._failures.get(key)
        count = 1 if failures is None or now - failures.last > policy.memory else failures.count + 1
        over = count - policy.free - 1
        wait = min(policy.longest, policy.first * 2.0 ** min(over, 32)) if over >= 0 else 0.0
        self._failures[key] = _Failures(count, now, now + wait)

    def take_back(self, key: Hashable) -> None:
        """Stop counting the latest attempt."""
        if failures := self._failures.get(key):
            failures.count, failures.until = failures.count - 1, 0.0

    def forgive(self, key: Hashable) -> None:
        """Forget all attempts, since one succeeded."""
        self._failures.pop(key, None)

    def __len__(self) -> int:
        return len(self._failures)


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class Rate:
    """Lets each key through so many times a second, and twice as many at once."""

    def __init__(self, per_second: float, clock: Clock = time.monotonic) -> None:
        self._per_second, self._clock = per_second, clock
        self._most = max(1.0, 2 * per_second)
        self._buckets: LatestKeys[_Bucket] = LatestKeys()

    def take(self, key: Hashable) -> float:
        """Return 0 where a call is let through, else the seconds until one is. A rate of 0 means no limit."""
        if not self._per_second:
            return 0.0
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self._most, now)
        self._buckets.move_to_end(key)
        bucket.level = min(self._most, bucket.level + (now - bucket.at) * self._per_second)
        bucket.at = now
        is_allowed = bucket.level >= 1
        bucket.level -= is_allowed
        return 0.0 if is_allowed else (1 - bucket.level) / self._per_second

    def __len__(self) -> int:
        return len(self._buckets)


class Pace:
    """Spreads out what comes: so many a second for each key, and `BURST` seconds' worth at once."""

    def __init__(self, per_second: float, clock: Clock = time.monotonic) -> None:
        self._step, self._clock = 1 / per_second, clock
        self._turns: LatestKeys[float] = LatestKeys()  # when the next turn is, less the burst

    def take(self, key: Hashable) -> float:
        """Return the seconds until the next turn of a key; at most `MAX_WAIT`."""
        now = self._clock()
        turn = max(self._turns.get(key) or 0.0, now - BURST) + self._step
        wait = turn - now
        if wait > MAX_WAIT:
            return MAX_WAIT
        self._turns[key] = turn
        return max(0.0, wait)


class RecentCounter:
    """Counts what each key did, until it has done nothing for a minute."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._counts: LatestKeys[tuple[int, float]] = LatestKeys()

    def add(self, key: Hashable) -> int:
        """Count once more, and return the new count."""
        now = self._clock()
        count, last = self._counts.get(key) or (0, now)
        count = count + 1 if now - last < 60.0 else 1
        self._counts[key] = (count, now)
        return count

    def reset(self, key: Hashable) -> None:
        """Start again from 0."""
        self._counts.pop(key, None)
