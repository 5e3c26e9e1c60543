#include <gtest/gtest.h>

#include "tests/kernels/cases.h"
#include "tests/kernels/harness.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (const lamina::kernels::KernelTable* table : lamina::test::tables_under_test()) {
    lamina::test::add_known_value_cases(*table);
    lamina::test::add_pack_cases(*table);
    lamina::test::add_gemm_cases(*table);
    lamina::test::add_depthwise_cases(*table);
    lamina::test::add_depthwise_gradient_cases(*table);
    lamina::test::add_im2col_cases(*table);
    lamina::test::add_inverted_residual_cases(*table);
    lamina::test::add_elementwise_cases(*table);
    lamina::test::add_mean_cases(*table);
    lamina::test::add_softmax_cases(*table);
    lamina::test::add_gemm_tn_cases(*table);
    lamina::test::add_col2im_cases(*table);
    lamina::test::add_batch_norm_cases(*table);
  }
  return RUN_ALL_TESTS();
}
