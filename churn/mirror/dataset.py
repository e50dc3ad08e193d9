"""One private dataset on the Hugging Face Hub, as far as the mirror needs it.

Its four calls are made here: huggingface_hub would be a tenth of the image.
"""

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import orjson

from churn.core.errors import MirrorError

_ENDPOINT = "https://huggingface.co"
_LFS = "application/vnd.git-lfs+json"
_AT_ONCE = 1000  # contents that the hub deletes in one call, at most
_SECONDS = 20.0  # for an answer


class Dataset:
    """A dataset by its name OWNER/NAME, with a token that may write to it.

    Every method raises MirrorError where the hub does not answer, or refuses.
    """

    def __init__(self, name: str, token: str) -> None:
        self.name = name
        self._client = httpx.Client(
            base_url=os.environ.get("HF_ENDPOINT") or _ENDPOINT,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_SECONDS,
            follow_redirects=True,
        )

    def ensure(self) -> None:
        """Make the dataset where there is none.

        Raises:
            MirrorError: also where everybody may read it.
        """
        answer = self._call("GET", f"/api/datasets/{self.name}", accepted=(404, 401))
        if answer.status_code != 200:
            owner, _, name = self.name.partition("/")
            asked = {"type": "dataset", "name": name, "organization": owner, "visibility": "private"}
            self._call("POST", "/api/repos/create", content=orjson.dumps(asked), accepted=(409,))
            answer = self._call("GET", f"/api/datasets/{self.name}")
        if not self._document(answer).get("private"):
            raise MirrorError(f"everybody may read the dataset {self.name}: make it private")

    def files(self) -> list[str]:
        """Return the paths of all files."""
        return sorted(entry["path"] for entry in self._tree() if entry["type"] == "file")

    def _tree(self) -> Iterator[dict[str, Any]]:
        return self._pages(f"/api/datasets/{self.name}/tree/main?recursive=true")

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield the entries of a list that the hub gives page by page."""
        page: str | None = path
        while page:
            answer = self._call("GET", page)
            yield from self._document(answer)
            page = answer.links.get("next", {}).get("url")

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        return self._call("GET", f"/datasets/{self.name}/resolve/main/{path}").content

    def commit(self, message: str, added: Mapping[str, bytes], deleted: Collection[str] = ()) -> None:
        """Add files and delete others, in one commit."""
        lines: list[dict[str, Any]] = [{"key": "header", "value": {"summary": message}}]
        for path, content in added.items():
            oid = hashlib.sha256(content).hexdigest()
            self._store(oid, content)
            value = {"path": path, "algo": "sha256", "oid": oid, "size": len(content)}
            lines.append({"key": "lfsFile", "value": value})
        lines += [{"key": "deletedFile", "value": {"path": path}} for path in deleted]
        body = b"\n".join(orjson.dumps(line) for line in lines)
        kind = {"Content-Type": "application/x-ndjson"}
        self._call("POST", f"/api/datasets/{self.name}/commit/main", content=body, headers=kind)

    def _store(self, oid: str, content: bytes) -> None:
        """Give the hub the content of a file, by its digest; any later commit can name it."""
        asked = {"operation": "upload", "transfers": ["basic"], "hash_algo": "sha256"}
        body = orjson.dumps({**asked, "objects": [{"oid": oid, "size": len(content)}]})
        kind = {"Accept": _LFS, "Content-Type": _LFS}
        path = f"/datasets/{self.name}.git/info/lfs/objects/batch"
        [found] = self._document(self._call("POST", path, content=body, headers=kind))["objects"]
        if upload := found.get("actions", {}).get("upload"):
            with self._told():
                # Another place, which this token is not for.
                sent = httpx.put(
                    upload["href"], content=content, headers=upload.get("header"), timeout=_SECONDS
                )
                sent.raise_for_status()

    def squash(self) -> None:
        """Forget what the files were before: only what they are now is kept."""
        body = orjson.dumps({"message": "the journal"})
        self._call("POST", f"/api/datasets/{self.name}/super-squash/main", content=body)

    def discard_unnamed(self) -> None:
        """Have the hub delete every content that was uploaded and that no file names any more."""
        named = {entry["lfs"]["oid"] for entry in self._tree() if "lfs" in entry}
        stored = self._pages(f"/api/datasets/{self.name}/lfs-files")
        stale = [entry["fileOid"] for entry in stored if entry["oid"] not in named]
        for start in range(0, len(stale), _AT_ONCE):
            asked = {"sha": stale[start : start + _AT_ONCE], "rewriteHistory": False}
            body = orjson.dumps({"deletions": asked})
            self._call("POST", f"/api/datasets/{self.name}/lfs-files/batch", content=body)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _call(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accepted: Collection[int] = (),
    ) -> httpx.Response:
        kind = {"Content-Type": "application/json", **(headers or {})}
        with self._told():
            answer = self._client.request(method, path, content=content, headers=kind)
            if answer.status_code not in accepted:
                answer.raise_for_status()
            return answer

    def _document(self, answer: httpx.Response) -> Any:
        """Return the JSON of an answer."""
        try:
            return answer.json()
        except ValueError:
            raise MirrorError(f"something else than the hub answers for the dataset {self.name}") from None

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            advice = (
                "see that CHURN_HF_TOKEN may write to it" if status in (401, 403) else "this is tried again"
            )
            raise MirrorError(f"the hub answers {status} for the dataset {self.name}: {advice}") from None
        except httpx.HTTPError as error:
            reason = type(error).__name__
            raise MirrorError(f"the hub does not answer for the dataset {self.name} ({reason})") from None
