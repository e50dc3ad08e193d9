"""What `deploy/` has for servers: compose, Kubernetes, and Prometheus with its alerts and its dashboard."""

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

from churn.core.secret_files import NAMES
from churn.core.settings import Settings
from churn.model import registry
from churn.model.registry import ServedModel
from churn.web.routes import ROUTES
from harness import postgres
from harness.servers import PROJECT, bentoml_serve, environment, home_beside
from tests.support.company import EXAMPLE

DEPLOY = PROJECT / "deploy"
MONITORING = DEPLOY / "monitoring"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
OVERLAYS = ("trial", "production")
OURS = ("migrate", "service")  # of compose's services, those that read our settings
SECRET = "/run/secrets/"
SETTINGS = {alias for field in Settings.model_fields.values() if (alias := field.validation_alias)} | {
    name.upper() for name in Settings.model_fields
}


def defaults(environment_of_a_service: dict[str, str]) -> dict[str, str]:
    """Return variables as compose passes them on where nobody set the shell's own."""
    return {
        name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for name, value in environment_of_a_service.items()
    }


def rendered(overlay: str) -> list[dict[str, Any]]:
    """Return the objects of an overlay, as `kubectl apply -k` sends them."""
    kubectl = Path(sys.executable).with_name("kubectl")
    command = [str(kubectl), "kustomize", str(DEPLOY / "kubernetes" / "overlays" / overlay)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return list(yaml.safe_load_all(text))


@pytest.fixture(scope="module", params=OVERLAYS)
def objects(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return rendered(request.param)


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what the pods of each StatefulSet and Job are made from, by its name."""
    return {
        one["metadata"]["name"]: one["spec"]["template"]["spec"]
        for one in objects
        if one["kind"] in ("StatefulSet", "Job")
    }


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that `deploy/secrets.sh` has filled."""
    folder = tmp_path_factory.mktemp("server") / "secrets"
    subprocess.run(["sh", DEPLOY / "secrets.sh", folder], check=True, capture_output=True)
    return folder


def test_secrets_are_made_once_for_their_owner_alone(secrets: Path) -> None:
    assert secrets.stat().st_mode & 0o777 == 0o700
    made = {path.name: path.read_text(encoding="utf-8") for path in secrets.iterdir()}
    assert made.keys() == COMPOSE["secrets"].keys()
    texts = [text for name, text in made.items() if name not in ("metrics_token", "database_url")]
    assert len(set(texts)) == len(texts)
    assert all(re.fullmatch(r"[0-9a-f]{64}\n", text) for text in texts)
    said = subprocess.run(["sh", DEPLOY / "secrets.sh", secrets], check=True, capture_output=True, text=True)
    assert (said.stdout, said.stderr) == ("", "")
    assert {path.name: path.read_text(encoding="utf-8") for path in secrets.iterdir()} == made


def test_git_keeps_no_secret() -> None:
    ignored = ["git", "check-ignore", "--quiet", "deploy/secrets/api_token"]
    assert subprocess.run(ignored, cwd=PROJECT, check=False).returncode == 0


def test_compose_gives_secrets_as_files_and_only_settings_that_there_are() -> None:
    for name, service in COMPOSE["services"].items():
        for variable, value in service.get("environment", {}).items():
            if value.startswith(SECRET):
                assert value.removeprefix(SECRET) in service["secrets"], (name, variable)
            if name in OURS:
                assert variable.removesuffix("_FILE") in SETTINGS, variable
                check_is_no_secret(variable, value)
    for secret, source in COMPOSE["secrets"].items():
        assert source == {"file": f"./secrets/{secret}"}


def check_is_no_secret(variable: str, value: str) -> None:
    if variable.removesuffix("_FILE") in set(NAMES) - {"API_USERNAME"}:
        assert variable.endswith("_FILE"), variable
        assert value.startswith(SECRET)


def test_kubernetes_gives_secrets_as_files_and_only_settings_that_there_are(
    objects: list[dict[str, Any]], secrets: Path
) -> None:
    [settings] = [one["data"] for one in objects if one["kind"] == "ConfigMap"]
    assert settings.keys() <= SETTINGS
    assert not settings.keys() & (set(NAMES) - {"API_USERNAME"})
    assert not any(one["kind"] == "Secret" for one in objects)
    for name, pod in pods(objects).items():
        [container] = pod["containers"]
        [volume] = [one["secret"] for one in pod["volumes"] if one["name"] == "secrets"]
        files = {f"{SECRET}churn/{item['path']}" for item in volume["items"]}
        assert {item["key"] for item in volume["items"]} <= {path.name for path in secrets.iterdir()}
        for variable in container["env"]:
            assert "secretKeyRef" not in json.dumps(variable)
            if variable["value"].startswith(SECRET):
                assert variable["value"] in files
            if name.startswith("churn"):
                assert variable["name"].removesuffix("_FILE") in SETTINGS
                check_is_no_secret(variable["name"], variable["value"])


def test_compose_lets_no_container_do_more_than_it_needs() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("cap_add", []) == (["CHOWN"] if name == "volume" else []), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
    assert COMPOSE["networks"]["storage"]["internal"] is True
    assert COMPOSE["services"]["database"]["networks"] == ["storage"]


def test_kubernetes_lets_no_container_do_more_than_it_needs(objects: list[dict[str, Any]]) -> None:
    for name, pod in pods(objects).items():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["limits"]["memory"], name
    guarded = {
        one["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
        for one in objects
        if one["kind"] == "NetworkPolicy"
    }
    labelled = {
        one["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"]
        for one in objects
        if one["kind"] in ("StatefulSet", "Job")
    }
    assert guarded == labelled


def test_kubernetes_asks_routes_that_are_open(objects: list[dict[str, Any]]) -> None:
    [container] = pods(objects)["churn"]["containers"]
    probes = {key: value["httpGet"]["path"] for key, value in container.items() if key.endswith("Probe")}
    assert probes == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    assert all(ROUTES[path].is_open for path in probes.values())


def test_in_production_it_may_lose_a_machine_and_grow() -> None:
    by_kind = {one["kind"]: one for one in rendered("production")}
    assert by_kind["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    assert by_kind["HorizontalPodAutoscaler"]["spec"]["minReplicas"] >= 2
    # What the autoscaler has decided is not undone by the next change.
    assert "replicas" not in by_kind["StatefulSet"]["spec"]
    assert by_kind["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["kind"] == "StatefulSet"


def test_both_run_the_same_commands() -> None:
    assert COMPOSE["services"]["migrate"]["command"] == ["db", "upgrade"]
    [job] = pods(rendered("production"))["churn-migrate"]["containers"]
    assert job["args"] == COMPOSE["services"]["migrate"]["command"]


@dataclass(frozen=True)
class Scraped:
    """What Prometheus gets of the service: the labels of each series, by name; and what a stranger gets."""

    labels: dict[str, set[str]]
    stranger: int


@pytest.fixture(scope="module")
def scraped(
    model: ServedModel, postgresql: str, secrets: Path, tmp_path_factory: pytest.TempPathFactory
) -> Scraped:
    """Migrate, serve, issue Prometheus' token and scrape, with the settings and secrets of compose."""
    home = home_beside(registry.home(), tmp_path_factory.mktemp("scraped"))
    with postgres.database(postgresql) as url:
        given = shutil.copytree(secrets, home.parent / "secrets")
        (given / "database_url").write_text(f"{url}\n", encoding="utf-8")

        def of(service: str) -> dict[str, str]:
            variables = defaults(COMPOSE["services"][service]["environment"])
            files = {name: value.replace(SECRET, f"{given}/") for name, value in variables.items()}
            return environment(BENTOML_HOME=str(home), CHURN_MODEL=model.tag, **files)

        churn = [sys.executable, "-m", "churn.cli.main"]
        migrate = [*churn, *COMPOSE["services"]["migrate"]["command"]]
        subprocess.run(migrate, env=of("migrate"), cwd=PROJECT, check=True, capture_output=True)
        issue = [*churn, "token", "issue", "prometheus", "--scopes", "metrics", "--expires", "1y"]
        issued = subprocess.run(
            issue, env=of("service"), cwd=PROJECT, check=True, capture_output=True, text=True
        )
        with bentoml_serve(of("service")) as server, httpx.Client(base_url=server.url) as client:
            owner = (given / "api_token").read_text(encoding="utf-8").strip()
            predicted = client.post("/predict", json=EXAMPLE, headers={"Authorization": f"Bearer {owner}"})
            assert predicted.status_code == 200
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
