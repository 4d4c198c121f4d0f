// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Options that several commands have: which rows they are of.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "base/address.hpp"
#include "model/counts.hpp"
#include "model/row_kind.hpp"

namespace xdp_count {

// What is wrong with a network or an address; empty where nothing is.
std::string check_prefix(const std::string& text);

// --prefix and --family.
void add_filters(CLI::App& command, std::optional<Prefix>& prefix, std::optional<Family>& family);

// --group4 and --group6: the bits of both families' networks, as they are given.
void add_group(CLI::App& command, PerFamily<unsigned>& bits);

// Nothing where none were given.
std::optional<Grouping> group_of(const CLI::App& command, const PerFamily<unsigned>& bits);

}  // namespace xdp_count
