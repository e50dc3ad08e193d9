"""What takes too long is ended, and nothing else."""

import asyncio

import pytest

from churn.core.errors import TookTooLongError
from churn.web.middleware.deadlines import Deadlines

BRIEF = 0.05  # seconds


async def forever() -> None:
    await asyncio.Event().wait()


async def at_once() -> None:
    await asyncio.sleep(0)


def test_what_takes_too_long_is_ended_wherever_it_stands_in_line() -> None:
    async def run() -> list[object]:
        kept = Deadlines()
        works = [forever(), at_once(), forever(), at_once(), forever()]
        return await asyncio.gather(*(kept.keep(work, BRIEF) for work in works), return_exceptions=True)

    ended = [type(one) for one in asyncio.run(run())]
    assert ended == [TookTooLongError, type(None), TookTooLongError, type(None), TookTooLongError]


def test_each_has_its_own_time() -> None:
    async def run() -> list[float]:
        kept, loop = Deadlines(), asyncio.get_running_loop()

        async def ended() -> float:
            begun = loop.time()
            with pytest.raises(TookTooLongError):
                await kept.keep(forever(), BRIEF)
            return loop.time() - begun

        first = asyncio.create_task(ended())
        await asyncio.sleep(0.03)
        return [await ended(), await first]

    assert all(took >= 0.049 for took in asyncio.run(run()))


def test_one_who_is_ended_by_somebody_else_is_told_so() -> None:
    async def run() -> None:
        task = asyncio.create_task(Deadlines().keep(forever(), BRIEF))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())


def test_an_error_of_the_work_is_its_own() -> None:
    async def fails() -> None:
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        asyncio.run(Deadlines().keep(fails(), BRIEF))


def test_a_task_that_was_ended_goes_on_and_may_be_kept_again() -> None:
    async def run() -> None:
        kept = Deadlines()
        for _ in range(2):
            with pytest.raises(TookTooLongError):
                await kept.keep(forever(), BRIEF)
        await kept.keep(at_once(), BRIEF)
        await asyncio.sleep(0)  # a cancellation that is left over would end it here

    asyncio.run(run())


def test_nothing_is_left_behind() -> None:
    kept = Deadlines()
    for _ in range(2):  # event loops of their own
        with pytest.raises(TookTooLongError):
            asyncio.run(kept.keep(forever(), BRIEF))
        asyncio.run(kept.keep(at_once(), BRIEF))
