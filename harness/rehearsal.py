"""What a container of the service is put through before it is delivered; each step returns its figures."""

import os
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import xlsxwriter

from churn.database.engine import opened
from churn.dictionary.technova import TECHNOVA
from harness.audit import audit
from harness.clients import Clients
from harness.containers import Container, docker
from harness.servers import wait_until

UID = 1000
PAGES = ("/", "/docs", "/openapi.json", "/schema.json", "/model", "/health", "/readyz", "/livez", "/history")
COMMANDS = (
    "health", "model list", "model show", "model current", "db check", "user list", "token list", "audit",
    "data verify", "data replay", "data export /tmp/journal.parquet", "db backup /tmp/backup.db",
)  # fmt: skip

TOOLS = ("gcc", "cc", "make", "git", "uv", "curl")

Figures = dict[str, Any]


@dataclass(frozen=True)
class Caller:
    """The token of all calls, as a setting of the service and as a client's header."""

    token: str

    @property
    def env(self) -> dict[str, str]:
        """The setting, and a home where every image may write."""
        return {"API_TOKEN": self.token, "BENTOML_HOME": "/tmp/bentoml"}  # noqa: S108 - in the container

    def client(self, container: Container) -> httpx.Client:
        """Return a client of a container."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=container.url, headers=headers, timeout=120)


def starts(images: Sequence[str], caller: Caller, rounds: int) -> Figures:
    """Start each image in turn; return the median seconds until it is ready, and the bytes of one worker."""
    ready: dict[str, list[float]] = {image: [] for image in images}
    memory = {}
    for _ in range(rounds):
        for image in ready:
            with Container(image, env=caller.env) as container:
                ready[image].append(container.await_ready())
                with caller.client(container) as client:
                    client.post("/predict", json=TECHNOVA.example).raise_for_status()
                memory[image] = container.memory()
    return {"ready": [statistics.median(ready[image]) for image in images], "memory": memory}


def everything(image: str, caller: Caller) -> Figures:
    """Call all that a trimmed image might lack: batches, files of each kind, pages, commands."""
    with Container(image, env=caller.env) as container:
        container.await_ready()
        with caller.client(container) as client:
            for path, body in (
                ("/predict", TECHNOVA.example),
                ("/predict_batch", [TECHNOVA.example] * 3),
                ("/what_if", {"employee": TECHNOVA.example, "changes": {"heure_supplementaires": "Non"}}),
            ):
                client.post(path, json=body).raise_for_status()
            for name, content in _files(200).items():
                _score(client, name, content)
            for page in PAGES:
                assert client.get(page).status_code == 200, page
        for command in COMMANDS:
            container.run("churn", *command.split())
        assert "Traceback" not in container.logs()
    return {"files": len(_files(1)), "pages": len(PAGES), "commands": len(COMMANDS)}


def _files(rows: int) -> dict[str, bytes]:
    """Return the same employees as a file of each kind."""
    table = pa.Table.from_pylist([TECHNOVA.example] * rows)
    csv, parquet, workbook = BytesIO(), BytesIO(), BytesIO()
    pa.csv.write_csv(table, csv)
    pa.parquet.write_table(table, parquet)
    with xlsxwriter.Workbook(workbook, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, table.column_names)
        for number, row in enumerate(table.to_pylist(), start=1):
            sheet.write_row(number, 0, row.values())
    return {"a.csv": csv.getvalue(), "a.parquet": parquet.getvalue(), "a.xlsx": workbook.getvalue()}


def _score(client: httpx.Client, name: str, content: bytes) -> None:
    job = client.post("/predict_file", files={"file": (name, content)}).raise_for_status().json()

    def is_over() -> bool:
        job.update(client.get(job["addresses"]["self"]).raise_for_status().json())
        return job["state"] in ("done", "failed", "cancelled")

    wait_until(is_over, lambda: str(job))
    assert (job["state"], job["scored"]) == ("done", 200), job
    for address in (job["addresses"]["result"], job["addresses"]["rejects"]):
        client.get(address).raise_for_status()


def contents(image: str, caller: Caller) -> Figures:
    """Look for what must not be in it, and for bytecode that is missing: whatever a start would compile."""
    tools = docker(
        "run", "--rm", "--entrypoint", "sh", image, "-c", f"command -v {' '.join(TOOLS)}", check=False
    )
    assert not tools.stdout, tools.stdout
    writable = ("run", "--rm", "--entrypoint", "find", image, "/opt/churn", "!", "-type", "l", "-writable")
    assert not (found := docker(*writable).stdout), found
    env = {**caller.env, "PYTHONDONTWRITEBYTECODE": ""}
    with Container(image, "--user", "root", env=env, hardened=False) as container:
        container.await_ready()
        with caller.client(container) as client:
            client.post("/predict", json=TECHNOVA.example).raise_for_status()
        compiled = [line for line in docker("diff", container.name).stdout.splitlines() if "pyc" in line]
    assert not compiled, compiled
    return {"compiled_at_start": len(compiled)}


def as_a_space(image: str, caller: Caller, *, short: bool) -> Figures:
    """Run it as a Space does: with and without `/data`, and with one that belongs to somebody else."""
    env = {"API_TOKEN": caller.token}
    present = ("--tmpfs", f"/data:uid={UID},mode=0755")
    seen: Figures = {}
    places = [
        ("read-only, no /data", (), True, "/tmp/.local/share/churn"),  # noqa: S108 - in the container
        ("writable, /data", present, False, "/data/churn"),
        ("writable, no /data", (), False, "/tmp/.local/share/churn"),  # noqa: S108
        ("read-only, /data", present, True, "/data/churn"),
    ]
    for name, options, hardened, home in places[: 2 if short else 4]:
        with Container(image, *options, "--health-interval=1s", env=env, hardened=hardened) as container:
            seen[name] = container.await_ready()
            wait_until(lambda: container.health == "healthy", container.logs)
            with caller.client(container) as client:
                client.post("/predict", json=TECHNOVA.example).raise_for_status()
            container.run("test", "-s", f"{home}/churn.db")
            assert container.run("id", "-u").stdout.strip() == str(UID)
    with Container(image, "--tmpfs", "/data:mode=0755", env=env) as container:
        code, said = container.await_end(), container.logs()
        assert (code, said.count("\n")) == (1, 1), said
        assert said.startswith("churn: /data/churn cannot be used"), said
    return seen


def kept(image: str, caller: Caller) -> Figures:
    """Kill it, start it again, back its database up, and restore that elsewhere; count what is there."""
    with tempfile.TemporaryDirectory() as name:
        volumes = [Path(name, place) for place in ("first", "second")]
        for volume in volumes:
            volume.mkdir()
            if os.geteuid() == 0:
                os.chown(volume, UID, UID)
        first, second = (("--volume", f"{volume}:/data") for volume in volumes)
        with Container(image, *first, env={"API_TOKEN": caller.token}) as container:
            container.await_ready()
            with Clients(container.url, caller.token, count=2) as clients:
                clients.await_calls(20)
            container.kill()
            container.restart()
            restarted = container.await_ready()
            container.run("churn", "db", "backup", "/data/backup.db")
            assert container.stop() == 0
        (volumes[0] / "backup.db").rename(volumes[1] / "backup.db")
        if os.geteuid() == 0:
            os.chown(volumes[1] / "backup.db", UID, UID)
        docker("run", "--rm", *second, image, "db", "restore", "/data/backup.db")
        with opened(f"sqlite:///{volumes[1]}/churn/churn.db") as engine:
            found = audit(engine, clients.answers)
        assert not found.faults, found
        with Container(image, *second, env={"API_TOKEN": caller.token}) as container:
            container.await_ready()
            container.run("churn", "data", "verify")
    return {"restarted": restarted, "restored": found.found}
