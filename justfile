# Everything a developer does here. Run as `uv run just <recipe>`; `uv run just` alone lists the recipes.

set shell := ["bash", "-euo", "pipefail", "-c"]

# So that `.venv/bin/just` works too, where uv has made the environment and is not on the PATH.
export PATH := justfile_directory() / ".venv/bin:" + env("PATH") + ":" + justfile_directory() / ".cache/uv/bin"

# Tests wait more than they compute.
workers := "4"

# List the recipes
[default]
list:
    @{{just_executable()}} --list --unsorted

# Install everything into .venv as the lock says, and switch the hooks on
setup:
    uv sync --frozen --all-groups
    prek install --prepare-hooks

# Every check and every test: what must pass before a change lands
check: lint types contracts coverage

# Style and formatting
lint:
    ruff check --quiet
    ruff format --check --quiet

# Types, strictly
types:
    mypy --no-error-summary

# The architecture: which part may import which
contracts:
    lint-imports --no-logo

# All tests, with at least the branch coverage that pyproject.toml asks for
coverage:
    coverage erase
    coverage run -m pytest -q -n {{workers}} --dist loadgroup
    coverage combine --quiet
    coverage report

# Tests alone: all, or the files and options given
test *args:
    pytest -q {{args}}

# The tests that say most in a few seconds; a hook runs them before a push
quick:
    pytest -q -x tests/suite tests/perfanalysis tests/shared/artifacts tests/shared/workflow

# Mend what can be mended by itself: formatting, imports, simple findings
fix:
    ruff check --fix --quiet
    ruff format --quiet

# Write the parts of the documents, and .env.example, that come from the code
docs:
    PYTHONPATH=tests python -m suite.generated

# Measure speed and memory against the bounds; options go to the benchmark
bench *args:
    python tests/benchmarks/run.py {{args}}

# Build the wheel, install it elsewhere, and try it there
wheel:
    PYTHONPATH=tests python -m suite.wheel

# Run every hook over every file
hooks:
    prek run --all-files
    prek run --all-files --hook-stage pre-push

# Remove what tools leave behind; run folders and .venv stay
clean:
    rm -rf dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
