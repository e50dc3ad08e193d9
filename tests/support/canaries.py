"""Canaries: a mark in every place where a caller can put text, as bytes on the wire."""

import json
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from churn.dictionary.technova import TECHNOVA
from churn.web.routes import ROUTES as SERVED
from harness.identities import basic
from tests.support.company import EXAMPLE
from tests.support.marks import Marks

NOBODY = "0123abcd-0123-7abc-89ab-0123456789ab"  # the id of no prediction
ROUTES = sorted(route.path.replace("{id}", NOBODY) for route in SERVED.routes if not route.is_cacheable)
METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
    "M-SEARCH",
    "get",
    "BREW",
)
TOO_MUCH = 2 * 1024**2  # bytes of one employee
END = b"\r\n\r\n"


def request(
    marks: Marks, method: str, target: str, authorization: str = "", body: bytes = b"", *headers: str
) -> bytes:
    """Return a request with marks in its headers; `headers` come first, since the first of a name counts."""
    word = marks.word
    lines = [
        f"{method} {target} HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: close",
        *headers,
        *[f"Authorization: {authorization}"] * bool(authorization),
        f"Content-Length: {len(body)}",
        f"Content-Type: application/json; charset={word()}",
        f"User-Agent: {word()}/1.0 ({word()})",
        f"Accept: text/{word()}",
        f"Accept-Language: {word()}, en;q=0.5",
        f"Cookie: session={word()}; {word()}=1",
        f"X-Forwarded-For: {word()}",
        f"X-Request-ID: {word()}",
        f"traceparent: 00-{word()[:16]}{word()[:16]}-{word()[:16]}-01",
        f"tracestate: churn={word()}",
        f"X-{word()}: 1",
    ]
    return "\r\n".join(lines).encode() + END + body


