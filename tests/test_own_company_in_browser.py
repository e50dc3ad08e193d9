"""The pages of another company, in its words: a real browser, two workers, and its journal on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import bentoml
import httpx2
import pandas as pd
import pytest
from playwright.sync_api import Browser
from sqlalchemy import select

from churn.cli.train import export_model
from churn.database.engine import opened
from churn.database.tables import employee_inputs, prediction_results
from churn.dictionary import dictionary_file
from churn.dictionary.dictionary import Dictionary
from churn.ingest import labelled
from churn.model import registry
from churn.model.registry import ServedModel
from churn.records.integrity import verify
from harness import postgres
from harness.identities import a_token, bearer
from tests.support.browser import Visit, browser
from tests.support.crew import employees, write_dictionary
from tests.support.jobs import csv_of
from tests.support.plans import QUICK, train_quickly
from tests.support.site import Site, serving

__all__ = ["browser"]  # a fixture
