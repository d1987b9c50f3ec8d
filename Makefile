# Every target sets up what it needs. Works on a Debian 12 machine with Node 20, npm 11, CPython 3.11, make and git;
# the Node that runs Lanista comes from npm, into node_modules.
SHELL := /bin/sh
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: setup demo test check format bench test-vm test-image pack image clean
.DEFAULT_GOAL := setup

setup: node_modules/.setup

# Versions come from the lock file, which is left as it is. (Not `npm ci`: it refuses a lock file that does not list other
# platforms' optional packages, and a registry need not carry those.)
# The mark lies among what it speaks of: whoever removes node_modules removes it, too.
node_modules/.setup: package-lock.json package.json $(wildcard packages/*/package.json) scripts/host-packages.sh
	scripts/host-packages.sh
	npm install --no-save --loglevel=error
	@touch $@

demo: setup
	@scripts/demo.sh

test: setup
	@scripts/host-packages.sh --test
	@node scripts/test.ts

check: setup
	tsc -b
	biome ci .
	knip
	node --conditions=lanista-source scripts/cli-reference.ts --check
	scripts/generate.sh --check
	node --conditions=lanista-source scripts/openapi.ts --check
	node --conditions=lanista-source scripts/api-reference.ts --check
	npm ls --all >/dev/null

format: setup
	biome check --write .

bench: setup
	@scripts/host-packages.sh --bench
	@bench/run.sh

test-vm: setup
	@scripts/host-packages.sh --vm
	@test/vm/run.sh

# Builds the image on a base made with debootstrap, and plays a ladder with a server and a worker from it.
test-image: setup
	@scripts/host-packages.sh --image
	@test/image/run.sh

# Gives lanista-VERSION.tgz here: a package that plays matches outside the checkout.
pack: setup
	npm pack --workspace lanista

# Builds the container image lanista:latest with docker (docs/deploying.md).
image: setup
	scripts/image.sh

clean:
	rm -rf .cache .demo node_modules packages/*/dist packages/*/node_modules scripts/dist test/dist bench/dist lanista-*.tgz
