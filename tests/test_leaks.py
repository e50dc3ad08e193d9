"""Nothing leaks: what callers send, and secrets, are looked for in everything that a real server writes.

Each server is sent marks by every route and into every error, with its database and without; then all of its
answers and output, all files that it left and the journal are searched for them.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from churn.access.tokens import revoke_token
from churn.database import schema
from churn.database.engine import make_engine, opened
from churn.model import registry
from churn.model.registry import ServedModel
from harness.crashes import has_replayed
from harness.identities import a_token, a_user, basic, bearer
from harness.servers import RestartableServer, environment, home_beside
from tests.support import canaries, page_canaries
from tests.support.company import EXAMPLE
from tests.support.leak_sources import Exchange, LeakSources, World, database
from tests.support.marks import Marks, May

SQL = re.compile(rb"SELECT |INSERT |UPDATE |FROM |sqlalchemy|psycopg2|sqlite3|Traceback|\.py\b|\[SQL")
LINE = re.compile(
    r"request=[0-9a-f-]{36} method=(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|OTHER) "
    r"route=(/[a-z_./{}-]*|\(elsewhere\)) status=\d{3} ms=\d+\.\d "
    r"caller=(-|token (root|predicts|reads|api-token-[0-9a-f]+)|user (marie|paul|boss|ops))"
)
GUESSES = 30  # more than an address has free
ISSUED = re.compile(rb'\r\nset-cookie: [^\r]*|name="csrf" value="[^"]*"|[?]csrf=[\w-]*', re.IGNORECASE)
READ_BACK = (b"/history", b"/predictions/", b"/app/history")
PAGES = (b"/app", b"/sign-in", b"/ui/")
SERVERS = 3  # started on each database
PEOPLE = {"marie": "analyst", "paul": "analyst", "boss": "admin", "ops": "operator"}


KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="module")
def found(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> dict[str, LeakSources]:
    """Return the evidence on each kind of database; made side by side, since it is mostly waited for."""
    folders = [tmp_path_factory.mktemp(kind) for kind in KINDS]
    with ThreadPoolExecutor(len(KINDS)) as threads:
        return dict(zip(KINDS, threads.map(partial(evidence_of, model), KINDS, folders), strict=True))


@pytest.fixture(params=KINDS)
def evidence(request: pytest.FixtureRequest, found: dict[str, LeakSources]) -> LeakSources:
    """Return what servers wrote while marks were sent into every corner."""
    return found[request.param]


def evidence_of(model: ServedModel, kind: str, folder: Path) -> LeakSources:
    """Serve on a new database, send marks, and return all that was written."""
    marks = Marks()
    for name in ("database", "temporary", "own"):
        (folder / name).mkdir()
    api_token, api_password, secret = (marks.word() for _ in range(3))
    with database(kind, folder / "database", secret) as (url, away):
        passwords = {name: marks.word() for name in PEOPLE}
        tokens = identities(url, marks, passwords)
        env = environment(
            BENTOML_HOME=str(home_beside(registry.home(), folder)),
            TMPDIR=str(folder / "temporary"),
            HOME=str(folder / "own"),
            DATABASE_URL=url,
            CHURN_MODEL=model.tag,
            CHURN_ACCESS_LOG="true",
            API_TOKEN=api_token,
            API_USERNAME="admin",
            API_PASSWORD=api_password,
        )
        world = World(url, folder, LeakSources(kind, marks), away, tokens, env)
        everything(world, passwords)
        world.keep_files()
    return world.evidence


def identities(url: str, marks: Marks, passwords: Mapping[str, str]) -> dict[str, str]:
    """Return headers of new callers, by their names; some have passwords."""
    engine = make_engine(url)
    schema.upgrade(engine)
    secrets = {
        "root": a_token(engine, "root", scopes=["admin"]),
        "predicts": a_token(engine, "predicts", scopes=["predict"]),
        "reads": a_token(engine, "reads", scopes=["history"], secret=marks.word()),
        "revoked": a_token(engine, "revoked"),
    }
    with engine.begin() as connection:
        revoke_token(connection, "revoked")
    for name, role in PEOPLE.items():
        a_user(engine, name, passwords[name], role=role)
    engine.dispose()
    marks.others += secrets.values()
    known = {name: bearer(secret) for name, secret in secrets.items()}
    return known | {"marie": basic("marie", passwords["marie"])}


def everything(world: World, passwords: Mapping[str, str]) -> None:
    """Send marks every way there is, to servers in every state."""
    with world.serving(CHURN_UI="true") as server:
        people = page_canaries.signed_in(world, server, passwords)
        page_canaries.everything(people)
        while_well(world, server)
        while_away(world, server, people["marie"])
        without_a_table(world, server, "predicted")
        guesses(world, server)
        a_damaged_row(world, server)
        world.send(server, canaries.request(world.evidence.marks, "GET", "/metrics", world.tokens["root"]))
    with world.serving(CHURN_JOURNAL_FALLBACK="refuse") as server:
        without_a_table(world, server, "nobody")
    spool = world.folder / "home" / "spool"
    shutil.rmtree(spool, ignore_errors=True)
    spool.write_text("a file where a folder should be")
    with world.serving() as server:
        without_a_table(world, server, "nobody")
    world.keep_database("at the end")


def while_well(world: World, server: RestartableServer) -> None:
    """Every route, by every caller, with everything that can be wrong."""
    marks, tokens = world.evidence.marks, world.tokens
    root, marie, reads = tokens["root"], tokens["marie"], tokens["reads"]
    strangers = canaries.strangers(marks, tokens["revoked"].split()[1], tokens["predicts"].split()[1])
    with slow_ones(world, server):
        world.send(server, *(canaries.request(marks, "GET", path, marie) for path in canaries.ROUTES))
        for one in strangers:
            world.send(server, *(canaries.request(marks, "GET", path, one) for path in canaries.ROUTES))
        world.send(server, *canaries.everywhere(marks, ("", root, strangers[-1])))
        world.send(
            server, *(canaries.post(marks, path, root, body) for path, body in canaries.predicted(marks))
        )
        world.send(
            server, *(canaries.post(marks, path, root, body) for path, body in canaries.refused(marks))
        )
        world.send(server, *(canaries.post(marks, path, reads, EXAMPLE) for path in ("/predict", "/what_if")))
        world.send(
            server, *(canaries.request(marks, "GET", target, root) for target in canaries.queries(marks))
        )
        reviews(world, server)
        world.send(server, *canaries.media(marks, root))
        world.send_files(server, root)
        world.send(server, *canaries.malformed(marks))
        for header in ("Sec-Fetch-Site", "Origin"):
            site = f"{header}: https://{marks.word()}.example"
            world.send(server, canaries.request(marks, "GET", "/history", marie, b"", site))
    if world.evidence.kind == "postgresql":
        with opened(world.url) as engine, engine.begin() as connection:
            connection.execute(text("LOCK TABLE employee_inputs IN ACCESS EXCLUSIVE MODE"))
            target = f"/history?employee_id={marks.word()}"
            world.send(server, canaries.request(marks, "GET", target, root))


def reviews(world: World, server: RestartableServer) -> None:
    """A prediction is reviewed, well and badly, and read with what was said of it."""
    marks, tokens = world.evidence.marks, world.tokens
    root, predicts = tokens["root"], tokens["predicts"]
    [answered] = world.send(server, canaries.post(marks, "/predict", root, canaries.employee()))
    key = json.loads(answered.answer.partition(b"\r\n\r\n")[2])["prediction_id"]
    address = f"/predictions/{key}"
    bodies = [*canaries.reviews(marks)]
    added = world.send(server, *(canaries.post(marks, f"{address}/review", root, body) for body in bodies))
    assert {one.status for one in added} == {200}
    for body in canaries.refused_reviews(marks):
        [refused] = world.send(server, canaries.post(marks, f"{address}/review", root, body))
        assert refused.status in (413, 422)
    for body in ({"verdict": "agree", "comment": marks.word()}, {"verdict": marks.word()}):
        world.send(server, canaries.post(marks, f"{address}/review", predicts, body))
        world.send(server, canaries.post(marks, f"{address}/review", tokens["reads"], body))
    world.send(server, *(canaries.request(marks, "GET", address, one) for one in (root, predicts)))
    world.send(server, canaries.request(marks, "GET", f"{address}?details={marks.word()}", root))


@contextmanager
def slow_ones(world: World, server: RestartableServer) -> Iterator[None]:
    """Leave a head and a body unfinished meanwhile, and wait until the server has had enough of them."""
    marks = world.evidence.marks
    head = canaries.request(marks, "GET", f"/{marks.word()}")[:-2]
    body = canaries.post(
        marks, "/predict", world.tokens["root"], canaries.employee(employee_id=marks.word())
    )[:-20]
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(world.send, server, one) for one in (head, body)]
        yield
        for one in waiting:
            one.result()


def while_away(world: World, server: RestartableServer, visitor: page_canaries.Visitor) -> None:
    """The database does not answer: the journal goes to the spool."""
    marks, root = world.evidence.marks, world.tokens["root"]
    with world.away():
        with ThreadPoolExecutor(4) as threads:  # the first ones wait as long as the lock may take
            well = [canaries.post(marks, path, root, body) for path, body in canaries.predicted(marks)]
            list(threads.map(lambda sent: world.send(server, sent), well))
        server.await_ready(lambda said: said["spool"]["records"] > 0)
        refused = [*canaries.records(marks)][:20]
        world.send(server, *(canaries.post(marks, "/predict", root, record) for record in refused))
        world.send(server, canaries.request(marks, "GET", f"/history?user={marks.word()}", root))
        world.send(server, canaries.request(marks, "GET", "/model", f"Bearer {marks.word()}"))
        world.send(server, canaries.request(marks, "GET", "/model", basic("marie", marks.word())))
        page_canaries.while_away(visitor)
        world.keep_spool("while away")
    server.await_ready(has_replayed)


def without_a_table(world: World, server: RestartableServer, may: May) -> None:
    """The database answers, and has lost a table."""
    marks, root = world.evidence.marks, world.tokens["root"]
    # Without its tokens, predictions are made for who was known before.
    for table in ("requests", "employee_inputs", *["tokens"] * (may == "predicted")):
        with opened(world.url) as engine:
            rename(engine, table, "gone")
            body = canaries.employee(employee_id=marks.word(may), revenu_mensuel=marks.pay(may))
            world.send(server, canaries.post(marks, "/predict", root, body))
            world.send(server, canaries.post(marks, "/predict", root, canaries.employee(age=marks.word())))
            world.send(server, canaries.request(marks, "GET", f"/history?employee_id={marks.word()}", root))
            a_review = {"verdict": "agree", "comment": marks.word()}
            world.send(server, canaries.post(marks, f"/predictions/{canaries.NOBODY}/review", root, a_review))
            world.send(server, canaries.request(marks, "GET", "/model", f"Bearer {marks.word()}"))
            world.send(server, canaries.request(marks, "GET", "/readyz"))
            world.keep_spool(f"without {table}")
            rename(engine, "gone", table)
        server.await_ready(is_well)


def is_well(said: dict[str, Any]) -> bool:
    """Return whether the database has everything, with a spool or without."""
    return said["code"] == 200 and has_replayed({"spool": {"records": 0}, **said})


def rename(engine: Engine, table: str, name: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


def guesses(world: World, server: RestartableServer) -> None:
    """More wrong passwords than an address may try."""
    marks = world.evidence.marks
    for _ in range(GUESSES):
        wrong = basic(marks.word(), marks.word())
        world.send(server, canaries.request(marks, "GET", "/history", wrong))


def a_damaged_row(world: World, server: RestartableServer) -> None:
    """A row of the journal that cannot be read, which nobody expects."""
    marks = world.evidence.marks
    with opened(world.url) as engine, engine.begin() as connection:
        # SQLite keeps in a column whatever it is given; PostgreSQL has years that Python has not.
        is_sqlite = world.evidence.kind == "sqlite"
        value = marks.word("predicted") if is_sqlite else "20000-01-01 00:00:00+00"
        connection.execute(text("UPDATE requests SET received_at = :value"), {"value": value})
    world.send(server, canaries.request(marks, "GET", "/history?details=true", world.tokens["root"]))


def test_every_error_was_met(evidence: LeakSources) -> None:
    """Without which the others would find nothing for want of looking."""
    met = {one.status for one in evidence.exchanges}
    expected = {200, 202, 400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 431, 500, 503}
    assert expected <= met
    assert (504 in met) or evidence.kind == "sqlite"


def test_what_may_be_told_and_kept_is(evidence: LeakSources) -> None:
    """So that marks are known again where they are."""
    marks = evidence.marks
    told = {mark for one in evidence.exchanges for mark in marks.find(one.answer)}
    kept = {mark for content in evidence.journal.values() for mark in marks.find(content)}
    assert {marks.may[mark] for mark in told & set(marks.may)} >= {"predicted", "named", "rejected", "typed"}
    assert {marks.may[mark] for mark in kept & set(marks.may)} >= {"predicted", "named"}
    assert any("spool" in where and marks.find(content) for where, content in evidence.journal.items())


def test_no_answer_tells_what_was_sent(evidence: LeakSources) -> None:
    assert [leak for one in evidence.exchanges for leak in leaks(evidence.marks, one)] == []


def leaks(marks: Marks, exchange: Exchange) -> Iterator[tuple[int, bytes, str]]:
    """Yield the marks in an answer that it may not tell: a head none, a body those that `may_be_told`.

    Where a page asks for a sign-in first, it leads back to its own address afterwards, query included.
    """
    head, _, body = exchange.answer.partition(b"\r\n\r\n")
    target = exchange.sent.partition(b"\r\n")[0] if b"sign-in?next=" in exchange.answer else b""
    told = may_be_told(exchange)
    for mark in marks.find(head):
        if mark.encode() not in target:
            yield exchange.status, exchange.sent[:200], mark
    for mark in marks.find(body):
        own, others = told
        allowed = own if mark.encode() in exchange.sent else others
        if marks.may.get(mark) not in allowed and mark.encode() not in target:
            yield exchange.status, exchange.sent[:200], mark


def may_be_told(exchange: Exchange) -> tuple[set[str], set[str]]:
    """Return which marks the body of an answer may tell: of its own request, and of earlier ones."""
    path, is_good = exchange.path, exchange.status == 200
    own, others = {*["predicted"] * is_good, *["named"] * (exchange.status == 422)}, set()
    if path.startswith(PAGES):
        own.add("typed")
    if is_good and path.startswith((b"/jobs/", b"/app/file/")):
        if path.endswith(b"/rejects"):
            own, others = {"rejected"}, {"rejected"}
        elif path.endswith(b"/result") or path.startswith(b"/app/"):
            others = {"predicted"}
    if path.startswith(b"/app/history/") or (is_good and path.startswith(READ_BACK)):
        others = {"predicted"}
    if path.startswith(b"/app/admin"):
        own, others = {"named", "typed"}, {"named"}
    return own, others


def test_no_answer_tells_how_it_is_done(evidence: LeakSources) -> None:
    assert [one.answer for one in evidence.exchanges if SQL.search(one.answer)] == []


def test_nothing_is_in_what_the_servers_wrote(evidence: LeakSources) -> None:
    found = {where: evidence.marks.find(content) for where, content in evidence.written.items()}
    assert {where: marks for where, marks in found.items() if marks} == {}
    assert len(found) > SERVERS


def test_the_journal_has_of_refused_calls_and_credentials_nothing(evidence: LeakSources) -> None:
    for where, content in evidence.journal.items():
        wrong = {
            mark
            for mark in evidence.marks.find(content)
            if evidence.marks.may.get(mark, "nobody") in ("nobody", "rejected", "typed")
        }
        assert wrong == set(), where


def test_sessions_are_told_to_their_browsers_alone(evidence: LeakSources) -> None:
    assert len(evidence.sessions) > 2 * len(PEOPLE)
    told = [(str(one.path), ISSUED.sub(b"", one.answer)) for one in evidence.exchanges]
    for where, content in [*told, *evidence.written.items(), *evidence.journal.items()]:
        assert [secret for secret in evidence.sessions if secret in content] == [], where


def test_the_access_log_is_made_of_words_of_ours(evidence: LeakSources) -> None:
    lines = [line.partition("] request=") for line in evidence.output.splitlines() if "] request=" in line]
    told = ["request=" + rest for _, _, rest in lines]
    assert len(told) > len(evidence.exchanges) / 2
    assert [line for line in told if not LINE.fullmatch(line)] == []


def test_errors_are_logged_without_their_text_and_sql(evidence: LeakSources) -> None:
    assert "failed:" in evidence.output  # the damaged row
    for word in ("Traceback (most", "SELECT ", "INSERT INTO", "[SQL", "[parameters", "LINE 1"):
        assert word not in evidence.output
