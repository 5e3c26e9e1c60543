#!/usr/bin/env python3
"""Compares optimizers, clipping, schedules and averages with PyTorch's, and RMSProp with
TensorFlow's formula in NumPy. Argument: optim_driver's path."""

import pathlib
import subprocess
import sys
import warnings

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import debian_python

debian_python.need(("numpy", "torch"), ("python3-numpy", "python3-torch"))
import numpy as np
import torch

TOLERANCE = 1e-6  # of a tensor's largest value
SHAPES = {"weight": (37, 1000), "bias": (3,), "late": (5, 33)}
STEPS = 25
LATE_FROM = 4  # the step at which "late" gets its first gradient

# Our options, with PyTorch's names where those differ.
SGD = [
    {"rate": 0.05},
    {"rate": 0.05, "weight_decay": 0.1},
    {"rate": 0.05, "momentum": 0.9},
    {"rate": 0.05, "momentum": 0.9, "weight_decay": 4e-5},
    {"rate": 0.05, "momentum": 0.9, "weight_decay": 0.1, "weights_only": 1},
    {"rate": 0.05, "momentum": 0.9, "dampening": 0.5},
    {"rate": 0.05, "momentum": 0.9, "weight_decay": 0.01, "nesterov": 1},
]
ADAM_W = [
    {"rate": 1e-3, "weight_decay": 0.01},
    {"rate": 0.02, "weight_decay": 0.3, "weights_only": 1},
    {"rate": 0.01, "weight_decay": 0.0, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3},
]
RMS_PROP = [
    {"rate": 0.045, "weight_decay": 4e-5},
    {"rate": 0.01, "decay": 0.99, "momentum": 0.0, "epsilon": 1e-3},
    {"rate": 0.01, "decay": 0.9, "momentum": 0.9, "epsilon": 1e-10, "weight_decay": 0.1,
     "weights_only": 1},
]
TORCH_NAMES = {"rate": "lr", "epsilon": "eps"}


class Driver:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, command, options):
        words = [command, *(f"{key}={value!r}" for key, value in options.items())]
        self.write(" ".join(words).encode() + b"\n")

    def write(self, data):
        self.process.stdin.write(data)

    def read(self, count, dtype=np.float32):
        self.process.stdin.flush()
        data = self.process.stdout.read(count * np.dtype(dtype).itemsize)
        return np.frombuffer(data, dtype)


def check(name, got, want, tolerance=TOLERANCE):
    if got.shape != want.shape:
        sys.exit(f"{name}: {got.shape} values for {want.shape}")
    error = np.abs(got.astype(np.float64) - want).max() / max(np.abs(want).max(), 1e-30)
    if not error <= tolerance:
        sys.exit(f"{name}: differs by {error:.2e} of the largest value, {tolerance:g} at most")
    return error


def random_values(seed):
    generator = np.random.default_rng(seed)
    return {name: generator.standard_normal(shape, np.float32) for name, shape in SHAPES.items()}


def gradients_of(step):
    """Of magnitudes that differ from value to value and from step to step."""
    return {
        name: values * np.exp2(np.random.default_rng(7).uniform(-12, 3, values.shape)).astype("f4")
        for name, values in random_values(100 + step).items()
    }


