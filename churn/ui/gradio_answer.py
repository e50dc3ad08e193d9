"""What Gradio answers, as it leaves: without leave for other sites, and its page with a policy of ours."""

import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from churn.web.endpoints.html_page import content_policy

# Gradio sets style attributes by script, and makes an empty style element.
_SOURCES = (
    "script-src 'self' 'nonce-{nonce}'; "
    "style-src 'self' 'nonce-{nonce}' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; "
    "style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'"
)


class GradioAnswer:
    """One answer; that which `is_page` is held until it is whole, to be rewritten."""

    def __init__(self, send: Send, *, is_page: bool) -> None:
        self._send, self._is_page = send, is_page
        self._start: Message = {}
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Pass a message on, or hold it."""
        if message["type"] == "http.response.start":
            kept = [(n, v) for n, v in message["headers"] if not n.lower().startswith(b"access-control-")]
            self._start = message = {**message, "headers": kept}
        if not self._is_page:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._send_page(b"".join(self._parts))

    async def _send_page(self, page: bytes) -> None:
        nonce = secrets.token_urlsafe(16)
        for tag in (b"<script", b"<style"):
            page = page.replace(tag, b'%s nonce="%s"' % (tag, nonce.encode()))
        # Both would be asked of the host, outside of the folder of Gradio's page.
        page = page.replace(b'"/manifest.json"', b'"data:,"')
        page = page.replace(b"<head>", b'<head><link rel="icon" href="data:,">', 1)
        headers = MutableHeaders(raw=list(self._start["headers"]))
        headers["Content-Length"] = str(len(page))
        policy = content_policy(_SOURCES.format(nonce=nonce), ())
        headers["Content-Security-Policy"] = policy.replace("base-uri 'none'", "base-uri 'self'")
        await self._send({**self._start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": page})
