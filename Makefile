# Each of these is the only command to type after cloning; ./bootstrap installs what is missing.

PYTHON := .venv/bin/python

.PHONY: demo test check fix bench lock clean

demo: ## eight samples with one planted gene fusion each, from BAM files to a table of fusions
	@./bootstrap programs
	@$(PYTHON) -m examples.fusion_demo

test: ## every test, with the real programs
	@./bootstrap programs
	@$(PYTHON) -m pytest -n 2 --dist loadfile

check: ## linters and types
	@./bootstrap
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

fix: ## what the linters can mend by themselves
	@./bootstrap
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

bench: ## figures of speed, as ratios in one run
	@./bootstrap programs
	@$(PYTHON) -m benchmarks

lock: ## newest versions into Pipfile.lock, naming no package registry
	@./bootstrap
	@PIPENV_VENV_IN_PROJECT=1 .tools/bin/pipenv lock --dev
	@$(PYTHON) -c 'import json, pathlib; file = pathlib.Path("Pipfile.lock"); lock = json.loads(file.read_text()); \
	lock["_meta"]["sources"] = []; \
	[package.pop("index", None) for part in ("default", "develop") for package in lock[part].values()]; \
	file.write_text(json.dumps(lock, indent=4, sort_keys=True) + "\n")'

clean: ## remove what was installed or made here
	rm -rf .venv .tools .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
