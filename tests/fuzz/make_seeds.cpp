#include <iostream>

#include "core/error.h"
#include "tests/fuzz/seeds.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_seeds FOLDER\n";
    return 2;
  }
  try {
    lamina::fuzz::write_seeds(argv[1]);
  } catch (const lamina::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
