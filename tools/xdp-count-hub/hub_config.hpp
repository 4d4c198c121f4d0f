// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <string>
#include <vector>

#include "alert_rule.hpp"

namespace xdp_count {

// What the hub is to know besides its command line.
struct HubConfig {
  static constexpr std::size_t most_prefixes =
      256;  // of all networks: each is a question to agents
  static constexpr std::size_t most_rules = 64;

  std::vector<NamedNetwork> networks = {};
  std::vector<AlertRule> rules = {};

  // The one of this name; null where there is none.
  const NamedNetwork* find_network(const std::string& name) const;
};

// From TOML. Throws std::runtime_error, "FILE:LINE: what is wrong", for text that is no TOML, and
// for whatever the hub does not know or could not do.
HubConfig parse_hub_config(const std::string& text, const std::string& file);

// The same of a file's content.
HubConfig read_hub_config(const std::string& file);

}  // namespace xdp_count
