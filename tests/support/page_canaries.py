"""Canaries in pages: somebody who is signed in types marks into every form, as bytes on the wire."""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from churn.dictionary.technova import TECHNOVA
from churn.ui.employee_form import EmployeeForm
from harness.servers import RestartableServer, wait_until
from tests.support import canaries
from tests.support.company import EXAMPLE
from tests.support.leak_sources import Exchange, World
from tests.support.marks import Marks, May

FORM = "Content-Type: application/x-www-form-urlencoded"
GRADIO = "/ui/gradio_api/run/predict"
SHORT = 20  # characters: what is no secret, as a language
_TOKEN = re.compile(rb'name="csrf" value="([^"]+)"')
_COOKIE = re.compile(rb"\r\nset-cookie: ([^=]+)=([^;\r]*)", re.IGNORECASE)
_LOCATION = re.compile(rb"\r\nlocation: ([^\r]+)", re.IGNORECASE)


class Visitor:
    """Somebody with a browser: keeps cookies, and sends the token of the page that was shown last."""

    def __init__(self, world: World, server: RestartableServer) -> None:
        self.world, self.server = world, server
        self._cookies: dict[str, str] = {}
        self._token = ""
        self.marks = world.evidence.marks

    def sign_in(self, name: str, password: str) -> Exchange:
        """Sign in, and open a page whose forms have the token of the session."""
        self.get("/sign-in")
        answered = self.post("/sign-in", {"username": name, "password": password})
        self.get("/app/monitoring")
        self.get("/app/monitoring/outcomes")
        self.get("/app/monitoring/oversight")
        self.get("/app/monitoring/report")
        self.get("/app/model")
        return answered

    def get(self, target: str) -> Exchange:
        return self._send("GET", target)

    def post(self, target: str, fields: Mapping[str, str], *headers: str) -> Exchange:
        """Send a form; `headers` stand in for its own."""
        body = urlencode({"csrf": self._token, **fields}).encode()
        return self._send("POST", target, body, *(headers or (FORM,)))

    def event(self, event: bytes | Mapping[str, Any]) -> Exchange:
        """Send an event of Gradio's page."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self._send("POST", GRADIO, body, "Content-Type: application/json")

    def upload(self, content: bytes, name: str, **options: str) -> Exchange:
        """Send a file."""
        target = f"/app/file?csrf={self._token}"
        form = canaries.form(self.marks, "", content, name, target=target, **options)
        line, rest = form.split(b"\r\n", 1)
        return self._exchange(line + f"\r\nCookie: {self._cookie}\r\n".encode() + rest)

    @property
    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items()) or "none=0"

    def _send(self, method: str, target: str, body: bytes = b"", *headers: str) -> Exchange:
        cookie = f"Cookie: {self._cookie}"
        return self._exchange(canaries.request(self.marks, method, target, "", body, cookie, *headers))

    def _exchange(self, sent: bytes) -> Exchange:
        [exchange] = self.world.send(self.server, sent)
        head, _, body = exchange.answer.partition(b"\r\n\r\n")
        for name, value in _COOKIE.findall(head):
            self._cookies[name.decode()] = value.decode()
        if found := _TOKEN.search(body):
            self._token = html.unescape(found[1].decode())
        known = (value.encode() for value in (*self._cookies.values(), self._token))
        self.world.evidence.sessions |= {value for value in known if len(value) > SHORT}
        return exchange


def employee(marks: Marks, may: May) -> dict[str, str]:
    """Return what is typed of an employee."""
    known = {name: str(value) for name, value in EXAMPLE.items()}
    return {**known, "employee_id": marks.word(may), "revenu_mensuel": str(marks.pay(may))}


def before_and_after(marks: Marks) -> dict[str, str]:
    """Return what is typed of changes."""
    before, after = employee(marks, "predicted"), employee(marks, "predicted")
    return {**{f"before.{name}": text for name, text in before.items()}, **after}


def wrong_employees(marks: Marks) -> Iterator[dict[str, str]]:
    """Yield what cannot be scored: each field in turn, unknown ones, and everything at once."""
    for field in TECHNOVA.inputs:
        if field is not TECHNOVA.identifier:
            yield {**employee(marks, "typed"), field.name: f"{marks.word('typed')} '\"<b>"}
    yield {**employee(marks, "typed"), "revenu_mensuel": "", marks.word(): marks.word()}
    yield {field.name: marks.word("typed") for field in TECHNOVA.inputs}
    yield {**employee(marks, "typed"), "revenu_mensuel": f"-{marks.integer('typed')}"}


def typing(visitor: Visitor) -> None:
    """Type into the forms that score one employee, well, badly, and as somebody else's page would."""
    marks = visitor.marks
    assert visitor.post("/app/employee", employee(marks, "predicted")).status == 200
    assert visitor.post("/app/what-if", before_and_after(marks)).status == 200
    for path in ("/app/employee", "/app/what-if"):
        for fields in wrong_employees(marks):
            assert visitor.post(path, fields).status == 422
        assert visitor.post(path, {**employee(marks, "typed"), "csrf": marks.word()}).status == 403
        visitor.post(path, {**employee(marks, "nobody"), "poste": marks.word() * 5000})
        visitor.post(path, employee(marks, "nobody"), "Content-Type: text/plain")
        visitor.post(path, {f"{marks.word()}{n}": marks.word() for n in range(600)})
        visitor.get(f"{path}?example={marks.word('typed')}&{marks.word('typed')}={marks.word('typed')}")


