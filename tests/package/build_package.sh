#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Runs in a clean root: installs what every package is built with, then builds.
set -eu

report=$(apt-get update 2>&1 && apt-get install --yes --no-install-recommends \
  -o Dpkg::Use-Pty=0 build-essential lintian 2>&1) || {
  echo "$report"
  exit 1
}
exec /source/tools/package/debian.sh /packages
