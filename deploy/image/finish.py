"""Finish the image's environment while it is built: our command, and the bytecode of all that it loads.

`python finish.py BENTO`, run by the Python of that environment; BENTO is the folder of an unpacked Bento.
PYTHONPYCACHEPREFIX names the folder of the bytecode, also of Python's own library.
"""

import os
import py_compile
import secrets
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from urllib.request import urlopen

UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH
PATIENCE = 120  # seconds until it must be ready

COMMAND = """#!{python}
from churn.cli.main import main

main()
"""


def add_command(packages: Path, source: Path) -> None:
    """Have the environment find our package, and give it the command `churn`."""
    (packages / "churn.pth").write_text(f"{source}\n", encoding="utf-8")
    command = Path(sys.executable).with_name("churn")
    command.write_text(COMMAND.format(python=sys.executable), encoding="utf-8")
    command.chmod(0o755)


# All of ours that is there: a Bento leaves modules out, and an image without an extra packages.
IMPORT_OURS = """
import importlib, pkgutil, churn
from churn.core import extras

for module in pkgutil.walk_packages(churn.__path__, "churn."):
    try:
        if ".migrations." not in module.name:  # which only Alembic can import
            importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        if extras.advice(error) is None:
            raise
"""


def load_all() -> None:
    """Import all of ours, and serve until it is ready: Python keeps the bytecode of all that is loaded.

    Raises:
        SystemExit: it does not get ready.
    """
    subprocess.run([sys.executable, "-c", IMPORT_OURS], check=True)
    env = {**os.environ, "API_TOKEN": secrets.token_urlsafe()}
    with subprocess.Popen([Path(sys.executable).with_name("churn"), "serve"], env=env) as service:
        deadline = time.monotonic() + PATIENCE
        while not is_ready():
            if service.poll() is not None or time.monotonic() > deadline:
                service.kill()
                raise SystemExit("finish: the service does not get ready")
            time.sleep(0.2)
        service.terminate()


def is_ready() -> bool:
    """Return whether the service can predict."""
    try:
        with urlopen("http://127.0.0.1:3000/readyz", timeout=PATIENCE):
            return True
    except OSError:
        return False


def fix_bytecode(folder: Path) -> None:
    """Have the bytecode never compared with its source, which cannot change, and be the same each time."""
    for compiled in sorted(folder.rglob("*.pyc")):
        name = compiled.name.partition(".")[0]
        source = Path("/", compiled.relative_to(folder)).with_name(f"{name}.py")
        py_compile.compile(str(source), str(compiled), doraise=True, invalidation_mode=UNCHECKED)


if __name__ == "__main__":
    installed, ours = Path(sysconfig.get_path("purelib")), Path(sys.argv[1], "src").absolute()
    add_command(installed, ours)
    load_all()
    fix_bytecode(Path(os.environ["PYTHONPYCACHEPREFIX"]))
