"""What `deploy/` has for servers: compose and Kubernetes, where secrets are files and nobody may much."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from churn.core.secret_files import NAMES
from churn.core.settings import Settings
from churn.web.routes import ROUTES
from harness.servers import PROJECT
from tests.support.compose import COMPOSE, DEPLOY, SECRET, make_secrets

OVERLAYS = ("trial", "production")
OURS = ("migrate", "service")  # of compose's services, those that read our settings
SETTINGS = {str(field.validation_alias or name).upper() for name, field in Settings.model_fields.items()}


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
    return make_secrets(tmp_path_factory.mktemp("server"))


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
        assert "cap_add" not in service, name
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
