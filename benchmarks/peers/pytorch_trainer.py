#!/usr/bin/python3
"""PyTorch's side of train.py: the protocol of lamina_trainer.cpp.

usage: pytorch_trainer.py LAYOUT WEIGHTS INPUT LABELS BATCH THREADS OUTPUT
LAYOUT is "contiguous" or "channels_last", in which PyTorch keeps images and weights.
"""

import pathlib
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

from pytorch_peer import STAGES, read_safetensors

CHECKED_STEPS = 3
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class ConvNorm(nn.Sequential):
    def __init__(self, inputs, outputs, kernel, stride=1, groups=1):
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs), nn.ReLU6(inplace=True))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, expansion, stride):
        super().__init__()
        hidden = inputs * expansion
        expand = [ConvNorm(inputs, hidden, 1)] if expansion > 1 else []
        self.conv = nn.Sequential(*expand, ConvNorm(hidden, hidden, 3, stride, groups=hidden),
                                  nn.Conv2d(hidden, outputs, 1, bias=False),
                                  nn.BatchNorm2d(outputs))
        self.has_residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.conv(x) if self.has_residual else self.conv(x)


class MobileNetV2(nn.Module):
    """With torchvision's names, and without dropout."""

    def __init__(self):
        super().__init__()
        blocks = [ConvNorm(3, 32, 3, 2)]
        inputs = 32
        for expansion, channels, repeats, first_stride in STAGES:
            for i in range(repeats):
                blocks.append(InvertedResidual(inputs, channels, expansion,
                                               first_stride if i == 0 else 1))
                inputs = channels
        self.features = nn.Sequential(*blocks, ConvNorm(inputs, 1280, 1))
        self.classifier = nn.Sequential(nn.Identity(), nn.Linear(1280, 1000))

    def forward(self, x):
        x = functional.adaptive_avg_pool2d(self.features(x), 1)
        return self.classifier(x.flatten(1))


def load(path):
    net = MobileNetV2()
    missing, extra = net.load_state_dict(read_safetensors(pathlib.Path(path))[0], strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or extra:
        sys.exit(f"{path}: missing {missing}, extra {extra}")
    return net.train()


def resident_megabytes():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1.024e-3


class Training:
    def __init__(self, layout, weights, pixels, labels, batch):
        # [N, H, W, C] in memory is what channels last means.
        x = torch.from_numpy(numpy.fromfile(pixels, numpy.float32))
        side = round((x.numel() / (batch * 3)) ** 0.5)
        x = x.reshape(batch, side, side, 3).permute(0, 3, 1, 2)
        self.images = x.contiguous(memory_format=layout)
        self.labels = torch.from_numpy(numpy.fromfile(labels, numpy.uint32).astype(numpy.int64))
        self.net = load(weights).to(memory_format=layout)
        self.sgd = torch.optim.SGD(self.net.parameters(), lr=1e-4, momentum=0.9, weight_decay=4e-5)

    def step(self):
        self.sgd.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(self.net(self.images), self.labels)
        loss.backward()
        self.sgd.step()
        return loss.item()

    def milliseconds(self):
        start = time.perf_counter()
        self.step()
        return (time.perf_counter() - start) * 1000


def main():
    layout, weights, pixels, labels, batch, threads, output = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.set_flush_denormal(True)
    training = Training(LAYOUTS[layout], weights, pixels, labels, int(batch))
    before = resident_megabytes()
    losses = [training.step() for _ in range(CHECKED_STEPS)]
    numpy.array([*losses, before], numpy.float32).tofile(output)
    print("ready PyTorch", torch.__version__, flush=True)
    for line in sys.stdin:
        print(*(training.milliseconds() for _ in range(int(line))), flush=True)


if __name__ == "__main__":
    main()
