"""What draws the Gradio page, in a process that then ends: `python -m churn.ui.gradio_drawing`.

It has Gradio make the page once in each language. What happens on the page is not Gradio's any more: workers
answer the events.
"""

import os
import pickle
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio
from fastapi import FastAPI
from fastapi.testclient import TestClient

from churn.core.language import LANGUAGES, Language, Pair
from churn.dictionary.dictionary import Dictionary
from churn.ui.employee_form import EmployeeForm, FormField
from churn.ui.gradio_page import FILE, PATH, Drawing, files
from churn.web.endpoints.assets import asset_address

NICE = 5  # calls come first
_ADDRESS = "http://localhost"  # that the page is asked for under
_TITLE: Pair = ("# Le risque d'une personne", "# One person's risk")
_ESTIMATE: Pair = ("Estimer le risque", "Estimate the risk")
_COMPARE: Pair = ("Comparer avec la dernière estimation", "Compare with the last estimate")
_UNKNOWN: Pair = ("inconnu", "unknown")


def main() -> None:
    """Read a company's dictionary, and write the drawing; both are pickles."""
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    dictionary = pickle.load(sys.stdin.buffer)  # noqa: S301 - the worker's own
    pickle.dump(draw(dictionary), sys.stdout.buffer)


def save(dictionary: Dictionary, folder: Path) -> None:
    """Write the drawing to a new folder, with Gradio's files, so that Gradio need not be there any more."""
    drawing, gradios = draw(dictionary), files()
    for name in ("assets", "static"):
        shutil.copytree(gradios / name, folder / name)
    (folder / FILE).write_bytes(pickle.dumps(drawing))


def draw(dictionary: Dictionary) -> Drawing:
    """Return the page of a company's dictionary."""
    form = EmployeeForm(dictionary)
    pages, theme = {}, ""
    for language in LANGUAGES:
        with TestClient(_app(form, language), base_url=_ADDRESS) as client:
            pages[language] = _ours(client.get(f"{PATH}/").raise_for_status().text, language)
            theme = client.get(f"{PATH}/theme.css").raise_for_status().text
    return Drawing(pages, theme)


def _app(form: EmployeeForm, language: Language) -> FastAPI:
    app = FastAPI(openapi_url=None)
    gradio.mount_gradio_app(
        app,
        _blocks(form, language),
        PATH,
        root_path=PATH,
        head=f'<link rel="stylesheet" href="../{asset_address("risk.css")}">',
        theme=gradio.themes.Default(primary_hue="blue"),
        footer_links=[],
        pwa=False,
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
    )
    return app


def _blocks(form: EmployeeForm, language: Language) -> Any:
    """Return the page: the form beside the answer, and two events in the order that `GradioEvent` knows."""
    english = language == "en"
    with gradio.Blocks(title="churn", analytics_enabled=False) as blocks:
        gradio.Markdown(_TITLE[english])
        with gradio.Row():
            with gradio.Column():
                inputs = _inputs(form, language)
                estimate = gradio.Button(_ESTIMATE[english], variant="primary")
                compare = gradio.Button(_COMPARE[english])
            with gradio.Column():
                before = gradio.JSON(visible=False)
                answer = gradio.Markdown(sanitize_html=False)
        # Neither has a queue, so any worker answers.
        plain: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
        estimate.click(_answered_by_workers, inputs, [answer, before], **plain)
        compare.click(_answered_by_workers, [before, *inputs], [answer], **plain)
    return blocks


def _answered_by_workers(*_: object) -> None:
    """Stand for what Gradio would call."""


def _inputs(form: EmployeeForm, language: Language) -> Sequence[Any]:
    inputs = []
    for group in form.groups(language, {}, {}):
        with gradio.Accordion(group.title, open=group.is_open):
            inputs += [_input(field, language) for field in group.fields]
    return inputs


def _input(field: FormField, language: Language) -> Any:
    label = f"{field.label} ({field.unit})" if field.unit else field.label
    if not field.choices:
        return gradio.Textbox(label=label)
    none = "–" if field.is_required else _UNKNOWN[language == "en"]
    choices = [(none, ""), *((text, value) for value, text in field.choices)]
    return gradio.Dropdown(choices, value="", label=label)


def _ours(page: str, language: Language) -> str:
    """Return Gradio's page with what it asks of the host outside of its folder taken out.

    Where its service is it would take from the address that it was asked for under; the browser knows better.
    """
    page = page.replace(f'"{_ADDRESS}{PATH}"', r'document.baseURI.replace(/\/$/, "")')
    page = page.replace('"/manifest.json"', '"data:,"')
    page = page.replace("<head>", '<head><link rel="icon" href="data:,">', 1)
    return page.replace('lang="en"', f'lang="{language}"', 1)


if __name__ == "__main__":
    main()
