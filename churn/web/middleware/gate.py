"""The gate: ASGI middleware that lets nobody in without credentials, except to open paths."""

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from churn.access.authenticator import Authenticator
from churn.access.credentials import parse
from churn.access.roles import allows
from churn.core.errors import CrossSiteError, ForbiddenError, NotFoundError, UnauthorizedError
from churn.web.cookies import session_of
from churn.web.request_state import STATE, RequestState
from churn.web.routes import ELSEWHERE, SAFE

_PROXIES = frozenset({b"forwarded", b"via", b"x-real-ip"})  # added by proxies, like X-Forwarded-…
_LOOPBACK = re.compile(rb"(localhost|127\.0\.0\.1|\[::1\])(:\d*)?", re.IGNORECASE)  # in `Host`
_SAME_SITE = frozenset({"same-origin", "none"})  # none: typed in, or a bookmark


class Gate:
    """Lets a request pass if its path is open, or its credentials are right and have the scope.

    `authenticator` returns the Authenticator, once the service has started. The caller and the address are
    noted in the request's state. A `RefusalError` is for the middleware around this one to answer. WebSockets
    are closed, since none are served; anything else but HTTP and the lifespan gets no answer.
    """

    def __init__(self, app: ASGIApp, authenticator: Callable[[], Authenticator]) -> None:
        self._app = app
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, and pass it on."""
        kind = scope["type"]
        if kind == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif kind == "lifespan":
            await self._app(scope, receive, send)
        elif kind == "http":
            state: RequestState = scope["state"][STATE]
            state.address = _address((scope.get("client") or ("",))[0])
            # Links to pages may come from anywhere; what their forms send comes from our own pages alone.
            if state.route.is_page and scope["method"] not in SAFE:
                _check_site(scope)
            if not state.route.is_open:
                await self._check(scope, state, state.address)
            await self._app(scope, receive, send)

    async def _check(self, scope: Scope, state: RequestState, address: str) -> None:
        headers = [value for name, value in scope["headers"] if name == b"authorization"]
        if not headers and state.route.is_open_locally and _is_local(scope):
            return
        if state.route.is_page:
            state.session = credentials = session_of(scope)
        elif len(headers) == 1:  # two would leave it open which one was checked
            credentials = parse(headers[0].decode("latin-1"))
        else:
            raise UnauthorizedError
        authenticator = self._authenticator()
        caller = await authenticator.authenticate(credentials, address)
        state.caller = caller
        if caller.kind == "anonymous":
            raise UnauthorizedError
        authenticator.admit(caller)
        if caller.kind == "user" and not state.route.is_page:
            _check_site(scope)
        if state.route is ELSEWHERE:
            raise NotFoundError
        if not allows(caller.scopes, state.route.scope):
            raise ForbiddenError


@lru_cache(maxsize=4096)
def _address(host: str) -> str:
    """Return the address of a request; for IPv6 the network, which belongs to a single customer."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""  # all callers without a valid address share one throttle
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _is_local(scope: Scope) -> bool:
    """Return whether a request comes from this machine, and not through a proxy on it.

    A proxy that adds no headers is recognised by the host name that its callers gave.
    """
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1 or not _LOOPBACK.fullmatch(hosts[0]):
        return False
    if any(name in _PROXIES or name.startswith(b"x-forwarded-") for name, _ in scope["headers"]):
        return False
    try:
        return ipaddress.ip_address((scope.get("client") or ("",))[0]).is_loopback
    except ValueError:
        return False


def _check_site(scope: Scope) -> None:
    """Refuse what another site makes a user's browser send, even links.

    Browsers add a user's name and password, or cookies, to every request to this address, but never a token.
    """
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        is_own = site in _SAME_SITE
    else:  # a browser of before 2023, or no browser
        origin = headers.get(b"origin")
        is_own = origin is None or _host(origin) == headers.get(b"host")
    if not is_own:
        raise CrossSiteError


def _host(origin: str) -> str:
    """Return the host and port of an origin; empty where it is invalid."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
