#!/usr/bin/env python3
"""Prints how many test cases the last `meson test` of a build folder ran.

A GoogleTest program counts by its cases, any other test as one. A program that failed without a
failed case, because it crashed or a sanitizer stopped it, is one failure.
"""
import json
import pathlib
import re
import sys

OUTCOMES = {"passed": "      OK", "failed": " FAILED ", "skipped": " SKIPPED"}
FAILURES = ("FAIL", "TIMEOUT", "ERROR", "INTERRUPT", "UNEXPECTEDPASS")


def count(test):
    """Cases of one test of meson's log, by outcome."""
    output = test.get("stdout", "")
    cases = {
        outcome: len(re.findall(rf"\[ {mark} \] .* \(\d+ ms\)$", output, re.MULTILINE))
        for outcome, mark in OUTCOMES.items()
    }
    if test["result"] in FAILURES:
        cases["failed"] = max(cases["failed"], 1)
    elif not any(cases.values()):
        cases["skipped" if test["result"] == "SKIP" else "passed"] = 1
    return cases


def main():
    # `meson test --wrapper` names its log after the wrapper.
    logs = pathlib.Path(sys.argv[1], "meson-logs").glob("testlog*.json")
    log = max(logs, key=lambda path: path.stat().st_mtime_ns)
    tests = [count(json.loads(line)) for line in log.read_text().splitlines()]
    totals = {outcome: sum(cases[outcome] for cases in tests) for outcome in OUTCOMES}
    print(", ".join(f"{number} {outcome}" for outcome, number in totals.items()))
    return 0 if totals["passed"] and not totals["failed"] else 1


sys.exit(main())
