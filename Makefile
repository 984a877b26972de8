# `make demo` and `make test` do everything from nothing but Python 3.11 to 3.13; `make` lists the rest.

PYTHON ?= python3
BIN := .venv/bin
TREE := musicvae server data_pipeline bridge
SOURCES := pyproject.toml $(shell find $(TREE) -type f -not -path '*/__pycache__/*')
PROTO := proto/musicvae/v1/musicvae.proto

# torch and CUDA's libraries are not in the lock: the CPU build of torch has another hash than the
# registry's, and needs none of those libraries. It is pinned by version and brings what it needs.
TORCH := torch==2.13.0
UNLOCKED := cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti \
    nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile \
    nvidia-curand nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 \
    nvidia-nccl-cu13 nvidia-nvjitlink nvidia-nvshmem-cu13 nvidia-nvtx torch triton

.PHONY: help
help:
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile

.PHONY: demo
demo: .venv/small ## Sample, interpolate and transform over the real server; MIDI and pictures in demo/
	@$(BIN)/python benchmarks/demo.py --out demo

.PHONY: check
check: .venv/installed ## Lint, types, import rules
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	cd build/__editable__* && $(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml -p musicvae
	cd build/__editable__* && $(CURDIR)/$(BIN)/lint-imports --config $(CURDIR)/pyproject.toml

# A worker takes whole files, since what the tests of a file share is costly to make.
PYTEST := $(BIN)/pytest -n 2 --dist loadfile

.PHONY: test
test: check ## Lint, types, import rules, the quick tests
	$(PYTEST) -m "not slow"

.PHONY: test-slow
test-slow: .venv/installed ## The slow tests
	$(PYTEST) -m slow

.PHONY: test-all
test-all: test test-slow ## All tests

.PHONY: docs
docs: .venv/installed ## The documentation as a site in build/site
	$(BIN)/python -P -m sphinx -b html -W --keep-going -q docs build/site

.PHONY: serve
serve: .venv/installed ## The embedded bundles on port 50051
	$(BIN)/musicvae serve

.PHONY: proto
proto: .venv/installed ## The Python of the contract
	$(BIN)/python -m grpc_tools.protoc -Iproto --python_out=. --pyi_out=. --grpc_python_out=. $(PROTO)

.PHONY: release-contract
release-contract: .venv/installed ## The contract that later ones must not break: at each release
	cd proto && $(CURDIR)/$(BIN)/buf build --exclude-source-info --output released.binpb

LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
    --no-annotate --no-header --quiet $(addprefix --no-emit-package=,$(UNLOCKED))

.PHONY: lock
lock: .venv/installed ## The newest versions that fit, with hashes: to make music, and for everything
	echo setuptools | $(LOCK) --upgrade - --output-file requirements.lock
	echo $(TORCH) | $(LOCK) --upgrade --constraint - --constraint requirements.lock --extra dev \
	    --output-file requirements-dev.lock

.PHONY: clean
clean: ## Everything that was made
	rm -rf .venv build demo *.egg-info

# The small set makes and serves music; all packages train, test and build the documentation, too.

define INSTALL
@echo "Installing musicvae"
@rm -rf build/__editable__*
@$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable . \
    --config-settings editable_mode=strict
@touch $@
endef

define PACKAGES
@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or sys.exit( \
    "Python %d.%d found; 3.11 to 3.13 expected. Name one: make PYTHON=python3.12" % v)'
@$(PYTHON) -m venv .venv
@$(BIN)/pip install --quiet --no-deps --require-hashes -r $<
endef

.venv/small: .venv/small-packages $(SOURCES)
	$(INSTALL)

.venv/installed: .venv/packages $(SOURCES)
	$(INSTALL)

.venv/small-packages: requirements.lock
	@echo "Installing the packages that make music into .venv: a minute, the first time"
	$(PACKAGES)
	@touch $@

.venv/packages: requirements-dev.lock
	@echo "Installing all packages into .venv: a few minutes, the first time"
	$(PACKAGES)
	@$(BIN)/pip install --quiet $(TORCH)
	@touch $@
