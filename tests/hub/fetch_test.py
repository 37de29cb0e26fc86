"""dfine-weights fetch against a server that behaves like the Hub, and one that does not."""
import concurrent.futures
import hashlib
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time

from hub_server import COMMIT, Fault, Hub, Repository, git_blob_id, small_config

PROGRAM = os.path.join(os.environ["DFINE_BINARY_DIR"], "dfine-weights")
MODEL = "org/model"
WEIGHTS = bytes(range(256)) * 4000  # about 1 MB
FILES = {"config.json": small_config(), "preprocessor_config.json": b"{}",
         "model.safetensors": WEIGHTS}
TOKEN = "hf_secretsecret"
CASES = []


def case(function):
    CASES.append(function)
    return function


class Place:
    """A home folder for one case, and the program in it."""

    def __init__(self, hub=None):
        self.hub = hub
        self.path = tempfile.mkdtemp(prefix="dfine-hub-")
        self.cache = os.path.join(self.path, ".cache", "huggingface", "hub")
        self.folder = os.path.join(self.cache, "models--org--model")
        self.env = {"HOME": self.path, "PATH": os.environ["PATH"]}
        if hub:
            self.env["HF_ENDPOINT"] = hub.endpoint

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def command(self, name=MODEL):
        return [PROGRAM, "fetch", name]

    def fetch(self, name=MODEL, expect=0, says=(), prefix=(), **env):
        done = subprocess.run([*prefix, *self.command(name)], env={**self.env, **env}, text=True,
                              capture_output=True, timeout=120)
        text = done.stdout + done.stderr
        assert done.returncode == expect, f"exit code {done.returncode}, expected {expect}:\n{text}"
        for value in says:
            assert value in text, f"{value!r} is not in:\n{text}"
        assert TOKEN not in text and "signature" not in text, text
        return text

    def snapshot(self, commit=COMMIT):
        return os.path.join(self.folder, "snapshots", commit)

    def check(self, files=None, commit=COMMIT, revision="main"):
        """The layout that the Hub documents."""
        files = files or FILES
        assert sorted(os.listdir(self.snapshot(commit))) == sorted(files)
        repository = Repository(files)
        for name, content in files.items():
            path = os.path.join(self.snapshot(commit), name)
            assert os.readlink(path) == f"../../blobs/{repository.etag(name)}"
            with open(path, "rb") as f:
                assert f.read() == content
        assert sorted(os.listdir(os.path.join(self.folder, "blobs"))) == sorted(
            repository.etag(name) for name in files)
        if revision:
            with open(os.path.join(self.folder, "refs", revision)) as f:
                assert f.read() == commit

    def is_unused(self):
        """No snapshot, no reference, no blob of the weights; a part at most."""
        for name in ("snapshots", "refs"):
            assert not os.path.exists(os.path.join(self.folder, name)), name
        blobs = os.path.join(self.folder, "blobs")
        names = os.listdir(blobs) if os.path.exists(blobs) else []
        assert hashlib.sha256(WEIGHTS).hexdigest() not in names, names
        return names


def hub_of(*faults, files=None, **more):
    return Hub({MODEL: Repository(files or FILES)}, faults, **more)


def weights(kind, **more):
    return Fault(kind, "model.safetensors", **more)


@case
def fetches_into_the_documented_layout():
    with hub_of(token=TOKEN) as hub, Place(hub) as place:
        text = place.fetch(HF_TOKEN=TOKEN)
        assert text.splitlines()[-1] == place.snapshot(), text
        place.check()
        with open(os.path.join(place.cache, "CACHEDIR.TAG")) as f:
            assert f.read().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
        locks = os.listdir(os.path.join(place.cache, ".locks", "models--org--model"))
        assert f"{hashlib.sha256(WEIGHTS).hexdigest()}.lock" in locks
        # The token goes to the Hub, and not to the host of the large files.
        assert all(r[3]["authorization"] == f"Bearer {TOKEN}" for r in hub.seen("hub"))
        assert hub.seen("files") and all("authorization" not in r[3] for r in hub.seen("files"))
        # Nothing but the three files, each once; a second time nothing at all.
        assert len(hub.seen("files", "GET")) == 1 and len(hub.seen("hub", "GET")) == 3
        place.fetch()
        assert len(hub.seen(method="GET")) == 4


