#!/usr/bin/python3
"""PyTorch's side of the comparison: the protocol of peer.h, compiled for inference.

usage: pytorch_peer.py WEIGHTS INPUT BATCH THREADS LOGITS
"""

import json
import pathlib
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

# Expansion, channels, repeats and stride: table 2 of the paper.
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
          (6, 320, 1, 1)]


def read_safetensors(path):
    """The tensors and the metadata of a file of float32 tensors."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        values = numpy.frombuffer(data[begin:end], numpy.float32).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors, metadata


def convolution(inputs, outputs, kernel, stride, groups, same, activation):
    # TensorFlow pads an even side below and to the right only, which Conv2d cannot. A row and a
    # column of zeros before the kernel's own do the same, and cost less than padding the tensor.
    size = kernel + 1 if same and stride == 2 else kernel
    parts = [nn.Conv2d(inputs, outputs, size, stride, kernel // 2, groups=groups)]
    return nn.Sequential(*parts, *([nn.ReLU6()] if activation else []))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, expansion, stride, same):
        super().__init__()
        hidden = inputs * expansion
        expand = [convolution(inputs, hidden, 1, 1, 1, same, True)] if expansion > 1 else []
        self.conv = nn.Sequential(*expand,
                                  convolution(hidden, hidden, 3, stride, hidden, same, True),
                                  convolution(hidden, outputs, 1, 1, 1, same, False))
        self.has_residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.conv(x) if self.has_residual else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, same):
        super().__init__()
        blocks = [convolution(3, 32, 3, 2, 1, same, True)]
        inputs = 32
        for expansion, channels, repeats, first_stride in STAGES:
            for i in range(repeats):
                stride = first_stride if i == 0 else 1
                blocks.append(InvertedResidual(inputs, channels, expansion, stride, same))
                inputs = channels
        blocks.append(convolution(inputs, 1280, 1, 1, 1, same, True))
        self.features = nn.Sequential(*blocks)
        self.classifier = nn.Linear(1280, 1000)

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


def load(path):
    tensors, metadata = read_safetensors(path)
    net = MobileNetV2(same=metadata.get("padding") == "same_tf")
    own = net.state_dict()
    # Both list the layers in the order of the network; a file sorts them by name.
    for kind in ("weight", "bias"):
        names = [name for name in own if name.endswith(kind)]
        theirs = sorted((name for name in tensors if name.endswith(kind)), key=position)
        for name, source in zip(names, theirs, strict=True):
            values = tensors[source]
            zeros = own[name].shape[-1] - values.shape[-1]
            own[name].copy_(functional.pad(values, (zeros, 0, zeros, 0)) if zeros else values)
    return net.eval()


def position(name):
    """The key that sorts names as numbers where they are numbers, the classifier last."""
    parts = name.split(".")
    return parts[0] == "classifier", [int(part) for part in parts if part.isdigit()]


def seconds(net, x):
    start = time.perf_counter()
    net(x)
    return time.perf_counter() - start


def fastest(net, x):
    """Of PyTorch's two ways to compile for inference the faster; which one depends on the batch."""
    ways = [torch.jit.freeze(torch.jit.trace(net, x)),
            torch.jit.optimize_for_inference(torch.jit.trace(net, x))]
    for way in ways:
        for _ in range(3):  # the first runs compile
            way(x)
    return min(ways, key=lambda way: min(seconds(way, x) for _ in range(5)))


def main():
    weights, pixels, batch, threads, logits = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.set_flush_denormal(True)
    with torch.no_grad():
        x = torch.from_numpy(numpy.fromfile(pixels, numpy.float32))
        # [N, H, W, C] in memory is what channels last means.
        x = x.reshape(int(batch), 224, 224, 3).permute(0, 3, 1, 2)
        net = fastest(load(pathlib.Path(weights)).to(memory_format=torch.channels_last), x)
        net(x).numpy().tofile(logits)
        print("ready PyTorch", torch.__version__, flush=True)
        for line in sys.stdin:
            print(*(seconds(net, x) * 1000 for _ in range(int(line))), flush=True)


if __name__ == "__main__":
    main()
