# `make demo` shows what this is, `make test` tests it. Both set up what they need, and say so before they download.
# `make demo PYTHON=/path/to/python` uses the torch that this Python (3.11 or 3.13) already has.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-gui test-vr test-films test-bare summary lint bench extension release docs leg-4.5 leg-5.0 leg-5.2 FORCE

PYTHON ?=
VENV := $(if $(PYTHON),.venv-own,.venv)
RUN := $(VENV)/bin/python
BPY := 5.0.1
BPY_OLD := 4.5.15
BPY_NEW := 5.2.3
FIND := .ci/find-python
SETUP := constraints.txt pyproject.toml .ci/environment

help:
	@echo "make demo       a trained network on an image: out/hall.png and out/hall.blend"
	@echo "make test       lint, types, unit tests, everything in Blender $(BPY), $(BPY_OLD) and $(BPY_NEW)"
	@echo "make test-gui   the extension's zip in a window of Blender 5.2, driven by mouse and keys: out/gui/; Linux, as root"
	@echo "make test-vr    the same Blender with a headset and two hands, all of it simulated: out/gui/walk*; Linux, as root"
	@echo "make test-films films by Dask, on other machines, stopped, read by Debian's ffmpeg; Linux"
	@echo "make test-bare  README's commands in a clean clone on a bare Debian 12; Linux, as root"
	@echo "make lint       ruff, import rules, style rules, mypy"
	@echo "make bench      measures beside their budgets: out/bench.md"
	@echo "make extension  the zip for Blender's Install from Disk: dist/"
	@echo "make release    wheel, sdist, zip and the index of a repository for Blender, built, installed and used: dist/"
	@echo "make docs       README and docs/ as a site, links checked: build/site/"
	@echo "PYTHON=…        use the torch of that Python instead of downloading one"

demo: $(VENV)/.ready
	@$(RUN) -m innerwalk.scenes demo

bench: $(VENV)/.tools
	@$(RUN) -m innerwalk.bench

extension: $(VENV)/.ready
	@mkdir -p dist
	@$(RUN) $(VENV)/lib/python3*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py \
	  build --source-dir . --output-dir dist
	@$(RUN) $(VENV)/lib/python3*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py \
	  validate dist/innerwalk-*.zip

# Warnings are errors: a dead link is one.
docs: $(VENV)/.tools
	@$(RUN) -m sphinx -q -W --keep-going -b html -d build/doctrees -c docs . build/site
	@echo "build/site/index.html"

# Python 3.13, which Blender 5.2 needs, may be missing.
release: $(VENV)/.tools .venv-4.5/.ready
	@pythons="$(RUN) .venv-4.5/bin/python"; \
	if $(FIND) 3.13 >/dev/null; then $(MAKE) --no-print-directory .venv-5.2/.ready; pythons+=" .venv-5.2/bin/python"; \
	else echo "NOT RUN: the zip in Blender $(BPY_NEW) as a module, which needs Python 3.13"; fi; \
	.ci/release $$pythons

# mypy takes the folder's name for the package's: it looks through a link that has the right one.
lint: $(VENV)/.tools
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check --quiet . || { echo "run: $(VENV)/bin/ruff format ."; exit 1; }
	@$(RUN) -m pytest -q tests/test_arrows.py tests/test_style.py
	@mkdir -p $(VENV)/types && ln -sfn ../.. $(VENV)/types/innerwalk
	@cd $(VENV)/types && ../bin/mypy --config-file innerwalk/pyproject.toml -p innerwalk

# Two things at a time; each prints its output when it ends; pytest's own summaries close.
test:
	@mkdir -p build && rm -f build/leg-*.txt
	@echo "This takes some minutes; progress is written to build/leg-*.txt, and here at the end."
	@status=0; $(MAKE) --no-print-directory -k -j2 --output-sync=target lint leg-5.0 leg-4.5 leg-5.2 || status=$$?; \
	echo; $(MAKE) --no-print-directory summary; exit $$status

# The last line of pytest in each leg that has run.
summary:
	@for leg in films vr gui 5.2 4.5 5.0; do \
	  [ ! -e build/leg-$$leg.txt ] || { echo "Blender $$leg:"; tail -n 1 build/leg-$$leg.txt; }; \
	done

# Where there can be no window this says NOT RUN, and fails nothing.
test-gui test-vr: test-%: $(VENV)/.tools
	@mkdir -p build
	@code=0; root=$$(tests/rig/root.sh) || code=$$?; \
	if [ $$code = 77 ]; then echo "$$root" | tee build/leg-$*.txt; exit 0; fi; [ $$code = 0 ]; \
	echo "Blender in a window, with the extension's zip and a Python that has torch: $*"; \
	RIG_ROOT=$$root $(call pytest,$(VENV),$*,tests/$*)

