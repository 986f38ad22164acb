# The commands of this project. `make` alone lists them.

PYTHON ?= python3
UV ?= uv
ARGS ?=
SERVERS ?= llamacpp
POLICIES = full_history sliding_window observation_masking tool_output_limit summarize
BIN = .venv/bin

.PHONY: help run policies test check format docs lock bench calibrate fuzz test-kills test-servers test-engines \
	test-reducers test-statistics clean
.DELETE_ON_ERROR:

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

run: .venv/.ready ## run the founding scenarios against the built-in endpoint (options: make run ARGS='--profile healthy')
	@code=0; env -u OPENAI_BASE_URL $(BIN)/agenteval run $(ARGS) || code=$$?; \
	if [ $$code -eq 1 ]; then \
		echo "make run: failing turns are expected here, because the simulated deployment fails on purpose." >&2; \
	else \
		exit $$code; \
	fi
	@$(if $(ARGS),,$(MAKE) --no-print-directory policies)

policies: .venv/.ready ## which context policy fixes the founding scenario, on the built-in endpoint
	@env -u OPENAI_BASE_URL $(BIN)/agenteval run ten-turn-repo --thinking off $(POLICIES:%=--policy %) \
		--out results/policies >/dev/null 2>&1 || test $$? -eq 1
	@$(BIN)/agenteval compare latest --out results/policies || test $$? -eq 3

test: .venv/.ready ## run the tests (options: make test ARGS='-k parsers')
	@$(BIN)/pytest -q -n 2 --dist loadfile $(ARGS)

check: .venv/.ready ## formatting, lint, types, and whether the README shows what the program prints
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/python -m tests.docs --check

format: .venv/.ready ## format the code, sort the imports
	@$(BIN)/ruff check --quiet --select I --fix .
	@$(BIN)/ruff format .

docs: .venv/.ready ## write the program's present output into the README
	@$(BIN)/python -m tests.docs

bench: .venv/.ready ## measure agenteval itself
	@$(BIN)/python -m tests.bench $(ARGS)

calibrate: .venv/.ready ## play every context scenario under every policy; what they cost the prefix cache (minutes)
	@$(BIN)/agenteval scenario lint context
	@$(BIN)/python -m tests.calibration.prefill

fuzz: .venv/.ready ## fuzz the parsers with atheris (options: make fuzz ARGS='glm47 --until 1000000'; --table, --planted)
	@$(BIN)/python -m tests.fuzz $(ARGS)

test-kills: .venv/.ready ## kill runs at 200 journal bytes, and at others, and go on with them (minutes)
	@$(BIN)/pytest -q -n 2 -m "not servers" tests/kills $(ARGS)

test-servers: .venv/.ready ## make real servers (once, minutes) and drive them (SERVERS='llamacpp vllm sglang')
	@$(BIN)/python -m tests.servers $(SERVERS)
	@SERVERS='$(SERVERS)' $(BIN)/pytest -q -m servers tests/servers $(ARGS)

test-engines: .venv/.ready ## put the parsers of vLLM, SGLang and llama.cpp under the exam (makes their environments once; half an hour)
	@$(BIN)/python -m tests.engines $(ARGS)

test-statistics: .venv/.ready ## how often the statistics of compare err, by simulation (minutes)
	@$(BIN)/python -m tests.statistics $(ARGS)

test-reducers: .venv/.ready ## put reducers of LangChain and AutoGen under the rules (makes their environment once)
	@$(BIN)/python -m tests.reducers $(ARGS)

lock: ## resolve requirements.lock again (needs uv; make lock ARGS=--upgrade takes the newest of everything)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: python3 -m pip install uv" >&2; exit 1; }
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev --extra openai --extra stats \
		--custom-compile-command "make lock" $(ARGS) --output-file requirements.lock pyproject.toml

clean: ## remove the environment and every cache
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	@find agenteval tests -type d -name __pycache__ -prune -exec rm -rf {} +

# The environment: first what the lock names, then the checkout itself. A change of pyproject.toml repeats only the second.
.venv/.locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "agenteval needs Python 3.11 or newer, and $(PYTHON) is not that: try make PYTHON=python3.12" >&2; exit 1; }
	@echo "Preparing .venv (once) ..." >&2
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

.venv/.ready: .venv/.locked pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
