"""`churn train`: read, fit, evaluate, export."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from pandas import DataFrame
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from churn import domain, extracts, registry, training
from churn.sample import write_sample
from churn.settings import load

SAMPLE_ROWS = 1500
DEFAULT_SEED = 20260
