"""A hub on the loopback: the few routes that the real client takes for an upload, and what they were sent."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_secretsecretsecret"
COMMIT = "0" * 40


class Hub:
    """Repositories in memory. `failures` maps the end of a route to statuses that its next requests are answered."""

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, Any]] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.failures: dict[str, list[int]] = {}
        self.refuse_writing = False
        self.address = ""

    def names(self, repo: str) -> set[str]:
        return set(self.files.get(repo, {}))


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, value: object = None) -> None:
        data = json.dumps(value if value is not None else {"error": f"says the stand-in: {status}"}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refused(self, body: bytes) -> bool:
        path = self.path.partition("?")[0]
        self.hub.requests.append(f"{self.command} {path}")
        for route, statuses in self.hub.failures.items():
            if route in path and statuses:
                self._answer(statuses.pop(0))
                return True
        if not path.startswith("/objects/") and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"error": f"Invalid credentials {self.headers.get('Authorization')}"})
            return True
        return False

    def do_GET(self) -> None:
        if self._refused(b""):
            return
        _, _, kind, *repo = self.path.split("/")
        found = self.hub.repos.get(f"{kind}/{'/'.join(repo[:2])}")
        if found is None:
            self._answer(404)
        else:
            self._answer(200, {"id": "/".join(repo[:2]), "sha": COMMIT, "siblings": [], **found})

    def do_PUT(self) -> None:
        body = self._body()
        if not self._refused(body):
            self.hub.objects[self.path.rpartition("/")[2]] = body
            self._answer(200, {})

    def do_POST(self) -> None:
        body = self._body()
        if self._refused(body):
            return
        path = self.path.partition("?")[0]
        if path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            self._answer(200, {"errors": [], "warnings": []})
        elif path.endswith("/objects/batch"):
            self._batch(json.loads(body))
        elif "/preupload/" in path:
            self._preupload(path, json.loads(body))
        elif "/commit/" in path:
            self._commit(path, [json.loads(line) for line in body.splitlines()])
        else:
            self._answer(404)

    def _create(self, asked: dict[str, Any]) -> None:
        repo = f"{asked.get('type', 'model')}s/{asked['organization']}/{asked['name']}"
        if self.hub.refuse_writing:
            return self._answer(403)
        if repo in self.hub.repos:
            return self._answer(409, {"error": "You already created this repo", "url": f"{self.hub.address}/{repo}"})
        self.hub.repos[repo] = {"private": asked.get("visibility") == "private"}
        return self._answer(200, {"url": f"{self.hub.address}/{repo.removeprefix('models/')}"})

    def _preupload(self, path: str, asked: dict[str, Any]) -> None:
        stored = self.hub.files.get(_repo(path), {})
        files = []
        for file in asked["files"]:
            large = file["path"].endswith((".parquet", ".safetensors"))
            there = stored.get(file["path"])
            oid = None
            if there is not None:
                git = hashlib.sha1(b"blob %d\0" % len(there) + there).hexdigest()
                oid = hashlib.sha256(there).hexdigest() if large else git
            mode = "lfs" if large else "regular"
            files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        self._answer(200, {"files": files})

    def _batch(self, asked: dict[str, Any]) -> None:
        objects = [
            {**one, "actions": {"upload": {"href": f"{self.hub.address}/objects/{one['oid']}"}}}
            for one in asked["objects"]
        ]
        self._answer(200, {"objects": objects, "transfer": "basic"})

    def _commit(self, path: str, lines: list[dict[str, Any]]) -> None:
        if self.hub.refuse_writing:
            return self._answer(403)
        files = self.hub.files.setdefault(_repo(path), {})
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                data = self.hub.objects[value["oid"]]
                assert hashlib.sha256(data).hexdigest() == value["oid"]
                files[value["path"]] = data
        return self._answer(
            200, {"commitUrl": f"{self.hub.address}/{_repo(path)}/commit/{COMMIT}", "commitOid": COMMIT}
        )


def _repo(path: str) -> str:
    """`/api/datasets/owner/name/commit/main` -> `datasets/owner/name`."""
    return "/".join(path.split("/")[2:5])


@contextmanager
def hub_stand_in() -> Iterator[Hub]:
    """A hub that listens until the end of the block."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
