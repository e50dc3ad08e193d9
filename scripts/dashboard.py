"""Write Grafana's dashboard, `deploy/monitoring/grafana/churn.json`: `make house`.

With --check, write nothing, and fail where it is old. Grafana reads the file at its start.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

FILE = Path(__file__).parents[1] / "deploy" / "monitoring" / "grafana" / "churn.json"
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
WIDTH = 24  # of the dashboard, in Grafana's columns
ONE = '{instance=~"$instance"}'

Query = tuple[str, str]  # PromQL, and what the line is called


@dataclass(frozen=True)
class Panel:
    """A panel: some queries, and how they are shown. `steps` are the colours of a single number."""

    title: str
    about: str
    queries: Sequence[Query]
    unit: str = "short"
    width: int = 12
    height: int = 8
    bounds: dict[str, float] = field(default_factory=lambda: {"min": 0})
    steps: Sequence[tuple[str, float | None]] = ()
    states: Sequence[str] = ()  # texts for 0, 1, …

    @property
    def type(self) -> Literal["stat", "timeseries"]:
        """The kind of panel, as Grafana calls it."""
        return "stat" if self.steps else "timeseries"

    def document(self, number: int, x: int, y: int) -> dict[str, Any]:
        """Return the panel as Grafana reads it."""
        defaults: dict[str, Any] = {"unit": self.unit, **self.bounds}
        if self.states:
            options = {str(value): {"text": text} for value, text in enumerate(self.states)}
            defaults["mappings"] = [{"type": "value", "options": options}]
        if self.steps:
            steps = [{"color": color, "value": value} for color, value in self.steps]
            defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        document = {
            "id": number,
            "title": self.title,
            "description": self.about,
            "type": self.type,
            "datasource": PROMETHEUS,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "targets": [
                {
                    "refId": chr(ord("A") + place),
                    "datasource": PROMETHEUS,
                    "expr": query,
                    "legendFormat": name,
                }
                for place, (query, name) in enumerate(self.queries)
            ],
        }
        if self.type == "stat":
            reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
            document["options"] = {
                "colorMode": "background",
                "graphMode": "none",
                "reduceOptions": reduced,
            }
        return document


def _stat(title: str, about: str, query: str, *steps: tuple[str, float | None], **more: Any) -> Panel:
    return Panel(title, about, [(query, "")], width=4, height=4, steps=steps, **more)


def _requests(labels: str = "", *, of: str = "total") -> str:
    matchers = ", ".join(filter(None, ('instance=~"$instance"', labels)))
    return f"churn_request{'s' if of == 'total' else ''}_{of}{{{matchers}}}[$__rate_interval]"


def _time(share: float, by: str, labels: str = "") -> str:
    rate = f"rate({_requests(labels, of='seconds_bucket')})"
    return f"histogram_quantile({share}, sum by ({by}) ({rate}))"


def _age(name: str) -> Query:
    return f"(time() - churn_{name}_looked_at_seconds{ONE}) / 86400", "days {{model}}"


_UP = {"states": ("away", "up")}
_RED_GREEN = (("red", None), ("green", 1.0))
_EXCESS = 'churn_performance_figure{instance=~"$instance", figure="excess"}'
_OTHERS = 'churn_performance_figure{instance=~"$instance", figure!="excess"}'

PANELS: Sequence[Panel] = (
    _stat(
        "Service",
        "Whether every instance answers Prometheus",
        'min(up{job="churn", instance=~"$instance"})',
        *_RED_GREEN,
        **_UP,
    ),
    _stat(
        "Database",
        "Whether it takes the journal's rows",
        f"min(churn_database_up{ONE})",
        *_RED_GREEN,
        **_UP,
    ),
    _stat(
        "Predictions a second",
        "Calls that were answered with scores",
        f"""sum(rate({_requests('route=~"/predict|/predict_batch|/what_if", status="200"')}))""",
        ("blue", None),
        unit="reqps",
    ),
    _stat(
        "Errors of the service",
        "Part of the calls that end in a 5xx",
        f"""(sum(rate({_requests('status=~"5.."')})) or vector(0)) / sum(rate({_requests()}))""",
        ("green", None),
        ("orange", 0.001),
        ("red", 0.01),
        unit="percentunit",
    ),
    _stat(
        "Calls in the spool",
        "Calls that wait on the disk for the database",
        f"sum(churn_spool_records{ONE})",
        ("green", None),
        ("orange", 1),
    ),
    _stat(
        "Set aside",
        "Spooled calls that could not be put into the database",
        f"sum(churn_spool_set_aside{ONE})",
        ("green", None),
        ("red", 1),
    ),
    Panel("Calls by status", "", [(f"sum by (status) (rate({_requests()}))", "{{status}}")], unit="reqps"),
    Panel("Calls by route", "", [(f"sum by (route) (rate({_requests()}))", "{{route}}")], unit="reqps"),
    Panel(
        "Time of one prediction",
        "POST /predict: so many are answered within",
        [
            (_time(0.5, "le", 'route="/predict"'), "half"),
            (_time(0.95, "le", 'route="/predict"'), "19 of 20"),
            (_time(0.99, "le", 'route="/predict"'), "99 of 100"),
        ],
        unit="s",
    ),
    Panel("Time by route, 19 of 20", "", [(_time(0.95, "le, route"), "{{route}}")], unit="s"),
    Panel("Rows that wait for their commit", "", [(f"churn_journal_waiting{ONE}", "{{instance}}")], width=8),
    Panel(
        "Oldest call in the spool",
        "",
        [(f"churn_spool_oldest_seconds{ONE}", "{{instance}}")],
        unit="s",
        width=8,
    ),
    Panel(
        "How full the spool is",
        "",
        [(f"churn_spool_bytes{ONE} / churn_spool_max_bytes{ONE}", "{{instance}}")],
        unit="percentunit",
        width=8,
        bounds={"min": 0, "max": 1},
    ),
    Panel(
        "Refused calls",
        "Wrong or missing credentials, a scope that is missing, too many calls",
        [(f"""sum by (status) (rate({_requests('status=~"401|403|429"')}))""", "{{status}}")],
        unit="reqps",
        width=16,
        height=6,
    ),
    Panel(
        "Workers",
        "Processes that serve",
        [(f"churn_workers{ONE}", "{{instance}}")],
        width=8,
        height=6,
    ),
    Panel(
        "Drift",
        "Since training, as of the last look at the last seven days",
        [
            (f"churn_drift_moved{ONE}", "moved {{model}}"),
            (f"churn_drift_log_odds_change{ONE}", "mean log-odds {{model}}"),
            (f"churn_drift_flagged_change{ONE}", "share flagged {{model}}"),
        ],
        width=8,
        height=7,
        bounds={},
    ),
    Panel(
        "Values that are unknown",
        "Share of each field's values, of the last look at the last seven days",
        [(f"churn_drift_unknown{ONE} > 0", "{{field}} {{model}}")],
        unit="percentunit",
        width=8,
        height=7,
    ),
    Panel(
        "What the drift is told from",
        "Employees of the last look, and its age in days",
        [(f"churn_drift_rows{ONE}", "employees {{model}}"), _age("drift")],
        width=8,
        height=7,
    ),
    Panel(
        "More left than predicted",
        "In shares, with the ends of the 95% interval: above 0, the model understates the risk",
        [(_EXCESS, "{{bound}} {{model}}")],
        unit="percentunit",
        width=8,
        height=7,
        bounds={},
    ),
    Panel(
        "How good predictions turned out",
        "ROC-AUC, recall, precision and the rest, with the ends of their 95% intervals",
        [(_OTHERS, "{{figure}} {{bound}} {{model}}")],
        width=8,
        height=7,
    ),
    Panel(
        "What outcomes are told from",
        "Predictions that are followed, leavers among them, and the age of the look in days",
        [
            (f"churn_performance_rows{ONE}", "followed {{model}}"),
            (f"churn_performance_leavers{ONE}", "leavers {{model}}"),
            _age("performance"),
        ],
        width=8,
        height=7,
    ),
    Panel(
        "What people say",
        "Predictions of the last 90 days, how many were reviewed and contested; the age of the look in days",
        [
            (f"churn_oversight_predictions{ONE}", "predictions {{model}}"),
            (f"churn_oversight_reviewed{ONE}", "reviewed {{model}}"),
            (f"churn_oversight_disagreed{ONE}", "contested {{model}}"),
            _age("oversight"),
        ],
        height=7,
    ),
    Panel(
        "Who was right",
        "Of reviewed predictions whose outcome is known, with the ends of the 95% interval",
        [(f"churn_oversight_right{ONE}", "{{who}} {{bound}} {{model}}")],
        unit="percentunit",
        width=6,
        height=7,
        bounds={"min": 0, "max": 1},
    ),
    Panel(
        "Oversight that is missing",
        "1 where nobody reviews, or nobody ever disagrees",
        [(f"churn_oversight_alarm{ONE}", "{{reason}} {{model}}")],
        width=6,
        height=7,
        bounds={"min": 0, "max": 1},
    ),
)


def dashboard() -> dict[str, Any]:
    """Return the dashboard: its panels from the left, and in rows as they fit."""
    documents, x, y = [], 0, 0
    for number, panel in enumerate(PANELS, 1):
        documents.append(panel.document(number, x, y))
        x += panel.width
        if x >= WIDTH:
            x, y = 0, y + panel.height
    instances = {"query": 'label_values(up{job="churn"}, instance)', "refId": "instances"}
    variable = {
        "name": "instance",
        "label": "instance",
        "type": "query",
        "datasource": PROMETHEUS,
        "query": instances,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }
    return {
        "uid": "churn",
        "title": "churn",
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "tags": ["churn"],
        "templating": {"list": [variable]},
        "panels": documents,
    }


def main() -> int:
    """Write the file, or say that it is old."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = json.dumps(dashboard(), indent=2) + "\n"
    if not parser.parse_args().check:
        FILE.write_text(text, encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != text:
        print(f"{FILE.name} is old: run `make house`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