# What can't be had is skipped, and named: NOT RUN.
test-films: $(VENV)/.tools
	@mkdir -p build
	@$(RUN) -m pip install -qq --disable-pip-version-check -c constraints.txt --no-build-isolation -e ".[video,farm]" || \
	  echo "NOT RUN: Dask could not be installed"
	@command -v ffprobe >/dev/null || { apt-get update && apt-get install -y --no-install-recommends ffmpeg; } >/dev/null 2>&1 || \
	  echo "NOT RUN: Debian's ffmpeg is not there, and apt could not install it"
	@echo "Films with Dask, other machines, stops and Debian's ffmpeg"
	@INNERWALK_FILMS=1 $(call pytest,$(VENV),films,tests/films)

# Where there can be no such Debian this says NOT RUN, and fails nothing.
test-bare:
	@mkdir -p build
	@tests/rig/bare.sh 2>&1 | tee build/bare.txt

leg-5.0: $(VENV)/.tools
	@echo "Blender $(BPY), with torch"
	@$(call pytest,$(VENV),5.0,)

# The same Python and numpy as leg 5.0, so only what meets Blender. After the tools, so that leg 5.0, the longest, begins first.
leg-4.5: .venv-4.5/.ready | $(VENV)/.tools
	@echo "Blender $(BPY_OLD), without torch"
	@$(call pytest,.venv-4.5,4.5,$$(grep -lrE 'bpy|empty_scene|rendered' --include='test_*.py' tests/*.py tests/bench tests/blender_addon tests/scenes tests/torch_bridge))

leg-5.2: | $(VENV)/.tools
	@if $(FIND) 3.13 >/dev/null; then \
	  $(MAKE) --no-print-directory .venv-5.2/.ready; \
	  echo "Blender $(BPY_NEW), without torch"; \
	  $(call pytest,.venv-5.2,5.2,); \
	else echo "NOT RUN: Blender $(BPY_NEW) needs Python 3.13, and there is none here" | tee build/leg-5.2.txt; fi

pytest = $(1)/bin/python -m pytest -o cache_dir=build/pytest-$(2) $(3) 2>&1 | tee build/leg-$(2).txt

define need
	@$(FIND) $(1) >/dev/null || { echo "Python $(1) with venv is needed; on Debian 12: apt install python3-venv"; exit 1; }
endef

.venv/.ready: $(SETUP)
	$(call need,3.11)
	@[ -e .venv ] || echo "Setting up .venv. This downloads, once: Blender $(BPY) (375 MB), PyTorch 2.13.0 (190 MB, or some" \
	  "3 GB where pip takes the build with GPU libraries), numpy and Pillow. After that nothing needs the network."
	@.ci/environment .venv "$$($(FIND) 3.11)" torch torchvision bpy==$(BPY) -e .
	@touch $@

# Another Python is another environment.
.venv-own/.python: FORCE
	@[ "$$(cat $@ 2>/dev/null)" = "$(PYTHON)" ] || { rm -rf .venv-own; mkdir -p .venv-own; echo "$(PYTHON)" >$@; }

.venv-own/.ready: $(SETUP) .venv-own/.python
	@"$(PYTHON)" -c 'import sys, torch; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 13)))' || \
	  { echo "PYTHON=$(PYTHON) must be Python 3.11 or 3.13 and have torch"; exit 1; }
	@[ -e .venv-own/bin ] || echo "Setting up .venv-own beside the torch of $(PYTHON). This downloads, once: Blender (350 MB)," \
	  "numpy and Pillow. After that nothing needs the network."
	@TORCH_FROM="$(PYTHON)" .ci/environment .venv-own "$(PYTHON)" -e . \
	  bpy==$$("$(PYTHON)" -c 'import sys; print({11: "$(BPY)", 13: "$(BPY_NEW)"}[sys.version_info[1]])')
	@touch $@

$(VENV)/.tools: $(VENV)/.ready
	@$(RUN) -m pip install -qq --disable-pip-version-check -c constraints.txt --no-build-isolation -e ".[dev]"
	@touch $@

.venv-4.5/.ready: $(SETUP)
	$(call need,3.11)
	@[ -e .venv-4.5 ] || echo "Setting up .venv-4.5. This downloads, once: Blender $(BPY_OLD) (340 MB)."
	@.ci/environment .venv-4.5 "$$($(FIND) 3.11)" bpy==$(BPY_OLD) -e ".[test]"
	@touch $@

.venv-5.2/.ready: $(SETUP)
	@[ -e .venv-5.2 ] || echo "Setting up .venv-5.2. This downloads, once: Blender $(BPY_NEW) (360 MB)."
	@.ci/environment .venv-5.2 "$$($(FIND) 3.13)" bpy==$(BPY_NEW) -e ".[test]"
	@touch $@
