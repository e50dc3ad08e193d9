"""The upload reader: the files of a form, written to the disk as they come and never held."""

from functools import partial
from typing import Any

import anyio.to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.types import Receive

from churn.core.errors import FormTypeError, OverloadedError, PayloadTooLargeError, UnfinishedError
from churn.jobs.upload import MAX_BYTES, Upload, refused
from churn.web.endpoints.body_reader import Headers
from churn.web.request_state import RequestState

FIELD = b"file"
PART = 256 * 1024  # bytes that are written at a time
MAX_AROUND = 64 * 1024  # bytes of a form that are not its files


async def read(headers: Headers, state: RequestState, receive: Receive, upload: Upload) -> None:
    """Write the files of a form into an upload; stops as soon as something is wrong.

    Raises:
        FormTypeError: it is not declared as a form with files, or compressed.
        PayloadTooLargeError: it is too large, or says so.
        InvalidInputError: it is no such form, or has anything but files that could be read.
        UnfinishedError: it does not come whole.
        OverloadedError: the disk is full.
    """
    form = _Form(_boundary(headers), upload)
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise UnfinishedError(state.refused)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size >= PART or not more:
            await anyio.to_thread.run_sync(partial(form.write, b"".join(parts)))
            parts.clear()
            size = 0
    form.end()


class _Form:
    """Finds the files in a form."""

    def __init__(self, boundary: bytes, upload: Upload) -> None:
        self._upload = upload
        self._name = self._value = b""
        self._disposition = b""
        self._around, self._is_whole = 0, False
        callbacks: dict[str, Any] = {
            "on_part_begin": self._begin,
            "on_header_field": self._add_name,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_file,
            "on_part_data": self._add_data,
            "on_part_end": upload.end,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]

    def write(self, part: bytes) -> None:
        """Take some of the body, and write what is of files."""
        try:
            self._around += len(part)
            self._parser.write(part)
        except FormParserError as error:
            raise refused("form_invalid") from error
        except OSError as error:
            raise OverloadedError(f"an upload cannot be written ({error.strerror})") from error
        if self._around > MAX_AROUND:
            raise refused("form_invalid")

    def end(self) -> None:
        """Check that the form is whole."""
        if not self._is_whole:
            raise refused("form_invalid")

    def _begin(self) -> None:
        self._disposition = b""

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _begin_file(self) -> None:
        _, options = parse_options_header(self._disposition)
        if options.get(b"name") != FIELD or b"filename" not in options:
            raise refused("form_field")
        self._upload.begin(options[b"filename"].decode("utf-8", "replace"))

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._around -= end - start
        self._upload.write(data[start:end])

    def _end(self) -> None:
        self._is_whole = True


def _boundary(headers: Headers) -> bytes:
    """Return what parts the form, or refuse by the head what is none, or too large."""
    boundary = None
    for name, value in headers:
        if name == b"content-type" and boundary is None:
            kind, options = parse_options_header(value)
            boundary = options.get(b"boundary", b"") if kind == b"multipart/form-data" else b""
        elif name == b"content-encoding" and value.strip().lower() != b"identity":
            raise FormTypeError
        elif name == b"content-length" and value.isdigit() and int(value) > MAX_BYTES + MAX_AROUND:
            raise PayloadTooLargeError(MAX_BYTES, "byte")
    if not boundary:
        raise FormTypeError
    return boundary
