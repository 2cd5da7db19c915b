# Two commands need nothing but python3 (3.11 to 3.13) and git: `make demo` and `make test`.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The locked set to install, else the one that is: requirements/gpu.txt adds NVIDIA's libraries.
REQUIREMENTS ?= $(or $(patsubst $(VENV)/.installed-%,requirements/%.txt,$(firstword $(wildcard $(VENV)/.installed-*))),requirements/dev.txt)
STAMP := $(VENV)/.installed-$(basename $(notdir $(REQUIREMENTS)))
# What the tools may not do behind a user's back.
export BENTOML_DO_NOT_TRACK := True
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := 1
export UV_COMPILE_BYTECODE := 1
export UV_NO_PROGRESS := 1
# The targets below call the tools by name, as a person with the environment active does.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup demo test lint format serve ui docs-data bench lock clean

help: ## Show this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## Make .venv with everything that training, serving and developing need.

$(STAMP): $(REQUIREMENTS) pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or sys.exit("error: Python 3.11 to 3.13 is needed, but %s is %d.%d: run make with PYTHON=python3.12, say" % (sys.executable, *v))'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $(REQUIREMENTS)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@grep -q BENTOML_DO_NOT_TRACK $(BIN)/activate || printf 'export BENTOML_DO_NOT_TRACK=True MLFLOW_DISABLE_TELEMETRY=true\n' >> $(BIN)/activate
	@rm -f $(VENV)/.installed*
	@touch $@

demo: setup ## From the demo catalogue to an answer of the served model.
	dvc pull data.dvc
	dvc repro
	vitrine promote challenger
	vitrine package
	vitrine smoke

# A worker takes whole files; more than four would need much memory.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 4 ? n : 4)))

test: setup ## Run every test that this machine can run.
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: setup ## Check format, style, types, layers and workflows.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/zizmor --quiet --offline .github/workflows

format: setup ## Put the code into the house's format.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

serve: setup ## Serve the packaged champion on port 3000.
	$(BIN)/bentoml serve

ui: setup ## Open the embedded tracking server's pages on port 5000.
	MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false $(BIN)/mlflow server --backend-store-uri sqlite:///mlflow.db --artifacts-destination ./mlruns --workers 1 --port 5000

docs-data: ## Open what the last validation found: the gallery, and from there the Data Docs.
	@test -f reports/validate/index.html || { echo "error: reports/validate/index.html is missing: make it with dvc repro validate" >&2; exit 1; }
	@echo "file://$(CURDIR)/reports/validate/index.html"
	@echo "file://$(CURDIR)/reports/validate/data_docs/index.html"
	@$(PYTHON) -m webbrowser -t "file://$(CURDIR)/reports/validate/index.html" >/dev/null 2>&1 || true

bench: setup ## Measure what docs/benchmarks.md claims (needs wrk); PHOTOS=folder adds 8,000 catalogue photos, CLOTHING=folder phone photos, TORCH=python PyTorch.
	$(BIN)/python benchmarks/cli.py
	$(BIN)/python benchmarks/demo.py
	$(BIN)/python benchmarks/checks.py
	$(BIN)/python benchmarks/diff.py
	$(BIN)/python benchmarks/faults.py
	$(BIN)/python benchmarks/gate.py
	$(BIN)/python benchmarks/monitor.py
	$(BIN)/python benchmarks/reload.py
	$(BIN)/python benchmarks/input_pipeline.py
	$(BIN)/python benchmarks/curves.py
	$(BIN)/python benchmarks/tuning.py
	$(BIN)/python benchmarks/fashion_mnist.py
	$(if $(TORCH),$(BIN)/python benchmarks/step_speed.py --torch-python $(TORCH))
	$(BIN)/python benchmarks/serving.py
	$(BIN)/python benchmarks/outages.py
	$(BIN)/python benchmarks/promotion.py
	$(if $(PHOTOS),$(BIN)/python benchmarks/photos.py $(PHOTOS))
	$(if $(PHOTOS),$(BIN)/python benchmarks/retraining.py $(PHOTOS))
	$(if $(PHOTOS),$(BIN)/python benchmarks/backbones.py $(PHOTOS))
	$(if $(PHOTOS),$(BIN)/python benchmarks/recipe.py $(PHOTOS))
	$(if $(PHOTOS),$(BIN)/python benchmarks/catalogue.py $(PHOTOS))
	$(if $(PHOTOS),$(BIN)/python benchmarks/pretraining.py $(PHOTOS))
	$(if $(CLOTHING),$(BIN)/python benchmarks/transfer.py $(PHOTOS) $(CLOTHING))
	$(if $(PHOTOS),$(BIN)/python benchmarks/memory.py $(PHOTOS))
	$(if $(PHOTOS),$(BIN)/python benchmarks/facts.py $(PHOTOS))
	$(if $(PHOTOS),$(BIN)/python benchmarks/near_duplicates.py $(PHOTOS))
	$(if $(PHOTOS),$(BIN)/python benchmarks/faults.py $(PHOTOS))

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate
lock: setup ## Renew requirements/ from pyproject.toml: versions and hashes, no addresses.
	$(COMPILE) $(UPGRADE) pyproject.toml --extra train --extra serve --group dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml -c requirements/dev.txt -o requirements/core.txt
	$(COMPILE) pyproject.toml -c requirements/dev.txt --extra train -o requirements/train.txt
	$(COMPILE) pyproject.toml -c requirements/dev.txt --extra serve -o requirements/serve.txt
	$(COMPILE) pyproject.toml -c requirements/dev.txt --extra train --extra serve --extra gpu --group dev -o requirements/gpu.txt
	$(COMPILE) pyproject.toml -c requirements/dev.txt --extra serve --extra gpu -o requirements/gpu-serve.txt
	echo uv | $(COMPILE) - -c requirements/dev.txt -o requirements/bootstrap.txt
	grep -oE '^mlflow==[^ ]+' requirements/dev.txt | cat deploy/docker/mlflow.in - | $(COMPILE) - -o deploy/docker/mlflow.txt

clean: ## Remove what the pipeline made; data/, the registry and the store stay.
	rm -rf artifacts reports .cache