def reviewing(visitor: Visitor, other: Visitor) -> None:
    """Look for predictions, review one, and let somebody else try to see it."""
    marks = visitor.marks
    for name in ("employee_id", "user", "model", "prediction", "since", "until", "before"):
        visitor.get(f"/app/history?{name}={marks.word('typed')}")
    shown = visitor.post("/app/employee", employee(marks, "predicted"))
    path = "/app/history/" + re.findall(rb"[0-9a-f]{8}-[0-9a-f-]{27}", shown.answer)[-1].decode()
    assert visitor.get(path).status == 200
    review = f"{path}/review"
    assert visitor.post(review, {"verdict": "agree", "comment": marks.word("predicted")}).status == 303
    assert visitor.post(review, {"verdict": "", "comment": marks.word("typed")}).status == 422
    visitor.post(
        review, {"verdict": marks.word(), "action": marks.word(), "comment": f"\0{marks.word('typed')}"}
    )
    visitor.post(review, {"verdict": "agree", "csrf": marks.word(), "comment": marks.word("typed")})
    assert visitor.get(path).status == 200
    assert other.get(path).status == 403
    assert other.post(review, {"verdict": "agree", "comment": marks.word()}).status == 403


def sending_files(visitor: Visitor, other: Visitor) -> None:
    """Send files, well and badly, look at all that becomes of them, and let somebody else try to."""
    marks = visitor.marks
    visitor.get("/app/file")
    for content, name in canaries.contents(marks):
        sent = visitor.upload(content, name)
        found = _LOCATION.search(sent.answer)
        assert found, sent.answer
        path = f"/app/{found[1].decode()}"
        wait_until(partial(_says, visitor, path, b'value="score"', b'class="problem">'))
        visitor.post(path, {"action": "score", marks.word(): marks.word()})
        wait_until(partial(_says, visitor, path, b"<figcaption>", b'class="problem">'))
        visitor.get(f"{path}?search={marks.word('typed')}&sort={marks.word('typed')}")
        for part in ("result", "rejects"):
            visitor.get(f"{path}/{part}?format=csv")
            visitor.get(f"{path}/{part}?format={marks.word('typed')}")
            other.get(f"{path}/{part}?format=csv")
        assert other.get(path).status == 404
        assert other.post(path, {"action": "score"}).status == 404
    visitor.get("/app/file")
    for name in ("a.xls", f"../{marks.word()}", marks.word()):
        assert visitor.upload(marks.word().encode(), name).status == 422
    visitor.upload(marks.word().encode(), f"{marks.word()}.csv", field=marks.word())
    other.get("/app/file")


