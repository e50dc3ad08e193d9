from churn.access.throttle import BURST, MAX_KEYS, MAX_WAIT, Backoff, BackoffPolicy, Pace, Rate, RecentCounter


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_failures_over_the_free_ones_double_the_wait() -> None:
    clock = Clock()
    backoff = Backoff(BackoffPolicy(free=3, first=1.0, longest=10.0), clock)
    waits = []
    for _ in range(9):
        backoff.attempt("marie")
        waits.append(backoff.wait("marie"))
        clock.now += waits[-1]
    assert waits == [0, 0, 0, 1, 2, 4, 8, 10, 10]
    assert backoff.wait("paul") == 0


def test_a_thousand_guesses_at_once_are_not_all_free() -> None:
    backoff = Backoff(BackoffPolicy(free=3), Clock())
    let = 0
    for _ in range(1000):
        if not backoff.wait("marie"):
            let += 1
            backoff.attempt("marie")
    assert let == 4


def test_what_was_right_is_taken_back_or_forgives_all() -> None:
    clock = Clock()
    backoff = Backoff(BackoffPolicy(free=1), clock)
    for _ in range(100):
        backoff.attempt("office")
        backoff.take_back("office")
    assert backoff.wait("office") == 0
    backoff.attempt("office")
    backoff.attempt("office")
    assert backoff.wait("office") == 1
    backoff.forgive("office")
    assert backoff.wait("office") == 0


def test_failures_are_forgotten_in_time() -> None:
    clock = Clock()
    backoff = Backoff(BackoffPolicy(free=1, memory=100), clock)
    for _ in range(8):
        backoff.attempt("marie")
    clock.now += 101
    backoff.attempt("marie")
    assert backoff.wait("marie") == 0


def test_a_flood_of_names_takes_bounded_memory() -> None:
    backoff, rate = Backoff(BackoffPolicy(free=1), Clock()), Rate(1, Clock())
    for throttle in (backoff.attempt, rate.take):
        for name in range(2 * MAX_KEYS):
            throttle(name)
    assert len(backoff) == len(rate) == MAX_KEYS
    backoff.attempt(2 * MAX_KEYS - 1)
    assert backoff.wait(2 * MAX_KEYS - 1) > 0  # the latest are still known


def test_a_rate_lets_twice_as_many_through_at_once_and_then_one_at_a_time() -> None:
    clock = Clock()
    rate = Rate(10, clock)
    assert [rate.take("marie") for _ in range(20)] == [0] * 20
    wait = rate.take("marie")
    assert 0 < wait <= 0.1
    assert rate.take("paul") == 0
    clock.now += wait
    assert rate.take("marie") == 0
    assert rate.take("marie") > 0


def test_a_rate_of_none_counts_nobody() -> None:
    rate = Rate(0, Clock())
    assert not any(rate.take("marie") for _ in range(1000))
    assert len(rate) == 0


def test_a_pace_is_kept_by_each_and_nobody_waits_for_long() -> None:
    clock = Clock()
    pace = Pace(8, clock)
    assert [pace.take("flood") for _ in range(int(8 * BURST))] == [0] * int(8 * BURST)
    waits = [pace.take("flood") for _ in range(100)]
    assert waits[:3] == [0.125, 0.25, 0.375]
    assert waits[-1] == MAX_WAIT
    assert pace.take("marie") == 0
    clock.now += MAX_WAIT + BURST + 1
    assert pace.take("flood") == 0


def test_what_was_done_lately_counts_until_there_is_a_pause() -> None:
    clock = Clock()
    counter = RecentCounter(clock)
    counts = []
    for _ in range(3):
        counts.append(counter.add("flood"))
        clock.now += 59
    assert (counts, counter.add("marie")) == ([1, 2, 3], 1)
    clock.now += 61
    assert counter.add("flood") == 1
    counter.add("flood")
    counter.reset("flood")
    assert counter.add("flood") == 1
