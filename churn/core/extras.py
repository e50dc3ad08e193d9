"""The extras: packages that only some commands need, so that a server goes without them."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

# The modules that each extra of pyproject.toml brings.
EXTRAS: Mapping[str, frozenset[str]] = {
    "train": frozenset({"fairlearn", "joblib", "matplotlib", "pandas", "scipy", "sklearn", "threadpoolctl"}),
    "ui": frozenset({"fastapi", "gradio"}),
    "deploy": frozenset({"httpx2", "huggingface_hub"}),
}

# Where an image has Gradio's page, which was drawn when it was built, and goes without Gradio.
DRAWN = Path(__file__).parents[1] / "ui" / "drawn"


def has_gradio_page() -> bool:
    """Return whether Gradio's page can be shown: it is drawn already, or Gradio is here to do it."""
    return DRAWN.is_dir() or find_spec("gradio") is not None


def advice(error: ModuleNotFoundError) -> str | None:
    """Return in a sentence how to get a module that is missing, as an extra or from a Bento; else None."""
    module, _, rest = (error.name or "").partition(".")
    if module == "churn" and rest:
        return f"a Bento leaves churn.{rest} out: run this where churn[train] is installed, or in a checkout"
    for extra, modules in EXTRAS.items():
        if module in modules:
            return (
                f"this needs {module}, which is not installed here: "
                f"run `pip install 'churn[{extra}]'`, or `make install` in a checkout"
            )
    return None
