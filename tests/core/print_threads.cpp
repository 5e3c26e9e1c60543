#include <iostream>

#include "core/error.h"
#include "core/parallel.h"

// What a new process decides: its thread count, or why it can not.
int main() {
  try {
    std::cout << lamina::thread_count();
  } catch (const lamina::Error& error) {
    std::cout << error.what();
  }
}
