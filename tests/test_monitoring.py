"""What `deploy/monitoring` has for Prometheus and Grafana, held to the figures that are really served."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from churn.model import registry
from churn.model.registry import ServedModel
from churn.web.routes import ROUTES
from harness import postgres
from harness.servers import PROJECT, bentoml_serve, environment, home_beside
from tests.support.company import EXAMPLE
from tests.support.compose import COMPOSE, DEPLOY, make_secrets, settings_of
from tests.test_drift import ENOUGH, people

MONITORING = DEPLOY / "monitoring"


@dataclass(frozen=True)
class Scraped:
    """What Prometheus gets of the service: the labels of each series, by name; and what a stranger gets."""

    labels: dict[str, set[str]]
    stranger: int


@pytest.fixture(scope="module")
def scraped(model: ServedModel, postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Scraped:
    """Migrate, serve, issue Prometheus' token and scrape, with the settings and secrets of compose."""
    home = home_beside(registry.home(), tmp_path_factory.mktemp("scraped"))
    with postgres.database(postgresql) as url:
        secrets = make_secrets(home.parent)
        (secrets / "database_url").write_text(f"{url}\n", encoding="utf-8")

        def of(service: str) -> dict[str, str]:
            settings = settings_of(service, secrets)
            return environment(BENTOML_HOME=str(home), CHURN_MODEL=model.tag, **settings)

        churn = [sys.executable, "-m", "churn.cli.main"]
        migrate = [*churn, *COMPOSE["services"]["migrate"]["command"]]
        subprocess.run(migrate, env=of("migrate"), cwd=PROJECT, check=True, capture_output=True)
        issue = [*churn, "token", "issue", "prometheus", "--scopes", "metrics", "--expires", "1y"]
        issued = subprocess.run(
            issue, env=of("service"), cwd=PROJECT, check=True, capture_output=True, text=True
        )
        with bentoml_serve(of("service")) as server, httpx.Client(base_url=server.url) as client:
            owner = (secrets / "api_token").read_text(encoding="utf-8").strip()
            predicted = client.post("/predict", json=EXAMPLE, headers={"Authorization": f"Bearer {owner}"})
            assert predicted.status_code == 200
            own = {"Authorization": f"Bearer {owner}"}
            many = client.post("/predict_batch", json=people(ENOUGH), headers=own, timeout=60)
            assert many.status_code == 200
            for look in ("/drift", "/performance", "/oversight"):
                assert client.get(look, headers=own).status_code == 200
            # As from another machine.
            elsewhere = {"Via": "1.1 tests"}
            stranger = client.get("/metrics", headers=elsewhere).status_code
            bearer = {"Authorization": f"Bearer {issued.stdout.strip()}"}
            metrics = client.get("/metrics", headers={**elsewhere, **bearer})
            assert metrics.status_code == 200
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(metrics.text):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    return Scraped(labels, stranger)


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard_queries() -> list[str]:
    dashboard = json.loads((MONITORING / "grafana" / "churn.json").read_text(encoding="utf-8"))
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_a_stranger_sees_no_figures(scraped: Scraped) -> None:
    assert scraped.stranger == 401


@pytest.mark.parametrize(
    "query", [*(rule["expr"] for rule in rules()), *dashboard_queries()], ids=lambda query: query[:60]
)
def test_alerts_and_dashboard_ask_for_what_is_served(query: str, scraped: Scraped) -> None:
    asked = re.findall(r"\b((?:churn_\w+|up))\b(?:\{([^}]*)\})?", query)
    assert asked
    for name, matchers in asked:
        known = scraped.labels[name] if name != "up" else {"job"}
        for label, value in re.findall(r'(\w+)\s*=~?\s*"([^"]*)"', matchers):
            assert label in known | {"instance"}, (name, label)  # which Prometheus adds
            if label == "route":
                assert all(ROUTES[path].path == path for path in value.split("|"))
    [grouped] = [re.findall(r"\bby \(([^)]*)\)", query)]
    served = {label for name, _ in asked if name != "up" for label in scraped.labels[name]}
    assert {label.strip() for group in grouped for label in group.split(",")} <= served | {"instance"}


def test_each_figure_of_ours_is_on_the_dashboard(scraped: Scraped) -> None:
    text = "\n".join(dashboard_queries())
    for name in scraped.labels:
        if name.startswith("churn_") and not name.endswith(("_created", "_count", "_sum")):
            assert name in text, name


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        assert not os.environ.get("CI"), "CI has to install promtool"
        pytest.skip("no promtool on this machine: `make machine` installs it")
    return found


def test_each_alert_is_told_when_it_should_be_and_not_before(promtool: str) -> None:
    checks = (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"])
    for arguments in checks:
        ran = subprocess.run([promtool, *arguments], cwd=MONITORING, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    tests = (MONITORING / "alerts_test.yml").read_text(encoding="utf-8")
    for rule in rules():
        assert f'alertname="{rule["alert"]}"' in tests
        assert rule["annotations"].keys() == {"summary", "action"}


def test_prometheus_takes_its_configuration_and_the_queries_of_the_dashboard(
    promtool: str, tmp_path: Path
) -> None:
    config = (MONITORING / "prometheus.yml").read_text(encoding="utf-8")
    shutil.copy(MONITORING / "alerts.yml", tmp_path)
    (tmp_path / "token").touch()
    (tmp_path / "prometheus.yml").write_text(
        config.replace("/run/secrets/metrics_token", "token"), encoding="utf-8"
    )
    queries = [
        query.replace("$__rate_interval", "5m").replace("$instance", ".*") for query in dashboard_queries()
    ]
    recorded = [{"record": f"q{number}", "expr": query} for number, query in enumerate(queries)]
    group = {"groups": [{"name": "dashboard", "rules": recorded}]}
    (tmp_path / "dashboard.yml").write_text(yaml.safe_dump(group), encoding="utf-8")
    for arguments in (["check", "config", "prometheus.yml"], ["check", "rules", "dashboard.yml"]):
        ran = subprocess.run([promtool, *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