@case
def the_token_may_be_in_a_file():
    with hub_of(token=TOKEN, gated=[MODEL]) as hub, Place(hub) as place:
        place.fetch(expect=1, says=["[access_denied]", "conditions", "HF_TOKEN"])
        home = os.path.join(place.path, ".cache", "huggingface")
        os.makedirs(home, exist_ok=True)
        with open(os.path.join(home, "token"), "w") as f:
            f.write(TOKEN + "\n")
        place.fetch(expect=1, says=["[access_denied]"], HF_HUB_DISABLE_IMPLICIT_TOKEN="1")
        assert place.is_unused() == []
        place.fetch()
        place.check()
        place.fetch(expect=2, says=["[usage]"], HF_TOKEN="a\nHost: b")


@case
def refusals_say_what_to_do():
    with hub_of(token=TOKEN, gated=["org/gated"]) as hub, Place(hub) as place:
        place.fetch("org/none", expect=1, says=["[file_missing]", "org/none", "HF_TOKEN"])
        place.fetch("org/none", expect=1, says=["[file_missing]"], HF_TOKEN=TOKEN)
        place.fetch(MODEL + "@v9", expect=1, says=["[file_missing]", "no revision v9"])
        place.fetch(expect=1, says=["[access_denied]", "refuses", "HF_TOKEN"], HF_TOKEN="hf_other")
        hub.faults = [Fault("status", "config.json", "HEAD", "hub", status=403)]
        place.fetch(expect=1, says=["[access_denied]", "403"])
        place.fetch("nothing", expect=2, says=["[usage]", "ORG/NAME"])
        assert not os.path.exists(place.cache)


@case
def revisions():
    with Hub({MODEL: Repository(FILES, revisions=("main", "v1", "refs/pr/1"))}) as hub, \
            Place(hub) as place:
        place.fetch(MODEL + "@refs/pr/1")
        place.check(revision="refs/pr/1")
        place.fetch(MODEL + "@v1")
        place.check(revision="v1")
        place.fetch(MODEL + "@" + COMMIT)
        assert sorted(os.listdir(os.path.join(place.folder, "refs"))) == ["refs", "v1"]
        newer = "f" * 40
        hub.repositories[MODEL].commit = newer
        hub.repositories[MODEL].revisions.add(newer)
        place.fetch(MODEL + "@v1")
        place.check(commit=newer, revision="v1")
        assert len(hub.seen("files", "GET")) == 1  # the same blob


@case
def a_renamed_repository():
    with hub_of(renamed={"org/older": MODEL}) as hub, Place(hub) as place:
        place.fetch("org/older")
        place.folder = os.path.join(place.cache, "models--org--older")
        place.check()


@case
def without_preprocessor_the_cache_says_so():
    files = {k: v for k, v in FILES.items() if k != "preprocessor_config.json"}
    with hub_of(files=files) as hub, Place(hub) as place:
        place.fetch()
        place.check(files)
        missing = os.path.join(place.folder, ".no_exist", COMMIT, "preprocessor_config.json")
        assert os.path.getsize(missing) == 0


@case
def waits_as_long_as_the_server_wants():
    fault = Fault("status", "config.json", "HEAD", "hub", times=1, status=429,
                  fields={"Retry-After": "2"})
    with hub_of(fault) as hub, Place(hub) as place:
        begin = time.monotonic()
        place.fetch(says=["429", "trying again in 2.0 s"])
        assert time.monotonic() - begin >= 2
        place.check()


@case
def does_not_wait_for_hours():
    fault = Fault("status", "config.json", "HEAD", "hub", status=429,
                  fields={"Retry-After": "7200"})
    with hub_of(fault) as hub, Place(hub) as place:
        place.fetch(expect=1, says=["[network_failed]", "7200 seconds"])
        assert len(hub.requests) == 1


