# Needs Go 1.26, Node 20 or later, and make; everything else is fetched, pinned.
.DEFAULT_GOAL := build
.PHONY: run build test check bench bench-go bench-compare fmt faults soak race fuzz mutants clean web qun testbed seed formatted vet lint

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO_FILES = $(shell find . -name node_modules -prune -o -name '*.go' -print)
WEB_FILES := $(shell find web -type f -not -path '*/node_modules/*' -not -path 'web/dist/*' -not -path 'web/test/*' -not -name '*.go')
MODULES := test/conformance/node_modules/.ready test/e2e/node_modules/.ready
LINT = go tool -modfile=tools/go.mod golangci-lint
TALLY = go run ./test/tally
NODE_TESTS = \
	'npm --prefix web test -- --reporter=tap-flat' \
	'npm --prefix test/conformance test' \
	'npm --prefix test/e2e test'
# The race detector looks at our code and at what it calls, not into SQLite, which is C in Go's clothes: that is two thirds of the
# time. No more may be left out: what is generic in the standard library is compiled where it is used, and would be blind for all.
RACE = -race '-gcflags=modernc.org/sqlite/lib=-race=false'
# What hangs ends with this; what is slow does not. A busy machine takes eight minutes for test/faults alone.
LIMIT = -timeout 30m
FUZZTIME ?= 30s
SOAKTIME ?= 20m

## For who uses it

run: qun ## build and serve on http://localhost:3000; ARGS="--lan" adds flags
	bin/qun serve $(ARGS)

build: qun testbed ## leave bin/qun: one static file, the web app inside; and bin/testbed, for who tests the protocols

## For who changes it

test: build seed $(MODULES) ## everything that needs no outside service; what was skipped, and why, stands at the end
	$(TALLY) 'go test -json -shuffle=on $(LIMIT) ./...' $(NODE_TESTS)

check: formatted vet lint build seed $(MODULES) ## what must be green before a commit: lint, race detector, browsers
	$(TALLY) "go test -json $(RACE) -shuffle=on $(LIMIT) ./..." 'go test -json -run Allocat ./engineio ./socketio ./internal/gateway' $(NODE_TESTS)
	$(MAKE) fuzz FUZZTIME=1s

bench: ## Qun beside other servers, twenty-five minutes on a quiet machine; ARGS=-quick for one short round
	cd bench && go run . $(ARGS)

bench-go: ## the Go benchmarks of the tree
	go test -run '^$$' -bench . -benchmem ./...

bench-compare: ## the Go benchmarks against a revision: make bench-compare BASE=HEAD~1
	bench/compare.sh $(BASE)

fmt: ## format, and bring idioms up to date
	gofmt -w $(GO_FILES)
	go fix ./...

faults: qun ## everything that can break, broken in earnest: three nodes, two hundred clients, a quarter of an hour; ARGS="-run House" for some
	QUN_FAULTS=full go test -count=1 -v -timeout 40m ./test/faults $(ARGS)

soak: ## the engine under random load for SOAKTIME (20m): what comes lost or doubled, and what stays behind
	QUN_SOAK=$(SOAKTIME) go test -count=1 -v -timeout 0 ./test/soak

race: ## the Go tests five times over, in five orders, under the race detector
	go test $(RACE) -shuffle=on -count=5 -timeout 60m ./...

fuzz: ## every fuzz target for FUZZTIME (30s)
	@for dir in $$(grep -l '^func Fuzz' $(GO_FILES) | xargs -n1 dirname | sort -u); do \
		for target in $$(grep -h -o '^func Fuzz[A-Za-z]*' $$dir/*_test.go | cut -c6-); do \
			echo "$$dir $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$dir || exit 1; \
		done; \
	done

mutants: ## take every guard against hostile peers out, one at a time: a test must notice; ARGS="-only recovery" for some
	go run ./test/mutants $(ARGS)

clean: ## forget what was built and fetched; data stays
	rm -rf bin web/node_modules test/conformance/node_modules test/e2e/node_modules
	find web/dist -mindepth 1 -not -name README -delete

## The pieces

web: web/dist/app/index.html

# Checks the types, bundles, and fails when the entry has grown beyond its budget.
web/dist/app/index.html: web/node_modules/.ready $(WEB_FILES)
	npm --prefix web run build

qun: web
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/qun ./cmd/qun

seed:
	go build -o bin/seed ./examples/seed

testbed:
	go build -o bin/testbed ./test/conformance/testbed

# A lock file that changed is installed anew, exactly as it says.
%/node_modules/.ready: %/package-lock.json
	npm ci --prefix $*
	@touch $@

formatted:
	@unformatted=$$(gofmt -l $(GO_FILES)); test -z "$$unformatted" || { echo "make fmt would change:"; echo "$$unformatted"; exit 1; }

vet:
	go vet ./...

lint:
	$(LINT) run
