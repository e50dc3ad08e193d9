"""Each patch of BentoML and uvicorn is needed, and fits; what fails here is to be looked at again."""

import asyncio
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import bentoml
import pytest
import uvicorn
from _bentoml_sdk.io_models import ensure_io_descriptor
from bentoml._internal.server.http import traffic
from bentoml._internal.utils import circus
from starlette.applications import Starlette
from starlette.types import ASGIApp

from churn import service
from churn.web import worker_marks
from churn.web.server import bentoml_patches, unneeded
from churn.web.server.protocol import BoundedProtocol
from churn.web.server.supervisor import LOOK, Supervisor
from churn.web.server.unneeded import CLIENT, PACKAGE, SERVING, TELEMETRY, TRACING, UNNEEDED
from harness.servers import PROJECT, environment
from tests.support.company import MODELS

PACKAGES = Path(bentoml.__file__).parents[1]


def source(module: str) -> str:
    return (PACKAGES / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """Answer nothing."""


def printed(code: str, **changes: str) -> str:
    """Return what a new process prints that runs some code."""
    command = [sys.executable, "-c", code]
    env = environment(**changes)
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


class TestImports:
    @pytest.mark.parametrize(
        ("module", "library"),
        [
            (f"{PACKAGE}.client", "httpx"),
            ("bentoml._internal.marshal.dispatcher", "numpy"),
            ("_bentoml_impl.server.proxy", "pyparsing"),
            (TELEMETRY, "httpx"),
        ],
    )
    def test_bentoml_would_import_a_library_by_what_is_left_out(self, module: str, library: str) -> None:
        assert module in (*UNNEEDED, TELEMETRY)
        assert re.search(rf"^(import|from) {library}\b", source(module), re.MULTILINE)

    def test_bentoml_would_import_circus_and_aiohttp_in_each_worker(self) -> None:
        assert "from .serving import serve_http" in source("_bentoml_impl.server.__init__")
        assert "from bentoml._internal.utils.circus import Server" in source(SERVING)
        assert "from ..client import RemoteProxy" in source("_bentoml_impl.server.app")
        assert "import aiohttp" in source(f"{CLIENT}.proxy2")

    def test_bentoml_would_import_all_of_it(self) -> None:
        ask = "import sys, _bentoml_sdk; import _bentoml_impl.server.app; print(*sys.modules)"
        assert set(UNNEEDED) - {"_bentoml_impl.server.proxy"} <= set(printed(ask).split())

    def test_the_service_imports_none_of_it(self) -> None:
        libraries = {"circus", "httpx", "numpy", "pyparsing", "rich"}
        # A worker: it does without what supervises it, too.
        as_worker = f"import os, sys; os.environ[{worker_marks.SUPERVISOR!r}] = str(os.getppid())"
        assert not libraries & set(printed(f"{as_worker}; import service; print(*sys.modules)").split())

    def test_what_is_called_all_the_same_says_why_it_is_not_there(self) -> None:
        ask = "import service; from bentoml._internal.cloud.client import RestApiClient; RestApiClient()"
        with pytest.raises(subprocess.CalledProcessError) as raised:
            printed(ask)
        assert "left this out of BentoML" in raised.value.stderr

    @pytest.mark.parametrize(
        ("options", "by"),
        [("", unneeded.__name__), ("tracing.exporter_type=in_memory", "opentelemetry.instrumentation.asgi")],
    )
    def test_calls_are_traced_where_that_is_configured(self, options: str, by: str) -> None:
        name = "OpenTelemetryMiddleware"
        assert f"from {TRACING} import {name}" in source("_bentoml_impl.server.app")
        ask = f"import service; from {TRACING} import {name}; print({name}.__module__)"
        assert printed(ask, BENTOML_CONFIG_OPTIONS=options) == by


class TestTelemetry:
    # `bentoml serve` has asked before it imports the service, and keeps the answer.
    ASK = f"from {TELEMETRY} import do_not_track as silent; print(silent()); import service; print(silent())"

    def test_bentomls_own_speaks_unless_the_service_is_there(self) -> None:
        assert printed(self.ASK, BENTOML_DO_NOT_TRACK="") == "False\nTrue"

    def test_it_speaks_where_somebody_wants_that(self) -> None:
        assert printed(self.ASK, BENTOML_DO_NOT_TRACK="False") == "False\nFalse"


class TestSupervisor:
    def test_bentomls_own_would_listen_on_ports(self) -> None:
        own = circus.create_standalone_arbiter([])
        assert own.endpoint.startswith("tcp://")
        assert own.pubsub_endpoint.startswith("tcp://")

    def test_bentoml_starts_its_workers_by_ours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # Made after the hook is called: what is put there takes effect.
        made = r"^    server_on_deployment\(svc\)$.*^        arbiter = create_standalone_arbiter\("
        assert re.search(made, source("_bentoml_impl.server.serving"), re.MULTILINE | re.DOTALL)
        for name in ("Arbiter", "ThreadedArbiter"):
            monkeypatch.setattr(circus, name, getattr(circus, name))
        bentoml_patches.supervise_by_ours(lambda: True)
        ours = circus.create_standalone_arbiter([], check_delay=5)
        assert isinstance(ours, Supervisor)
        assert (ours.endpoint.startswith("ipc://"), ours.check_delay) == (True, LOOK)

    def test_a_thread_that_supervises_is_made_after_the_checks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(circus, "Arbiter", circus.Arbiter)
        monkeypatch.setattr(circus, "ThreadedArbiter", circus.ThreadedArbiter)
        bentoml_patches.supervise_by_ours(lambda: sys.exit("churn: no"))
        with pytest.raises(SystemExit, match="churn: no"):
            circus.create_standalone_arbiter([], threaded=True)


class TestProtocol:
    def test_bentoml_leaves_it_to_uvicorn(self) -> None:
        [options] = re.findall(
            r"uvicorn\.Config\((.*?)\n    \)", source("_bentoml_impl.worker.service"), re.DOTALL
        )
        assert "http=" not in options

    def test_uvicorn_reads_http_by_ours(self) -> None:
        config = uvicorn.Config(nothing, log_config=None)
        config.load()
        assert config.http_protocol_class is BoundedProtocol


class TestTimeout:
    def test_bentomls_own_would_leave_a_timer_of_each_call(self) -> None:
        spec = importlib.util.find_spec(traffic.__name__)
        assert spec is not None
        assert spec.loader is not None
        fresh = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(fresh)

        async def send(message: Any) -> None:
            """Drop it."""

        async def answers(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start"})

        async def call() -> list[asyncio.TimerHandle]:
            await fresh.TimeoutMiddleware(answers, timeout=3600)({"type": "http"}, None, send)
            loop: Any = asyncio.get_running_loop()
            return [timer for timer in loop._scheduled if not timer.cancelled()]

        assert len(asyncio.run(call())) == 1

    def test_no_call_passes_it(self, app: ASGIApp) -> None:
        assert isinstance(app, Starlette)
        layers: list[Any] = [layer.cls for layer in app.user_middleware]
        assert bentoml_patches.without_timeout in layers
        assert "TimeoutMiddleware" not in [layer.__name__ for layer in layers]


class TestProxies:
    def test_uvicorn_would_believe_programs_of_this_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
        assert uvicorn.Config(nothing, log_config=None).forwarded_allow_ips == "127.0.0.1,::1"

    @pytest.mark.parametrize(
        ("configured", "believed"), [("", ""), ("10.0.0.7, 10.0.0.8", "10.0.0.7,10.0.0.8")]
    )
    def test_it_believes_those_that_are_configured(
        self, monkeypatch: pytest.MonkeyPatch, configured: str, believed: str
    ) -> None:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
        monkeypatch.setenv("CHURN_TRUSTED_PROXIES", configured)
        bentoml_patches.trust_only_configured()
        assert uvicorn.Config(nothing, log_config=None).forwarded_allow_ips == believed


class TestSchemas:
    def test_bentomls_own_has_no_aliases_in_what_its_clients_check(self) -> None:
        own: Any = ensure_io_descriptor(MODELS.employee)
        assert "annees_dans_l_entreprise" in own.model_json_schema()["properties"]
        assert "anciennete" not in own.model_json_schema()["properties"]

    def test_its_clients_are_told_no_properties(self) -> None:
        told = {name: api.schema()["input"] for name, api in service.service.apis.items()}
        assert told == {
            "predict": {"type": "object", "root_input": True},
            "predict_batch": {"type": "array", "root_input": True},
            "what_if": {"type": "object", "root_input": True},
        }