def _says(visitor: Visitor, path: str, *texts: bytes) -> bool:
    answer = visitor.get(path).answer
    return any(text in answer for text in texts)


def administering(root: Visitor, other: Visitor) -> None:
    """Fill in every form of the administrators' page."""
    marks = root.marks
    root.get("/app/admin")
    name = marks.word("named")
    for action in ("add-user", "set-password"):
        filled = {"action": action, "name": name, "password": marks.word(), "role": "analyst"}
        assert root.post("/app/admin", filled).status == 200
        assert root.post("/app/admin", {**filled, "password": f"a{marks.integer()}"[:7]}).status == 409
    assert root.post("/app/admin", {"action": "set-role", "name": name, "role": "auditor"}).status == 200
    issued = {"action": "issue-token", "name": marks.word("named"), "days": "90", "scope-predict": "on"}
    assert root.post("/app/admin", issued).status == 200
    for field in ("action", "role", "days", "id", "name"):
        asked = {"action": "set-role", "name": name, "role": "analyst", field: marks.word("typed")}
        root.post("/app/admin", {**asked, "csrf": marks.word()})
        root.post("/app/admin", asked)
    root.get(f"/app/admin/audit?kind={marks.word('typed')}")
    assert other.get("/app/admin").status == 403


def playing(visitor: Visitor) -> None:
    """Press the buttons of Gradio's page, and send what they never would."""
    marks = visitor.marks
    assert visitor.get("/ui/").status == 200
    groups = EmployeeForm(TECHNOVA).groups("en", {}, {})
    names = [field.name for group in groups for field in group.fields]
    mays: Sequence[May] = ("predicted", "typed")
    for may in mays:
        typed = employee(marks, may)
        if may == "typed":
            typed["age"] = marks.word("typed")
        values = [typed.get(name, "") for name in names]
        assert visitor.event({"fn_index": 0, "data": values}).status == 200
        assert visitor.event({"fn_index": 1, "data": [typed, *values]}).status == 200
    for body in canaries.bodies(marks):
        visitor.event(body)
    for wrong in (
        [marks.word("typed")],
        [{marks.word(): marks.integer()}],
        marks.word(),
        [marks.word()] * 600,
    ):
        visitor.event({"fn_index": 0, "data": wrong, marks.word(): marks.word()})


def while_away(visitor: Visitor) -> None:
    """Use the pages without the database."""
    marks = visitor.marks
    visitor.post("/app/employee", employee(marks, "predicted"))
    visitor.post("/app/employee", {**employee(marks, "typed"), "age": marks.word("typed")})
    visitor.get(f"/app/history?employee_id={marks.word('typed')}")
    visitor.post(f"/app/history/{canaries.NOBODY}/review", {"verdict": "agree", "comment": marks.word()})
    Visitor(visitor.world, visitor.server).sign_in("marie", marks.word())


def signed_in(world: World, server: RestartableServer, passwords: Mapping[str, str]) -> dict[str, Visitor]:
    """Return people who are signed in, after an attempt with a wrong password."""
    people = {name: Visitor(world, server) for name in passwords}
    marks = world.evidence.marks
    assert Visitor(world, server).sign_in(marks.word("typed"), marks.word()).status == 401
    for name, password in passwords.items():
        assert people[name].sign_in(name, marks.word()).status == 401
        assert people[name].sign_in(name, password).status == 303
    return people


def everything(people: Mapping[str, Visitor]) -> None:
    """Send marks through every page, as several people."""
    marie, paul = people["marie"], people["paul"]
    marks, stranger = marie.marks, Visitor(marie.world, marie.server)
    typing(marie)
    reviewing(marie, people["ops"])
    sending_files(marie, paul)
    administering(people["boss"], paul)
    playing(marie)
    stranger.post("/app/employee", employee(marks, "typed"))
    stranger.post("/app/admin", {"action": "add-user", "name": marks.word("typed"), "password": marks.word()})
    stranger.upload(marks.word().encode(), f"{marks.word()}.csv")
    paul.post("/sign-out", {marks.word(): marks.word()})
