// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "hub_config.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string_view>

#include "base/error.hpp"
#include "base/printable.hpp"

namespace xdp_count {
namespace {

constexpr std::size_t longest_name = 64;
constexpr double longest_for = 86'400;
constexpr double highest_limit = 1e15;

class ConfigReader {
 public:
  explicit ConfigReader(const std::string& file) : file_(file) {}

  HubConfig read(const toml::table& root) {
    only_known(root, "the configuration", {"networks", "alert"});
    if (const toml::node* networks = root.get("networks")) {
      if (!networks->is_table()) refuse(*networks, "networks: expected a table, [networks]");
      for (const auto& [name, prefixes] : *networks->as_table())
        add_network(std::string(name.str()), prefixes);
    }
    if (const toml::node* alerts = root.get("alert")) {
      if (!alerts->is_array()) refuse(*alerts, "alert: expected tables, [[alert]]");
      for (const toml::node& alert : *alerts->as_array()) add_rule(alert);
    }
    return std::move(config_);
  }

 private:
  [[noreturn]] void refuse(const toml::node& node, const std::string& text) const {
    throw std::runtime_error(
        fmt::format("{}:{}: {}", file_, node.source().begin.line, printable(text)));
  }

  void only_known(const toml::table& table, const std::string& of,
                  const std::vector<std::string_view>& known) const {
    for (const auto& [key, value] : table)
      if (std::ranges::find(known, key.str()) == known.end())
        refuse(value, fmt::format("\"{}\" is no part of {}; there are: {}", key.str(), of,
                                  fmt::join(known, ", ")));
  }

  std::string text_of(const toml::node& node, const std::string& what) const {
    if (const auto* text = node.as_string()) return text->get();
    refuse(node, what + ": expected a string");
  }

  std::string name_of(const toml::node& node, const std::string& what, std::string name) const {
    if (name.empty() || name.size() > longest_name || printable(name) != name)
      refuse(node, fmt::format("{}: expected a name of at most {} characters", what, longest_name));
    return name;
  }

  std::vector<std::string> texts_of(const toml::node& node, const std::string& what) const {
    const auto* array = node.as_array();
    if (!array) refuse(node, what + ": expected a list of strings");
    std::vector<std::string> texts;
    for (const toml::node& element : *array) texts.push_back(text_of(element, what));
    return texts;
  }

  std::vector<Prefix> prefixes_of(const toml::node& node, const std::string& what) const {
    std::vector<Prefix> prefixes;
    for (const std::string& text : texts_of(node, what)) {
      const auto prefix = parse_typed_prefix(text);
      const std::string reason = host_bits_error(text);
      if (!prefix)
        refuse(node, fmt::format("{}: {}", what,
                                 reason.empty() ? fmt::format("{} is no address or network", text)
                                                : reason));
      prefixes.push_back(*prefix);
    }
    return prefixes;
  }

  double number_of(const toml::node& node, const std::string& what, double most) const {
    const auto number = node.value<double>();
    if (!node.is_number() || !number || !std::isfinite(*number) || *number < 0 || *number > most)
      refuse(node, fmt::format("{}: expected a number from 0 to {:.0f}", what, most));
    return *number;
  }

  // "of" and "measure": one word of those in a table.
  template <class Value, std::size_t size>
  Value choice_of(const toml::node& node, const std::string& what,
                  const std::array<Name<Value>, size>& names) const {
    const std::string word = text_of(node, what);
    if (const auto value = find_named(names, word)) return *value;
    std::vector<std::string_view> words;
    for (const auto& [name, value] : names) words.emplace_back(name);
    refuse(node,
           fmt::format("{}: expected one of {}, not \"{}\"", what, fmt::join(words, ", "), word));
  }

  void add_network(const std::string& name, const toml::node& node) {
    const std::string what = "networks." + name;
    NamedNetwork network{name_of(node, what, name), prefixes_of(node, what)};
    if (network.prefixes.empty()) refuse(node, what + ": expected at least one network");
    const std::span prefixes(network.prefixes);
    for (std::size_t i = 0; i < prefixes.size(); ++i)
      for (const Prefix& other : prefixes.first(i))
        if (other.contains(prefixes[i].network) || prefixes[i].contains(other.network))
          refuse(node, fmt::format("{}: {} and {} overlap, so that packets would be counted twice",
                                   what, typed_prefix_text(other), typed_prefix_text(prefixes[i])));
    // AgentWatch tells by the order which of them has counted a pair.
    std::ranges::sort(network.prefixes, {}, &Prefix::length);
    prefixes_ += prefixes.size();
    if (prefixes_ > HubConfig::most_prefixes)
      refuse(node, fmt::format("networks: expected at most {} prefixes in all",
                               HubConfig::most_prefixes));
    config_.networks.push_back(std::move(network));
  }

