PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

demo serve screenshots: export C2M_DEMO ?= 1

.PHONY: demo serve test soak check bench screenshots clean

demo: $(STAMP)
	$(BIN)/c2m demo

serve: $(STAMP)
	$(BIN)/c2m serve $(if $(PORT),--port $(PORT))

test: $(STAMP)
	$(BIN)/python -m pytest -n auto

soak: $(STAMP)
	C2M_SOAK=$(or $(LIVES),20) $(BIN)/python -m pytest tests/demand/test_state_machine.py tests/demand/test_state_machine_closes.py tests/demand/test_state_machine_teams.py

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p c2m
	$(BIN)/lint-imports
	$(BIN)/python -m c2m.web.translations

bench: $(STAMP)
	for program in bench/matching.py bench/classic.py bench/replay.py bench/aggregate.py bench/joins.py bench/flash.py bench/promises.py bench/validation.py bench/clusters.py bench/imagine.py bench/likeness.py bench/forecast.py bench/ladder.py; do echo "== $$program"; $(BIN)/python $$program --quick || exit 1; done

screenshots: $(STAMP)
	$(BIN)/python docs/screenshots.py

clean:
	rm -rf $(VENV) var test-artefacts

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[design,dev]'
	touch $@
