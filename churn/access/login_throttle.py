"""The login throttle: who tries wrong credentials waits, by the name that is tried and by the address."""

import time

from churn.access.throttle import Backoff, Clock, Patience

# A name's own failures cost its owner a minute at most; an address is likelier one who guesses.
OF_USERS = Patience(free=5, longest=60.0)
OF_ADDRESSES = Patience(free=20, longest=900.0)


class LoginThrottle:
    """Counts attempts by name, where there is one, and by address, until they are taken back."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._users, self._addresses = Backoff(OF_USERS, clock), Backoff(OF_ADDRESSES, clock)

    def attempt(self, name: str, address: str) -> float:
        """Count an attempt and return 0; where it has to wait, count none and return the seconds."""
        wait = max(self._addresses.wait(address), self._users.wait(name) if name else 0.0)
        if not wait:
            self._addresses.attempt(address)
            self._users.attempt(name)
        return wait

    def take_back(self, name: str, address: str) -> None:
        """Count the latest attempt no longer: it did not come to an answer."""
        self._addresses.take_back(address)
        self._users.take_back(name)

    def forgive(self, name: str, address: str) -> None:
        """Forget the attempts on a name, and the latest from an address: it was right."""
        self._addresses.take_back(address)
        self._users.forgive(name)
