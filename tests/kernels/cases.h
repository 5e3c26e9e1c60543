#pragma once

#include "kernels/table.h"

/// The cases of each file, for one table.
namespace lamina::test {

void add_pack_cases(const kernels::KernelTable& table);
void add_gemm_cases(const kernels::KernelTable& table);
void add_depthwise_cases(const kernels::KernelTable& table);
void add_depthwise_gradient_cases(const kernels::KernelTable& table);
void add_im2col_cases(const kernels::KernelTable& table);
void add_inverted_residual_cases(const kernels::KernelTable& table);
void add_elementwise_cases(const kernels::KernelTable& table);
void add_mean_cases(const kernels::KernelTable& table);
void add_softmax_cases(const kernels::KernelTable& table);
void add_gemm_tn_cases(const kernels::KernelTable& table);
void add_col2im_cases(const kernels::KernelTable& table);
void add_batch_norm_cases(const kernels::KernelTable& table);
void add_known_value_cases(const kernels::KernelTable& table);

}  // namespace lamina::test
