"""The pages: what a browser loads at first, what a page costs the server, and what Gradio costs the others.

python -m benchmarks.bench_pages [--short]

Two services with one worker each are measured in turn, one with the Gradio page and one without. Each figure
is a ratio within one run, or bytes. The last line is one JSON object.
"""

import argparse
import json
import re
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import load
from benchmarks.serving import CHURN, SQLITE, Servers, Target
from benchmarks.throughput import measure
from churn.dictionary.technova import TECHNOVA
from harness.forms import sign_in, token_in
from harness.identities import PASSWORD
from harness.servers import WORKERS

USER = "marie"
PAGE = "/app/employee"
WITH, WITHOUT = "with Gradio", "without"
# (full, short)
STARTS, ROUNDS, SECONDS = (3, 1), (8, 3), (1.0, 0.3)

# At most, but for the throughput: that is at least.
BARS: Mapping[str, tuple[float, str]] = {
    "first_view_kb": (100, "KB of the main page's first view"),
    "first_view_requests": (6, "requests of it"),
    "page_over_predict": (3, "time of a predicting page over /predict's"),
    "readiness": (1.1, "start with Gradio over without"),
    "memory": (1.9, "worker's memory with Gradio over without"),
    "livez_p99": (4, "/livez p99 while Gradio loads over without"),
    "predict_1": (0.97, "/predict a second with Gradio over without, 1 client"),
    "predict_16": (0.97, "the same, 16 clients"),
}
AT_LEAST = ("predict_1", "predict_16")


@dataclass(frozen=True, slots=True)
class Started:
    """A server, how many seconds it took to be ready, and a browser that is signed in."""

    target: Target
    seconds: float
    browser: httpx.Client

    def load_gradio(self) -> None:
        """Wait until Gradio's page is there."""
        self.browser.get("/ui/", timeout=120).raise_for_status()

    def memory(self) -> int:
        """Return the bytes of its worker."""
        children = psutil.Process(self.target.pid).children(recursive=True)
        [worker] = [child for child in children if WORKERS & set(child.cmdline())]
        resident: int = worker.memory_info().rss
        return resident


def main() -> None:
    """Measure, print a table and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="briefly, to see that it runs")
    short = parser.parse_args().short
    with ExitStack() as stack:
        servers = Servers(stack, None)
        figures = {
            **_starting(servers, STARTS[short]),
            **_running(servers, short=short),
        }
    _tell(figures)
    print(json.dumps({name: round(figures[name], 3) for name in BARS}))


@contextmanager
def _started(servers: Servers, *, has_gradio: bool) -> Iterator[Started]:
    with servers.stopped():
        database = servers.database(SQLITE)
        settings = {
            "CHURN_UI": str(has_gradio).lower(),
            "CHURN_USER_RATE": "0",  # any number
            "API_USERNAME": USER,
            "API_PASSWORD": PASSWORD,
        }
        began = time.perf_counter()
        target = servers.start(CHURN, "/predict", database, settings=settings)
        seconds = time.perf_counter() - began
        with httpx.Client(base_url=target.url, follow_redirects=True, timeout=120) as browser:
            yield Started(target, seconds, browser)


def _starting(servers: Servers, times: int) -> dict[str, float]:
    """Return what Gradio costs a service that starts: until it is ready, and while the page is drawn.

    Of the starts the quickest counts, of the answers of `/livez` the median of those times.
    """
    ready: dict[bool, list[float]] = {True: [], False: []}
    late: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(times):
        with _started(servers, has_gradio=True) as started:
            ready[True].append(started.seconds)
            loading = threading.Thread(target=_visit_gradio, args=(started,))
            seconds, p99 = _livez_until(started, loading)
            late[True].append(p99)
        with _started(servers, has_gradio=False) as started:
            ready[False].append(started.seconds)
            idle = load.run(started.target.url, _livez(started), clients=1, seconds=seconds, warm_up=0.0)
            late[False].append(idle.percentile(0.99))
    return {
        "readiness": min(ready[True]) / min(ready[False]),
        "livez_p99": statistics.median(late[True]) / statistics.median(late[False]),
    }


def _visit_gradio(started: Started) -> None:
    sign_in(started.browser, USER)
    started.load_gradio()


def _livez(started: Started) -> bytes:
    return load.request(f"{started.target.url}/livez", b"", {}, "GET")


def _livez_until(started: Started, loading: threading.Thread) -> tuple[float, float]:
    """Return how long something took, and the p99 of `/livez` meanwhile."""
    began = time.perf_counter()
    loading.start()
    latencies: list[float] = []
    while loading.is_alive():
        latencies += load.run(
            started.target.url, _livez(started), clients=1, seconds=0.2, warm_up=0.0
        ).latencies
    seconds = time.perf_counter() - began
    return seconds, sorted(latencies)[int(0.99 * (len(latencies) - 1))]


def _running(servers: Servers, *, short: bool) -> dict[str, float]:
    """Return what is measured on servers that are up, with Gradio loaded in one."""
    with ExitStack() as stack:
        ours = {
            name: stack.enter_context(_started(servers, has_gradio=name == WITH)) for name in (WITH, WITHOUT)
        }
        for started in ours.values():
            sign_in(started.browser, USER)
        ours[WITH].load_gradio()
        targets = {name: started.target for name, started in ours.items()}
        page = replace(targets[WITHOUT], message=_form(ours[WITHOUT]))
        targets["page"] = page
        places = [(name, clients) for clients in (1, 16) for name in (WITH, WITHOUT)] + [("page", 1)]
        seconds = dict.fromkeys(targets, SECONDS[short])
        figures = measure(targets, places, rounds=ROUNDS[short], seconds=seconds)
        ratios = {
            f"predict_{clients}": figures[WITH, clients].per_second / figures[WITHOUT, clients].per_second
            for clients in (1, 16)
        }
        return {
            **ratios,
            **_first_view(ours[WITHOUT]),
            "page_over_predict": figures["page", 1].p50_ms / figures[WITHOUT, 1].p50_ms,
            "memory": ours[WITH].memory() / ours[WITHOUT].memory(),
        }


def _form(started: Started) -> bytes:
    """Return the form of one employee, as a browser sends it."""
    token = token_in(started.browser.get(PAGE).text)
    body = urlencode({"csrf": token, **TECHNOVA.example}).encode()
    cookies = "; ".join(f"{name}={value}" for name, value in started.browser.cookies.items())
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookies}
    return load.request(f"{started.target.url}{PAGE}", body, headers)


def _first_view(started: Started) -> dict[str, float]:
    """Return what a browser loads for the main page, with nothing in its cache."""
    page = started.browser.get(PAGE)
    addresses = re.findall(r'(?:src|href)="(\.\./assets/[^"]+)"', page.text)
    answers = [page, *(started.browser.get(page.url.join(address)) for address in addresses)]
    loaded = sum(answer.num_bytes_downloaded for answer in answers)
    return {"first_view_kb": loaded / 1000, "first_view_requests": len(answers)}


def _tell(figures: Mapping[str, float]) -> None:
    table = Table(title="The pages, and what Gradio costs")
    for heading in ("", "figure", "bar", ""):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, (bar, text) in BARS.items():
        value, is_least = figures[name], name in AT_LEAST
        is_met = value >= bar if is_least else value <= bar
        table.add_row(
            text, f"{value:.2f}", f"{'≥' if is_least else '≤'} {bar:g}", "met" if is_met else "MISSED"
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
