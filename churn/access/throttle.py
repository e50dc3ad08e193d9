"""Throttles: who fails too often waits, longer each time, and who asks too often waits a moment."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

MOST = 10_000  # names or addresses that are remembered; of more, who was seen longest ago is forgotten

AT_ONCE = 5.0  # seconds of a pace that may be used at once
LONGEST = 5.0  # seconds that anything is held up for a pace

Clock = Callable[[], float]
State = TypeVar("State")


class _Bounded(Generic[State]):
    """What is remembered of the latest keys."""

    def __init__(self) -> None:
        self._states: OrderedDict[Hashable, State] = OrderedDict()

    def get(self, key: Hashable) -> State | None:
        return self._states.get(key)

    def put(self, key: Hashable, state: State) -> None:
        self._states[key] = state
        self._states.move_to_end(key)
        if len(self._states) > MOST:
            self._states.popitem(last=False)

    def drop(self, key: Hashable) -> None:
        self._states.pop(key, None)

    def __len__(self) -> int:
        return len(self._states)


@dataclass(slots=True)
class _Failures:
    count: int
    last: float
    until: float


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failures are free, and how long the wait after others is: doubled each time, in seconds.

    All is forgotten `forgets` seconds after the last failure.
    """

    free: int
    first: float = 1.0
    longest: float = 60.0
    forgets: float = 900.0


class Backoff:
    """Makes those wait who failed. An attempt counts as a failure until it is taken back.

    So that a thousand guesses at once are not all free.
    """

    def __init__(self, patience: Patience, clock: Clock = time.monotonic) -> None:
        self._patience, self._clock = patience, clock
        self._failures: _Bounded[_Failures] = _Bounded()

    def wait(self, key: Hashable) -> float:
        """Return the seconds until an attempt is let through; 0 where it is now."""
        found = self._failures.get(key)
        return 0.0 if found is None else max(0.0, found.until - self._clock())

    def attempt(self, key: Hashable) -> None:
        """Count an attempt."""
        now, patience = self._clock(), self._patience
        found = self._failures.get(key)
        count = 1 if found is None or now - found.last > patience.forgets else found.count + 1
        over = count - patience.free - 1
        wait = min(patience.longest, patience.first * 2.0 ** min(over, 32)) if over >= 0 else 0.0
        self._failures.put(key, _Failures(count, now, now + wait))

    def take_back(self, key: Hashable) -> None:
        """Count the latest attempt no longer: it was none."""
        if found := self._failures.get(key):
            found.count, found.until = found.count - 1, 0.0

    def forgive(self, key: Hashable) -> None:
        """Forget all attempts: the right one came."""
        self._failures.drop(key)

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
        self._buckets: _Bounded[_Bucket] = _Bounded()

    def take(self, key: Hashable) -> float:
        """Return 0 where a call is let through, else the seconds until one is. A rate of 0 is none."""
        if not self._per_second:
            return 0.0
        now = self._clock()
        bucket = self._buckets.get(key) or _Bucket(self._most, now)
        bucket.level = min(self._most, bucket.level + (now - bucket.at) * self._per_second)
        bucket.at = now
        is_let = bucket.level >= 1
        bucket.level -= is_let
        self._buckets.put(key, bucket)
        return 0.0 if is_let else (1 - bucket.level) / self._per_second

    def __len__(self) -> int:
        return len(self._buckets)


class Pace:
    """Spreads what comes: of each key so many a second, `AT_ONCE` seconds' worth at once."""

    def __init__(self, per_second: float, clock: Clock = time.monotonic) -> None:
        self._step, self._clock = 1 / per_second, clock
        self._turns: _Bounded[float] = _Bounded()  # when the next one's is, behind by what may come at once

    def take(self, key: Hashable) -> float:
        """Return the seconds until it is one's turn; at most `LONGEST`."""
        now = self._clock()
        turn = max(self._turns.get(key) or 0.0, now - AT_ONCE) + self._step
        wait = turn - now
        if wait > LONGEST:
            return LONGEST
        self._turns.put(key, turn)
        return max(0.0, wait)


class Lately:
    """Counts what each key did, until it has done nothing for a minute."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._done: _Bounded[tuple[int, float]] = _Bounded()

    def note(self, key: Hashable) -> int:
        """Count once more, and return how often that makes."""
        now = self._clock()
        before, last = self._done.get(key) or (0, now)
        times = before + 1 if now - last < 60.0 else 1
        self._done.put(key, (times, now))
        return times

    def forget(self, key: Hashable) -> None:
        """Count anew."""
        self._done.drop(key)
