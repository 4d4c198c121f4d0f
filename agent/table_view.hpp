// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Snapshots as text for people. Pure: what is drawn depends on the arguments alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "snapshot.hpp"

namespace xdp_count {

// "1.2 M": three or four significant characters and an SI prefix, for a value of at least 0.
std::string scaled(double value);

// "1,234,567"
std::string grouped(std::uint64_t value);

// Lines without newlines: totals and classes first, then a row per source with its column titles.
std::vector<std::string> snapshot_table(const SnapshotHead& head,
                                        const std::vector<SourceRow>& rows);

// The rows alone, under their column titles.
std::vector<std::string> source_table(const std::vector<SourceRow>& rows);

// The first `height` lines, each cut to `width` characters.
std::vector<std::string> fit_to_screen(std::vector<std::string> lines, std::size_t width,
                                       std::size_t height);

// The lines, each ended by a newline.
std::string joined(const std::vector<std::string>& lines);

}  // namespace xdp_count
