"""A Hugging Face Hub of our own, as far as huggingface_hub asks: its repositories are real git.

Nothing of it is a mock of our code: `churn` speaks to it through HF_ENDPOINT. A test tells it what goes
wrong by the names of the calls: `hub.trouble["commit"] = [500, HANG]` fails the first and holds the second.
"""

import base64
import fnmatch
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from harness.git_repository import Repository
from harness.hub import DONE_BUT_CUT, HANG, OWNER, Hub

LFS = ("*.npy", "*.npz", "*.bin", "*.gz", "*.parquet", "*.zip")
_INVALID = "Invalid credentials in Authorization header"


class _Refused(Exception):  # noqa: N818 - an answer
    def __init__(self, status: int, message: str = "", code: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is written in two parts
    hub: Hub

    def log_message(self, format: str, *args: object) -> None:
        pass

    def handle_call(self) -> None:
        url = urlsplit(self.path)
        body = self._body()
        for method, pattern, function in _ROUTES:
            if method == self.command and (found := re.fullmatch(pattern, unquote(url.path))):
                return self._answer_by(function, body, found.groupdict())
        return self._send(404, {"error": f"not here: {self.command} {url.path}"})

    do_GET = do_POST = do_PUT = do_DELETE = handle_call  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size + 2)[:-2]
        self.rfile.readline()
        return body

    def _answer_by(self, function: "_Call", body: bytes, found: dict[str, str]) -> None:
        hub, name = self.hub, function.__name__.lstrip("_")
        with hub.lock:
            hub.calls.append(name)
            trouble = hub.trouble[name].pop(0) if hub.trouble[name] else None
        if trouble == HANG:
            hub.reached.set()
            hub.released.wait()
            self.close_connection = True
            return None
        if trouble not in (None, DONE_BUT_CUT):
            return self._send(trouble, {"error": "something went wrong"})
        try:
            with hub.lock:
                self._check_token(name)
                answer = function(self, body, **self._known(found))
        except _Refused as refusal:
            named = {"X-Error-Code": refusal.code, "X-Error-Message": str(refusal)}
            return self._send(refusal.status, {"error": str(refusal)}, named)
        if trouble == DONE_BUT_CUT:
            self.close_connection = True
            return None
        return self._send(200, answer)

    def _check_token(self, call: str) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}" and call != "store":
            raise _Refused(401, _INVALID)

    def _known(self, found: dict[str, str]) -> dict[str, Any]:
        """Return a call's arguments, with the repository that it names."""
        if "repo" not in found:
            return found
        if (name := found.pop("repo")) not in self.hub.repositories:
            raise _Refused(404, "Repository not found", "RepoNotFound")
        return {"repo": self.hub.repositories[name], **found}

    def _send(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    # The calls, by the names that `trouble` knows them by.

    def _whoami(self, body: bytes) -> Any:
        return {"type": "user", "name": OWNER, "orgs": []}

    def _create(self, body: bytes) -> Any:
        asked = json.loads(body)
        owner = asked.get("organization") or OWNER
        if owner != OWNER:
            raise _Refused(403, f"You may not create in the namespace {owner}")
        name = f"{asked.get('type', 'model')}s/{owner}/{asked['name']}"
        if name in self.hub.repositories:
            raise _Refused(409, "You already created this repo")
        repository = self.hub.add(name, asked.get("sdk", ""))
        repository.is_private = asked["visibility"] == "private"
        return {"url": f"{self.hub.url}/{name}", "name": f"{owner}/{asked['name']}"}

    def _validate(self, body: bytes) -> Any:
        return {"errors": [], "warnings": []}

    def _info(self, body: bytes, repo: Repository) -> Any:
        return {
            "id": "x",
            "sha": repo.head,
            "sdk": repo.sdk,
            "host": self.hub.host,
            "private": repo.is_private,
        }

    def _preupload(self, body: bytes, repo: Repository, revision: str) -> Any:
        there, files = repo.files(), []
        for one in json.loads(body)["files"]:
            is_lfs = any(fnmatch.fnmatch(one["path"], pattern) for pattern in LFS)
            oid = there[one["path"]][0] if one["path"] in there else None
            if oid and is_lfs:
                oid = hashlib.sha256(repo.read(one["path"])).hexdigest()
            mode = "lfs" if is_lfs else "regular"
            files.append({"path": one["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return {"files": files}

    def _batch(self, body: bytes, repo: Repository) -> Any:
        objects = json.loads(body)["objects"]
        for one in objects:
            if one["oid"] not in self.hub.objects:
                one["actions"] = {"upload": {"href": f"{self.hub.url}/lfs/{one['oid']}", "header": {}}}
        return {"transfer": "basic", "objects": objects}

    def _store(self, body: bytes, oid: str) -> Any:
        assert hashlib.sha256(body).hexdigest() == oid
        self.hub.objects[oid] = body
        return b""

    def _commit(self, body: bytes, repo: Repository, revision: str) -> Any:
        header, *lines = (json.loads(line) for line in body.splitlines())
        if header["value"].get("parentCommit") not in (None, repo.head):
            raise _Refused(412, "A commit has happened since")
        files, deleted = {}, []
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
            else:
                deleted.append(value["path"])
        oid = repo.commit(header["value"]["summary"], files, deleted)
        self.hub.build(repo)
        return {"success": True, "commitOid": oid, "commitUrl": f"{self.hub.url}/spaces/a/b/commit/{oid}"}

    def _tree(self, body: bytes, repo: Repository, revision: str) -> Any:
        return [self._entry(repo, name, *of) for name, of in repo.files(revision).items()]

    def _paths(self, body: bytes, repo: Repository, revision: str) -> Any:
        asked, there = parse_qs(body.decode())["paths"], repo.files(revision)
        return [self._entry(repo, name, *there[name]) for name in asked if name in there]

    def _entry(self, repo: Repository, name: str, oid: str, size: int) -> dict[str, Any]:
        entry: dict[str, Any] = {"type": "file", "path": name, "oid": oid, "size": size}
        if any(fnmatch.fnmatch(name, pattern) for pattern in LFS):
            sha = hashlib.sha256(repo.git("cat-file", "blob", oid)).hexdigest()
            entry["lfs"] = {"oid": sha, "size": size, "pointerSize": 130}
        return entry

    def _resolve(self, body: bytes, repo: Repository, revision: str, file: str) -> Any:
        return repo.read(file, revision)

    def _commits(self, body: bytes, repo: Repository, revision: str) -> Any:
        rows = repo.git("log", "--format=%H %s", revision).decode().splitlines()
        common = {"date": "2026-01-01T00:00:00.000Z", "message": "", "authors": []}
        return [{"id": row[:40], "title": row[41:], **common} for row in rows]

    def _refs(self, body: bytes, repo: Repository) -> Any:
        rows = repo.git("tag", "--format=%(refname:short) %(objectname)").decode().splitlines()
        tags = [dict(zip(("name", "targetCommit"), row.split(), strict=True)) for row in rows]
        return {
            "branches": [],
            "converts": [],
            "tags": [{**t, "ref": f"refs/tags/{t['name']}"} for t in tags],
        }

    def _tag(self, body: bytes, repo: Repository, revision: str) -> Any:
        repo.git("tag", "-f", json.loads(body)["tag"], revision)
        return {}

    def _secrets(self, body: bytes, repo: Repository) -> Any:
        return {name: {"key": name, "description": repo.descriptions[name]} for name in repo.secrets}

    def _secret(self, body: bytes, repo: Repository) -> Any:
        asked = json.loads(body)
        repo.secrets[asked["key"]], repo.descriptions[asked["key"]] = asked["value"], asked["description"]
        return {}

    def _variables(self, body: bytes, repo: Repository) -> Any:
        return {name: {"key": name, "value": value} for name, value in repo.variables.items()}

    def _variable(self, body: bytes, repo: Repository) -> Any:
        repo.variables |= {json.loads(body)["key"]: json.loads(body)["value"]}
        return self._variables(b"", repo)

    def _runtime(self, body: bytes, repo: Repository) -> Any:
        stage = repo.stages.pop(0) if len(repo.stages) > 1 else repo.stages[0]
        repo.running = repo.head if stage == "RUNNING" else repo.running
        return {"stage": stage, "sha": repo.running, "hardware": {}}

    def _squash(self, body: bytes, repo: Repository, revision: str) -> Any:
        repo.squash()
        return {}

    def _lfs(self, body: bytes, repo: Repository) -> Any:
        common = {"filename": "x", "pushedAt": "2026-01-01T00:00:00.000Z", "size": 1, "ref": "main"}
        return [{"fileOid": f"of-{oid}", "oid": oid, **common} for oid in self.hub.objects]

    def _lfs_deletion(self, body: bytes, repo: Repository) -> Any:
        for oid in json.loads(body)["deletions"]["sha"]:
            del self.hub.objects[oid.removeprefix("of-")]
        return {}

    def _restart(self, body: bytes, repo: Repository) -> Any:
        self.hub.build(repo)
        return self._runtime(b"", repo)

    def _logs(self, body: bytes, repo: Repository, which: str) -> Any:
        moment = "2026-01-01T00:00:00.000Z"
        events = [json.dumps({"data": f"{which}: {line}", "timestamp": moment}) for line in self.hub.log]
        return "".join(f"data: {event}\n\n" for event in events).encode()


_Call = Callable[..., Any]
_R = r"/api/(?P<repo>(?:spaces|datasets)/[^/]+/[^/]+)"
_AT = "/(?P<revision>[^/]+)"
_ROUTES: list[tuple[str, str, _Call]] = [
    ("GET", "/api/whoami-v2", _Handler._whoami),
    ("POST", "/api/repos/create", _Handler._create),
    ("POST", "/api/validate-yaml", _Handler._validate),
    ("GET", _R, _Handler._info),
    ("GET", rf"{_R}/revision/[^/]+", _Handler._info),
    ("POST", rf"{_R}/preupload{_AT}", _Handler._preupload),
    ("POST", r"/(?P<repo>(?:spaces|datasets)/[^/]+/[^/]+)\.git/info/lfs/objects/batch", _Handler._batch),
    ("PUT", "/lfs/(?P<oid>.+)", _Handler._store),
    ("POST", rf"{_R}/commit{_AT}", _Handler._commit),
    ("GET", rf"{_R}/tree{_AT}", _Handler._tree),
    ("POST", rf"{_R}/paths-info{_AT}", _Handler._paths),
    ("GET", rf"/(?P<repo>(?:spaces|datasets)/[^/]+/[^/]+)/resolve{_AT}/(?P<file>.+)", _Handler._resolve),
    ("GET", rf"{_R}/commits{_AT}", _Handler._commits),
    ("GET", rf"{_R}/refs", _Handler._refs),
    ("POST", rf"{_R}/tag{_AT}", _Handler._tag),
    ("GET", rf"{_R}/secrets", _Handler._secrets),
    ("POST", rf"{_R}/secrets", _Handler._secret),
    ("GET", rf"{_R}/variables", _Handler._variables),
    ("POST", rf"{_R}/variables", _Handler._variable),
    ("GET", rf"{_R}/runtime", _Handler._runtime),
    ("GET", rf"{_R}/lfs-files", _Handler._lfs),
    ("POST", rf"{_R}/lfs-files/batch", _Handler._lfs_deletion),
    ("POST", rf"{_R}/super-squash{_AT}", _Handler._squash),
    ("POST", rf"{_R}/restart", _Handler._restart),
    ("GET", rf"{_R}/logs/(?P<which>\w+)", _Handler._logs),
]


@contextmanager
def hub_at(folder: Path, token: str) -> Iterator[Hub]:
    """Yield a hub that listens, with its repositories in a folder."""
    hub = Hub(folder, token)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        hub.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
