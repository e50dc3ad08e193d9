"""The Gradio page at `/ui`: one employee, the reasons, and what changes would do; an extra, `churn[ui]`.

Gradio takes seconds to import, and more memory than all else that a worker holds. So it draws its page in a
process of its own, once the service is ready, and requests wait for that; for an image, it draws it when that
is built. Its events are stateless and have no queue, so any worker answers them, and no file passes through
it.
"""

import asyncio
import logging
import pickle
import secrets
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from churn.core import python_process
from churn.core.errors import NotFoundError
from churn.core.extras import DRAWN
from churn.core.language import Language
from churn.dictionary.dictionary import Dictionary
from churn.ui.form_scoring import FormScoring
from churn.ui.gradio_events import GradioEvents
from churn.web.endpoints.html_page import content_policy, html_response
from churn.web.request_state import state_of

logger = logging.getLogger("churn")

PATH = "/ui"
# Gradio sets style attributes by script, and makes an empty style element.
_SOURCES = (
    "script-src 'self' 'nonce-{nonce}'; "
    "style-src 'self' 'nonce-{nonce}' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; "
    "style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'"
)


FILE = "drawing.pickle"  # in the folder of what is drawn already, beside Gradio's files


def files() -> Path:
    """Return the folder of the files that Gradio's page asks for."""
    spec = find_spec("gradio")
    return DRAWN if DRAWN.is_dir() else Path((spec and spec.origin) or PATH).parent / "templates" / "frontend"


class Drawing(NamedTuple):
    """What Gradio made: the page in each language, and its theme as CSS."""

    pages: Mapping[Language, str]
    theme: str


class GradioPage:
    """Shows the page to whom `scoring` answers; where Gradio is not installed, nothing is there.

    `frame_ancestors` returns the other origins whose pages may show it in a frame.
    """

    def __init__(self, scoring: FormScoring, frame_ancestors: Callable[[], Sequence[str]]) -> None:
        self._frame_ancestors = frame_ancestors
        self._dictionary, self._events = scoring.dictionary, GradioEvents(scoring)
        self._process: subprocess.Popen[bytes] | None = None
        self._drawing: Future[Drawing | None] | None = None

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes of the page, of its events, and of the files that Gradio brings."""
        front = files()
        return [
            Route(PATH, _to_folder, methods=["GET"]),
            Route(f"{PATH}/", self.show, methods=["GET"]),
            Route(f"{PATH}/theme.css", self.theme, methods=["GET"]),
            Route(f"{PATH}/gradio_api/run/predict", self._events.answer, methods=["POST"]),
            Mount(f"{PATH}/assets", StaticFiles(directory=front / "assets", check_dir=False)),
            Mount(f"{PATH}/static", StaticFiles(directory=front / "static", check_dir=False)),
        ]

    def load(self) -> None:
        """Begin to have the page drawn, unless it is."""
        if DRAWN.is_dir():
            self._drawing = Future()
            self._drawing.set_result(pickle.loads((DRAWN / FILE).read_bytes()))  # noqa: S301 - the image's own
            return
        self._process = python_process.begin(
            "-m", "churn.ui.gradio_drawing", stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        thread = ThreadPoolExecutor(1, "gradio")
        self._drawing = thread.submit(_draw, self._process, self._dictionary)
        thread.shutdown(wait=False)

    def close(self) -> None:
        """Let nobody draw any more."""
        if self._process is not None:
            self._process.kill()

    async def show(self, request: Request) -> Response:
        """Answer the page, under a policy of its own."""
        language, nonce = state_of(request.scope).language, secrets.token_urlsafe(16)
        page = (await self._drawn()).pages[language]
        for tag in ("<script", "<style"):
            page = page.replace(tag, f'{tag} nonce="{nonce}"')
        policy = content_policy(_SOURCES.format(nonce=nonce), self._frame_ancestors())
        policy = policy.replace("base-uri 'none'", "base-uri 'self'")
        return html_response(page, language, policy)

    async def theme(self, _: Request) -> Response:
        """Answer its style sheet."""
        return Response((await self._drawn()).theme, media_type="text/css")

    async def _drawn(self) -> Drawing:
        """Return what Gradio made, once it has; raise NotFoundError where it never will."""
        drawing = await asyncio.wrap_future(self._drawing) if self._drawing else None
        if drawing is None:
            raise NotFoundError
        return drawing


def _draw(process: subprocess.Popen[bytes], dictionary: Dictionary) -> Drawing | None:
    """Return what the process draws; None where it cannot."""
    with process:
        drawn, _ = process.communicate(pickle.dumps(dictionary))
    if process.returncode == 0:
        drawing: Drawing = pickle.loads(drawn)  # noqa: S301 - our own process's
        return drawing
    if process.returncode != -signal.SIGKILL:
        logger.warning("the page /ui is left out: Gradio could not draw it (%d)", process.returncode)
    return None


async def _to_folder(_: Request) -> Response:
    """Lead to the folder, relative to which Gradio's page names its files."""
    return RedirectResponse("ui/", 303)
