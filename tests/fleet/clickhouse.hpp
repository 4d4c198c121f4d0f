// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A real ClickHouse, at the receiving end of a topology.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "process.hpp"
#include "topology.hpp"

namespace xdp_count::testing {

// With a user "hub", whose password is "swordfish", besides the default one, who has none. Its data
// are in a directory of /run, and outlive it.
class ClickHouse {
 public:
  static constexpr const char* url = "http://127.0.0.1:8123";

  explicit ClickHouse(const Topology& topology);

  // Starts it and waits until it answers; kills it.
  void start();
  void kill();

  // What it answers, in its own form of text: a row a line, columns by tabs.
  std::string answer(const std::string& statement) const;

  // Runs each statement of a file of tools/fleet: their answers.
  std::vector<std::string> run(const std::string& file) const;

 private:
  const Topology& topology_;
  std::optional<Process> server_;
};

// The statements of a text, without comments.
std::vector<std::string> statements_in(const std::string& sql);

}  // namespace xdp_count::testing
