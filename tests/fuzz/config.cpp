// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Whatever stands in the hub's configuration: it is taken within its bounds, or refused with its
// line.
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "expect.hpp"
#include "hub_config.hpp"

namespace xdp_count {
namespace {

void check_taken(const HubConfig& config, std::string_view text) {
  expect(config.rules.size() <= HubConfig::most_rules, "rules are bounded", text);
  std::size_t prefixes = 0;
  for (const NamedNetwork& network : config.networks) {
    expect(!network.name.empty() && !network.prefixes.empty(), "a network is one", text);
    prefixes += network.prefixes.size();
  }
  expect(prefixes <= HubConfig::most_prefixes, "networks are bounded", text);
  for (const AlertRule& rule : config.rules) {
    expect(rule.clear > 0 && rule.clear <= rule.above, "limits are in order", text);
    expect(rule.for_time.count() >= 0, "time does not run backwards", text);
    expect(rule.network.empty() || config.find_network(rule.network), "a network is there", text);
    expect(rule.command.empty() || rule.command[0].starts_with('/'), "a command has a path", text);
  }
}

}  // namespace
}  // namespace xdp_count

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace xdp_count;
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    check_taken(parse_hub_config(text, "hub.toml"), text);
  } catch (const std::runtime_error& error) {
    const std::string_view what = error.what();
    expect(what.starts_with("hub.toml:"), "a refusal names the line", what);
    expect(what.find('\n') == what.npos, "a refusal is one line", what);
  }
  return 0;
}