def post(marks: Marks, path: str, authorization: str, document: Any) -> bytes:
    """Return a request with a JSON body; bytes are sent as they are."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return request(marks, "POST", path, authorization, body)


def employee(**changes: Any) -> dict[str, Any]:
    """Return the example with changes."""
    return {**EXAMPLE, **changes}


def everywhere(marks: Marks, authorizations: Sequence[str]) -> Iterator[bytes]:
    """Yield each method on each route and on unknown addresses, by each caller."""
    word = marks.word
    for path, method, authorization in product((*ROUTES, *strange_paths(marks)), METHODS, authorizations):
        body = json.dumps({"employee_id": word(), word("named"): marks.pay()}).encode()
        target = f"{path}?{word('named')}={word()}"
        yield request(marks, method, target, authorization, body if method == "POST" else b"")


def strange_paths(marks: Marks) -> list[str]:
    word = marks.word
    return [
        f"/{word()}",
        f"/history/{word()}",
        f"/predict/../{word()}",
        f"//{word()}",
        f"/%2e%2e/%2f{word()}",
        f"/predict%00{word()}",
        f"/predict%0d%0aX-{word()}:1",
        f"/%ff%fe{word()}",
        f"http://{word()}.example/predict",
        f"*{word()}",
    ]


def queries(marks: Marks) -> Iterator[str]:
    """Yield targets of `/history`, with parameters known, unknown, repeated and malformed."""
    for name in (
        "limit",
        "before",
        "user",
        "model",
        "prediction",
        "since",
        "until",
        "employee_id",
        "details",
    ):
        yield f"/history?{name}={marks.word()}"
        yield f"/history?{name}={marks.integer()}&{name}={marks.word()}"
        yield f"/history?{name}=%00%22%27{marks.word()}%C3%A9"
    yield f"/history?{marks.word('named')}={marks.word()}"
    yield f"/history?employee_id={marks.word()}'%20OR%201=1--{marks.word()}"
    yield f"/?lang={marks.word()}"


def predicted(marks: Marks) -> Iterator[tuple[str, Any]]:
    """Yield bodies that are valid, by their routes."""

    def valid() -> dict[str, Any]:
        return employee(employee_id=marks.word("predicted"), revenu_mensuel=marks.pay("predicted"))

    yield "/predict", valid()
    yield "/predict", employee(employee_id=marks.integer("predicted"))
    yield "/predict_batch", [valid() for _ in range(3)]
    yield "/what_if", {"employee": valid(), "changes": {"revenu_mensuel": marks.pay("predicted")}}


def reviews(marks: Marks) -> Iterator[dict[str, Any]]:
    """Yield reviews that are valid."""
    yield {"verdict": "agree", "comment": marks.word("predicted")}
    yield {"verdict": "disagree", "action": "pay", "comment": f"because\n{marks.word('predicted')} \\' é"}


def refused_reviews(marks: Marks) -> Iterator[Any]:
    """Yield bodies that are no reviews."""
    word = marks.word
    yield {"verdict": word(), "action": word(), "comment": [word()]}
    yield {"verdict": "agree", "action": {word(): word()}, "comment": f"{word()}\x00"}
    yield {"verdict": ["agree", word()], "comment": f"\ud800{word()}"}
    yield {"verdict": "agree", "comment": word() * 200}
    yield {"verdict": "agree", "comment": word() * 4000}
    yield {"verdict": "agree", "comment": word(), marks.word("named"): word()}
    yield [word(), {"comment": word()}]
    yield from bodies(marks)


def refused(marks: Marks) -> Iterator[tuple[str, Any]]:
    """Yield bodies that are not valid, by their routes."""
    for record in [*records(marks)]:
        yield "/predict", record
        yield "/what_if", {"employee": record, "changes": {}}
    for record in [*records(marks)]:
        yield "/predict_batch", [employee(employee_id=marks.word()), record]
        yield "/what_if", {"employee": employee(employee_id=marks.word()), "changes": record}
    yield "/what_if", {"employee": employee(), "changes": {}, marks.word("named"): marks.pay()}
    yield from product(("/predict", "/predict_batch", "/what_if"), bodies(marks))


def records(marks: Marks) -> Iterator[dict[str, Any]]:
    """Yield employees with a wrong value in each field in turn, and with unknown fields."""
    word, number = marks.word, marks.integer
    for field in TECHNOVA.inputs:
        yield employee(**{field.name: [word()], "age": number()})
        yield employee(**{field.name: {word(): {"deep": [word(), number()]}}})
        if field is not TECHNOVA.identifier:
            yield employee(**{field.name: word(), "employee_id": word()})
            yield employee(**{field.name: -number(), "employee_id": number()})
    for alias in ("salaire", "heures_supp", "anciennete"):
        yield employee(**{alias: word(), "employee_id": word()})
    yield employee(salaire_cache=word(), adresse=[number(), marks.pay()])
    yield employee(**{marks.word("named"): word()})
    yield employee(a_quitte_l_entreprise=word())
    yield employee(employee_id=word() * 10)
    yield employee(employee_id=f"\x00{word()}\n")
    yield employee(employee_id=f"\ud800{word()}")
    yield employee(revenu_mensuel=float(f"{number()}e20"))
    yield employee(augmentation_salaire_precedente=f"{word()} %", poste=f"É{word()}")
    yield {"employee_id": word(), "revenu_mensuel": marks.pay(), "age": None}
    yield {f"champ_{number}": word() for number in range(300)}


def bodies(marks: Marks) -> Iterator[bytes]:
    """Yield bodies that hold no employee at all."""
    word, pay = marks.word, marks.pay
    yield f'{{"employee_id": "{word()}", "revenu_mensuel": {pay()}, '.encode()
    yield f'{{"employee_id": "{word()}", "age": NaN{marks.integer()}}}'.encode()
    yield f'{{"age": "{word()}", "age": {marks.integer()}}}'.encode()
    yield b'{"employee_id": "\xff\xfe' + word().encode() + b'"}'
    yield f'"{word()}"'.encode()
    yield f"{marks.integer()}".encode()
    yield f'[["{word()}", {pay()}], "{word()}"]'.encode()
    yield b"[" * 20_000 + f'"{word()}"'.encode() + b"]" * 20_000
    yield f'{{"revenu_mensuel": {marks.integer()}{"0" * 5000}}}'.encode()
    yield f"employee_id={word()}&revenu_mensuel={pay()}".encode()
    yield f"{word()}\r\n0\r\n\r\nGET /{word()} HTTP/1.1\r\n".encode()


def media(marks: Marks, authorization: str) -> Iterator[bytes]:
    """Yield bodies that are declared as something else, and one that is too large."""
    word = marks.word
    plain = json.dumps(employee(employee_id=word(), revenu_mensuel=marks.pay())).encode()
    for declared in (
        f"Content-Type: application/{word()}",
        f"Content-Type: multipart/form-data; boundary={word()}",
        "Content-Type: multipart/form-data",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Encoding: {word()}",
    ):
        for path in ("/predict", "/predict_batch", "/what_if", "/history", "/health"):
            yield request(marks, "POST", path, authorization, plain, declared)
    large = request(marks, "POST", "/predict", authorization)
    yield large.replace(b"Content-Length: 0", f"Content-Length: {TOO_MUCH}".encode()) + plain


def files(marks: Marks, authorization: str) -> Iterator[bytes]:
    """Yield forms with files that become jobs."""
    for content, name in contents(marks):
        yield form(marks, authorization, content, name)


def contents(marks: Marks) -> Iterator[tuple[bytes, str]]:
    """Yield files with their names: one whose rows are scored but for one, two that cannot be read."""
    columns = [*EXAMPLE, "employee_id"]
    rows = [{**EXAMPLE, "employee_id": marks.word("predicted")} for _ in range(3)]
    for row in rows[:2]:
        row["revenu_mensuel"] = marks.pay("predicted")
    rows[2]["distance_domicile_travail"] = marks.word("rejected")
    rows[2]["employee_id"] = marks.word("rejected")
    lines = [columns, *([row[column] for column in columns] for row in rows)]
    content = "\n".join(",".join(map(str, line)) for line in lines).encode()
    yield content, f"{marks.word()}.csv"
    yield content, f"{marks.word()}.parquet"
    yield b"PK" + content, f"{marks.word()}.xlsx"


def wrong_files(marks: Marks, authorization: str) -> Iterator[bytes]:
    """Yield forms that are refused."""
    word = marks.word
    content = word().encode()
    yield form(marks, authorization, content, f"{word()}.xls")
    yield form(marks, authorization, content, f"../{word()}")
    yield form(marks, authorization, content, f"{word()}.csv", field=word())
    cut = form(marks, authorization, content, f"{word()}.csv").replace(b"--\r\n", b"\r\n\r\n")
    yield cut
    target = f"/predict_file?{word('named')}={word()}"
    yield form(marks, authorization, content, f"{word()}.csv", target=target)


def form(
    marks: Marks,
    authorization: str,
    content: bytes,
    name: str,
    field: str = "file",
    target: str = "/predict_file",
) -> bytes:
    """Return a request with a form of one file."""
    boundary = marks.word()
    lines = [
        f"--{boundary}",
        f'Content-Disposition: form-data; name="{field}"; filename="{name}"',
        f"Content-Type: text/{marks.word()}",
        "\r\n",
    ]
    body = "\r\n".join(lines).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    declared = f"Content-Type: multipart/form-data; boundary={boundary}"
    return request(marks, "POST", target, authorization, body, declared)


def malformed(marks: Marks) -> Iterator[bytes]:
    """Yield bytes that are not HTTP, or have too large a head."""
    word = marks.word
    yield f"{word()}".encode() + END
    yield f"GET /{word()}".encode() + END
    yield f"GET /{word()} HTTP/9.{word()}".encode() + END
    yield f"GET / HTTP/1.1\r\nHost: h\r\n{word()}".encode() + END
    yield f"GET / HTTP/1.1\r\nHost: h\r\nX: \x00{word()}".encode() + END
    yield f"POST /predict HTTP/1.1\r\nHost: h\r\nContent-Length: {word()}".encode() + END
    yield (
        f"POST /predict HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\nX: {word()}".encode()
        + END
    )
    yield f"POST /predict HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: {word()}".encode() + END
    chunked = "POST /predict HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked"
    yield chunked.encode() + END + f"zz{word()}\r\n{word()}".encode()
    yield f"CONNECT {word()}:443 HTTP/1.1\r\nHost: {word()}".encode() + END
    yield (
        f"GET /{word()} HTTP/1.1\r\nHost: h\r\nUpgrade: {word()}\r\nConnection: upgrade, close".encode() + END
    )
    yield f"GET /é{word()} HTTP/1.1\r\nHost: h".encode() + END
    yield f"GET /health HTTP/1.1\r\nHost: h\r\nX: {word() * 6000}".encode() + END


def strangers(marks: Marks, revoked: str, right: str) -> list[str]:
    """Return a few headers that open nothing: an address may fail only so often."""
    word = marks.word
    typo = right[:-1] + ("0" if right[-1] != "0" else "1")
    marks.others.append(typo)
    return [
        "",
        f"Bearer {revoked}",
        f"Bearer {typo}",
        f"Bearer {word()}",
        f"{word()} {word()}",
        f"Basic {word()}",
        basic(word(), word()),
        basic("marie", word()),
    ]
