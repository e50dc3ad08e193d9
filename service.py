"""The Service by its short name, for `bentoml serve service:Churn`; it is made in `churn/service.py`."""

from churn.service import Churn

__all__ = ["Churn"]
