"""The pages: what a browser loads at first, what a page costs the server, and what Gradio costs the others.

python -m benchmarks.bench_pages [--short]

Two services with one worker each are measured in turn, one with the Gradio page and one without; what
`/predict` answers, in pairs (`benchmarks.paired`). Each figure is a ratio within one run, or bytes. The last
line is one JSON object.
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
from rich.progress import Progress
from rich.table import Table

from benchmarks import load
from benchmarks.paired import Pair, measure_pairs, paired_figure
from benchmarks.serving import CHURN, SQLITE, Servers, Target
from benchmarks.throughput import measure
from churn.dictionary.technova import TECHNOVA
from harness.forms import sign_in, token_in
from harness.identities import PASSWORD
from harness.servers import WORKERS

USER = "marie"
PAGE = "/app/employee"
NAMES = ("with Gradio", "without")
# (full, short)
STARTS, PAIRS, ROUNDS, SECONDS = (4, 1), (6, 2), (3, 3), (0.5, 0.3)

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
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


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
    speeds: dict[int, list[list[Pair]]] = {1: [], 16: []}
    others: list[dict[str, float]] = []
    with Progress(console=Console(stderr=True)) as progress:
        for _ in progress.track(range(STARTS[short]), description="Starting and measuring"):
            with ExitStack() as stack:
                has, lacks = (stack.enter_context(_started(servers, has_gradio=has)) for has in (True, False))
                for started in (has, lacks):
                    sign_in(started.browser, USER)
                has.load_gradio()
                for clients, found in speeds.items():
                    both, spans = (has.target, lacks.target), SECONDS[short]
                    found.append(measure_pairs(both, NAMES, clients, pairs=PAIRS[short], seconds=spans))
                memory = has.memory() / lacks.memory()
                others.append({**_page(lacks, short=short), **_first_view(lacks), "memory": memory})
    figures = {name: statistics.median(one[name] for one in others) for name in others[0]}
    for clients, found in speeds.items():
        figure = paired_figure(found)
        figures |= {f"predict_{clients}": figure.ratio, f"predict_{clients}_error": figure.error}
    return figures


def _page(started: Started, *, short: bool) -> dict[str, float]:
    """Return how long a page with a prediction takes, in times of a prediction's."""
    targets = {"page": replace(started.target, message=_form(started)), "/predict": started.target}
    seconds = dict.fromkeys(targets, SECONDS[short])
    figures = measure(targets, [(name, 1) for name in targets], rounds=ROUNDS[short], seconds=seconds)
    return {"page_over_predict": figures["page", 1].p50_ms / figures["/predict", 1].p50_ms}


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
        value, error, is_least = figures[name], figures.get(f"{name}_error"), name in AT_LEAST
        shown = f"{value:.3g}" if error is None else f"{value:.3f} ± {error:.3f}"
        table.add_row(text, shown, f"{'≥' if is_least else '≤'} {bar:g}", _verdict(name, figures))
    Console(width=110).print(table)


def _verdict(name: str, figures: Mapping[str, float]) -> str:
    """Return whether a bar is met; what is within two errors of it is not missed, and not met either."""
    value, bar, is_least = figures[name], BARS[name][0], name in AT_LEAST
    if value >= bar if is_least else value <= bar:
        return "met"
    return "open" if abs(value - bar) <= 2 * figures.get(f"{name}_error", 0) else "MISSED"


if __name__ == "__main__":
    main()
