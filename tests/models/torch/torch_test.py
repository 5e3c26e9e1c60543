#!/usr/bin/env python3
"""Exchanges .pth files with PyTorch, both ways, bit for bit. Argument: torch_driver's path."""

import importlib.util
import json
import pathlib
import random
import subprocess
import sys
import tempfile
from collections import OrderedDict

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import debian_python

debian_python.need(("numpy", "torch"), ("python3-numpy", "python3-torch"))
import torch

DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint8: "U8", torch.bool: "BOOL",
}
FORMS = [{"_use_new_zipfile_serialization": zipped, "pickle_protocol": protocol}
         for zipped in (True, False) for protocol in (2, 3, 4, 5)]
failures = 0


def expect(condition, what):
    global failures
    if not condition:
        failures += 1
        print("FAILED:", what)


class Driver:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def __call__(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def raw(tensor):
    """The elements' bytes in row-major order."""
    if tensor.is_quantized:
        tensor = tensor.int_repr()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.contiguous().view(torch.int16)
    return tensor.detach().contiguous().numpy().tobytes().hex()


def compare(got, want, what):
    expect(got.keys() == want.keys(), f"{what}: names {sorted(got)} and {sorted(want)}")
    for name in got.keys() & want.keys():
        tensor, described = want[name], got[name]
        quantized = tensor.is_quantized
        dtype = tensor.int_repr().dtype if quantized else tensor.dtype
        expect(described["type"] == DTYPES[dtype], f"{what}: {name}: type {described['type']}")
        expect(described["shape"] == list(tensor.shape), f"{what}: {name}: {described['shape']}")
        expect(described["bytes"] == raw(tensor), f"{what}: {name}: values")
        expect(("scales" in described) == quantized, f"{what}: {name}: quantization")
        if quantized and tensor.qscheme() == torch.per_tensor_affine:
            expect(described["scales"] == [tensor.q_scale()], f"{what}: {name}: scale")
            expect(described["zero_points"] == [tensor.q_zero_point()], f"{what}: {name}: zero")
        elif quantized:
            expect(described["axis"] == tensor.q_per_channel_axis(), f"{what}: {name}: axis")
            expect(described["scales"] == tensor.q_per_channel_scales().tolist(),
                   f"{what}: {name}: scales")
            expect(described["zero_points"] == tensor.q_per_channel_zero_points().tolist(),
                   f"{what}: {name}: zeros")


def random_view(rng, base):
    """A view of a storage with a random offset, shape and strides, zeros among them."""
    shape, strides, room = [], [], base.numel() - 1
    offset = rng.randrange(room + 1)
    room -= offset
    for _ in range(rng.randrange(5)):
        extent = rng.choice((1, 1, 2, 3, 5))
        stride = rng.randrange(0, room // max(extent - 1, 1) + 1) if rng.random() < 0.8 else 0
        if extent > 1:
            room -= stride * (extent - 1)
        shape.append(extent)
        strides.append(stride)
    return base.as_strided(shape, strides, offset)


def all_tensors(seed):
    rng = random.Random(seed)
    torch.manual_seed(seed)
    tensors = OrderedDict()
    for dtype in DTYPES:
        base = torch.randint(0, 2 if dtype == torch.bool else 100, (60,)).to(dtype)
        if dtype.is_floating_point:
            base = (torch.randn(60) * 10).to(dtype)
        tensors[f"{dtype}.base"] = base
        for i in range(8):
            tensors[f"{dtype}.view{i}"] = random_view(rng, base)
        tensors[f"{dtype}.scalar"] = base[3]
        tensors[f"{dtype}.empty"] = base[:0].reshape(0, 3)
    tensors["parameter"] = torch.nn.Parameter(torch.randn(3, 4).t())
    for dtype in (torch.qint8, torch.quint8, torch.qint32):
        values = torch.randn(4, 3, 2)
        tensors[f"{dtype}.tensor"] = torch.quantize_per_tensor(values, 0.037, 5, dtype)
        for axis in range(3):
            size = values.shape[axis]
            tensors[f"{dtype}.channel{axis}"] = torch.quantize_per_channel(
                values, torch.rand(size, dtype=torch.float64) + 0.01,
                torch.randint(0, 5, (size,)), axis, dtype)
    return tensors


def test_reading(driver, folder):
    for seed, form in enumerate(FORMS):
        tensors = all_tensors(seed)
        torch.save(tensors, folder / "file.pth", **form)
        answer = driver("read", folder / "file.pth")
        expect("error" not in answer, f"{form}: {answer.get('error')}")
        compare(answer.get("tensors", {}), tensors, form)


def small_network():
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4),
                               torch.nn.Flatten(), torch.nn.Linear(4, 2))


