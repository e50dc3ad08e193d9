"""Finish an environment while the image is built: our command in, what nothing loads out, bytecode.

`python finish.py BENTO`, run by the Python of that environment; BENTO is the folder of an unpacked Bento.
"""

import pkgutil
import py_compile
import shutil
import subprocess
import sys
import sysconfig
from importlib import import_module
from pathlib import Path

# Of the packages, what nothing here loads: what compiles others, tests, pyarrow's clients of other services.
UNUSED = (
    "**/tests",
    "**/*.pyi", "**/*.pyx", "**/*.pxd", "**/*.pxi", "**/*.c", "**/*.h",
    "numpy/f2py", "numpy/**/*.a", "numpy/**/*_tests.*.so",
    # Languages that rich could colour, databases that nobody here uses.
    "pygments/lexers/[a-z]*.py", "pygments/lexers/_*_builtins.py",
    "sqlalchemy/testing", "sqlalchemy/dialects/m*sql", "sqlalchemy/dialects/oracle",
    "pyarrow/include", "pyarrow/src",
    "pyarrow/*flight*", "pyarrow/*_s3*", "pyarrow/*_gcsfs*", "pyarrow/*_azurefs*", "pyarrow/*_hdfs*",
    # Copies of what is linked to by its other name.
    "pyarrow/libarrow_*.so", "pyarrow/libarrow_*.so.*.*.*",
)  # fmt: skip

UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH

# What BentoML and uvicorn import by name, once they serve.
BY_NAME = (
    "_bentoml_impl.worker.service", "uvicorn.lifespan.on", "uvicorn.loops.uvloop", "uvloop",
    "uvicorn.protocols.http.httptools_impl", "psycopg2", "sqlalchemy.dialects.postgresql.psycopg2",
    "sqlalchemy.dialects.sqlite.pysqlite",
)  # fmt: skip


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


def remove(packages: Path) -> None:
    """Take out what nothing loads."""
    for pattern in UNUSED:
        for path in list(packages.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def strip(packages: Path) -> None:
    """Take the symbols out of the libraries, which only debuggers read."""
    libraries = [path for path in packages.rglob("*.so*") if path.is_file()]
    subprocess.run(["strip", "--strip-unneeded", *libraries], check=True)


def import_what_serves() -> None:
    """Import all of ours that is there, and what others import by name.

    A Bento leaves modules out, and an image without an extra packages. Only Alembic can import migrations.
    """
    extras, package = import_module("churn.core.extras"), import_module("churn")
    ours = (module.name for module in pkgutil.walk_packages(package.__path__, "churn."))
    for name in (*(name for name in ours if ".migrations." not in name), *BY_NAME):
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            if extras.advice(error) is None:
                raise


def compile_imported(packages: Path, source: Path) -> None:
    """Write the bytecode of all that serving imports: the image's folders are read-only when it runs.

    It is never compared with its source, which cannot change.
    """
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    imported = {file for file in files if file and file.endswith(".py") and file.startswith(str(packages))}
    for file in sorted({*imported, *map(str, source.rglob("*.py"))}):
        py_compile.compile(
            file, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    installed, ours = Path(sysconfig.get_path("purelib")), Path(sys.argv[1], "src").absolute()
    add_command(installed, ours)
    remove(installed)
    strip(installed)
    sys.path.insert(0, str(ours))
    import_what_serves()
    compile_imported(installed, ours)
