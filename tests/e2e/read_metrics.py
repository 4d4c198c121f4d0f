#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Reads metrics on standard input as Prometheus' own library does: the text format, or with
--open-metrics that one, whose reader is strict. Prints the samples as one JSON object: series to
value."""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as prometheus


def main():
    reader = open_metrics if "--open-metrics" in sys.argv else prometheus
    samples = {}
    for family in reader(sys.stdin.read()):
        if not family.documentation or not family.samples or family.type == "unknown":
            sys.exit(f"{family.name} lacks a type, a help or samples")
        for sample in family.samples:
            series = ",".join([sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items()))])
            if series in samples:
                sys.exit(f"{series} is there twice")
            samples[series] = sample.value
    json.dump(samples, sys.stdout)


main()
