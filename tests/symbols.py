"""Checks that no instruction set's library can hand its code to another CPU.

An inline function or a template that the compiler did not inline is a weak symbol: the linker keeps
one copy for the whole program, which may be the one compiled for AVX-512. So everything that a
library defines must lie in its own namespace, and nothing of the standard library's may be missing.

The libraries are built with -O3 and without sanitizers in every kind of build: their symbols are the
same in all.

Usage: symbols.py --nm NM ISA=LIBRARY...
"""

import argparse
import re
import subprocess
import sys


def inside(isa):
    """Matches the mangled names within lamina::kernels::<isa>, local statics and tables included."""
    namespace = "".join(f"{len(part)}{part}" for part in ("lamina", "kernels", isa))
    return re.compile(rf"_Z(GV|GR|TV|TT|TI|TS|Z)*N[rVK]*{namespace}")


STANDARD = re.compile(r"_ZN?[rVK]*(St|S[absiod])")


def symbols(nm, library):
    """(type, mangled name, readable name) of every external symbol of the library."""
    tables = []
    for flags in (["--no-demangle"], ["--demangle"]):
        command = [nm, "--extern-only", "--no-sort", "--format=posix", *flags, library]
        tables.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    mangled, readable = (table.splitlines() for table in tables)
    for raw, text in zip(mangled, readable, strict=True):
        if match := re.fullmatch(r"(\S+) ([A-Za-z])( .*)?", raw):
            yield match[2], match[1], text[: text.rindex(f" {match[2]}")]


def violations(nm, isa, library):
    own = inside(isa)
    found = False
    for kind, name, readable in symbols(nm, library):
        found = True
        defined = kind not in "Uvw"
        if defined and not own.match(name):
            weak = "weak" if kind in "WVu" else "global"
            yield f"{library}: defines the {weak} symbol {readable}, outside of lamina::kernels::{isa}"
        elif not defined and STANDARD.match(name):
            yield f"{library}: needs {readable} of the standard library"
    if not found:
        yield f"{library}: holds no symbols"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", required=True)
    parser.add_argument("libraries", nargs="+")
    args = parser.parse_args()
    count = 0
    for isa, library in (item.split("=", 1) for item in args.libraries):
        for violation in sorted(set(violations(args.nm, isa, library))):
            print(violation)
            count += 1
    print(f"{len(args.libraries)} libraries, {count} foreign symbols")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
