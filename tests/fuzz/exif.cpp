#include "data/exif.h"

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lamina;
  return fuzz::attempt(1 << 16, [&] {
    const data::Orientation orientation = data::exif_orientation({data, size});
    const data::Image upright =
        data::turn_upright({2, 3, std::vector<std::uint8_t>(18)}, orientation);
    fuzz::promise(upright.pixels.size() == 18 && upright.height * upright.width == 6,
                  "a turned picture");
  });
}
