// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "client_options.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace xdp_count {
namespace {

using Arguments = std::vector<std::string>;

ClientOptions parsed(const Arguments& arguments, bool terminal = false) {
  const auto result = parse_client_options(arguments, terminal);
  if (const auto* early = std::get_if<EarlyExit>(&result)) FAIL(early->text);
  return std::get<ClientOptions>(result);
}

std::string refused(const Arguments& arguments) {
  const auto result = parse_client_options(arguments, false);
  REQUIRE(std::holds_alternative<EarlyExit>(result));
  CHECK(std::get<EarlyExit>(result).code == 2);
  return std::get<EarlyExit>(result).text;
}

bool contains_text(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

template <class Command>
Command command_of(const ClientOptions& options) {
  REQUIRE(std::holds_alternative<Command>(options.request.command));
  return std::get<Command>(options.request.command);
}

TEST_CASE("top is live on a terminal, where it is a table and not asked for once") {
  CHECK(parsed({"top"}, true).live);
  CHECK(parsed({"--format", "table", "top"}, true).live);
  CHECK(parsed({}, true).live);
  CHECK(parsed({"-i", "eth0"}, true).live);
  CHECK_FALSE(parsed({"--json"}, true).live);
  CHECK_FALSE(parsed({"top"}, false).live);
  CHECK_FALSE(parsed({"top", "--once"}, true).live);
  CHECK_FALSE(parsed({"top", "--json"}, true).live);
  CHECK_FALSE(parsed({"top", "--format", "csv"}, true).live);
  CHECK_FALSE(parsed({"status"}, true).live);
}

TEST_CASE("top shows ten sources, or what fits the live view, or as many as asked for") {
  CHECK(command_of<TopRequest>(parsed({"top"})).selection.top == 10);
  CHECK(command_of<TopRequest>(parsed({"top"}, true)).selection.top == max_top);
  CHECK(command_of<TopRequest>(parsed({"top", "-n", "3"}, true)).selection.top == 3);
  CHECK(
      (command_of<TopRequest>(parsed({"top", "-n", "3", "--by", "bytes", "--prefix", "10.0.0.0/8"}))
           .selection == Selection{3, SortKey::bytes, Prefix{0x0a000000, 8}}));
}

TEST_CASE("events are those that there are, or those that are asked for, without snapshots") {
  using Events = std::array<bool, event_kinds>;
  const auto events = [](const ClientOptions& options) {
    const auto subscription = command_of<SubscribeRequest>(options).subscription;
    CHECK(subscription.every == 0);
    return subscription.events;
  };
  CHECK(parsed({"events"}).any_events);
  CHECK((events(parsed({"events", "--new"})) == Events{true, false}));
  CHECK((events(parsed({"events", "--samples"})) == Events{false, true}));
  CHECK((events(parsed({"events", "--samples", "--new"})) == Events{true, true}));
  CHECK_FALSE(parsed({"events", "--samples", "--new"}).any_events);
  CHECK(parsed({"events", "-c", "7"}).count == 7);
  CHECK((events(parsed({"samples", "--pcap", "-"})) == Events{false, true}));
  CHECK(parsed({"samples", "--pcap", "-", "-c", "7"}).count == 7);
  CHECK(parsed({"samples", "--pcap", "a b"}).capture_path == "a b");
  CHECK(refused({"samples"}).find("--pcap") != std::string::npos);
}

TEST_CASE("watch takes a selection, an interval and a number") {
  const ClientOptions plain = parsed({"watch"});
  CHECK((command_of<SubscribeRequest>(plain).subscription ==
         Subscription{{20, SortKey::pps, {}}, 1}));
  CHECK(plain.count == 0);
  const ClientOptions all = parsed(
      {"watch", "-n", "5", "--by", "bps", "--prefix", "10.0.0.0/8", "--every", "7", "-c", "9"});
  CHECK((command_of<SubscribeRequest>(all).subscription ==
         Subscription{{5, SortKey::bps, Prefix{0x0a000000, 8}}, 7}));
  CHECK(all.count == 9);
}

TEST_CASE("a graph has formats and bounds of its own") {
  const ClientOptions plain = parsed({"graph"});
  REQUIRE(plain.graph);
  CHECK(plain.graph->format == GraphFormat::dot);
  CHECK(plain.graph->most == 1000);
  CHECK(plain.graph->min_packets == 0);
  const ClientOptions all = parsed({"graph", "--format", "graphml", "--limit", "5", "--min-packets",
                                    "7", "--prefix", "10.0.0.0/8", "--family", "ipv4"});
  REQUIRE(all.graph);
  CHECK(all.graph->format == GraphFormat::graphml);
  CHECK(all.graph->most == 5);
  CHECK(all.graph->min_packets == 7);
  // The agent sends all pairs, so that what is left out is known.
  CHECK(command_of<ListRequest>(all).min_packets == 0);
  CHECK((command_of<ListRequest>(all).prefix == Prefix{0x0a000000, 8}));
  CHECK(command_of<ListRequest>(all).family == Family::ipv4);
  CHECK_FALSE(parsed({"list"}).graph);
  CHECK(refused({"graph", "--json"}).starts_with("xdp-countctl: graph prints dot or graphml"));
  CHECK(refused({"--format", "csv", "graph"})
            .starts_with("xdp-countctl: graph prints dot or graphml"));
  CHECK(refused({"graph", "--format", "csv"}).find("not one of dot, graphml") != std::string::npos);
  CHECK(refused({"graph", "--limit", "100001"}).find("--limit") != std::string::npos);
}

TEST_CASE("a prefix without a length is one address") {
  for (const char* command : {"list", "top", "watch"}) parsed({command, "--prefix", "10.0.0.9"});
  CHECK((command_of<ListRequest>(parsed({"list", "--prefix", "10.0.0.9"})).prefix ==
         Prefix{0x0a000009, 32}));
}

TEST_CASE("addresses and networks may be of either family, and the family be asked for") {
  const Address address{0x20010db800000000, 1};
  CHECK(command_of<GetRequest>(parsed({"get", "2001:DB8::1", "192.0.2.1"})).addresses ==
        std::vector<Prefix>{address, 0xc0000201});
  CHECK((command_of<ListRequest>(parsed({"list", "--prefix", "2001:db8::1"})).prefix ==
         Prefix{address, 128}));
  CHECK((command_of<TopRequest>(parsed({"top", "--prefix", "2001:db8::/32"})).selection.prefix ==
         Prefix{{0x20010db800000000, 0}, 32}));
  CHECK(command_of<ListRequest>(parsed({"list", "--family", "ipv4"})).family == Family::ipv4);
  CHECK(command_of<TopRequest>(parsed({"top", "--family", "ipv6"})).selection.family ==
        Family::ipv6);
  CHECK(command_of<TopRequest>(parsed({"--family", "ipv6"}, true)).selection.family ==
        Family::ipv6);
  CHECK(command_of<SubscribeRequest>(parsed({"watch", "--family", "ipv6"}))
            .subscription.selection.family == Family::ipv6);
  CHECK_FALSE(command_of<TopRequest>(parsed({"top"})).selection.family);
  CHECK(refused({"list", "--family", "ipv5"})
            .starts_with("xdp-countctl: --family: 'ipv5' is not one of ipv4, ipv6"));
  CHECK(refused({"list", "--prefix", "2001:db8::1/64"}).find("the network is 2001:db8::/64\n") !=
        std::string::npos);
}

TEST_CASE("list takes all sources or what is asked for") {
  constexpr auto any = std::numeric_limits<std::uint64_t>::max();
  const auto all = command_of<ListRequest>(parsed({"list"}));
  CHECK_FALSE(all.prefix.has_value());
  CHECK(all.min_packets == 0);
  CHECK(all.limit == any);
  const auto some =
      command_of<ListRequest>(parsed({"list", "--prefix", "10.0.0.0/8", "--min-packets", "5",
                                      "--min-pps", "3", "--min-bps", "4", "--limit", "7"}));
  CHECK((some.prefix == Prefix{0x0a000000, 8}));
  CHECK(some.min_packets == 5);
  CHECK(some.min_pps == 3);
  CHECK(some.min_bps == 4);
  CHECK(some.limit == 7);
}

TEST_CASE("list takes the snapshot after which sources were counted, but not for sums") {
  CHECK_FALSE(command_of<ListRequest>(parsed({"list"})).active_since.has_value());
  for (const char* seq : {"0", "17", "18446744073709551615"})
    CHECK(command_of<ListRequest>(parsed({"list", "--active-since", seq})).active_since ==
          std::stoull(seq));
  const ClientOptions sorted = parsed({"list", "--active-since=5", "--sort", "bytes"});
  CHECK(command_of<ListRequest>(sorted).active_since == 5);
  for (const char* wrong : {"-1", "1.5", "x", "18446744073709551616"})
    CHECK(contains_text(refused({"list", "--active-since", wrong}),
                        "--active-since: expected a number from 0 to 18446744073709551615"));
  CHECK(contains_text(refused({"list", "--active-since", "5", "--group4", "24"}),
                      "--active-since is of sources, not of sums"));
  CHECK(contains_text(refused({"top", "--active-since", "5"}), "--active-since"));
}

TEST_CASE("top and list take networks to sum up by, and top prints them once") {
  CHECK_FALSE(command_of<TopRequest>(parsed({"top"})).group.has_value());
  CHECK_FALSE(command_of<ListRequest>(parsed({"list"})).group.has_value());
  for (const bool terminal : {false, true}) {
    const ClientOptions top = parsed({"top", "--group4", "24", "--group6", "0"}, terminal);
    CHECK_FALSE(top.live);
    CHECK((command_of<TopRequest>(top).group == Grouping{{24, 0}}));
    CHECK(command_of<TopRequest>(top).selection.top == 10);
  }
  CHECK((command_of<TopRequest>(parsed({"--group6", "64"}, true)).group ==
         Grouping{{std::nullopt, 64}}));
  CHECK((command_of<ListRequest>(parsed({"list", "--group4=0"})).group == Grouping{{0, {}}}));
  const ClientOptions sorted = parsed({"list", "--group6", "128", "--sort", "bytes"});
  CHECK((command_of<ListRequest>(sorted).group == Grouping{{std::nullopt, 128}}));
  CHECK(sorted.list_order == SortKey::bytes);
  CHECK(contains_text(refused({"list", "--group4", "33"}),
                      "--group4: expected a number from 0 to 32, not '33'"));
  CHECK(contains_text(refused({"top", "--group6", "129"}), "expected a number from 0 to 128"));
  CHECK(contains_text(refused({"top", "--group", "24"}), "--group4"));
  CHECK(contains_text(refused({"watch", "--group4", "24"}), "--group4"));
}

TEST_CASE("list is sorted where that is asked for, and JSON is not") {
  CHECK(parsed({"list"}).list_order == std::nullopt);
  CHECK(parsed({"list", "--sort", "address", "--json"}).list_order == std::nullopt);
  CHECK(parsed({"list", "--sort", "bytes", "--format", "csv"}).list_order == SortKey::bytes);
  CHECK(refused({"list", "--json", "--sort", "pps"})
            .starts_with("xdp-countctl: list --sort is for tables and CSV: JSON is the agent's own "
                         "lines, by address\n"));
}

TEST_CASE("the format and the agent may be named before and behind the command") {
  CHECK(parsed({"status"}).format == TextFormat::table);
  CHECK(parsed({"--json", "status"}).format == TextFormat::json);
  CHECK(parsed({"status", "--json"}).format == TextFormat::json);
  CHECK(parsed({"list", "--format=csv"}).format == TextFormat::csv);
  CHECK(parsed({"get", "192.0.2.1", "--format", "json"}).format == TextFormat::json);
  CHECK(parsed({"status", "-s", "/run/x"}).socket_paths == Arguments{"/run/x"});
  CHECK(parsed({"-i", "eth0", "status"}).interfaces == Arguments{"eth0"});
}

TEST_CASE("several agents are for the live view and the status") {
  const Arguments two{"-i", "eth0", "-i", "eth1"};
  for (const Arguments& command : {Arguments{"top"}, Arguments{"status"}, Arguments{}}) {
    Arguments arguments = two;
    arguments.insert(arguments.end(), command.begin(), command.end());
    CHECK(parsed(arguments, true).interfaces == Arguments{"eth0", "eth1"});
  }
  CHECK(parsed({"status", "-s", "/run/x", "-s", "/run/y"}).socket_paths ==
        Arguments{"/run/x", "/run/y"});
  CHECK(parsed({"status"}).interfaces.empty());
  for (const char* command : {"list", "watch", "events"}) {
    Arguments arguments = two;
    arguments.emplace_back(command);
    CHECK(refused(arguments).starts_with("xdp-countctl: " + std::string(command) +
                                         " asks one agent: give one --interface\n"));
  }
  CHECK(refused({"list", "-s", "/run/x", "-s", "/run/y"})
            .starts_with("xdp-countctl: list asks one agent: give one --socket\n"));
}

TEST_CASE("a mistyped command line is refused with what may have been meant") {
  const auto error_of = [](const Arguments& arguments) {
    const std::string text = refused(arguments);
    return text.substr(0, text.find('\n'));
  };
  CHECK(error_of({"staus"}) == "xdp-countctl: there is no command staus; did you mean status?");
  CHECK(error_of({"status", "--formt", "csv"}) ==
        "xdp-countctl: there is no option --formt of status; did you mean --format?");
  CHECK(error_of({"status", "--format", "jsn"}) ==
        "xdp-countctl: --format: 'jsn' is not one of table, json, csv; did you mean json?");
  CHECK(error_of({"top", "--by", "ppss"}) ==
        "xdp-countctl: --by: 'ppss' is not one of pps, bps, packets, bytes, pps_10s, bps_10s, "
        "pps_60s, bps_60s; did you mean pps?");
  CHECK(error_of({"top", "--sort", "pps"}) == "xdp-countctl: there is no option --sort of top");
  CHECK(error_of({"-n", "5"}) ==
        "xdp-countctl: -n is an option of top, watch: give the command before it");
  CHECK(
      error_of({"--prefix=10.0.0.0/8"}) ==
      "xdp-countctl: --prefix is an option of top, list, graph, watch: give the command before it");
  CHECK(error_of({}) ==
        "xdp-countctl: a command is missing: without one it is the live view, which takes a "
        "terminal; top prints the sources that send most");
}

TEST_CASE("what is refused names the help that has the option or the command") {
  const auto hint_of = [](const Arguments& arguments) {
    const std::string text = refused(arguments);
    return text.substr(text.find('\n') + 1);
  };
  const std::string of_program = "xdp-countctl --help lists the commands.\n";
  CHECK(hint_of({"staus"}) == of_program);
  CHECK(hint_of({}) == of_program);
  CHECK(hint_of({"--prefix", "10.0.0.0/8"}) == of_program);
  CHECK(hint_of({"list", "--sort", "foo"}) == "xdp-countctl list --help lists its options.\n");
  CHECK(hint_of({"watch", "--every", "0"}) == "xdp-countctl watch --help lists its options.\n");
  CHECK(hint_of({"status", "-x"}) == "xdp-countctl status --help lists its options.\n");
  CHECK(hint_of({"--json", "list", "--sort", "pps"}) ==
        "xdp-countctl list --help lists its options.\n");
}

TEST_CASE("on a terminal the options of top go without a command") {
  for (const Arguments& arguments :
       {Arguments{"-n", "5"}, Arguments{"-i", "eth0", "--by", "bytes", "-n5"},
        Arguments{"--prefix=10.0.0.0/8", "-n", "5"}}) {
    const ClientOptions options = parsed(arguments, true);
    CHECK(options.live);
    CHECK(command_of<TopRequest>(options).selection.top == 5);
  }
  CHECK_FALSE(parsed({"--once"}, true).live);
  const auto wrong = parse_client_options({"-n", "x"}, true);
  CHECK(std::get<EarlyExit>(wrong).text.ends_with("xdp-countctl top --help lists its options.\n"));
  const auto of_list = parse_client_options({"--sort", "pps"}, true);
  CHECK(std::get<EarlyExit>(of_list).text.starts_with(
      "xdp-countctl: --sort is an option of list: give the command before it\n"));
}

TEST_CASE("the help fits a terminal of 80 columns") {
  std::vector<Arguments> commands{{"--help"}};
  for (const char* command : {"top", "get", "list", "watch", "events", "samples", "status"})
    commands.push_back({command, "--help"});
  commands.push_back({"history", "--help"});
  for (const char* command : {"top", "row", "totals", "gaps"})
    commands.push_back({"history", command, "--help"});
  for (const Arguments& command : commands) {
    const std::string text = std::get<EarlyExit>(parse_client_options(command, false)).text;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      CAPTURE(line);
      CHECK(line.size() <= 80);
    }
    CHECK((command.size() == 1) == !contains_text(text, "--json go here too:"));
  }
}

TEST_CASE("names of hosts are looked up on request alone") {
  const ClientOptions some = parsed({"get", "host.example", "192.0.2.1", "--resolve", "a-1"});
  CHECK(some.names == Arguments{"host.example", "a-1"});
  CHECK(command_of<GetRequest>(some).addresses == std::vector<Prefix>{0xc0000201});
  CHECK(refused({"get", "localhos"}) ==
        "xdp-countctl: 'localhos' is not an IP address; get --resolve looks names of hosts up\n"
        "xdp-countctl get --help lists its options.\n");
  // A resolver would take these for addresses, and for networks nothing is to be looked up.
  for (const char* text : {"192.0.2", "1", "0x7f000001", "", "2001:db8"})
    CHECK(refused({"get", "--resolve", text})
              .starts_with("xdp-countctl: '" + std::string(text) + "' is not an IP address\n"));
  CHECK(refused({"get", "--resolve", "fe80::1%eth0"})
            .starts_with("xdp-countctl: 'fe80::1%eth0' has a zone, which no source has: ask for "
                         "fe80::1\n"));
  CHECK(command_of<GetRequest>(parsed({"get", "--resolve", "10.0.0.0/8"})).addresses ==
        std::vector<Prefix>{{0x0a000000, 8}});
}

TEST_CASE("get takes so many addresses as the agent does") {
  Arguments arguments{"get"};
  arguments.resize(1 + max_get_addresses, "192.0.2.1");
  CHECK(command_of<GetRequest>(parsed(arguments)).addresses.size() == max_get_addresses);
  arguments.push_back("192.0.2.1");
  CHECK(refused(arguments) ==
        "xdp-countctl: get takes at most 1000 addresses, not 1001\n"
        "xdp-countctl get --help lists its options.\n");
}

TEST_CASE("the help of a command has names, choices and texts, and nothing of how they are read") {
  for (const Arguments& arguments :
       {Arguments{"--help"}, Arguments{"get", "--help"}, Arguments{"top", "--help"}}) {
    const std::string text = std::get<EarlyExit>(parse_client_options(arguments, false)).text;
    for (const char* part : {"Excludes", "REQUIRED", "TEXT", "{", "1x", "SUBCOMMAND"})
      CHECK(text.find(part) == text.npos);
  }
  const std::string get = std::get<EarlyExit>(parse_client_options({"get", "--help"}, false)).text;
  CHECK(get.find("Usage: xdp-countctl get [OPTIONS] ADDRESS...\n") != get.npos);
}

TEST_CASE("a bad command line is refused with what is wrong") {
  CHECK(refused({"top", "--prefix", "10.0.0.1/8"}) ==
        "xdp-countctl: --prefix: 10.0.0.1/8 has host bits set below the prefix; the network is "
        "10.0.0.0/8\n"
        "xdp-countctl top --help lists its options.\n");
  CHECK(refused({"list", "--prefix", "10.0.0"})
            .find("--prefix: '10.0.0' is neither a network such as 192.0.2.0/24 or "
                  "2001:db8::/32 nor an IP address\n") != std::string::npos);
  CHECK(refused({"get", "192.0.2.1", "10.0.0.9/24"}) ==
        "xdp-countctl: 10.0.0.9/24 has host bits set below the prefix; the network is "
        "10.0.0.0/24\n"
        "xdp-countctl get --help lists its options.\n");
  CHECK(refused({"get", "192.0.2"}).find("'192.0.2' is not an IP address") != std::string::npos);
  refused({});
  refused({"nonesuch"});
  refused({"status", "--format", "xml"});
  refused({"status", "--json", "--format", "csv"});
  refused({"status", "-i", "eth0", "-s", "/run/x"});
  refused({"watch", "--every", "0"});
  refused({"watch", "-c", "0"});
  refused({"list", "--limit", "-1"});
  refused({"list", "--min-packets", "1k"});
  refused({"get"});
}

}  // namespace
}  // namespace xdp_count
