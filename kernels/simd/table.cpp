#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"
#include "kernels/tables.h"

namespace lamina::kernels::LAMINA_ISA {

const KernelTable kTable = {
    .isa = LAMINA_STRING(LAMINA_ISA),
    .lanes = kLanes,
    .max_panel = kMaxPanel,
    .packed_size = packed_size,
    .best_panel = best_panel,
    .pack = pack,
    .gemm = gemm,
    .im2col = im2col,
    .depthwise3x3 = depthwise3x3,
    .depthwise = depthwise,
    .inverted_residual_scratch = inverted_residual_scratch,
    .inverted_residual = inverted_residual,
    .mean_rows = mean_rows,
    .scale_shift = scale_shift,
    .add = add,
    .clamp = clamp,
    .softmax = softmax,
    .gradients =
        {
            .gemm_tn = gemm_tn,
            .col2im = col2im,
            .depthwise3x3_input = depthwise3x3_input,
            .depthwise3x3_weight = depthwise3x3_weight,
            .depthwise_input = depthwise_input,
            .depthwise_weight = depthwise_weight,
            .moments = moments,
            .norm_sums = norm_sums,
            .norm_input = norm_input,
            .clamp = clamp_gradient,
        },
};

}  // namespace lamina::kernels::LAMINA_ISA