@case
def server_errors_pass():
    with hub_of(Fault("status", "config.json", "HEAD", "hub", times=2, status=503),
                weights("status", times=1, status=500)) as hub, Place(hub) as place:
        place.fetch(says=["503", "500"])
        place.check()


@case
def server_errors_stay():
    with hub_of(Fault("status", "config.json", "HEAD", "hub", status=503)) as hub, \
            Place(hub) as place:
        place.fetch(expect=1, says=["[network_failed]", "503", "4 times", "model.safetensors"])
        assert len(hub.requests) == 4 and not os.path.exists(place.cache)


@case
def cut_transfers_resume():
    with hub_of(weights("cut", times=6, after=150_000)) as hub, Place(hub) as place:
        place.fetch()
        place.check()
        ranges = [r[3].get("range") for r in hub.seen("files", "GET")]
        assert len(ranges) == 7 and ranges[0] is None, ranges
        begins = [int(r.removeprefix("bytes=").removesuffix("-")) for r in ranges[1:]]
        assert begins == sorted(set(begins)) and 0 < begins[0] <= 150_000, begins


@case
def a_server_without_ranges():
    with hub_of(weights("cut", times=1, after=150_000), weights("no ranges")) as hub, \
            Place(hub) as place:
        place.fetch()
        place.check()


@case
def a_server_that_never_gets_further():
    with hub_of(weights("cut, no ranges", after=150_000)) as hub, Place(hub) as place:
        place.fetch(expect=1, says=["[network_failed]", "4 times"])
        place.is_unused()
        assert 4 <= len(hub.seen("files", "GET")) <= 6


