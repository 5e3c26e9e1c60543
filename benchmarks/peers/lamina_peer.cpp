#include <utility>

#include "benchmarks/peers/peer.h"
#include "nn/plan.h"

// Lamina's side of the comparison.
namespace {

using namespace lamina;

class PlanRunner : public benchmarks::Runner {
 public:
  PlanRunner(const benchmarks::Task& task, std::span<float> logits)
      : plan_(nn::compile(task.graph)),
        workspace_(plan_.workspace(task.threads)),
        input_(task.input.values()),
        logits_(logits) {}

  void run() override { plan_.run(input_, logits_, workspace_); }

 private:
  nn::Plan plan_;
  nn::Workspace workspace_;
  std::span<const float> input_;
  std::span<float> logits_;
};

}  // namespace

int main(int argc, char** argv) {
  return benchmarks::serve(argc, argv, "Lamina",
                           [](const benchmarks::Task& task,
                              std::span<float> logits) -> std::unique_ptr<benchmarks::Runner> {
                             return std::make_unique<PlanRunner>(task, logits);
                           });
}
