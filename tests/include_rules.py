"""Checks who includes whom, which folders may name xsimd or an intrinsic, and how long files are.

Usage: include_rules.py ROOT. Prints every violation as file:line: what is wrong.
"""

import pathlib
import re
import sys

MAX_LINES = 400
FOLDERS = ("core", "kernels", "nn", "data", "models", "apps", "tests", "benchmarks")
LIBRARY = ("core", "nn", "data", "models")  # whose headers users see

# What the files of a folder may include of ours; "kernels/" means its two public headers.
OWN = {
    "core": {"core"},
    "kernels": {"kernels"},
    "nn": {"nn", "core", "kernels"},
    "data": {"data", "core"},
    "models": {"models", "nn", "data", "core"},
    "apps": {"apps", "models", "nn", "data", "core"},
    "tests": set(FOLDERS),
    "benchmarks": set(FOLDERS) - {"tests"},
}
# Headers of other libraries, where a folder is restricted to some. The system's own count as
# standard.
OTHERS = {
    "core": r"oneapi/tbb/.*|tbb/.*|sanitizer/.*|xxhash\.h",
    "kernels": r"(?!)",
    "nn": r"(?!)",
}
STANDARD = re.compile(r"[a-z0-9_]+|(sched|unistd|fcntl)\.h|sys/[a-z]+\.h")
KERNELS_PUBLIC = {"kernels/table.h", "kernels/dispatch.h"}
PRIVATE = re.compile(r"nn/(kernels|.+/.+)\.h")  # shared by the sources of nn, not public
VEC = "kernels/simd/vec.h"

INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')
INTRINSICS_HEADER = re.compile(r"[a-z0-9]*intrin\.h|arm_neon\.h|arm_sve\.h")
INTRINSIC = re.compile(r"\b(_mm\d*_\w+|__m(128|256|512)\w*|v[a-z0-9_]+q_[a-z]*[fsup]\d+\w*)\b")
XSIMD = re.compile(r"\bxsimd\b")


def include_problems(path, quote, name, exists):
    """What is wrong with one #include in the file `path`, both relative to the root."""
    folder = path.split("/")[0]
    public = path.endswith(".h") and folder in LIBRARY and not PRIVATE.fullmatch(path)
    if name.startswith("xsimd") or INTRINSICS_HEADER.fullmatch(name):
        if path != VEC:
            yield f"<{name}> belongs in {VEC} only"
        return
    if quote == "<":
        others = OTHERS.get(folder)
        if others and not STANDARD.fullmatch(name) and not re.fullmatch(others, name):
            yield f"{folder} may not include <{name}>"
        return
    target = name.split("/")[0]
    if not exists(name):
        yield f'"{name}" is not a file below the root'
    elif target not in OWN[folder]:
        yield f'{folder} may not include "{name}"'
    elif target == "kernels" and public:
        yield f'a public header may not include "{name}"'
    elif PRIVATE.fullmatch(name) and (public or folder not in ("nn", "tests", "benchmarks")):
        yield f'"{name}" is for the sources of nn only'
    elif target == "kernels" and folder == "nn" and name not in KERNELS_PUBLIC:
        yield f'{folder} may include {" and ".join(sorted(KERNELS_PUBLIC))} only, not "{name}"'
    elif path.startswith("kernels/reference/") and not re.match(
        r"kernels/(table|tables|reference/.*)\.h", name
    ):
        yield f'the specification may not include "{name}"'


def code_problems(path, code):
    """Names in one line of code, comments taken off, that only vec.h may use."""
    if path == VEC:
        return
    for match in INTRINSIC.finditer(code):
        yield f"the intrinsic {match[0]} belongs in {VEC} only"
    if XSIMD.search(code) and not INCLUDE.match(code):
        yield f"xsimd belongs in {VEC} only"


def file_problems(root, path):
    lines = (root / path).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        code = line.split("//")[0]
        problems = list(code_problems(path, code))
        if include := INCLUDE.match(code):
            exists = lambda name: (root / name).is_file()
            problems += include_problems(path, include[1], include[2], exists)
        yield from (f"{path}:{number}: {problem}" for problem in problems)
    if len(lines) > MAX_LINES:
        yield f"{path}:{MAX_LINES + 1}: {len(lines)} lines, {MAX_LINES} at most"


def main():
    root = pathlib.Path(sys.argv[1])
    files = sorted(
        path.relative_to(root).as_posix()
        for folder in FOLDERS
        for path in (root / folder).rglob("*")
        if path.suffix in (".h", ".cpp")
    )
    problems = [problem for path in files for problem in file_problems(root, path)]
    print("\n".join(problems + [f"{len(files)} files, {len(problems)} violations"]))
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
