// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "options.hpp"
#include "model/names.hpp"
#include "program/memory_need.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "base/printable.hpp"
#include "version.hpp"

namespace xdp_count {
namespace {

using Arguments = std::vector<std::string>;

std::variant<Options, EarlyExit> parse(const Arguments& arguments) {
  return parse_options(arguments, false, 2);
}

Options accepted(const Arguments& arguments) {
  const auto result = parse(arguments);
  if (const auto* exit = std::get_if<EarlyExit>(&result)) FAIL(exit->text);
  return std::get<Options>(result);
}

// What is said about arguments that are refused.
std::string refusal(const Arguments& arguments) {
  std::string shown;
  for (const std::string& argument : arguments) shown += "'" + argument + "' ";
  CAPTURE(shown);
  const auto result = parse(arguments);
  const auto* exit = std::get_if<EarlyExit>(&result);
  CHECK(exit != nullptr);
  if (!exit) return "";
  CHECK(exit->code == 2);
  CHECK(exit->text.starts_with("xdp-count: "));
  CHECK(exit->text.ends_with("\nxdp-count --help lists the options.\n"));
  return exit->text;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

// Words as they follow one another, whatever the lines.
std::string on_one_line(const std::string& text) {
  std::istringstream words(text);
  std::string line;
  for (std::string word; words >> word;) line += (line.empty() ? "" : " ") + word;
  return line;
}

TEST_CASE("the help of the agent fits a terminal of 80 columns") {
  for (const unsigned cpus : {0U, 2U, 256U}) {
    std::istringstream lines(std::get<EarlyExit>(parse_options({"--help"}, false, cpus)).text);
    for (std::string line; std::getline(lines, line);) {
      CAPTURE(line);
      CHECK(line.size() <= 80);
    }
  }
}

TEST_CASE("where it is not known how many CPUs there are, the help says so and shows the rest") {
  const auto help = parse_options({"--help"}, false, 0);
  const std::string text = on_one_line(std::get<EarlyExit>(help).text);
  CHECK(contains(text, "takes 100 MiB of kernel tables and 32 MiB of ledger here"));
  CHECK(contains(text, "here [not known: there is no /sys]"));
  const auto options = std::get<Options>(parse_options({"eth0"}, false, 0));
  CHECK(options.settings.hot_slots == 0);
  const auto chosen = std::get<Options>(parse_options({"eth0", "--hot-slots", "100"}, false, 0));
  CHECK(chosen.settings.hot_slots == 128);
}

TEST_CASE("an interface alone gives the defaults") {
  const Options options = accepted({"eth0"});
  CHECK(options.settings.interface == "eth0");
  CHECK(options.settings.mode == std::nullopt);
  CHECK(options.settings.interval == 1);
  CHECK(options.settings.socket_path == "/run/xdp-count/eth0.sock");
  CHECK(options.settings.socket_group == "");
  CHECK(options.settings.max_sources == 262'144);
  CHECK(options.settings.hot_slots == 262'144);
  CHECK(options.settings.row_kind.families == FamilyChoice::both);
  CHECK(options.settings.verdict == Verdict::pass);
  CHECK(options.settings.top == 100);
  CHECK(options.settings.max_clients == 64);
  CHECK(options.settings.client_memory == 64);
  CHECK(options.settings.output == OutputFormat::none);
  CHECK_FALSE(options.verbose);
  CHECK_FALSE(options.settings.events);
  CHECK(options.settings.sample == 0);
}

TEST_CASE("events are asked for one by one") {
  CHECK(accepted({"eth0", "--events"}).settings.events);
  CHECK(accepted({"eth0", "--events"}).settings.sample == 0);
  CHECK(accepted({"eth0", "--sample", "1"}).settings.sample == 1);
  CHECK(accepted({"eth0", "--sample=16777216"}).settings.sample == 16'777'216);
  CHECK_FALSE(accepted({"eth0", "--sample", "1"}).settings.events);
  for (const char* wrong : {"0", "16777217", "-1", "1.5", "all"})
    CHECK(contains(refusal({"eth0", "--sample", wrong}), "--sample"));
}

TEST_CASE("every option has its effect, in its long form and its short one") {
  for (const Arguments& arguments :
       {Arguments{"--mode",        "native",      "--interval",      "0.5",
                  "--socket",      "/tmp/s",      "--socket-group",  "adm",
                  "--max-sources", "7",           "--hot-slots",     "64",
                  "--verdict",     "drop",        "--top",           "5",
                  "--max-clients", "3",           "--client-memory", "9",
                  "--output",      "table",       "--families",      "ipv6",
                  "--by",          "destination", "--prefix4",       "24",
                  "--prefix6",     "64",          "--verbose",       "eth0"},
        Arguments{"--mode=native", "--interval=0.5", "--socket=/tmp/s", "--socket-group=adm",
                  "--max-sources=7", "--hot-slots=64", "--verdict=drop", "--top=5",
                  "--max-clients=3", "--client-memory=9", "--families=ipv6", "--output=table",
                  "--by=destination", "--prefix4=24", "--prefix6=64", "eth0", "--verbose"},
        Arguments{"eth0",
                  "-m",
                  "native",
                  "--interval=0.5",
                  "-s",
                  "/tmp/s",
                  "--socket-group",
                  "adm",
                  "--max-sources",
                  "7",
                  "--hot-slots",
                  "64",
                  "--verdict",
                  "drop",
                  "--top",
                  "5",
                  "--max-clients",
                  "3",
                  "--client-memory",
                  "9",
                  "--families",
                  "ipv6",
                  "--by",
                  "destination",
                  "--prefix4",
                  "24",
                  "--prefix6",
                  "64",
                  "-o",
                  "table",
                  "-v"}}) {
    const Options options = accepted(arguments);
    CHECK(options.settings.interface == "eth0");
    CHECK(options.settings.mode == XdpMode::native);
    CHECK(options.settings.interval == 0.5);
    CHECK(options.settings.socket_path == "/tmp/s");
    CHECK(options.settings.socket_group == "adm");
    CHECK(options.settings.max_sources == 7);
    CHECK(options.settings.hot_slots == 64);
    CHECK(options.settings.row_kind ==
          RowKind{FamilyChoice::ipv6, CountBy::destination, {{24, 64}}});
    CHECK(options.settings.verdict == Verdict::drop);
    CHECK(options.settings.top == 5);
    CHECK(options.settings.max_clients == 3);
    CHECK(options.settings.client_memory == 9);
    CHECK(options.settings.output == OutputFormat::table);
    CHECK(options.verbose);
  }
}

TEST_CASE("there are half as many pairs of IPv6 at most as of all else") {
  const auto most = [](const Arguments& arguments) {
    return accepted(arguments).settings.max_sources;
  };
  CHECK(most({"eth0", "--by", "destination", "--max-sources", "4194304"}) == 4'194'304);
  CHECK(most({"eth0", "--by", "pair", "--max-sources", "2097152"}) == 2'097'152);
  CHECK(most({"eth0", "--by", "pair", "--families", "ipv4", "--max-sources", "4194304"}) ==
        4'194'304);
  CHECK(
      refusal({"eth0", "--by", "pair", "--max-sources", "2097153"}) ==
      "xdp-count: --max-sources: at most 2097152 pairs of IPv6 addresses, not 2097153; --families "
      "ipv4 has room for 4194304\n"
      "xdp-count --help lists the options.\n");
}

TEST_CASE("networks have as many bits as their family's addresses at most") {
  const auto prefix6 = [](const Arguments& arguments) {
    return accepted(arguments).settings.row_kind.prefix_lengths.of(Family::ipv6);
  };
  CHECK(prefix6({"eth0", "--by", "pair"}) == 128);
  CHECK(prefix6({"eth0", "--by", "pair", "--prefix6", "65"}) == 65);
  CHECK(prefix6({"eth0", "--prefix6", "0", "--by", "pair"}) == 0);
  for (const char* option : {"--prefix4", "--prefix6"})
    for (const char* wrong : {"-1", "129", "1.5", "/24", ""})
      CHECK(contains(refusal({"eth0", option, wrong}), option));
  CHECK(contains(refusal({"eth0", "--prefix4", "33"}), "--prefix4"));
}

TEST_CASE("choices are known by their names, both ways") {
  for (const std::string name : {"auto", "native", "generic"})
    CHECK(name_of(accepted({"eth0", "-m", name}).settings.mode) == name);
  for (const std::string name : {"pass", "drop"})
    CHECK(name_of(accepted({"eth0", "--verdict", name}).settings.verdict) == name);
  for (const std::string name : {"both", "ipv4", "ipv6"})
    CHECK(name_of(accepted({"eth0", "--families", name}).settings.row_kind.families) == name);
  for (const std::string name : {"source", "destination", "pair"}) {
    CHECK(name_of(accepted({"eth0", "--by", name}).settings.row_kind.by) == name);
    CHECK(name_of(count_by_named(name)) == name);
  }
  for (const std::string name : {"live", "table", "json", "none"})
    CHECK(name_of(accepted({"eth0", "-o", name}).settings.output) == name);
  for (const ModeChoice mode :
       {ModeChoice(), ModeChoice(XdpMode::native), ModeChoice(XdpMode::generic)})
    CHECK(mode_choice_named(name_of(mode)) == mode);
  for (const Verdict verdict : {Verdict::pass, Verdict::drop})
    CHECK(verdict_named(name_of(verdict)) == verdict);
  for (const FamilyChoice families : {FamilyChoice::both, FamilyChoice::ipv4, FamilyChoice::ipv6})
    CHECK(family_choice_named(name_of(families)) == families);
  for (const OutputFormat output :
       {OutputFormat::none, OutputFormat::live, OutputFormat::table, OutputFormat::json})
    CHECK(output_named(name_of(output)) == output);
  CHECK_THROWS_AS(mode_choice_named("automatic"), std::out_of_range);
  CHECK_THROWS_AS(verdict_named(""), std::out_of_range);
  CHECK_THROWS_AS(family_choice_named("IPv6"), std::out_of_range);
  CHECK_THROWS_AS(output_named("Live"), std::out_of_range);
}

TEST_CASE("numbers are accepted at their bounds and refused beyond") {
  struct Case {
    std::string option;
    Arguments good;
    Arguments bad;
  };
  for (const Case& c :
       {Case{"--interval", {"0.1", "3600", "1e3"}, {"0.099", "3600.1", "0", "-1", "inf", "1s"}},
        Case{"--max-sources",
             {"1", "4194304"},
             {"0", "8388609", "-1", "1.5", "4294967297", "18446744073709551617", "many"}},
        Case{"--hot-slots",
             {"8", "8388608"},
             {"0", "7", "16777217", "-8", "8.5", "4294967304", "18446744073709551624", "all"}},
        Case{"--top", {"0", "10000"}, {"10001", "-1", "1.5", "18446744073709551616", "ten", "0 1"}},
        Case{"--max-clients",
             {"1", "1024"},
             {"0", "1025", "-1", "1.5", "18446744073709551617", "all"}},
        Case{"--client-memory",
             {"1", "65536"},
             {"0", "65537", "-1", "1.5", "64M", "18446744073709551617", "all"}}}) {
    for (const std::string& value : c.good) {
      CAPTURE(c.option);
      accepted({"eth0", c.option, value});
    }
    for (const std::string& value : c.bad)
      CHECK(contains(refusal({"eth0", c.option, value}), c.option));
    CHECK(contains(refusal({"eth0", c.option, ""}), c.option));
    CHECK(contains(refusal({"eth0", c.option}), c.option));
  }
  CHECK(accepted({"eth0", "--interval", "0.1"}).settings.interval == 0.1);
  CHECK(accepted({"eth0", "--interval", "3600"}).settings.interval == 3600);
  CHECK(accepted({"eth0", "--max-sources", "4194304"}).settings.max_sources == 4'194'304);
  CHECK(accepted({"eth0", "--top", "0"}).settings.top == 0);
  CHECK(accepted({"eth0", "--top", "10000"}).settings.top == 10'000);
}

TEST_CASE("hot slots are rounded up to a power of two") {
  struct Case {
    std::string asked;
    std::uint32_t given;
  };
  for (const Case& c :
       {Case{"8", 8}, Case{"9", 16}, Case{"12", 16}, Case{"15", 16}, Case{"16", 16}, Case{"17", 32},
        Case{"100000", 131'072}, Case{"4194305", 8'388'608}, Case{"8388608", 8'388'608}}) {
    CAPTURE(c.asked);
    CHECK(accepted({"eth0", "--hot-slots", c.asked}).settings.hot_slots == c.given);
  }
}

TEST_CASE("an interval that is not a number is refused") {
  CHECK(contains(refusal({"eth0", "--interval", "nan"}), "--interval"));
}

TEST_CASE("a whole number means what it says in decimal, or is refused") {
  const auto top = [](const std::string& value) {
    const auto result = parse({"eth0", "--top", value});
    const auto* options = std::get_if<Options>(&result);
    return options ? std::optional(options->settings.top) : std::nullopt;
  };
  CHECK(top("10") == 10);
  CHECK((!top("010") || top("010") == 10));
  CHECK_FALSE(top(" -18446744073709551615"));
}

TEST_CASE("choices that do not exist are refused, with those that do") {
  struct Case {
    std::string option;
    Arguments names;
  };
  for (const Case& c :
       {Case{"--mode", {"auto", "native", "generic"}}, Case{"--verdict", {"pass", "drop"}},
        Case{"--families", {"both", "ipv4", "ipv6"}},
        Case{"--by", {"source", "destination", "pair"}},
        Case{"--output", {"live", "table", "json", "none"}}}) {
    for (const std::string value : {"", "0", "AUTO", "Pass", "jsons"}) {
      const std::string text = refusal({"eth0", c.option, value});
      CHECK(contains(text, c.option));
      for (const std::string& name : c.names) CHECK(contains(text, name));
    }
    CHECK(contains(refusal({"eth0", c.option}), c.option));
  }
}

TEST_CASE("what is mistyped is refused with what may have been meant") {
  const auto error_of = [](const Arguments& arguments) {
    const std::string text = refusal(arguments);
    return text.substr(0, text.find('\n'));
  };
  CHECK(error_of({"eth0", "--mode", "natve"}) ==
        "xdp-count: --mode: 'natve' is not one of auto, native, generic; did you mean native?");
  CHECK(error_of({"eth0", "-o", "jsn"}) ==
        "xdp-count: --output: 'jsn' is not one of live, table, json, none; did you mean json?");
  CHECK(error_of({"eth0", "--verdict", "accept"}) ==
        "xdp-count: --verdict: 'accept' is not one of pass, drop");
  CHECK(error_of({"--intervall", "5", "eth0"}) ==
        "xdp-count: there is no option --intervall; did you mean --interval?");
  CHECK(error_of({"eth0", "one", "two"}) == "xdp-count: not expected: one two");
  CHECK(error_of({"eth0", "--top"}) == "xdp-count: --top: its value is missing");
}

TEST_CASE("the help has names, choices and texts, and nothing of how they are read") {
  const std::string text = std::get<EarlyExit>(parse({"--help"})).text;
  for (const char* part : {"Needs", "Excludes", "REQUIRED", "TEXT", "{"})
    CHECK_FALSE(contains(text, part));
}

TEST_CASE("what the kernel takes for the name of an interface is accepted, and nothing else") {
  for (const std::string name : {"e", "eth0", "enp0s31f6.100", "...", "a.b", "br-0123456789ab",
                                 "größe", "fifteen_letters", "a\"b", "\xff", "%d"}) {
    CAPTURE(name);
    CHECK(accepted({name}).settings.interface == name);
    CHECK(accepted({name}).settings.socket_path == "/run/xdp-count/" + name + ".sock");
  }
  for (const std::string name : {"", ".", "..", "a/b", "/", "../x", "a:0", "a b", " a", "a\tb",
                                 "a\n", "sixteen__letters", "a name as long as a sentence"})
    CHECK(contains(refusal({name}),
                   "'" + printable(name) + "' cannot be the name of a network interface"));
}

TEST_CASE("an interface is required, and only one") {
  CHECK(contains(refusal({}), "IFACE"));
  CHECK(contains(refusal({"-v"}), "IFACE"));
  CHECK(contains(refusal({"eth0", "eth1"}), "eth1"));
}

TEST_CASE("the path of the socket is as long as the kernel takes, and not empty") {
  const std::string longest = "/" + std::string(106, 'x');
  CHECK(accepted({"eth0", "-s", longest}).settings.socket_path == longest);
  const std::string text = refusal({"eth0", "-s", longest + "x"});
  CHECK(contains(text, "108"));
  CHECK(contains(text, "107"));
  CHECK(contains(refusal({"eth0", "--socket="}), "--socket"));
  CHECK(contains(refusal({"eth0", "-s", ""}), "the path of the socket is empty"));
}

TEST_CASE("unknown options, and options given twice, are refused") {
  for (const std::string option : {"--frobnicate", "-x", "--Mode", "--top-n=3", "-vx"})
    refusal({"eth0", option});
  CHECK(contains(refusal({"eth0", "--frobnicate"}), "--frobnicate"));
  refusal({"eth0", "-i", "1"});  // -i is the client's letter for the interface
  CHECK(contains(refusal({"eth0", "--top", "1", "--top", "2"}), "--top"));
  CHECK(contains(refusal({"eth0", "-m", "auto", "-m", "native"}), "--mode"));
}

TEST_CASE("help names every option and the memory that the default takes") {
  for (const std::string flag : {"-h", "--help"})
    for (const Arguments& arguments : {Arguments{flag}, Arguments{"eth0", flag}}) {
      const auto result = parse(arguments);
      REQUIRE(std::holds_alternative<EarlyExit>(result));
      const auto& exit = std::get<EarlyExit>(result);
      CHECK(exit.code == 0);
      for (const std::string part : {"IFACE",
                                     "-h,--help",
                                     "-V,--version",
                                     "-m,--mode",
                                     "auto|native|generic",
                                     "--interval SECONDS",
                                     "-s,--socket",
                                     "--socket-group",
                                     "--max-sources",
                                     "--hot-slots",
                                     "--verdict",
                                     "pass|drop",
                                     "--families",
                                     "both|ipv4|ipv6",
                                     "--by",
                                     "source|destination|pair",
                                     "--prefix4 BITS",
                                     "--prefix6 BITS",
                                     "--top",
                                     "--max-clients",
                                     "--client-memory MIB",
                                     "--events",
                                     "--sample",
                                     "-o,--output",
                                     "live|table|json|none",
                                     "-v,--verbose",
                                     "100 MiB of kernel tables and 32 MiB of ledger",
                                     "Exit status:"}) {
        CAPTURE(part);
        CHECK(contains(on_one_line(exit.text), part));
      }
    }
}

TEST_CASE("the version is the project's") {
  for (const std::string flag : {"-V", "--version"}) {
    const auto result = parse({flag});
    REQUIRE(std::holds_alternative<EarlyExit>(result));
    CHECK(std::get<EarlyExit>(result).code == 0);
    CHECK(std::get<EarlyExit>(result).text == "xdp-count " XDP_COUNT_VERSION "\n");
  }
}

TEST_CASE("output is live by default on a terminal alone, and can be chosen on either") {
  for (const bool terminal : {false, true}) {
    CAPTURE(terminal);
    const auto output = [&](const Arguments& arguments) {
      return std::get<Options>(parse_options(arguments, terminal, 2)).settings.output;
    };
    CHECK(output({"eth0"}) == (terminal ? OutputFormat::live : OutputFormat::none));
    CHECK(output({"eth0", "-o", "none"}) == OutputFormat::none);
    CHECK(output({"eth0", "-o", "live"}) == OutputFormat::live);
    CHECK(output({"eth0", "-o", "json"}) == OutputFormat::json);
  }
}

TEST_CASE("by default all memory follows from the sources, however many CPUs there are") {
  constexpr std::uint64_t mib = 1 << 20;
  for (const unsigned cpus : {1u, 2u, 3u, 4u, 16u, 64u, 100u, 128u, 256u, 1024u}) {
    CAPTURE(cpus);
    for (const auto& [name, families] : family_choice_names) {
      CAPTURE(name);
      const MemoryNeed need = memory_need({.row_kind = {.families = families}}, cpus);
      CHECK(need.ledger == 32 * mib + mib / 4);
      CHECK(need.maps <= 102 * mib);
      CHECK(need.maps >= 84 * mib);
      const Options options =
          std::get<Options>(parse_options({"eth0", "--families", name}, false, cpus));
      const std::uint64_t slots = options.settings.hot_slots * std::uint64_t{cpus};
      const std::uint64_t most =
          (families == FamilyChoice::both ? 2 : 4) * options.settings.max_sources;
      CHECK(slots <= most);
      CHECK(2 * slots > most);
    }
  }
  // There are so many CPUs and so few sources that the smallest tables are more than that.
  CHECK(std::get<Options>(parse_options({"eth0", "--max-sources", "10"}, false, 256))
            .settings.hot_slots == 8);
  // A choice stands.
  CHECK(std::get<Options>(parse_options({"eth0", "--hot-slots", "64"}, false, 2))
            .settings.hot_slots == 64);
}

}  // namespace
}  // namespace xdp_count
