# make           builds ./sigalert
# make test      runs every check, from formatting to a real desktop
# make fuzz      runs each fuzz target for a minute (FUZZTIME=10m: for ten)
# make chaos     kills and cuts everything, many times
# make soak      runs a router with a store for an hour
# make bench     measures speed and memory, ours and NATS', and writes docs/benchmarks.md
# make pictures  takes the screenshots in docs/pictures again
# make dist      makes the packages and archives of a release, in dist/ (VERSION=1.2.3; DIST=-gtk=false: without sigalert-gtk)
# make packages  installs, upgrades and removes the packages, here and on a fresh Debian
# make windows   runs the archive for Windows under Wine
# make desktops  runs the program on many desktops (SIGALERT_PICTURES=$PWD/docs/pictures: and documents that)
# make release   checks that everything is ready for a release, and makes it (VERSION=1.2.3)
# make icons     makes the PNG and ICO files from the drawings in packaging/icons
# make fmt, make clean

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
in    = -X sigalert/internal/cli
stamp = $(in).version=$(VERSION) $(in).commit=$(shell git rev-parse HEAD 2>/dev/null) $(in).date=$(shell git log -1 --format=%cs 2>/dev/null)
# A checkout that belongs to another user has no readable VCS state: what is above is enough.
export GOFLAGS := -trimpath -buildvcs=false

# On CI nothing may be left out: a test that would skip for a missing tool fails.
ifeq ($(CI),true)
export SIGALERT_TEST_ALL := 1
endif

have_c   = command -v gcc >/dev/null
have_gtk = $(have_c) && pkg-config --exists ayatana-appindicator3-0.1 2>/dev/null

.NOTPARALLEL:
.PHONY: build test deps vet builds unit e2e fuzz chaos soak bench pictures icons dist packages windows desktops release fmt clean

build:
	CGO_ENABLED=0 go build -ldflags "$(stamp)" -o sigalert .

test: deps vet builds unit e2e

deps:
	@e2e/deps.sh

# go tool staticcheck would build the tool itself for the system in GOOS.
staticcheck = $$(go -C "$(CURDIR)" tool -n staticcheck)

vet:
	@files=$$(gofmt -l .); [ -z "$$files" ] || { echo "gofmt would change: $$files"; exit 1; }
	go mod tidy -diff
	cd bench && go mod tidy -diff
	cd packaging/dist && go mod tidy -diff
	CGO_ENABLED=0 go vet ./...
	@! { $(have_gtk); } || { set -x; go vet -tags gtk ./...; }
	GOOS=windows go vet ./...
	GOOS=darwin CGO_ENABLED=0 go vet ./...
	cd bench && CGO_ENABLED=0 go vet ./...
	cd packaging/dist && CGO_ENABLED=0 go vet ./...
	CGO_ENABLED=0 $(staticcheck) ./...
	@! { $(have_gtk); } || { set -x; $(staticcheck) -tags gtk ./...; }
	GOOS=windows $(staticcheck) ./...
	GOOS=darwin CGO_ENABLED=0 $(staticcheck) ./...
	cd bench && CGO_ENABLED=0 $(staticcheck) ./...
	cd packaging/dist && CGO_ENABLED=0 $(staticcheck) ./...

builds:
	CGO_ENABLED=0 go build ./...
	@! { $(have_c); } || { set -x; CGO_ENABLED=1 go build ./...; }
	@! { $(have_gtk); } || { set -x; go build -tags gtk ./...; }
	GOOS=windows go build ./...
	GOOS=darwin CGO_ENABLED=0 go build ./...
	cd bench && CGO_ENABLED=0 go build -o /dev/null .

# The race detector needs a C compiler. A library of the tray is not free of races:
# the tests that run it are left out there, and have their turn without it.
unit:
	@race=; ! { $(have_c); } || race=-race; set -x; \
		go test $$race $$(go list ./... | grep -v '/e2e$$') && \
		if [ -n "$$race" ]; then go test ./tray; fi
	cd packaging/dist && CGO_ENABLED=0 go test ./...

# -count=1: the tests start the program, and Go's cache does not see that it has changed.
# They wait more than they work, hence more at once than there are processors.
e2e:
	go test -count=1 -parallel 4 -timeout 20m ./e2e

# Shortening one input may take go test a minute, during which it tests nothing: a second will do.
fuzz: FUZZTIME ?= 1m
fuzz:
	@set -e; for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			(set -x; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s $$package); \
		done; \
	done

# Kills and faults in full; the tests have a short form of each.
chaos: deps
	SIGALERT_KILLS=50 SIGALERT_FAULTS=500 go test -count=1 -timeout 30m -run 'TestKilled|TestChaos|TestStoreCannot' ./e2e

# An hour at 1,000 events a second.
soak: deps
	SIGALERT_SOAK=1h go test -count=1 -timeout 70m -run TestSoak ./e2e

bench: deps
	go test -run '^$$' -bench . -timeout 30m ./...
	cd bench && go run . -save ../docs/benchmarks.md

pictures: deps
	SIGALERT_PICTURES=$(CURDIR)/docs/pictures go test -count=1 -run 'TestExampleIsShown|TestLogPage/shows_an_hour' ./e2e

icons:
	@packaging/icons/make.sh

# The files are the same for the same commit: their time is that of the commit.
dist: SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)
dist: release = $(if $(filter file,$(origin VERSION)),0.0.0-dev,$(VERSION))
dist:
	@[ $(release) = 0.0.0-dev ] || [ -z "$$(git status --porcelain 2>/dev/null)" ] || { echo "there are changes that are not committed: without VERSION, make dist makes 0.0.0-dev of them"; exit 1; }
	@[ -n "$(findstring -gtk=false,$(DIST))" ] || SIGALERT_TEST_ALL=1 e2e/deps.sh dist
	cd packaging/dist && SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) go run . -version $(release) -commit "$$(git rev-parse HEAD 2>/dev/null)" $(DIST)

packages:
	@e2e/deps.sh && e2e/deps.sh dist && e2e/deps.sh packages
	SIGALERT_TEST_LONG=1 go test -count=1 -timeout 20m -v -run 'TestPackage|TestFromSource' ./e2e

windows: deps
	go test -count=1 -v -run 'TestWindows$$' ./e2e

desktops: deps
	@e2e/deps.sh desktops
	SIGALERT_TEST_LONG=1 go test -count=1 -parallel 4 -timeout 20m -v -run 'TestDesktops$$' ./e2e

release:
	packaging/release.sh $(VERSION)

fmt:
	gofmt -w .

clean:
	rm -rf sigalert dist sigalert_windows_*.syso
