"""Make the packages of the image small while it is built: what nothing loads is taken out.

`python slim.py`, run by the Python of their environment.
"""

import shutil
import subprocess
import sysconfig
from pathlib import Path

# Of the packages, what nothing here loads: what compiles others, tests, pyarrow's clients of other services.
UNUSED = (
    "**/tests", "tornado/test", "sqlalchemy/testing", "alembic/testing",
    "**/*.pyi", "**/*.pyx", "**/*.pxd", "**/*.pxi", "**/*.c", "**/*.h",
    "numpy/f2py", "numpy/fft", "numpy/random", "numpy/**/*.a", "numpy/_core/_simd.*", "numpy/**/*_tests.*.so",
    # Languages that rich could colour, databases that nobody here uses, and objects in the place of rows.
    "pygments/lexers/[a-z]*.py", "pygments/lexers/_*_builtins.py",
    "sqlalchemy/dialects/m*sql", "sqlalchemy/dialects/oracle", "sqlalchemy/orm",
    "pyarrow/include", "pyarrow/src", "pyarrow/*flight*",
    "pyarrow/*_s3*", "pyarrow/*_gcsfs*", "pyarrow/*_azurefs*", "pyarrow/*_hdfs*",
    "pyarrow/_dataset*", "pyarrow/_acero*", "pyarrow/_substrait*", "pyarrow/_orc*", "pyarrow/_feather*",
    "pyarrow/_json*", "pyarrow/_pyarrow_cpp_tests*", "pyarrow/*parquet_encryption*",
    # Copies of what is linked to by its other name.
    "pyarrow/libarrow_*.so", "pyarrow/libarrow_*.so.*.*.*",
)  # fmt: skip


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


if __name__ == "__main__":
    installed = Path(sysconfig.get_path("purelib"))
    remove(installed)
    strip(installed)
