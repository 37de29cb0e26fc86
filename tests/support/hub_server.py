"""A server on loopback that behaves like the Hugging Face Hub as far as files are concerned, with
a second host for large files. Tests make it fail in many ways.
"""
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def git_blob_id(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def small_config(**more):
    return json.dumps({"model_type": "d_fine", **more}).encode()


class Repository:
    """Files of one model. Those named in `large` are on the other host, as Git LFS files are."""

    def __init__(self, files, large=("model.safetensors",), commit=COMMIT, revisions=("main",)):
        self.files, self.large, self.commit = dict(files), set(large), commit
        self.revisions = {*revisions, commit}

    def etag(self, name):
        content = self.files[name]
        return (hashlib.sha256(content).hexdigest() if name in self.large
                else git_blob_id(content))


class Fault:
    """What happens to requests of `method` whose path ends with `path`, `times` times, instead of
    the usual or as a change to it. `after` bytes of the body come first.
    """

    def __init__(self, kind, path="", method="GET", host="files", times=10**9, after=0, status=0,
                 fields=None, seconds=0.0, body=b""):
        self.kind, self.path, self.method, self.host = kind, path, method, host
        self.times, self.after, self.status, self.seconds = times, after, status, seconds
        self.fields, self.body = fields or {}, body


class Hub:
    """Two servers: `hub` answers with redirects for large files, `files` has their content.

    with Hub({"org/model": Repository({...})}) as hub: the address is hub.endpoint
    """

    def __init__(self, repositories, faults=(), renamed=None, token=None, gated=(), tls=None):
        self.repositories, self.faults = repositories, list(faults)
        self.renamed, self.token, self.gated = renamed or {}, token, set(gated)
        self.requests = []  # (host, method, path, fields in lower case)
        self.lock = threading.Lock()
        self.servers = {name: self._serve(name, tls) for name in ("hub", "files")}
        self.scheme = "https" if tls else "http"
        self.endpoint = self.address("hub")

    def address(self, host):
        return f"{self.scheme}://127.0.0.1:{self.servers[host].server_address[1]}"

    def _serve(self, name, tls):
        hub = self

        class Handler(_Handler):
            host, owner = name, hub

        server = _Server(("127.0.0.1", 0), Handler)
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers.values():
            server.shutdown()
            server.server_close()

    def fault(self, handler):
        """The fault for this request, if there is one."""
        with self.lock:
            for fault in self.faults:
                if (fault.times > 0 and fault.host == handler.host
                        and fault.method == handler.command
                        and urlsplit(handler.path).path.endswith(fault.path)):
                    fault.times -= 1
                    return fault
        return None

    def seen(self, host=None, method=None, path=""):
        """Those of the requests."""
        with self.lock:
            return [r for r in self.requests
                    if host in (None, r[0]) and method in (None, r[1]) and path in r[2]]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients that are killed or give up are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    host, owner = "", None

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._handle()

    def do_GET(self):
        self._handle()

    def do_CONNECT(self):  # a proxy that refuses
        self._note()
        self._answer(403, {}, b"")

    def _note(self):
        fields = {k.lower(): v for k, v in self.headers.items()}
        with self.owner.lock:
            self.owner.requests.append((self.host, self.command, self.path, fields))

    def _answer(self, status, fields, body):
        self.send_response(status)
        fields = {"Content-Length": len(body), **fields}
        for name, value in fields.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _handle(self):
        self._note()
        fault = self.owner.fault(self)
        try:
            if fault and fault.kind == "status":
                self._answer(fault.status, fault.fields, fault.body)
            elif fault and fault.kind == "silent" and not fault.after:
                time.sleep(fault.seconds)
            elif self.host == "hub":
                self._hub(fault)
            else:
                self._file(fault)
        except (BrokenPipeError, ConnectionError):
            pass
        if fault and fault.kind.startswith(("cut", "silent")):
            self.close_connection = True

    def _hub(self, fault):
        hub, parts = self.owner, urlsplit(self.path).path.strip("/").split("/")
        if len(parts) < 5 or parts[2] != "resolve":
            return self._answer(404, {}, b"no such page")
        name, revision, file = "/".join(parts[:2]), unquote(parts[3]), "/".join(parts[4:])
        if name in hub.renamed:
            new = "/".join(["", hub.renamed[name], *parts[2:]])
            return self._answer(307, {"Location": new}, b"Temporary Redirect")
        given = self.headers.get("Authorization", "")
        if given and hub.token and given != f"Bearer {hub.token}":
            message = "Invalid credentials in Authorization header"
            return self._answer(401, {"X-Error-Message": message}, message.encode())
        if name in hub.gated and given != f"Bearer {hub.token}":
            return self._answer(403 if given else 401, {"X-Error-Code": "GatedRepo"}, b"gated")
        repository = hub.repositories.get(name)
        if repository is None:  # as the Hub: who may not read it shall not know that it exists
            if given:
                return self._answer(404, {"X-Error-Code": "RepoNotFound"}, b"not found")
            return self._answer(401, {"X-Error-Message": "Invalid username or password."}, b"")
        if revision not in repository.revisions:
            return self._answer(404, {"X-Error-Code": "RevisionNotFound"}, b"not found")
        said = {"X-Repo-Commit": repository.commit}
        if file not in repository.files:
            return self._answer(404, {"X-Error-Code": "EntryNotFound", **said}, b"not found")
        content, etag = repository.files[file], f'"{repository.etag(file)}"'
        if file in repository.large:
            said |= {"X-Linked-Etag": etag, "X-Linked-Size": len(content),
                     "Location": f"{hub.address('files')}/{name}/{file}?signature=secret"}
            said |= fault.fields if fault else {}
            return self._answer(302, said, b"Found. Redirecting")
        return self._content(content, {**said, "ETag": etag}, fault)

    def _file(self, fault):
        parts = urlsplit(self.path).path.strip("/").split("/")
        repository = self.owner.repositories["/".join(parts[:2])]
        self._content(repository.files["/".join(parts[2:])], {}, fault)

    def _content(self, content, fields, fault):
        kind = fault.kind if fault else ""
        status, begin = 200, 0
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes=") and not kind.endswith("no ranges"):
            begin = int(wanted.removeprefix("bytes=").partition("-")[0])
            if begin >= len(content):
                return self._answer(416, {"Content-Range": f"bytes */{len(content)}"}, b"")
            status = 206
            fields["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        if kind == "wrong bytes":
            content = bytes(b ^ 1 for b in content)
        body = content[begin:]
        if self.command == "HEAD" or not kind or kind in ("wrong bytes", "no ranges"):
            return self._answer(status, {**fields, "Content-Length": len(body)}, body)
        self.send_response(status)
        for name, value in {**fields, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if kind == "slow":
            step = max(1, fault.after)
            for i in range(0, len(body), step):
                self.wfile.write(body[i:i + step])
                self.wfile.flush()
                time.sleep(fault.seconds)
        else:
            self.wfile.write(body[:fault.after])
            self.wfile.flush()
            if kind == "silent":
                time.sleep(fault.seconds)
            self.connection.close()
        return None