def rate_of(step, rate):
    return rate * 0.98 ** (step // 5)


def decay_of(name, options):
    weights_only = options.get("weights_only") and len(SHAPES[name]) < 2
    return 0.0 if weights_only else options.get("weight_decay", 0.0)


def torch_optimizer(kind, parameters, options):
    names = {TORCH_NAMES.get(key, key): value for key, value in options.items()}
    names.pop("weights_only", None)
    groups = [{"params": [value], "weight_decay": decay_of(name, options)}
              for name, value in parameters.items()]
    if kind == "sgd":
        names["nesterov"] = bool(names.get("nesterov"))
        return torch.optim.SGD(groups, **names)
    betas = (names.pop("beta1", 0.9), names.pop("beta2", 0.999))
    return torch.optim.AdamW(groups, betas=betas, **names)


def torch_steps(kind, options):
    """The parameters after each step, by PyTorch in float32."""
    parameters = {name: torch.tensor(value) for name, value in random_values(1).items()}
    optimizer = torch_optimizer(kind, parameters, options)
    for step in range(STEPS):
        for name, gradient in gradients_of(step).items():
            if name != "late" or step >= LATE_FROM:
                parameters[name].grad = torch.tensor(gradient)
        for group in optimizer.param_groups:
            group["lr"] = rate_of(step, options["rate"])
        optimizer.step()
        yield {name: value.numpy().copy() for name, value in parameters.items()}


def tensorflow_steps(options):
    """The same by TensorFlow's RMSProp in float64."""
    decay, momentum = options.get("decay", 0.9), options.get("momentum", 0.9)
    parameters = {name: value.astype(np.float64) for name, value in random_values(1).items()}
    mean_squares = {name: np.ones_like(value) for name, value in parameters.items()}
    moments = {name: np.zeros_like(value) for name, value in parameters.items()}
    for step in range(STEPS):
        for name, gradient in gradients_of(step).items():
            if name == "late" and step < LATE_FROM:
                continue
            g = gradient + decay_of(name, options) * parameters[name]
            mean_squares[name] = decay * mean_squares[name] + (1 - decay) * g**2
            root = np.sqrt(mean_squares[name] + options.get("epsilon", 1.0))
            moments[name] = momentum * moments[name] + rate_of(step, options["rate"]) * g / root
            parameters[name] -= moments[name]
        yield dict(parameters)


def check_optimizer(driver, kind, options):
    driver.send(f"optimize {kind}", {**options, "steps": STEPS, "late_from": LATE_FROM})
    for value in random_values(1).values():
        driver.write(value.tobytes())
    steps = tensorflow_steps(options) if kind == "rms_prop" else torch_steps(kind, options)
    worst = 0.0
    for step, wanted in enumerate(steps):
        driver.write(np.float64(rate_of(step, options["rate"])).tobytes())
        for gradient in gradients_of(step).values():
            driver.write(gradient.tobytes())
        for name, want in wanted.items():
            got = driver.read(want.size).reshape(want.shape)
            worst = max(worst, check(f"{kind} {options} step {step} {name}", got, want))
    print(f"{kind} {options}: {worst:.1e}")


def check_clipping(driver):
    largest = max(np.abs(value).max() for value in random_values(1).values())
    for kind, maximum in (("norm", 1.5), ("norm", 1e6), ("values", 0.25), ("values", 2 * largest)):
        driver.send(f"clip {kind}", {"max": float(maximum)})
        parameters = []
        for value in random_values(1).values():
            driver.write(value.tobytes())
            parameters.append(torch.nn.Parameter(torch.zeros(value.shape)))
            parameters[-1].grad = torch.tensor(value)
        want = np.sqrt(sum((value.astype(np.float64) ** 2).sum()
                           for value in random_values(1).values()))
        check(f"clip {kind}: norm", driver.read(1, np.float64), np.array([want]), 1e-14)
        clip = torch.nn.utils.clip_grad_norm_ if kind == "norm" else (
            torch.nn.utils.clip_grad_value_)
        clip(parameters, maximum)
        for parameter in parameters:
            want = parameter.grad.numpy()
            check(f"clip {kind} {maximum}", driver.read(want.size).reshape(want.shape), want)


def torch_rates(make_schedulers, warmup_steps, steps, rate):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate, momentum=0.9)
    scheduler = make_schedulers(optimizer)
    if warmup_steps > 0:
        warmup = torch.optim.lr_scheduler.LinearLR(optimizer, 0.01, total_iters=warmup_steps)
        scheduler = torch.optim.lr_scheduler.SequentialLR(
            optimizer, [warmup, scheduler], [warmup_steps])
    for _ in range(steps):
        yield optimizer.param_groups[0]["lr"]
        optimizer.step()
        scheduler.step()


def check_schedules(driver):
    lr, epochs, per_epoch, rate = torch.optim.lr_scheduler, 12, 7, 0.045
    for warmup in (0, 2, 3.4):
        before = round(warmup * per_epoch)
        after = epochs * per_epoch - before
        cases = {
            "constant": ({}, lambda o: lr.ConstantLR(o, 1.0)),
            "step": ({"step_factor": 0.3, "step_epochs": 3.0},
                     lambda o: lr.StepLR(o, 3 * per_epoch, 0.3)),
            "exponential": ({}, lambda o: lr.LambdaLR(o, lambda s: 0.98 ** (s // per_epoch))),
            "cosine": ({"final_rate": 1e-4}, lambda o: lr.CosineAnnealingLR(o, after, 1e-4)),
        }
        if warmup == 0:  # PyTorch's own cannot follow a warm-up
            cases["one_cycle"] = ({}, lambda o: lr.OneCycleLR(o, rate, after))
            cases["one_cycle "] = (
                {"rise": 0.45, "initial_divisor": 10.0, "final_divisor": 50.0},
                lambda o: lr.OneCycleLR(o, rate, after, pct_start=0.45, div_factor=10.0,
                                        final_div_factor=50.0))
        for kind, (options, make) in cases.items():
            driver.send(f"schedule {kind}", {
                "rate": rate, "epochs": epochs, "steps_per_epoch": per_epoch,
                "warmup_epochs": warmup, **options})
            want = np.array(list(torch_rates(make, before, epochs * per_epoch, rate)))
            error = check(f"schedule {kind} {warmup}", driver.read(len(want), np.float64), want,
                          1e-12)
            print(f"schedule {kind}, {warmup} epochs of warm-up: {error:.1e}")


def check_average(driver):
    for decay in (0.5, 0.999):
        driver.send("average ema", {"decay": decay, "steps": STEPS})
        layer = torch.nn.Linear(7, 5, bias=False)
        average = torch.optim.swa_utils.AveragedModel(
            layer, avg_fn=lambda average, value, _: decay * average + (1 - decay) * value)
        average.update_parameters(layer)  # copies, the first time
        driver.write(layer.weight.detach().numpy().tobytes())
        for step in range(STEPS):
            with torch.no_grad():
                layer.weight.copy_(torch.randn(5, 7))
            driver.write(layer.weight.detach().numpy().tobytes())
            average.update_parameters(layer)
            want = average.module.weight.detach().numpy()
            check(f"average {decay} step {step}", driver.read(35).reshape(5, 7), want)


def main():
    warnings.simplefilter("ignore")
    torch.manual_seed(3)
    driver = Driver(sys.argv[1])
    for kind, variants in (("sgd", SGD), ("adam_w", ADAM_W), ("rms_prop", RMS_PROP)):
        for options in variants:
            check_optimizer(driver, kind, options)
    check_clipping(driver)
    check_schedules(driver)
    check_average(driver)
    print("all as PyTorch's and TensorFlow's")


if __name__ == "__main__":
    main()
