# make demo   forecast a real record, compare four models on three tasks, sweep two parameters; pictures and a report in demo/
# make test   lint, types, tests, doctests; what takes long to compile runs without the JIT here
# make test-all   the tests that make test leaves out, too, all compiled, and the coverage of the kernels without the JIT
# make pictures  draw every kind of picture of every command, and lay them out on contact sheets in pictures/
# make bench  speed against peers, in one run; scores against published figures
# Each sets itself up in .venv first, make bench every peer in an environment of its own.

PYTHON ?= python3
BIN := .venv/bin
KERNEL_TESTS := $(addprefix tests/test_,activations.py kernels.py matvec.py lanes.py lyapunov.py optimizers.py gradient_norm.py losses.py \
	blas.py cells.py clockwork.py real_time.py kalman.py symbols.py writing.py) \
	-k "not test_lyapunov or tangent or washout or memory"
# Each takes most of a minute to compile, to draw, or to start processes.
LONG_TESTS := cells.py real_time.py network.py symbols.py writing.py blas.py language_model.py plotting.py jit_files.py sweep_faults.py
# tests/conftest.py says which files stay in one process, and their order.
PYTEST := $(BIN)/pytest --numprocesses logical --maxprocesses 4 --dist loadgroup --no-loadscope-reorder

PEERS := $(addprefix .venv/peers/,reservoirpy reservoirpy_jax rclib resdag pyrcn echoes torch)
PACKAGES_reservoirpy := reservoirpy==0.4.2 hyperopt
PACKAGES_reservoirpy_jax := reservoirpy==0.4.2 jax
PACKAGES_rclib := rclib==0.2.0
PACKAGES_resdag := resdag==6.0.0
PACKAGES_pyrcn := pyrcn==0.1.0
PACKAGES_echoes := echoes==1.0.2
PACKAGES_torch := torch==2.13.0 numpy

.PHONY: demo test test-all bench pictures clean

demo: .venv/plot
	@mkdir -p demo
	$(BIN)/reservoir forecast tasks/data/sunspots_monthly.csv --column sunspots --horizon 132 --season 131 --out demo/sunspots.csv
	$(BIN)/reservoir compare narma10 temporal-order waveform --models esn,clockwork,lstm,gru --seeds 0:2 --out demo
	$(BIN)/reservoir sweep narma10 --vary spectral_radius=0.1:1.5:15 --vary input_scaling=log:0.01:1:13 --store demo/narma10.db
	$(BIN)/reservoir results demo/narma10.db --plot demo/sweep.png

# Threads of BLAS in each of the processes would be more than there are cores.
test: export OPENBLAS_NUM_THREADS = 1
test: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy & NUMBA_DISABLE_JIT=1 $(PYTEST) $(KERNEL_TESTS) && wait $$!
	$(PYTEST) $(addprefix --ignore=tests/test_,$(LONG_TESTS))

test-all: export OPENBLAS_NUM_THREADS = 1
test-all: .venv/test
	NUMBA_DISABLE_JIT=1 $(PYTEST) $(KERNEL_TESTS) --cov --cov-report=term --cov-fail-under=100
	$(PYTEST)

bench: .venv/bench $(PEERS)
	$(BIN)/python benchmarks/speed.py --peers $(foreach peer,$(PEERS),$(notdir $(peer))=$(peer)/bin/python)
	$(BIN)/python benchmarks/scores.py
	$(BIN)/python benchmarks/waveform.py
	$(BIN)/python benchmarks/searches.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/faults.py

pictures: .venv/plot
	$(BIN)/python benchmarks/pictures.py pictures

# A stamp per extra, renewed when the dependencies change. Modules are compiled when they are first imported, most never.
.venv/%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile --editable '.[$*]'
	touch $@

# A peer that does not install is left out of the benchmarks.
.venv/peers/%:
	$(PYTHON) -m venv $@
	-$@/bin/pip install --quiet $(PACKAGES_$*)

clean:
	rm -rf .venv demo pictures
