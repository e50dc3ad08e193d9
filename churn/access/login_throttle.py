"""The login throttle: after wrong credentials a caller waits, by the name that was tried and by address."""

import time

from churn.access.throttle import Backoff, BackoffPolicy, Clock

# Failures by name cost its owner a minute at most; an address is more likely somebody who guesses.
PER_USER = BackoffPolicy(free=5, longest=60.0)
PER_ADDRESS = BackoffPolicy(free=20, longest=900.0)


class LoginThrottle:
    """Counts attempts by name, where there is one, and by address, until they are taken back."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._users, self._addresses = Backoff(PER_USER, clock), Backoff(PER_ADDRESS, clock)

    def attempt(self, name: str, address: str) -> float:
        """Count an attempt and return 0; where it has to wait, count none and return the seconds."""
        wait = max(self._addresses.wait(address), self._users.wait(name) if name else 0.0)
        if not wait:
            self._addresses.attempt(address)
            self._users.attempt(name)
        return wait

    def take_back(self, name: str, address: str) -> None:
        """Stop counting the latest attempt: it was never answered."""
        self._addresses.take_back(address)
        self._users.take_back(name)

    def forgive(self, name: str, address: str) -> None:
        """Forget the attempts on a name, and the latest from an address: the password was right."""
        self._addresses.take_back(address)
        self._users.forgive(name)