  void add_rule(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (!table) refuse(node, "alert: expected tables, [[alert]]");
    only_known(*table, "an alert",
               {"name", "of", "measure", "above", "clear", "for", "interfaces", "network", "allow",
                "command"});
    if (config_.rules.size() == HubConfig::most_rules)
      refuse(node, fmt::format("alert: expected at most {}", HubConfig::most_rules));
    const auto needed = [&](const char* key) -> const toml::node& {
      if (const toml::node* value = table->get(key)) return *value;
      refuse(node, fmt::format("alert: there is no \"{}\"", key));
    };
    AlertRule rule;
    rule.name = name_of(needed("name"), "name", text_of(needed("name"), "name"));
    if (std::ranges::find(config_.rules, rule.name, &AlertRule::name) != config_.rules.end())
      refuse(needed("name"), fmt::format("name: there are two alerts \"{}\"", rule.name));
    rule.scope = choice_of(needed("of"), "of", alert_scope_names);
    rule.measure = choice_of(needed("measure"), "measure", alert_measure_names);
    read_limits(rule, *table, needed("above"));
    read_selection(rule, *table);
    if (const toml::node* command = table->get("command")) read_command(rule, *command);
    // Agents list rows by whole numbers a second.
    if (rule.scope == AlertScope::row && rule.clear < 1)
      refuse(needed("above"), "above and clear: expected at least 1 for rows");
    check_measure(rule, needed("measure"), needed("of"));
    config_.rules.push_back(std::move(rule));
  }

  void read_limits(AlertRule& rule, const toml::table& table, const toml::node& above) const {
    constexpr double default_for = 10;
    rule.above = number_of(above, "above", highest_limit);
    if (rule.above == 0) refuse(above, "above: expected more than 0");
    rule.clear = rule.above;
    if (const toml::node* clear = table.get("clear")) {
      rule.clear = number_of(*clear, "clear", highest_limit);
      if (rule.clear == 0 || rule.clear > rule.above)
        refuse(*clear, "clear: expected more than 0, and no more than above");
    }
    const toml::node* time = table.get("for");
    rule.for_time =
        std::chrono::duration<double>(time ? number_of(*time, "for", longest_for) : default_for);
  }

  void read_selection(AlertRule& rule, const toml::table& table) const {
    if (const toml::node* names = table.get("interfaces")) {
      rule.interfaces = texts_of(*names, "interfaces");
      if (rule.interfaces.empty()) refuse(*names, "interfaces: expected one at the least");
    }
    if (const toml::node* network = table.get("network")) {
      rule.network = text_of(*network, "network");
      if (rule.scope == AlertScope::interface)
        refuse(*network, "network: an alert of interfaces has none");
      if (!config_.find_network(rule.network))
        refuse(*network, fmt::format("network: there is no \"{}\" in [networks]", rule.network));
    }
    if (const toml::node* allow = table.get("allow")) {
      if (rule.scope != AlertScope::row) refuse(*allow, "allow: only alerts of rows have that");
      rule.allowed = prefixes_of(*allow, "allow");
    }
  }

  void read_command(AlertRule& rule, const toml::node& node) const {
    rule.command = texts_of(node, "command");
    if (rule.command.empty() || !rule.command.front().starts_with('/'))
      refuse(node, "command: expected the path of a program, from / on, and its arguments");
    for (const std::string& word : rule.command)
      if (word.find('\0') != word.npos) refuse(node, "command: a word has a NUL in it");
    const char* program = rule.command.front().c_str();
    struct stat status {};
    if (::access(program, X_OK) != 0 || ::stat(program, &status) != 0)
      refuse(node, fmt::format("command: {}: {}", program, error_text(errno)));
    if (!S_ISREG(status.st_mode)) refuse(node, fmt::format("command: {} is no program", program));
  }

  void check_measure(const AlertRule& rule, const toml::node& measure,
                     const toml::node& scope) const {
    const bool is_of_any =
        rule.measure == AlertMeasure::packets || rule.measure == AlertMeasure::bits;
    if (!is_of_any && rule.scope != AlertScope::interface)
      refuse(measure, fmt::format("measure: {} are only of an interface",
                                  name_in(alert_measure_names, rule.measure)));
    if (rule.scope == AlertScope::network && config_.networks.empty())
      refuse(scope, "of: there is no network in [networks]");
  }

  const std::string& file_;
  HubConfig config_;
  std::size_t prefixes_ = 0;
};

}  // namespace

const NamedNetwork* HubConfig::find_network(const std::string& name) const {
  const auto network = std::ranges::find(networks, name, &NamedNetwork::name);
  return network == networks.end() ? nullptr : &*network;
}

HubConfig parse_hub_config(const std::string& text, const std::string& file) {
  try {
    return ConfigReader(file).read(toml::parse(text, file));
  } catch (const toml::parse_error& error) {
    throw std::runtime_error(
        fmt::format("{}:{}: {}", file, error.source().begin.line, printable(error.description())));
  }
}

HubConfig read_hub_config(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) throw_errno("reading the configuration in " + file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (stream.bad()) throw_errno("reading the configuration in " + file);
  return parse_hub_config(text, file);
}

}  // namespace xdp_count
