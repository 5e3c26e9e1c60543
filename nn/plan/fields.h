#pragma once

#include "nn/plan/program.h"

namespace lamina::nn {

static_assert(sizeof(Step) == 392, "a field more or less: for_each_field, and file.cpp's version");

/// Calls visit(field) for every number of a step, in the order of plan files.
template <class AnyStep, class Visit>
void for_each_field(AnyStep& step, const Visit& visit) {
  visit(step.kind);
  for (auto* place : {&step.x, &step.residual, &step.y}) {
    visit(place->in);
    visit(place->offset);
  }
  visit(step.rows);
  visit(step.channels);
  visit(step.groups);
  for (auto* window : {&step.first, &step.window}) {
    auto& [in_h, in_w, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w,
           pad_top, pad_left] = *window;
    for (auto* number : {&in_h, &in_w, &out_h, &out_w, &kernel_h, &kernel_w, &stride_h, &stride_w,
                         &dilation_h, &dilation_w, &pad_top, &pad_left}) {
      visit(*number);
    }
  }
  for (auto* matrix : {&step.expand, &step.matrix}) {
    auto& [n, k, panel, values, bias] = *matrix;
    for (auto* number : {&n, &k, &panel, &values, &bias}) {
      visit(*number);
    }
  }
  visit(step.taps);
  visit(step.taps_bias);
  visit(step.rows_at_once);
  for (auto* bounds : {&step.inner_bounds, &step.bounds}) {
    visit(bounds->lo);
    visit(bounds->hi);
  }
}

}  // namespace lamina::nn
