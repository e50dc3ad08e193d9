"""The extras: packages that only some commands need, so that a server goes without them."""

from collections.abc import Mapping

# The modules that each extra of pyproject.toml brings.
EXTRAS: Mapping[str, frozenset[str]] = {
    "train": frozenset({"fairlearn", "joblib", "matplotlib", "pandas", "scipy", "sklearn", "threadpoolctl"}),
    "ui": frozenset({"fastapi", "gradio"}),
    "deploy": frozenset({"httpx2", "huggingface_hub"}),
}


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
