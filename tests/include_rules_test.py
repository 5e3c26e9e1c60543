"""Plants one violation of each rule in a small tree and expects include_rules to name it."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).with_name("include_rules.py")

CLEAN = {
    "core/tensor.h": "#include <vector>\n",
    "core/parallel.cpp": '#include <oneapi/tbb/info.h>\n#include "core/tensor.h"\n',
    "kernels/table.h": "#include <cstddef>\n",
    "kernels/tables.h": '#include "kernels/table.h"\n',
    "kernels/simd/vec.h": "#include <xsimd/xsimd.hpp>\nauto x = _mm512_setzero_ps();\n",
    "kernels/simd/gemm.cpp": '#include "kernels/simd/vec.h"  // not _mm512_fmadd_ps\n',
    "kernels/reference/gemm.cpp": '#include "kernels/table.h"\n',
    "nn/ops.h": '#include "core/tensor.h"\n',
    "nn/ops/gemm.h": '#include "kernels/table.h"\n#include "nn/kernels.h"\n',
    "nn/kernels.h": '#include "kernels/table.h"\n',
    "nn/ops/conv2d.cpp": '#include "kernels/table.h"\n#include "nn/kernels.h"\n',
    "data/image.cpp": "#include <png.h>\n",
    "models/net.h": '#include "nn/ops.h"\n',
    "apps/classify.cpp": '#include "models/net.h"\n',
}

# File, its text, the line that the complaint names, the complaint.
PLANTED = [
    ("core/a.h", '#include "nn/ops.h"\n', 1, 'core may not include "nn/ops.h"'),
    ("core/a.h", '\n#include "kernels/table.h"\n', 2, 'core may not include "kernels/table.h"'),
    ("core/a.cpp", "#include <png.h>\n", 1, "core may not include <png.h>"),
    ("kernels/a.cpp", '#include "core/tensor.h"\n', 1, 'kernels may not include "core/tensor.h"'),
    ("kernels/a.cpp", "#include <png.h>\n", 1, "kernels may not include <png.h>"),
    ("kernels/simd/a.cpp", "#include <immintrin.h>\n", 1,
     "<immintrin.h> belongs in kernels/simd/vec.h only"),
    ("kernels/simd/a.cpp", "#include <xsimd/xsimd.hpp>\n", 1,
     "<xsimd/xsimd.hpp> belongs in kernels/simd/vec.h only"),
    ("kernels/simd/a.cpp", "y = _mm256_add_ps(a, b);\n", 1,
     "the intrinsic _mm256_add_ps belongs in kernels/simd/vec.h only"),
    ("kernels/simd/a.cpp", "\n\ny = vaddq_f32(a, b);\n", 3,
     "the intrinsic vaddq_f32 belongs in kernels/simd/vec.h only"),
    ("kernels/simd/a.cpp", "y = xsimd::exp(x);\n", 1, "xsimd belongs in kernels/simd/vec.h only"),
    ("kernels/reference/a.cpp", '#include "kernels/simd/vec.h"\n', 1,
     'the specification may not include "kernels/simd/vec.h"'),
    ("nn/a.h", '#include "kernels/table.h"\n', 1,
     'a public header may not include "kernels/table.h"'),
    ("nn/a.h", '#include "nn/kernels.h"\n', 1, '"nn/kernels.h" is for the sources of nn only'),
    ("nn/a.cpp", '#include "kernels/tables.h"\n', 1,
     'nn may include kernels/dispatch.h and kernels/table.h only, not "kernels/tables.h"'),
    ("nn/a.cpp", '#include "data/image.h"\n', 1, '"data/image.h" is not a file below the root'),
    ("data/a.cpp", '#include "nn/ops.h"\n', 1, 'data may not include "nn/ops.h"'),
    ("models/a.cpp", '#include "kernels/table.h"\n', 1,
     'models may not include "kernels/table.h"'),
    ("nn/a.h", '#include "nn/ops/gemm.h"\n', 1, '"nn/ops/gemm.h" is for the sources of nn only'),
    ("models/a.cpp", '#include "nn/kernels.h"\n', 1, '"nn/kernels.h" is for the sources of nn only'),
    ("apps/a.cpp", '#include "kernels/table.h"\n', 1, 'apps may not include "kernels/table.h"'),
    ("nn/a.cpp", "\n" * 401, 401, "401 lines, 400 at most"),
]


def check(files):
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            file = pathlib.Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        command = [sys.executable, str(SCRIPT), folder]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        return result.returncode, result.stdout.splitlines()


class IncludeRules(unittest.TestCase):
    def test_a_clean_tree_passes(self):
        self.assertEqual(check(CLEAN), (0, [f"{len(CLEAN)} files, 0 violations"]))

    def test_an_empty_tree_fails(self):
        self.assertEqual(check({}), (1, ["0 files, 0 violations"]))

    def test_each_violation_is_named(self):
        for path, text, line, complaint in PLANTED:
            with self.subTest(path=path, text=text[:60]):
                status, lines = check({**CLEAN, path: text})
                self.assertEqual(status, 1)
                expected = [
                    f"{path}:{line}: {complaint}",
                    f"{len(CLEAN) + 1} files, 1 violations",
                ]
                self.assertEqual(lines, expected)


if __name__ == "__main__":
    unittest.main()
