#!/bin/sh
# Installs Cartwheel into a new virtual environment: the locked libraries, then the shop itself, compiled.
#
#     deploy/install.sh FOLDER [--with-graphiql]
#
# FOLDER must not exist or be empty; nothing outside of it is written. PYTHON names another interpreter than
# python3 (3.11 or newer). --with-graphiql builds the GraphiQL page first, which installs npm from a wheel.
set -eu

source=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
python=${PYTHON:-python3}
folder=${1:?'usage: deploy/install.sh FOLDER [--with-graphiql]'}
page=${2:-}

if [ -e "$folder" ] && [ -n "$(ls -A "$folder")" ]; then
    echo "$folder is not empty." >&2
    exit 1
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed.' >&2; exit 1; }

"$python" -m venv "$folder"
folder=$(CDPATH='' cd -- "$folder" && pwd)
pip() { "$folder/bin/python" -m pip --disable-pip-version-check "$@"; }
build="$folder/build"
trap 'rm -rf "$build"' EXIT

# The wheel is built from a copy: building writes into the folder it builds from.
mkdir "$build"
tar -C "$source" --exclude=./.git --exclude=./.venv --exclude=./var --exclude=./.env --exclude=node_modules \
    --exclude=__pycache__ --exclude='./.*_cache' --exclude=./tests --exclude=./bench -cf - . | tar -C "$build" -xf -

pip install --quiet --require-hashes --requirement "$build/requirements.txt"
if [ "$page" = --with-graphiql ]; then
    pip install --quiet --require-hashes --requirement "$build/edge/graphiql/requirements-node.txt"
    (cd "$build" && "$folder/bin/python" -m edge.graphiql.build)
fi
pip install --quiet --no-index --no-deps --no-build-isolation "$build"

cd / # so that the installed shop answers, and not this folder
"$folder/bin/cartwheel" --help >/dev/null
echo "Installed: $folder/bin/cartwheel"
