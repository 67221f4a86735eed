# Everything a fresh machine with Python 3.11, pip, venv and make needs. `make help` lists the targets.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One order and one set of random numbers for the tests of every run, so that a verdict does not hang on a draw.
SEED ?= 1
export DATA_DIR ?= var
# What a change most often breaks, in well under a minute; `make test` runs everything.
FAST := tests/test_shapes.py tests/test_json_values.py tests/test_validation.py tests/test_guards.py tests/test_jobs.py tests/web/test_templates.py tests/operations tests/serving recipes

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

install: $(VENV)/installed  ## make .venv

demo: install  ## start the server, load MovieLens 100K, train, recommend, and go on serving
	$(BIN)/python manage.py serve --sample movielens-100k

run: install  ## start the server with an empty console
	$(BIN)/python manage.py serve

browser: $(VENV)/installed-dev
	@tests/install_browser.sh

test: browser  ## run all tests, the browser's too; SEED=2 in another order; BACKEND=postgres runs them on PostgreSQL and Redis
ifeq ($(BACKEND),postgres)
	@tests/install_servers.sh
	$(BIN)/python -m tests.backends $(BIN)/python -m pytest -n 2 --dist loadgroup --randomly-seed=$(SEED)
else
	$(BIN)/python -m pytest -n 2 --dist loadgroup --randomly-seed=$(SEED)
endif

screenshots: browser  ## take the pictures of docs/screenshots; SCREENSHOTS=FOLDER takes every page there, at two widths, in both themes
	$(BIN)/python -m pytest -q -p no:randomly tests/web/screenshots.py --timeout 1800

format: $(VENV)/installed-dev  ## put Python, templates, style sheets and scripts into their form
	$(BIN)/ruff format .
	$(BIN)/djhtml --tabwidth 2 templates
	$(BIN)/biome check --write static

check: $(VENV)/installed-dev  ## format, lint, types, import contracts, fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/djhtml --check --tabwidth 2 templates
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/biome check static
	$(BIN)/mypy console recipes
	$(BIN)/python -m pytest -n 2 -q -m "not slow" $(FAST)

messages: $(VENV)/installed-dev  ## bring the pages' translations up to date and list what is left to translate
	$(BIN)/python -m tests.messages

audit: $(VENV)/installed-dev  ## ask PyPI for known vulnerabilities of what is installed
	$(BIN)/python -m pip freeze --exclude-editable | sed -E 's/\+[a-z0-9.]+$$//' > $(VENV)/installed.txt
	$(BIN)/python -m pip_audit --strict --no-deps --disable-pip --progress-spinner off --requirement $(VENV)/installed.txt

PINS = $(BIN)/python -m piptools compile --quiet --upgrade --generate-hashes --strip-extras --no-annotate --no-header --no-emit-index-url \
  --no-emit-find-links --no-emit-trusted-host --unsafe-package torch --build-deps-for wheel --extra otel
pins: $(VENV)/installed-dev  ## choose anew the versions that the image holds, with the hashes of their files
	$(PINS) --output-file deploy/pins/server.txt pyproject.toml
	$(PINS) --extra ray --output-file deploy/pins/ray.txt pyproject.toml
	$(BIN)/python -m pip freeze | sed -n 's/^\(torch==[0-9.]*\).*/\1/p' > deploy/pins/torch.txt

release:  ## sign a tag of VERSION, whose message is that part of CHANGELOG.md
	@grep -q '^version = "$(VERSION)"$$' pyproject.toml || { echo "pyproject.toml does not have the version '$(VERSION)'." >&2; exit 1; }
	@test -z "$$(git status --porcelain)" || { echo "Commit what has changed first." >&2; exit 1; }
	@notes=$$(awk '/^## / { on = $$2 == "$(VERSION)"; next } on' CHANGELOG.md); \
	test -n "$$notes" || { echo "CHANGELOG.md has no part '$(VERSION)'." >&2; exit 1; }; \
	printf 'OpenPersonalize %s\n\n%s\n' "$(VERSION)" "$$notes" | git tag --sign --cleanup=whitespace --file=- "v$(VERSION)"

fuzz: $(VENV)/installed-dev  ## send made-up requests, filters and files; CASES=20000 KINDS=files for a long run of one kind
	$(BIN)/python -m tests.fuzz --cases $(or $(CASES),2000) $(if $(KINDS),--kinds $(KINDS))

soak: $(VENV)/installed-dev  ## an hour of load with a fault a minute; MINUTES=5 for a short one
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),60)

soak-updates: $(VENV)/installed-dev  ## half an hour: an UPDATE a minute, a worker killed every three; no request may fail
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),30) --update-every 60 --fault-every 180 --faults kill_worker

bench: install  ## measure side by side with the peers, which get an environment of their own
	$(BIN)/python -m benchmarks --write
	$(BIN)/python -m benchmarks.mlops --write
	$(BIN)/python -m benchmarks.metadata --write
	$(BIN)/python -m benchmarks.cold_items --write

bench-scale: install  ## seconds and memory against events up to ten million, and what Ray costs
	$(BIN)/python -m benchmarks.scale --write
	$(BIN)/python -m benchmarks.engines --write

bench-exploration: install  ## simulate markets in which new items arrive, ten seeds a world
	$(BIN)/python -m benchmarks.exploration --write
	$(BIN)/python -m benchmarks.audience --write

clean:  ## remove .venv and what tools left; DATA_DIR stays
	rm -rf $(VENV) *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help install demo run browser test screenshots format check audit pins release messages fuzz soak soak-updates bench bench-scale bench-exploration clean
