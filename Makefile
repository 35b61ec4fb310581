# Verbs: demo, test, lint, types, contracts, audit, bench, clean. Everything is installed into .venv.
PORT ?= 5000
VENV := .venv
BIN := $(VENV)/bin
export FLASK_APP := demo_store
# A second start is quick because the first one left bytecode behind.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint types contracts check audit bench clean help

help:
	@echo "make demo       build the demo shop (first time) and serve it on http://127.0.0.1:$(PORT)"
	@echo "make test       install what the tests need and run them all"
	@echo "make check      lint, types and import contracts"
	@echo "make audit      what is known of vulnerabilities of what is installed"
	@echo "make bench      run the benchmarks, JSON on stdout"

demo:
	@sh deploy/venv.sh demo
	@$(BIN)/flask demo build
	@echo "The shop is at http://127.0.0.1:$(PORT)  (Ctrl-C ends it)"
	@FLASK_MTP_SCHEDULER=true $(BIN)/flask run --port $(PORT)

test:
	@sh deploy/venv.sh test
	@sh deploy/system.sh
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(TESTS)

check: lint types contracts

lint:
	@sh deploy/venv.sh test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types:
	@sh deploy/venv.sh test
	@$(BIN)/mypy

contracts:
	@sh deploy/venv.sh test
	@$(BIN)/lint-imports

audit:
	@sh deploy/venv.sh test
	@$(BIN)/python deploy/audit.py

bench:
	@sh deploy/venv.sh test
	@for file in benchmarks/[a-z]*.py; do echo "$$file" >&2; $(BIN)/python $$file || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info
