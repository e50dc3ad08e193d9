"""Security headers: what every answer tells browsers that they must not do with it."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churn.web.request_state import STATE

_POLICY = b"content-security-policy"

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
# Data, which no browser has to run or to frame; pages bring a policy of their own.
_DATA = (
    (_POLICY, b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
)
_PAGE = ((b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),)
_NOT_KEPT = ((b"cache-control", b"no-store"),)
_KEPT = ((b"cache-control", b"public, max-age=31536000, immutable"),)
# For what answers before there is an app: names and values.
DATA = {name.decode(): value.decode() for name, value in (*_ALWAYS, *_NOT_KEPT, *_DATA)}
# A year; not the subdomains, which are not ours to bind.
_TRANSPORT = ((b"strict-transport-security", b"max-age=31536000"),)


class SecurityHeaders:
    """Adds the security headers to every answer, refusals included.

    An answer that brings a content security policy is a page: it keeps that, and says in it who may frame
    it. That the address is only for TLS is told where the request came by TLS, by a trusted proxy's word.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caching = _KEPT if scope["state"][STATE].route.is_cacheable else _NOT_KEPT
        transport = _TRANSPORT if scope["scheme"] == "https" else ()

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                kind = _PAGE if _POLICY in [name for name, _ in headers] else _DATA
                kept = caching if message["status"] in (200, 304) else _NOT_KEPT
                message["headers"] = [*headers, *_ALWAYS, *kept, *kind, *transport]
            await send(message)

        await self._app(scope, receive, secured)
