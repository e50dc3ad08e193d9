# One word per chore; README and CI use the same words. `make help` lists them.

# Empty is unset, from the environment as from the command line.
override PYTHON := $(or $(PYTHON),python3)
UV := .uv/bin/uv
RUN := $(UV) run --frozen --no-sync

override export UV_PYTHON_DOWNLOADS := $(or $(UV_PYTHON_DOWNLOADS),never)
override export BENTOML_HOME := $(or $(BENTOML_HOME),$(CURDIR)/.bentoml)
override export BENTOML_DO_NOT_TRACK := $(or $(BENTOML_DO_NOT_TRACK),True)

# Whatever the machine says: without bytecode every process compiles anew all that it imports, for seconds.
override export PYTHONDONTWRITEBYTECODE :=

MEASURED = python -m slipcover --dont-wrap-pytest --json --out .coverage.json -m
EXTRACTS = $(if $(DATA),--data '$(DATA)')$(if $(DICTIONARY), --dictionary '$(DICTIONARY)')$(if $(DECIMAL), --decimal '$(DECIMAL)')

.DEFAULT_GOAL := help
.PHONY: help uv assets install install-dev run test check lint house types format audit train report wheel bundle image rehearse rehearse-space space deploy screenshots lock bench-extracts bench-files bench-model bench-serve bench-beside bench-flood bench-history bench-pages bench-everyday bench-companies bench-monitoring crash-test fuzz machine coverage release release-notes push-image publish protect clean

help:  ## List these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

uv:
	@$(PYTHON) scripts/install_uv.py

assets:  ## Fetch the scripts of the API's documentation pages, where they are missing
	@$(PYTHON) scripts/fetch_assets.py

install:  ## Install what training and serving need into .venv
	@$(MAKE) --no-print-directory -j2 uv assets
	@$(UV) sync --quiet --frozen --no-dev --extra train --extra ui --extra deploy --inexact --python $(PYTHON)

# Tests start hundreds of processes, also where Python is told to write no bytecode.
install-dev: uv assets  ## Install what developing needs too
	@$(UV) sync --quiet --frozen --extra train --extra ui --extra deploy --compile-bytecode --python $(PYTHON)

run: install  ## Train a model, create the database, a first user and a token if they are missing, and serve (DATA=dir or file, DICTIONARY=file, DECIMAL=, PORT=3000)
	@exec .venv/bin/churn run $(EXTRACTS)

test: install-dev  ## Run all tests, on SQLite and PostgreSQL, and check the coverage (TESTS=files: only those, without coverage)
	$(RUN) $(if $(TESTS),,$(MEASURED)) pytest -n 3 --dist loadfile --no-loadscope-reorder --durations=15 $(TESTS)
	$(if $(TESTS),,$(RUN) python -m slipcover --merge .coverage.json --out .coverage.json --fail-under 90)

coverage: uv  ## Print the coverage that `make test` measured, by room
	@$(RUN) python scripts/coverage_summary.py

machine:  ## Install what tests need of a Debian or Ubuntu machine: PostgreSQL, PgBouncer, a browser, promtool
	@.ci/machine

check: lint types  ## Check style and types, and run the tests of what changed since main, in a minute (SINCE=branch)
	$(RUN) pytest -q -n 2 $$($(RUN) python -m scripts.changed $(or $(SINCE),main))