def test_training_checkpoints(driver, folder):
    for form in FORMS:
        net = small_network()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        net(torch.randn(2, 3, 3, 3)).sum().backward()
        optimizer.step()
        state = net.state_dict()
        wrapped = OrderedDict(("module." + name, value) for name, value in state.items())
        wrapped["n_averaged"] = torch.tensor(3)
        whole = {"epoch": 7, "arch": "small", "best": torch.tensor(0.5), "optimizer":
                 optimizer.state_dict(), "device": torch.device("cpu"), "dtype": torch.float32,
                 "size": torch.Size((1, 2)), "model": {n: v * 0 for n, v in state.items()},
                 "model_ema": wrapped}
        torch.save(whole, folder / "file.pth", **form)
        answer = driver("read", folder / "file.pth")
        expect("error" not in answer, f"{form}: {answer.get('error')}")
        compare(answer.get("tensors", {}), {**state, "n_averaged": torch.tensor(3)}, form)
        expect(answer.get("metadata") == {"torch.epoch": "7", "torch.arch": "small"},
               answer.get("metadata"))
        expect(answer.get("remarks", [""])[:2] == [
            'the prefix "module." is taken off the tensors\' names',
            'tensors are those of "model_ema", not of "model"'], answer.get("remarks"))


def test_packed_parameters(driver, folder):
    """As quantized networks keep them: a weight and a bias in a tuple."""
    weight = torch.quantize_per_channel(torch.randn(2, 4), torch.tensor([0.1, 0.2]),
                                        torch.tensor([0, 0]), 0, torch.qint8)
    bias = torch.randn(2)
    torch.save(OrderedDict([("classifier.scale", torch.tensor(0.3)),
                            ("classifier._packed_params.dtype", torch.qint8),
                            ("classifier._packed_params._packed_params", (weight, bias))]),
               folder / "file.pth")
    answer = driver("read", folder / "file.pth")
    expect("error" not in answer, answer.get("error"))
    packed = "classifier._packed_params._packed_params"
    compare(answer.get("tensors", {}),
            {"classifier.scale": torch.tensor(0.3), packed + ".0": weight, packed + ".1": bias},
            "packed parameters")


def test_writing(driver, folder):
    net = small_network()
    torch.save(net.state_dict(), folder / "theirs.pth")
    expect(driver("write", folder / "theirs.pth", folder / "ours.pth") == {}, "writing")
    state = torch.load(folder / "ours.pth", weights_only=True)
    other = small_network()
    expect(str(other.load_state_dict(state, strict=True)) == "<All keys matched successfully>",
           "strict loading")
    x = torch.randn(2, 3, 3, 3)
    expect(torch.equal(net.eval()(x), other.eval()(x)), "equal outputs")
    expect(state["1.num_batches_tracked"].dtype == torch.int64, "counter")
    expect(list(state["1.num_batches_tracked"].shape) == [], "counter's shape")
    answer = driver("read", folder / "ours.pth")
    compare(answer.get("tensors", {}), state, "ours read again")


def test_torchvision(driver, folder):
    if importlib.util.find_spec("torchvision") is None:
        print("skipped without torchvision: its MobileNetV2")
        return
    from torchvision.models import mobilenet_v2

    torch.manual_seed(1)
    net = mobilenet_v2().eval()
    torch.save(net.state_dict(), folder / "theirs.pth", _use_new_zipfile_serialization=False)
    expect(driver("write", folder / "theirs.pth", folder / "ours.pth") == {}, "writing")
    other = mobilenet_v2().eval()
    state = torch.load(folder / "ours.pth", weights_only=True)
    expect(str(other.load_state_dict(state, strict=True)) == "<All keys matched successfully>",
           "strict loading of torchvision's network")
    x = torch.randn(1, 3, 96, 96)
    expect(torch.equal(net(x), other(x)), "torchvision's logits")


def test_refusals(driver, folder):
    torch.save(small_network(), folder / "file.pth")
    expect("holds a whole pickled module" in driver("read", folder / "file.pth").get("error", ""),
           "whole module")
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), folder / "file.pth")
    expect("is a TorchScript program" in driver("read", folder / "file.pth").get("error", ""),
           "TorchScript")
    torch.save({"a": torch.zeros(2, dtype=torch.complex64), "b": torch.ones(1)},
               folder / "file.pth")
    answer = driver("read", folder / "file.pth")
    expect(list(answer.get("tensors", {})) == ["b"], "complex numbers are left out")
    expect(answer.get("remarks") == [
        'left out, their elements being of a kind that is not read: "a"'], answer.get("remarks"))


def main():
    driver = Driver(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        for test in (test_reading, test_training_checkpoints, test_packed_parameters, test_writing,
                     test_torchvision, test_refusals):
            test(driver, pathlib.Path(name))
    print(failures, "failures")
    sys.exit(failures > 0)


main()
