#!/usr/bin/env python3
"""Takes torchvision's own MobileNetV2 through our programs and back: classify gives its logits,
convert writes files that its strict loading takes, with the same bits, and its quantized form is
read as a folded one. Arguments: classify's and convert's paths."""

import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import debian_python

debian_python.need(
    ("numpy", "torch", "torchvision", "PIL"),
    ("python3-numpy", "python3-torch", "python3-torchvision", "python3-pil"),
)
warnings.filterwarnings("ignore")
import numpy as np
import torch
import torchvision
from PIL import Image

CLASSIFY, CONVERT = sys.argv[1:]
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CLASSES = 10


def randomized(net):
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5, generator=generator)
            elif tensor.dim() == 1 and tensor.is_floating_point():
                tensor.uniform_(-0.5, 1.5, generator=generator)
    return net.eval()


def run(*command):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def logits_of(weights, picture):
    line = json.loads(run(CLASSIFY, "--weights", weights, "--json", "--top", CLASSES, picture))
    logits = np.empty(CLASSES)
    for prediction in line["predictions"]:
        logits[prediction["index"]] = prediction["logit"]
    return logits


folder = pathlib.Path(tempfile.mkdtemp(prefix="lamina-test-"))
pixels = np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8)
picture = folder / "picture.png"
Image.fromarray(pixels.repeat(32, 0).repeat(32, 1)).save(picture)
crop = torchvision.transforms.functional.to_tensor(Image.open(picture))[:, 16:240, 16:240]
x = torchvision.transforms.functional.normalize(crop, MEAN, DEVIATION)[None]

for width in (0.35, 1.4):
    net = randomized(torchvision.models.mobilenet_v2(num_classes=CLASSES, width_mult=width))
    with torch.no_grad():
        want = net(x)[0].numpy()
    for legacy in (False, True):
        original = folder / "original.pth"
        torch.save(net.state_dict(), original, _use_new_zipfile_serialization=not legacy)
        worst = np.abs(logits_of(original, picture) - want).max() / np.abs(want).max()
        assert worst < 1e-5, worst
        written = folder / "written.pth"
        run(CONVERT, original, written)
        again = torchvision.models.mobilenet_v2(num_classes=CLASSES, width_mult=width)
        again.load_state_dict(torch.load(written, weights_only=True), strict=True)
        for name, tensor in net.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                assert torch.equal(tensor, again.state_dict()[name]), name
        with torch.no_grad():
            assert torch.equal(again.eval()(x), net(x))
        print(f"width {width}, {'legacy' if legacy else 'zip'}: logits differ by {worst:.1e}")

torch.backends.quantized.engine = "qnnpack"
net = torchvision.models.quantization.mobilenet_v2(num_classes=CLASSES, quantize=True)
state = net.state_dict()
torch.save(state, folder / "quantized.pth")
run(CONVERT, folder / "quantized.pth", folder / "float.pth")
floats = torch.load(folder / "float.pth", weights_only=True)
for name, tensor in floats.items():
    if name == "classifier.1.weight":
        original = state["classifier.1._packed_params._packed_params"][0].dequantize()
    elif name == "classifier.1.bias":
        original = state["classifier.1._packed_params._packed_params"][1]
    else:
        original = state[name].dequantize() if state[name].is_quantized else state[name]
    assert torch.equal(tensor, original), name
assert len(floats) == 2 * 53
print("quantized: 106 tensors, equal")
