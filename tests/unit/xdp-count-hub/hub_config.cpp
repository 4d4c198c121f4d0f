// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "hub_config.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace xdp_count;

namespace {

HubConfig config_of(const std::string& text) {
  return parse_hub_config(text, "hub.toml");
}

std::string config_error(const std::string& text) {
  try {
    config_of(text);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "it is taken";
}

// A rule that is right, with a line more.
std::string rule_with(const std::string& line) {
  return "[[alert]]\nname = \"x\"\nof = \"row\"\nmeasure = \"packets\"\nabove = 10\n" + line + "\n";
}

}  // namespace

TEST_CASE("a configuration has networks and alerts") {
  CHECK(config_of("").rules.empty());
  CHECK(config_of("").networks.empty());
  const HubConfig config = config_of(R"(
# The networks of this house.
[networks]
office = ["192.0.2.0/24", "2001:db8:1::/48"]
"guests & co" = ["198.51.100.7"]

[[alert]]
name = "flood"
of = "row"
measure = "packets"
above = 100_000
for = 5.5
clear = 80e3
interfaces = ["eth0", "eth1"]
network = "office"
allow = ["192.0.2.53", "192.0.2.64/26"]
command = ["/bin/sh", "-c", "true"]

[[alert]]
name = "new"
of = "interface"
measure = "new_sources"
above = 0.5
)");
  REQUIRE(config.networks.size() == 2);
  CHECK(config.find_network("guests & co")->prefixes == std::vector<Prefix>{0xc6336407});
  CHECK(config.find_network("office")->prefixes.size() == 2);
  CHECK(config.find_network("home") == nullptr);
  REQUIRE(config.rules.size() == 2);
  const AlertRule& flood = config.rules[0];
  CHECK(flood.name == "flood");
  CHECK((flood.scope == AlertScope::row));
  CHECK((flood.measure == AlertMeasure::packets));
  CHECK(flood.above == 100'000);
  CHECK(flood.clear == 80'000);
  CHECK(flood.for_time.count() == 5.5);
  CHECK(flood.interfaces == std::vector<std::string>{"eth0", "eth1"});
  CHECK(flood.network == "office");
  CHECK(flood.allowed.size() == 2);
  CHECK(flood.command == std::vector<std::string>{"/bin/sh", "-c", "true"});
  const AlertRule& fresh = config.rules[1];
  CHECK((fresh.scope == AlertScope::interface));
  CHECK(fresh.clear == 0.5);
  CHECK(fresh.for_time.count() == 10);
  CHECK(fresh.interfaces.empty());
}

TEST_CASE("what is wrong in a configuration is said, with its line") {
  CHECK(config_error("[networks\n").starts_with("hub.toml:1: "));
  CHECK(config_error("\nlisten = 1") ==
        "hub.toml:2: \"listen\" is no part of the configuration; there are: networks, alert");
  CHECK(config_error("networks = 1") == "hub.toml:1: networks: expected a table, [networks]");
  CHECK(config_error("alert = 1") == "hub.toml:1: alert: expected tables, [[alert]]");
  CHECK(config_error("[alert]\nname = 'x'") == "hub.toml:1: alert: expected tables, [[alert]]");
  CHECK(config_error("[networks]\na = []") ==
        "hub.toml:2: networks.a: expected at least one network");
  CHECK(config_error("[networks]\na = 'b'") ==
        "hub.toml:2: networks.a: expected a list of strings");
  CHECK(config_error("[networks]\na = ['b']") ==
        "hub.toml:2: networks.a: b is no address or network");
  CHECK(config_error("[networks]\na = ['10.0.0.1/8']").ends_with("the network is 10.0.0.0/8"));
  CHECK(config_error("[networks]\na = ['10.0.0.0/8', '10.1.0.0/16']") ==
        "hub.toml:2: networks.a: 10.0.0.0/8 and 10.1.0.0/16 overlap, so that packets would be "
        "counted twice");
  CHECK(config_error("[networks]\n\"a\\u0007\" = ['10.0.0.0/8']") ==
        "hub.toml:2: networks.a\\x07: expected a name of at most 64 characters");
  CHECK(config_error(rule_with("abov = 1")) ==
        "hub.toml:6: \"abov\" is no part of an alert; there are: name, of, measure, above, clear, "
        "for, interfaces, network, allow, command");
  CHECK(config_error("[[alert]]\nname = 'x'\n") == "hub.toml:1: alert: there is no \"of\"");
  CHECK(config_error("[[alert]]\nname = 1\n") == "hub.toml:2: name: expected a string");
  CHECK(config_error(rule_with("") + rule_with("")) ==
        "hub.toml:8: name: there are two alerts \"x\"");
  CHECK(config_error("[[alert]]\nname = 'x'\nof = 'source'\nmeasure = 'packets'\nabove = 1") ==
        "hub.toml:3: of: expected one of row, network, interface, not \"source\"");
  CHECK(config_error("[[alert]]\nname = 'x'\nof = 'row'\nmeasure = 'bytes'\nabove = 1") ==
        "hub.toml:4: measure: expected one of packets, bits, new_sources, untracked, not "
        "\"bytes\"");
  CHECK(config_error("[[alert]]\nname = 'x'\nof = 'row'\nmeasure = 'untracked'\nabove = 1") ==
        "hub.toml:4: measure: untracked are only of an interface");
  CHECK(config_error("[[alert]]\nname = 'x'\nof = 'network'\nmeasure = 'bits'\nabove = 1") ==
        "hub.toml:3: of: there is no network in [networks]");
  for (const char* number : {"-1", "inf", "nan", "1e16", "'1'", "true"})
    CHECK(config_error("[[alert]]\nname = 'x'\nof = 'row'\nmeasure = 'bits'\nabove = " +
                       std::string(number)) ==
          "hub.toml:5: above: expected a number from 0 to 1000000000000000");
  CHECK(config_error("[[alert]]\nname = 'x'\nof = 'row'\nmeasure = 'bits'\nabove = 0") ==
        "hub.toml:5: above: expected more than 0");
  for (const char* limit : {"0", "10.5"})
    CHECK(config_error(rule_with("clear = " + std::string(limit))) ==
          "hub.toml:6: clear: expected more than 0, and no more than above");
  CHECK(config_error(rule_with("for = 86401")) ==
        "hub.toml:6: for: expected a number from 0 to 86400");
  CHECK(config_error(rule_with("interfaces = []")) ==
        "hub.toml:6: interfaces: expected one at the least");
  CHECK(config_error(rule_with("network = 'office'")) ==
        "hub.toml:6: network: there is no \"office\" in [networks]");
  CHECK(config_error(rule_with("command = []")) ==
        "hub.toml:6: command: expected the path of a program, from / on, and its arguments");
  CHECK(config_error(rule_with("command = ['sh']")) ==
        "hub.toml:6: command: expected the path of a program, from / on, and its arguments");
  CHECK(config_error(rule_with("command = ['/nothing/here']")) ==
        "hub.toml:6: command: /nothing/here: No such file or directory");
  CHECK(config_error("[[alert]]\nname = 'x'\nof = 'interface'\nmeasure = 'bits'\nabove = 1\n"
                     "allow = ['10.0.0.1']") == "hub.toml:6: allow: only alerts of rows have that");
}

TEST_CASE("a rule on rows has limits that agents list rows by, and a command can be run") {
  CHECK(config_error(rule_with("clear = 0.5")) ==
        "hub.toml:5: above and clear: expected at least 1 for rows");
  CHECK(config_error(rule_with("command = ['/bin']")) == "hub.toml:6: command: /bin is no program");
  CHECK(config_error(rule_with("command = ['/bin/true', \"a\\u0000\"]")) ==
        "hub.toml:6: command: a word has a NUL in it");
}

TEST_CASE("there are no more networks and alerts than an agent can be asked for") {
  std::string networks = "[networks]\n";
  for (int i = 0; i < 256; ++i)
    networks += "n" + std::to_string(i) + " = ['10.0." + std::to_string(i) + ".0/24']\n";
  CHECK(config_of(networks).networks.size() == 256);
  CHECK(config_error(networks + "more = ['192.0.2.1']\n")
            .ends_with(": networks: expected at most 256 prefixes in all"));
  std::string rules;
  for (int i = 0; i < 65; ++i) {
    CHECK(config_error(rules) == "it is taken");
    rules +=
        "[[alert]]\nname = '" + std::to_string(i) + "'\nof = 'row'\nmeasure = 'bits'\nabove = 1\n";
  }
  CHECK(config_error(rules) == "hub.toml:321: alert: expected at most 64");
}

TEST_CASE("a configuration that is not there is said to be so") {
  CHECK_THROWS_WITH(read_hub_config("/nothing/hub.toml"),
                    "reading the configuration in /nothing/hub.toml: No such file or directory");
}
