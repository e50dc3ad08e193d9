#!/usr/bin/env bash
# BentoML 1.4.39 (PyPI), `bentoml serve` with two workers, with and without BENTOML_CONTAINERIZED, which the Dockerfile
# that BentoML writes sets.
#
# Guess before running: a worker that dies is replaced, in a container as elsewhere, or the container ends with it.
# Seen: elsewhere it is replaced within seconds. With the variable, a service of two workers goes on with one for as
# long as it was watched, 30 seconds; /readyz answers 200 all the while, and nothing is logged. The supervisor is made
# with respawn off (bentoml/serving.py, create_watcher).
# What it means: in BentoML's containers, capacity goes down with every worker that dies, unseen by a health check of
# /readyz. Count the workers, or switch respawning on.
#
# Exit 0 while this is so, 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet bentoml==1.4.39 psutil
cat >"$folder/service.py" <<'PY'
import bentoml


@bentoml.service(workers=2)
class Small:
    @bentoml.api
    def one(self) -> int:
        return 1
PY

watch() { # PID PORT: kills a worker, and prints how many there are 30 seconds later, at most, and what /readyz says
  "$folder/venv/bin/python" - "$1" "$2" <<'PY'
import sys
import time
import urllib.request

import psutil

supervisor, address = psutil.Process(int(sys.argv[1])), f"http://127.0.0.1:{sys.argv[2]}/readyz"


def ready() -> bool:
    try:
        return urllib.request.urlopen(address, timeout=5).status == 200
    except OSError:
        return False


def workers() -> list[psutil.Process]:
    return [child for child in supervisor.children() if child.status() != psutil.STATUS_ZOMBIE]


while not ready() or len(workers()) < 2:
    time.sleep(0.2)
victim = workers()[0]
victim.kill()
end = time.monotonic() + 30
while time.monotonic() < end and not (len(workers()) == 2 and victim not in workers()):
    time.sleep(0.2)
print(len(workers()), "ready" if ready() else "not ready")
PY
}

cd "$folder"
port=$("$folder/venv/bin/python" -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
for contained in "" true; do
  env ${contained:+BENTOML_CONTAINERIZED=true} BENTOML_HOME="$folder/home" BENTOML_DO_NOT_TRACK=True \
    "$folder/venv/bin/bentoml" serve service:Small --host 127.0.0.1 --port "$port" >"$folder/log" 2>&1 &
  server=$!
  seen=$(watch "$server" "$port")
  echo "contained: ${contained:-no}; workers half a minute after one was killed: $seen"
  kill "$server" && wait "$server" || true
  server=""
  [ "$seen" = "$([ -z "$contained" ] && echo 2 || echo 1) ready" ] || exit 1
done
