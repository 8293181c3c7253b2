.PHONY: help setup check test test-long test-pmu demo bench-setup bench
.DEFAULT_GOAL := help
bin := .venv/bin
# Two tests at a time, then by itself what measures CPU. 5: none of those that ARGS names.
define two-by-two
$(bin)/python -m pytest -m "$(1) and not alone" -n 2 --dist loadfile --no-loadscope-reorder $(ARGS); beside=$$?; \
$(bin)/python -m pytest -m "$(1) and alone" $(if $(ARGS),$(ARGS),$$(grep -rl mark.alone tests --include=test_*.py)); alone=$$?; \
case $$beside$$alone in 00|05|50) ;; *) exit 1 ;; esac
endef

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## Debian packages, virtual environment, Python packages; safe to run again
	@.ci/setup

check: setup  ## style and types
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy

test: setup  ## all tests but the long campaigns, about 20 minutes; what measures CPU runs by itself, last
	@$(call two-by-two,not long and not pmu)

test-long: setup  ## the campaigns with their full repeat counts, within 60 minutes
	@$(call two-by-two,long)

test-pmu:  ## the counters on hardware counters, in an emulated machine; about 2 minutes
	@.ci/setup pmu
	@$(bin)/python -m tests.pmu.machine
	$(bin)/python -m pytest -m pmu tests/pmu $(ARGS)

demo: setup  ## the demo: finds a planted regression and a slow database, about 6 minutes
	$(bin)/dynoscope demo up --story $(ARGS)

bench-setup: setup  ## what benchmarks compare with and read, under .bench/; about 20 minutes the first time
	@for list in benchmarks/peers/*.txt; do \
	  folder=.bench/$$(basename $$list .txt); \
	  if cmp -s $$list $$folder/.installed; then continue; fi; \
	  echo "installing $$folder"; rm -rf $$folder; \
	  $(bin)/python -m pip install -q --disable-pip-version-check --no-input --no-deps \
	    --target $$folder -r $$list || { echo "bench-setup: pip could not install $$list" >&2; exit 2; }; \
	  cp $$list $$folder/.installed; \
	done
	@$(bin)/python -m benchmarks.query --set-up

bench: bench-setup  ## every benchmark in its short form
	@modules=$$(ls benchmarks | sed -n 's/^\([a-z][a-z_]*\)\.py$$/\1/p'); \
	[ -n "$$modules" ] || echo "benchmarks/ has no benchmark yet"; \
	for module in $$modules; do $(bin)/python -m benchmarks.$$module --quick || exit $$?; done
