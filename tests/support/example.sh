# example.sh: what tests of examples share: the build's tools, a folder of their own, and a service whose functions have
# lost their names. Sourced with the build folder as $1.
source=${PROFUSE_SOURCE_DIR:?}
PROFUSE_BUILD_DIR=$(cd "$1" && pwd)
EXAMPLES_OUT=$(mktemp -d)
export PROFUSE_BUILD_DIR EXAMPLES_OUT
trap 'rm -rf "$EXAMPLES_OUT"' EXIT
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY PROFUSE_STORE PROFUSE_BEARER_TOKEN

# renamed FOLDER: a copy in $EXAMPLES_OUT/renamed; RENAMED says to the example which name became which
renamed() {
	export RENAMED=$EXAMPLES_OUT/names.json
	python3 "$source/tests/tools/rename_functions.py" "$1" "$EXAMPLES_OUT/renamed" "$RENAMED"
}
