"""The server: what BentoML and uvicorn are told, and what reaches into them.

First of all, what this service does without is left out: each module here imports some of BentoML.
"""

from churn.web.server.unneeded import leave_out

leave_out()