@case
def a_killed_fetch_is_resumed_by_the_next():
    with hub_of(weights("slow", times=1, after=20_000, seconds=0.1)) as hub, Place(hub) as place:
        process = subprocess.Popen(place.command(), env=place.env, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        blobs = os.path.join(place.folder, "blobs")

        def part():
            return max((os.path.getsize(os.path.join(blobs, n)) for n in os.listdir(blobs)
                        if n.endswith(".incomplete")), default=0) if os.path.exists(blobs) else 0

        while part() < 100_000:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        left = part()
        assert [n for n in place.is_unused() if n.endswith(".incomplete")]
        place.fetch(says=["resuming model.safetensors"])
        place.check()
        assert hub.seen("files", "GET")[-1][3]["range"] == f"bytes={left}-"


@case
def wrong_bytes_are_fetched_once_more():
    with hub_of(weights("wrong bytes", times=1)) as hub, Place(hub) as place:
        place.fetch(says=["fetching it once more"])
        place.check()


@case
def wrong_bytes_are_refused():
    with hub_of(weights("wrong bytes")) as hub, Place(hub) as place:
        place.fetch(expect=1, says=["[file_damaged]", hashlib.sha256(WEIGHTS).hexdigest()])
        assert not [n for n in place.is_unused() if n.endswith(".incomplete")]
        assert len(hub.seen("files", "GET")) == 2


@case
def wrong_bytes_of_a_small_file_are_refused():
    with hub_of(Fault("wrong bytes", "config.json", host="hub")) as hub, Place(hub) as place:
        place.fetch(expect=1, says=["[file_damaged]", git_blob_id(FILES["config.json"])])
        assert place.is_unused() == []


@case
def a_slow_server_is_waited_for():
    with hub_of(weights("slow", after=200_000, seconds=0.5)) as hub, Place(hub) as place:
        place.fetch(HF_HUB_DOWNLOAD_TIMEOUT="2")
        place.check()


@case
def a_silent_server_is_not():
    with hub_of(Fault("silent", "config.json", "HEAD", "hub", seconds=3)) as hub, \
            Place(hub) as place:
        place.fetch(expect=1, says=["[network_failed]", "4 times"], HF_HUB_DOWNLOAD_TIMEOUT="1")
        assert not os.path.exists(place.cache)


@case
def silence_within_a_file():
    with hub_of(weights("silent", times=1, after=300_000, seconds=4)) as hub, Place(hub) as place:
        place.fetch(says=["trying again"], HF_HUB_DOWNLOAD_TIMEOUT="1")
        place.check()
        assert "range" in hub.seen("files", "GET")[-1][3]


@case
def offline_names_the_files():
    with hub_of() as hub, Place(hub) as place:
        text = place.fetch(expect=1, says=["[network_failed]", "HF_HUB_OFFLINE", place.cache],
                           HF_HUB_OFFLINE="1")
        for name in FILES:
            assert f"{hub.endpoint}/{MODEL}/resolve/main/{name}" in text, text
        assert not hub.requests


@case
def no_network_names_the_files():
    with hub_of() as hub:
        closed = hub.endpoint
    with Place() as place:
        begin = time.monotonic()
        place.fetch(expect=1, says=["[network_failed]", "dfine-weights fetch", place.cache,
                                    f"{closed}/{MODEL}/resolve/main/model.safetensors"],
                    HF_ENDPOINT=closed)
        assert time.monotonic() - begin < 10


@case
def html_in_place_of_json():
    files = {**FILES, "config.json": b"<!doctype html><html></html>"}
    with hub_of(files=files) as hub, Place(hub) as place:
        place.fetch(expect=1, says=["[format_invalid]", "config.json", "HTML"])
        place.is_unused()
        assert not hub.seen("files", "GET")
        # A login page, whatever one asks for.
        hub.faults = [Fault("status", "", "HEAD", "hub", status=200, body=b"<html>")]
        place.fetch("org/other", expect=1, says=["[network_failed]", "login page"])


@case
def other_repositories():
    for files, says in (
            ({"config.json": small_config(), "pytorch_model.bin": b"x"}, ["no model.safetensors"]),
            ({"model.safetensors": b"x"}, ["no config.json"]),
            ({**FILES, "config.json": b'{"model_type": "rt_detr"}'}, ["rt_detr"]),
            ({**FILES, "config.json": b"{}"}, ["model_type"])):
        with hub_of(files=files) as hub, Place(hub) as place:
            place.fetch(expect=1, says=["[weights_unsupported]", *says])
            place.is_unused()
            assert not hub.seen("files", "GET")


@case
def a_hostile_server():
    for fields in ({"X-Linked-Etag": '"../../../escaped"'}, {"X-Linked-Etag": ""},
                   {"X-Repo-Commit": "../.."}, {"X-Linked-Size": "-1"}):
        fault = Fault("fields", "model.safetensors", "HEAD", "hub", fields=fields)
        with hub_of(fault) as hub, Place(hub) as place:
            place.fetch(expect=1, says=["[network_failed]"])
            assert not os.path.exists(place.cache), fields
    # More bytes than announced.
    fault = Fault("fields", "model.safetensors", "HEAD", "hub", fields={"X-Linked-Size": "1000"})
    with hub_of(fault) as hub, Place(hub) as place:
        place.fetch(expect=1, says=["[file_damaged]", "1000"])
        place.is_unused()


@case
def redirects():
    def to(location, method="GET"):
        return Fault("status", "model.safetensors", method, "hub", status=302,
                     fields={"Location": location})
    with hub_of(to("http://example.org/model.safetensors")) as hub, Place(hub) as place:
        place.fetch(expect=1, says=["[network_failed]", "not https://"])
        place.is_unused()
    with hub_of(to(f"/{MODEL}/resolve/main/model.safetensors")) as hub, Place(hub) as place:
        place.fetch(expect=1, says=["[network_failed]", "in circles"])
        place.is_unused()


@case
def plain_http_is_for_this_machine():
    with Place() as place:
        for endpoint in ("http://example.org", "ftp://127.0.0.1", "https://a:b@127.0.0.1"):
            text = place.fetch(expect=2, says=["[usage]", "HF_ENDPOINT"], HF_ENDPOINT=endpoint)
            assert "a:b" not in text


@case
def proxies():
    with Hub({}) as proxy, Place() as place:
        place.fetch(expect=1, says=["[network_failed]", "403"], HF_TOKEN=TOKEN,
                    HF_ENDPOINT="https://hub.invalid", HTTPS_PROXY=proxy.endpoint)
        assert {r[1:3] for r in proxy.requests} == {("CONNECT", "hub.invalid:443")}
        assert not any("authorization" in r[3] for r in proxy.requests)


@case
def https_with_certificates():
    if shutil.which("openssl") is None:
        print("without openssl: https is not tested")
        return
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = os.path.join(folder, "key"), os.path.join(folder, "certificate")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        with hub_of(tls=tls) as hub, Place(hub) as place:
            place.fetch(expect=1, says=["[network_failed]", "certificate"])
            assert not hub.requests
            place.fetch(SSL_CERT_FILE=certificate)
            place.check()


@case
def many_at_a_time_fetch_once():
    with hub_of(weights("slow", after=100_000, seconds=0.1)) as hub, Place(hub) as place:
        running = [subprocess.Popen(place.command(), env=place.env, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                   for _ in range(4)]
        texts = [process.communicate(timeout=60)[0] for process in running]
        assert [process.returncode for process in running] == [0] * 4, texts
        assert any("waiting for" in text for text in texts), texts
        assert len(hub.seen("files", "GET")) == 1
        place.check()


@case
def where_the_cache_is():
    with hub_of() as hub, Place(hub) as place:
        for env, cache in (({"HF_HOME": "/a"}, "a/hub"), ({"HF_HUB_CACHE": "/b"}, "b"),
                           ({"XDG_CACHE_HOME": "/c"}, "c/huggingface/hub"),
                           ({"HF_HOME": "/a", "HF_HUB_CACHE": "/d"}, "d")):
            place.cache = os.path.join(place.path, cache)
            place.folder = os.path.join(place.cache, "models--org--model")
            place.fetch(**{k: place.path + v for k, v in env.items()})
            place.check()


@case
def a_cache_that_cannot_be_written():
    with hub_of() as hub, Place(hub) as place:
        in_the_way = os.path.join(place.path, "file")
        open(in_the_way, "w").close()
        place.fetch(expect=1, says=["[file_exists]", in_the_way, "HF_HOME"], HF_HOME=in_the_way)
        place.fetch(expect=1, says=["[write_failed]", "ulimit", "HF_HOME"],
                    prefix=("prlimit", "--fsize=500000"))
        place.is_unused()
        place.fetch()
        place.check()


@case
def a_full_and_a_read_only_disk():
    with hub_of() as hub, Place(hub) as place:
        disk = os.path.join(place.path, "disk")
        os.mkdir(disk)
        mount = f"mount -t tmpfs -o size=600k none {disk}"
        inside = ("unshare", "--map-root-user", "--mount", "sh", "-ec")
        if subprocess.run([*inside, mount], capture_output=True).returncode != 0:
            print("without user namespaces: full and read-only disks are not tested")
            return
        left = os.path.join(place.path, "left")
        for options, code in ((mount, "[disk_full]"),
                              (f"{mount}; mount -o remount,ro {disk}", "[write_failed]")):
            script = f'{options}; "$@" || rc=$?; find {disk} > {left}; exit $rc'
            place.fetch(expect=1, says=[code, "HF_HOME"], HF_HOME=disk,
                        prefix=(*inside, script, "sh"))
            with open(left) as f:
                names = f.read()
            assert "incomplete" not in names and "snapshots" not in names, names


def main():
    only = sys.argv[1:]
    chosen = [c for c in CASES if not only or c.__name__ in only]
    failed = []
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for c, result in [(c, pool.submit(c)) for c in chosen]:
            try:
                result.result()
            except Exception as e:  # every case has its say
                failed.append(c.__name__)
                print(f"{c.__name__}: {type(e).__name__}: {e}", file=sys.stderr)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")
    print(f"all {len(chosen)} passed")


main()
