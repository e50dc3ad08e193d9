"""Security headers: what browsers must not do with our answers."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churn.web.request_state import STATE

POLICY = b"content-security-policy"

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
# Data, which no browser has to run or frame; pages bring their own policy.
_DATA = (
    (POLICY, b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
)
_PAGE = ((b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),)
_NO_STORE = ((b"cache-control", b"no-store"),)
_CACHEABLE = ((b"cache-control", b"public, max-age=31536000, immutable"),)
# For answers that are sent before the application is reached: names and values.
DATA = {name.decode(): value.decode() for name, value in (*_ALWAYS, *_NO_STORE, *_DATA)}
# For a year; without subdomains, since those are not ours.
_TRANSPORT = ((b"strict-transport-security", b"max-age=31536000"),)


class SecurityHeaders:
    """Adds the security headers to every answer, refusals included.

    An answer with its own content security policy is a page: it keeps the policy, which says who may frame
    it. Browsers are told to use TLS only where the request came by TLS, according to a trusted proxy.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caching = _CACHEABLE if scope["state"][STATE].route.is_cacheable else _NO_STORE
        transport = _TRANSPORT if scope["scheme"] == "https" else ()

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                kind = _PAGE if POLICY in [name for name, _ in headers] else _DATA
                cache_control = caching if message["status"] in (200, 304) else _NO_STORE
                message["headers"] = [*headers, *_ALWAYS, *cache_control, *kind, *transport]
            await send(message)

        await self._app(scope, receive, secured)
