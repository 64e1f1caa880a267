# Two commands: `make demo` and `make test`. Both do all set-up on a machine
# that has Python 3.11 or newer and make, and nothing else.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo simulate serve test browser screenshots lint messages locks clean

help:
	@echo "make demo      set up and serve a simulated contact centre (PORT=8000)"
	@echo "make simulate  let weeks pass over there (WEEKS=1)"
	@echo "make serve     serve your own database"
	@echo "make test      set up and run the tests"
	@echo "make browser   the same pages in Debian's Chromium"
	@echo "make screenshots  take the pictures in docs/screenshots anew"
	@echo "make lint      style, without changing anything"
	@echo "make messages  gather what is to be translated, compile what is (needs GNU gettext)"
	@echo "make locks     resolve the dependencies again"

demo: $(VENV)/run.stamp
	@$(BIN)/python manage.py demo --port $(PORT)

simulate: $(VENV)/run.stamp
	@$(BIN)/python manage.py simulate --weeks $(or $(WEEKS),1)

serve: $(VENV)/run.stamp
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py serve --port $(PORT)

test: $(VENV)/test.stamp
	@$(BIN)/python -m pytest -n auto $(ARGS)

browser: $(VENV)/test.stamp
	@$(BIN)/python -m pytest tests/browser $(ARGS)

screenshots: $(VENV)/test.stamp
	@$(BIN)/python -m tests.browser.screenshots

lint: $(VENV)/test.stamp
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

messages: $(VENV)/run.stamp
	@command -v msgfmt >/dev/null || { \
	  echo "GNU gettext is missing. On Debian and Ubuntu: sudo apt install gettext"; exit 1; }
	@$(BIN)/python manage.py messages

# An environment is made once, and filled again only when a lock file has changed.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Lanemate needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)."; \
	  echo "Install one and name it: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot make environments. On Debian and Ubuntu:"; \
	  echo "  sudo apt install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/%.stamp: requirements/%.txt requirements/bootstrap.txt | $(VENV)/bin/python
	@echo "Installing what requirements/$*.txt lists …"
	@{ $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	     --require-hashes --requirement requirements/bootstrap.txt \
	   && $(BIN)/uv pip install --quiet --python $(BIN)/python \
	     --require-hashes --requirement $<; } \
	 || $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	     --require-hashes --requirement $<
	@touch $@

LOCK = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header
locks: $(VENV)/run.stamp
	$(LOCK) pyproject.toml --output-file requirements/run.txt
	$(LOCK) pyproject.toml --group test --output-file requirements/test.txt
	$(LOCK) --group bootstrap --output-file requirements/bootstrap.txt

clean:
	rm -rf $(VENV) var
