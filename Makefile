# The two commands are `make demo` and `make test`; each creates what it needs and is quick the second time.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY := $(VENV)/ready

OUT ?= out/demo
# A prompt without a motion says what happens too: the embedded motion model makes four seconds of it.
ifneq ($(and $(filter command environment,$(origin PROMPT)),$(filter undefined,$(origin MOTION))),)
TEXT_MOTION := $(OUT)_motion.npy
MOTION := $(TEXT_MOTION)
FRAMES ?= 24
FPS ?= 6
SECONDS ?= 4
endif
MOTION ?= shared/motion/samples/dance_smpl_params.npy
PROMPT ?= a robot dancing on the moon
FRAMES ?= 16
FPS ?= 10
STEPS ?= 20
METHODS := text2video_zero,latentman,surfacelock
PRESET ?= quick
SEED ?= 7

.PHONY: demo test test-slow test-portable test-wheels test-app check docs pictures manual clean

# A process a core, each with one thread; a module's tests stay together, because they share what is costly to make.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

demo: $(READY)
ifeq ($(MOTION),$(TEXT_MOTION))
	@mkdir -p "$(dir $(MOTION))"
	@$(BIN)/latentman motion "$(PROMPT)" --seconds $(SECONDS) --seed $(SEED) --output "$(MOTION)"
endif
	@$(BIN)/python -m blender_addon --motion "$(MOTION)" --fps $(FPS) --frames 1-$(FRAMES) --prompt "$(PROMPT)" \
	    --preset $(PRESET) --steps $(STEPS) --seed $(SEED) --method $(METHODS) \
	    --output "$(OUT)" --save-blend "$(OUT)/shot.blend" --texture
	@$(BIN)/latentman report "$(OUT)"

test: check
	@$(PYTEST) -m "not slow" tests/unit tests/blender tests/e2e

# The rest of the same folders: whole trainings, killed workers, renders of many frames.
test-slow: $(READY)
	@$(PYTEST) -m slow tests/unit tests/blender tests/e2e

# What needs neither a Blender nor a display nor Linux.
test-portable: check
	@$(PYTEST) tests/unit/shared tests/unit/addon

# The tests that need bpy alone, in the wheels of the older LTS series too.
test-wheels: $(READY)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.blender.wheels

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/python .ci/check_types.py

# What the manual has from the program itself: declarations of methods, model families and files, and samples.
docs: $(READY)
	@$(BIN)/python -m backend.make.method_tables
	@$(BIN)/python -m backend.make.family_tables
	@$(BIN)/python -m backend.make.format_tables
	@$(BIN)/python -m backend.make.scripting_page
	@$(BIN)/python -m backend.make.architecture_picture

-include tests/app/Makefile.inc

$(READY): requirements.lock pyproject.toml .ci/setup_env.sh
	@PYTHON="$(PYTHON)" sh .ci/setup_env.sh "$(VENV)"
	@touch $@

# In a folder of its own and from nothing: work that is already there may be of an earlier version of the program.
pictures: $(READY)
	@rm -rf out/pictures
	@$(MAKE) --no-print-directory demo OUT=out/pictures
	@mkdir -p docs/pictures
	@cp out/pictures/contact_sheet.png docs/pictures/demo.png

# The manual's pictures, taken from a real Blender's window (tests/app; needs what `make test-app` needs).
manual: $(READY)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.app.pictures

clean:
	rm -rf out dist build *.egg-info
