#!/bin/sh
# The release build. This file is the only place that knows its flags; more arguments go to `swift build`.
set -eu
cd "$(dirname "$0")/.."

# Everything of Swift and C++ linked in, for a device has neither; the agent's size and memory count: see docs/install.md.
set -- --static-swift-stdlib -Xswiftc -Osize -Xswiftc -Xfrontend -Xswiftc -function-sections -Xlinker -s -Xswiftc -Xclang-linker -Xswiftc -static-libgcc "$@"

# A folder that holds libstdc++ only as an archive makes the linker take it from there: 0.8 MB of memory less than shared.
archive="$(gcc -print-file-name=libstdc++.a 2>/dev/null || clang -print-file-name=libstdc++.a 2>/dev/null || true)"
case "$archive" in
  /*)
    mkdir -p .build/static
    ln -sf "$archive" .build/static/libstdc++.a
    set -- -Xswiftc "-L$PWD/.build/static" "$@"
    ;;
  *) echo "godwit: no libstdc++.a found; the programs will need libstdc++.so.6" >&2 ;;
esac

# The toolchain's own linker drops functions that nobody calls and folds equal ones (Swift promises no function an address of its own), and no
# symbol is exported, for nothing is loaded that looks for one: 1.5 MB less.
set -- -Xswiftc -use-ld=lld -Xlinker --icf=all -Xlinker --no-export-dynamic "$@"
# That a function is public is no reason to keep it when nobody calls it: 0.4 MB less of ours, and 0.8 of Swift's library, of which a copy says so.
# The linker looks into the toolchain's folder first, hence a front of its own. A cross-build takes the library as it is.
set -- -Xswiftc -Xfrontend -Xswiftc -internalize-at-link "$@"
toolchain="$(dirname "$(readlink -f "$(command -v swiftc)")")"
core="$toolchain/../lib/swift_static/linux/libswiftCore.a"
mkdir -p .build/static
rm -f .build/static/libswiftCore.a
case " $* " in
  *" --swift-sdk "* | *" --sdk "* | *" --triple "* | *" --destination "*) ;;
  *)
    if [ -x "$toolchain/ld.lld" ] && python3 scripts/droppable.py "$core" Swift.o .build/static/libswiftCore.a; then
      printf '#!/bin/sh\nexec "%s/ld.lld" "-L%s/.build/static" "$@"\n' "$toolchain" "$PWD" >.build/static/ld.lld
      chmod +x .build/static/ld.lld
      set -- -Xswiftc "-ld-path=$PWD/.build/static/ld.lld" "$@"
    else
      echo "godwit: Swift's library could not be made droppable; the programs will be 0.8 MB larger" >&2
    fi
    # The names of Unicode's characters are left out: 0.55 MB less.
    compiler="$(command -v cc || command -v gcc || command -v clang || true)"
    if [ -n "$compiler" ] && "$compiler" -Os -c -o .build/static/unicode_names.o scripts/unicode_names.c; then
      set -- -Xlinker --wrap=_swift_stdlib_getScalarName -Xlinker "$PWD/.build/static/unicode_names.o" "$@"
    else
      echo "godwit: no C compiler found; the programs will have the names of Unicode's characters" >&2
    fi
    ;;
esac
# Packed relocations are 0.5 MB less; the C library understands them from 2.36 on.
libc="$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc 2\.//p')"
case "$libc" in
  '' | *[!0-9]*) ;;
  *) [ "$libc" -lt 36 ] || set -- -Xlinker -z -Xlinker pack-relative-relocs "$@" ;;
esac

swift build -c release "$@"