lint: install-dev  ## Check style, format, who imports whom, and what GitHub, compose and Kubernetes will read
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) lint-imports --no-logo --no-cache
	$(RUN) python -m scripts.draw --check
	$(RUN) python -m scripts.dashboard --check
	$(RUN) hadolint deploy/image/Dockerfile
	$(RUN) shellcheck .ci/bare .ci/machine .ci/run deploy/secrets.sh
	$(RUN) actionlint
	$(RUN) check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(RUN) check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(RUN) python scripts/audit.py workflows
	$(RUN) check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml
	@mkdir -p dist/kubernetes
	$(RUN) kubectl kustomize deploy/kubernetes/overlays/trial --output dist/kubernetes/trial.yaml
	$(RUN) kubectl kustomize deploy/kubernetes/overlays/production --output dist/kubernetes/production.yaml
	$(RUN) kubernetes-validate --strict --quiet dist/kubernetes/*.yaml

house: install-dev  ## Redraw what the docs show of the code: rooms, routes, tables; and write the dashboard
	$(RUN) python -m scripts.draw
	$(RUN) python -m scripts.dashboard

types: install-dev  ## Check types, strictly
	$(RUN) mypy churn service.py train_export.py harness tests benchmarks scripts deploy

format: install-dev  ## Fix style and format
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

audit: install-dev  ## Look for known vulnerabilities, licences, unsafe workflows and secrets (ONLINE=1: fail where advisories are out of reach)
	@$(RUN) python scripts/audit.py $(if $(ONLINE),--online)

train: install  ## Train and export a model (DATA=dir or file, DICTIONARY=file, DECIMAL=,; without, on the embedded sample)
	@$(RUN) churn train $(EXTRACTS)

report: install-dev  ## Train, compare with other kinds of models, and write report and model card to dist/report (DATA=, DICTIONARY=, DECIMAL=, as for `make train`)
	@$(RUN) churn train --challengers $(EXTRACTS) --out dist/report

wheel: install-dev  ## Build the package, with a model of the sample for first starts, into dist/
	@$(RUN) python scripts/build_wheel.py

bundle: install-dev  ## Build a Bento into dist/churn.tar.gz (MODEL=tag, or DATA=, DICTIONARY=, DECIMAL=, as for `make train`; without, with the model that serves)
	@$(RUN) python -m scripts.bundle $(if $(MODEL),--model '$(MODEL)') $(EXTRACTS)

image: bundle  ## Build the container image from the Bento of `make bundle`, with its SBOM (MODEL=, DATA= as there; UI=1: with Gradio; TAG=)
	@$(RUN) python -m scripts.image --tag '$(or $(TAG),churn:latest)' $(if $(UI),--ui)

rehearse: install-dev  ## Build the image and rehearse it: as a Space, as a server, upgraded, killed, restored (BESIDE=image or checkout; UI=1; SHORT=1; ENGINE=tool)
	@$(RUN) python -m scripts.rehearse $(if $(BESIDE),--beside '$(BESIDE)') $(if $(ENGINE),--engine '$(ENGINE)') $(if $(UI),--ui) $(if $(SHORT),--short)

rehearse-space: install-dev  ## Deploy a Space to a hub of our own, clone it from there, build and run it (ENGINE=tool)
	@$(RUN) python -m scripts.rehearse_space $(if $(ENGINE),--engine '$(ENGINE)')

space: bundle  ## Write the repository of a Hugging Face Space (OUT=dist/space; MODEL=, DATA= as for `make bundle`; UI=1: with Gradio)
	@$(RUN) python -m scripts.space --out '$(or $(OUT),dist/space)' $(if $(UI),--ui)

deploy: install  ## Put what `make space OUT=dist/space` wrote on a Hugging Face Space, or go back (SPACE=owner/name FROM=dist/space; HF_TOKEN, API_TOKEN)
	@$(RUN) churn deploy space '$(SPACE)' --from '$(or $(FROM),dist/space)'

screenshots: install-dev  ## Draw the pictures of the pages that README shows, from a service that runs
	$(RUN) python -m scripts.screenshots

lock: uv  ## Resolve the dependencies again: uv.lock, and requirements.txt for the Bento
	$(UV) lock
	$(UV) export --quiet --frozen --no-dev --no-emit-project --no-hashes --no-header --no-annotate -o requirements.txt

bench-extracts: install-dev  ## Measure how fast a million rows per extract are read, checked and joined
	$(RUN) python -m benchmarks.bench_extracts $(if $(SHORT),--short)

bench-files: install-dev  ## Measure reading workbooks, CSV and Parquet beside their libraries, and writing outputs (SHORT=1)
	$(RUN) python -m benchmarks.bench_files $(if $(SHORT),--short)

bench-model: install-dev  ## Measure scoring: one record, a million in memory, ten million in a file (DATA=dir; SHORT=1)
	$(RUN) python -m benchmarks.bench_model $(if $(DATA),--data '$(DATA)') $(if $(SHORT),--short)

bench-companies: install-dev  ## Measure the quality of models on other companies, beside boosting (PUBLIC=dir; SHORT=1)
	$(RUN) python -m benchmarks.bench_companies $(if $(PUBLIC),--public '$(PUBLIC)') $(if $(SHORT),--short)

bench-serve: install-dev  ## Measure the service beside an empty endpoint and the usual design (DATA=dir; SHORT=1)
	$(RUN) python -m benchmarks.bench_serve $(if $(DATA),--data '$(DATA)') $(if $(SHORT),--short)

bench-beside: install-dev  ## Measure the service beside that of another installed checkout (BESIDE=dir; DATA=dir; SHORT=1)
	$(RUN) python -m benchmarks.bench_beside '$(BESIDE)' $(if $(DATA),--data '$(DATA)') $(if $(SHORT),--short)

bench-flood: install-dev  ## Measure how a flood of wrong passwords slows other callers down (DATA=dir; SHORT=1)
	$(RUN) python -m benchmarks.bench_flood $(if $(DATA),--data '$(DATA)') $(if $(SHORT),--short)

bench-history: install-dev  ## Measure pages of the history at ten million predictions, on PostgreSQL (SHORT=1)
	$(RUN) python -m benchmarks.bench_history $(if $(SHORT),--short)

bench-pages: install-dev  ## Measure the pages: what a browser loads, and what Gradio costs a service that does more (SHORT=1)
	$(RUN) python -m benchmarks.bench_pages $(if $(SHORT),--short)

bench-everyday: install-dev  ## Measure commands, starts and memory beside another installed checkout (BESIDE=dir; TESTS=1; SHORT=1)
	$(RUN) python -m benchmarks.bench_everyday $(if $(BESIDE),'$(BESIDE)') $(if $(TESTS),--tests) $(if $(SHORT),--short)

bench-monitoring: install-dev  ## Measure false alarms and power of the monitoring, beside fixed thresholds of the PSI (SHORT=1)
	$(RUN) python -m benchmarks.bench_monitoring $(if $(SHORT),--short)

crash-test: install-dev  ## Kill the service under load, and count lost predictions: expected none (SHORT=1)
	$(RUN) python -m benchmarks.crash_test $(if $(SHORT),--short)

fuzz: install-dev  ## Fuzz a live server with Schemathesis, from its OpenAPI document (SHORT=1)
	$(RUN) python -m scripts.fuzz $(if $(SHORT),--short)

release: install-dev  ## Release a version by Gitflow: the step that the branch is for (VERSION=1.2.0)
	@$(RUN) python scripts/release.py '$(VERSION)'

release-notes:  ## Print what the changelog says of a version; fails where it is not the package's (VERSION=1.2.0)
	@$(PYTHON) scripts/release.py --notes '$(VERSION)'

push-image: install-dev  ## Push the image of `make image` to a registry, and print its name and digest (IMAGE=ghcr.io/owner/name VERSION=1.2.0; TAG= as there)
	@$(RUN) python -m scripts.push_image '$(IMAGE)' '$(VERSION)' $(if $(TAG),--image '$(TAG)')

publish:  ## Publish a tagged version on GitHub, with wheel, SBOM and notes (VERSION=1.2.0; needs gh, signed in)
	@mkdir -p dist
	@$(PYTHON) scripts/release.py --notes '$(VERSION)' > dist/notes.md
	gh release create 'v$(VERSION:v%=%)' --verify-tag --title 'churn $(VERSION:v%=%)' --notes-file dist/notes.md 'dist/churn-$(VERSION:v%=%)-py3-none-any.whl' dist/churn-image.cdx.json

protect:  ## Protect main and develop on GitHub, as .github/branch-protection.json says (needs gh, signed in)
	set -e; for branch in main develop; do \
	  gh api --method PUT "repos/{owner}/{repo}/branches/$$branch/protection" --input .github/branch-protection.json; \
	done

clean:  ## Remove what was installed and built; models, database and journal stay in .bentoml
	rm -rf .venv .uv dist churn/web/assets/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis .failures .coverage*
