// Two tasks that add into one sum: what ThreadSanitizer must find. Only built for it.
#include <atomic>
#include <cstdio>
#include <thread>

#include "core/parallel.h"

int main() {
  int before = 1;
  int sum = 0;
  int own[2] = {};
  std::atomic<int> arrived{0};
  lamina::set_thread_count(2);
  lamina::parallel_for(2, [&](std::size_t task) {
    arrived.fetch_add(1, std::memory_order_relaxed);  // orders nothing
    while (arrived.load(std::memory_order_relaxed) < 2) {
      std::this_thread::yield();
    }
    own[task] = before;
    sum += own[task];
  });
  before = own[0] + own[1];
  std::printf("%d %d\n", before, sum);
}
