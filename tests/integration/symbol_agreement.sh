#!/usr/bin/env bash
# long
# Thousands of random addresses of real clang-19 binaries: function, file, line, start line, raw discriminator and the
# whole inline chain must be what llvm-symbolizer-19 says (see tests/tools/symbol_agreement.py for the two conventions
# that may differ). tests/quality/symbol_agreement.sh does so with five programs of Debian's and 10,000 addresses each;
# symbol_inputs.sh with every shape that debug information comes in.
set -euo pipefail
build=${1:?usage: symbol_agreement.sh BUILD}
: "${PROFUSE_SOURCE_DIR:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$PROFUSE_SOURCE_DIR/tests/support/symbol_programs.sh"
need clang-19 clang++-19 llvm-symbolizer-19 llvm-readelf-19 llvm-nm-19
addresses=${SYMBOL_ADDRESSES:-2000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

profile="-O2 -gmlt -fdebug-info-for-profiling"
build_c ours-dwarf5-pie $profile -gdwarf-5 -pie -fPIE
build_c ours-dwarf4-fixed $profile -gdwarf-4 -no-pie -fno-pie -gz=zlib
build_c ours-probes $profile -gdwarf-5 -no-pie -fno-pie -fpseudo-probe-for-profiling
build_cpp shop-dwarf5 $profile -funique-internal-linkage-names
build_cpp shop-dwarf4 -O3 -g -gdwarf-4 -no-pie -fno-pie
for program in ours-dwarf5-pie ours-dwarf4-fixed ours-probes shop-dwarf5 shop-dwarf4; do
	"$PROFUSE_SOURCE_DIR/tests/tools/symbol_agreement.py" "$build/tests/tools/symbolize" "$work/$program" \
		--addresses "$addresses"
done
