// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What of doctest is no template or macro, for all test executables.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
