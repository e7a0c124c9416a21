# make demo   forecast a real record and run three benchmarks, with their pictures in demo/
# make test   lint, types, tests, doctests, and the kernels' tests once more without the JIT, for coverage
# make bench  speed against a peer, in one run; scores against published figures
# Each sets itself up in .venv first.

PYTHON ?= python3
BIN := .venv/bin
KERNEL_TESTS := tests/test_activations.py tests/test_kernels.py tests/test_diagnostics.py \
	-k "test_activations or test_kernels or lyapunov or tangent"

.PHONY: demo test bench clean

demo: .venv/plot
	@mkdir -p demo
	$(BIN)/reservoir forecast tasks/data/sunspots_monthly.csv --column sunspots --horizon 132 --out demo/sunspots.csv
	$(BIN)/reservoir run narma10 --seeds 0:3 --plot demo/narma10.png
	$(BIN)/reservoir run mackey-glass --plot demo/mackey-glass.png
	$(BIN)/reservoir run lorenz --plot demo/lorenz.png
	@echo "Pictures and the forecast are in demo/."

test: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	NUMBA_DISABLE_JIT=1 $(BIN)/pytest $(KERNEL_TESTS) --cov --cov-report=term --cov-fail-under=100
	$(BIN)/pytest

bench: .venv/bench
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/scores.py
	$(BIN)/python benchmarks/memory.py

# A stamp per extra, renewed when the dependencies change.
.venv/%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable '.[$*]'
	touch $@

clean:
	rm -rf .venv demo
