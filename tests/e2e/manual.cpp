// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// --help, the manual pages and the completion of bash say the same.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "agent_fixture.hpp"

using namespace xdp_count::testing;

namespace {

using Options = std::map<std::string, std::string>;  // name -> what it takes, "" for nothing

const std::string tools = TOOLS_DIRECTORY;

std::string output_of(const std::vector<std::string>& command) {
  Process process(command);
  REQUIRE(process.wait() == 0);
  CHECK(process.standard_error() == "");
  return process.standard_output();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

// `command`: with the command that it is of, "history top".
std::string help_of(const std::string& program, const std::string& command) {
  std::vector<std::string> words = words_of(command);
  words.insert(words.begin(), program);
  words.emplace_back("--help");
  return output_of(words);
}

// "  -m,--mode auto|native   How …": the names are followed by what is in capitals or has bars.
Options options_of_help(const std::string& help) {
  static const std::regex form(R"(^  (-\S+)(?: ([A-Z]+|\S+\|\S+))?(?: .*)?$)");
  Options options;
  for (const std::string& line : lines_of(help)) {
    std::smatch match;
    if (!std::regex_match(line, match, form)) continue;
    std::istringstream names(match[1].str());
    for (std::string name; std::getline(names, name, ',');) options[name] = match[2].str();
  }
  return options;
}

// "  -m,--mode auto|native   How …": the long name of each letter, or the letter itself.
std::map<std::string, std::string> letters_of_help(const std::string& help) {
  static const std::regex form(R"(^  (-\w)(?:,(--\S+))?(?: .*)?$)");
  std::map<std::string, std::string> letters;
  for (const std::string& line : lines_of(help)) {
    std::smatch match;
    if (std::regex_match(line, match, form)) letters[match[1]] = match[match[2].matched ? 2 : 1];
  }
  return letters;
}

std::set<std::string> commands_of_help(const std::string& help) {
  std::set<std::string> commands;
  bool there = false;
  for (const std::string& line : lines_of(help)) {
    if (line.empty()) there = false;
    if (there && line.size() > 2 && line[2] != ' ')  // or more of the line before
      commands.insert(line.substr(2, line.find(' ', 2) - 2));
    if (line == "Commands:") there = true;
  }
  return commands;
}

// The program's as "", and those of commands too.
std::set<std::string> all_commands(const std::string& program) {
  std::set<std::string> all{""};
  for (const std::string& command : commands_of_help(help_of(program, ""))) {
    all.insert(command);
    for (const std::string& own : commands_of_help(help_of(program, command)))
      all.insert(command + " " + own);
  }
  return all;
}

// ".It Fl m , Fl -mode Cm auto | native", by the command that the page has them under.
std::map<std::string, Options> options_of_page(const std::string& path) {
  std::map<std::string, Options> options;
  std::string section;
  for (const std::string& line : lines_of(output_of({"/usr/bin/env", "cat", path}))) {
    std::istringstream words(line);
    std::string macro;
    words >> macro;
    if (macro == ".Sh") section.clear();
    if (macro == ".Ss") {
      section.clear();
      for (std::string word; words >> word && word != "Ar";)
        section += (section.empty() ? "" : " ") + word;
      options[section];
    }
    std::string word;
    if (macro != ".It" || !(words >> word) || word != "Fl") continue;
    std::vector<std::string> names;
    std::string takes;
    for (bool name = true; words >> word;) {
      if (name)
        names.push_back("-" + word);
      else if (word != "Ar" && word != "Cm" && word != "," && word != "Fl")
        takes += word;
      name = word == "Fl";
    }
    for (const std::string& name : names) options[section][name] = takes;
  }
  return options;
}

// What bash offers for the last of `words`.
std::set<std::string> completions(const std::vector<std::string>& words) {
  std::vector<std::string> command{
      "/usr/bin/env", "bash", "-c",
      "cd /run; source " + tools +
          "/completion/xdp-count; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); "
          "_xdp_count \"$1\" \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; "
          "printf '%s\\n' \"${COMPREPLY[@]}\"",
      "bash"};
  command.insert(command.end(), words.begin(), words.end());
  std::set<std::string> offered;
  for (const std::string& line : lines_of(output_of(command)))
    if (!line.empty()) offered.insert(line);
  return offered;
}

std::set<std::string> names_of(const Options& options) {
  std::set<std::string> names;
  for (const auto& option : options) names.insert(option.first);
  return names;
}

struct Program {
  const char* path;
  const char* page;
};
constexpr Program agent_program{AGENT, "/man/xdp-count.8"};
constexpr Program client_program{CLIENT, "/man/xdp-countctl.1"};
const std::vector<Program> programs{
    agent_program,
    client_program,
#ifdef HUB
    {HUB, "/man/xdp-count-hub.8"},
#endif
};

using Words = std::set<std::string>;

}  // namespace

TEST_CASE("the manual pages have every command and option of --help, and no other") {
  for (const Program& program : programs) {
    auto pages = options_of_page(tools + program.page);
    const std::string help = help_of(program.path, "");
    CHECK(options_of_help(help).size() > 8);
    CHECK(pages[""] == options_of_help(help));
    const Words commands = all_commands(program.path);
    Words described;
    for (const auto& [command, options] : pages) {
      described.insert(command);
      CAPTURE(command);
      if (command.empty()) continue;
      Options own = options_of_help(help_of(program.path, command));
      own.erase("-h");
      own.erase("--help");
      CHECK(options == own);
    }
    CHECK(described == commands);
  }
}

TEST_CASE("the manual pages have every exit status of --help, and no other") {
  // "Exit status: 0 done, 1 no agent": a number is behind a colon, a comma or the beginning of a
  // line.
  const auto statuses = [](std::string text) {
    static const std::regex form(R"((?:^|[:,]\s+)(\d)\s+[a-z])");
    std::set<std::string> found;
    for (std::sregex_iterator it(text.begin(), text.end(), form), end; it != end; ++it)
      found.insert((*it)[1]);
    return found;
  };
  for (const Program& program : programs) {
    const std::string help = help_of(program.path, "");
    const std::string page = output_of({"/usr/bin/env", "cat", tools + program.page});
    const std::string title = ".Sh EXIT STATUS\n";
    const std::size_t begin = page.find(title);
    REQUIRE(begin != page.npos);
    const std::size_t end = page.find("\n.Sh ", begin);
    CHECK(statuses(page.substr(begin + title.size(), end - begin - title.size())) ==
          statuses(help.substr(help.find("Exit status:"))));
  }
}

TEST_CASE("a letter is short for the same option in both programs and in every command") {
  auto meanings = letters_of_help(help_of(AGENT, ""));
  std::size_t shared = 0;
  for (const std::string& command : all_commands(CLIENT))
    for (const auto& [letter, meaning] : letters_of_help(help_of(CLIENT, command))) {
      CAPTURE(command);
      CAPTURE(letter);
      const auto [before, fresh] = meanings.emplace(letter, meaning);
      if (!fresh) ++shared;
      CHECK(before->second == meaning);
    }
  CHECK(shared > 3);
  CHECK(meanings.at("-i") == "--interface");
}

TEST_CASE("the manual pages are formatted without a warning") {
  for (const Program& program : programs) {
    Process man({"/usr/bin/env", "LC_ALL=C.UTF-8", "man", "--warnings", "-E", "UTF-8", "-l",
                 "-Tutf8", "-Z", tools + program.page});
    CHECK(man.wait() == 0);
    CHECK(man.standard_error() == "");
    CHECK(man.standard_output().size() > 1000);
  }
}

TEST_CASE("bash completes every command and option of --help, and no other") {
  for (const Program& program : programs) {
    const std::string help = help_of(program.path, "");
    CHECK(completions({program.path, "-"}) == names_of(options_of_help(help)));
    const Words commands = commands_of_help(help);
    if (!commands.empty()) CHECK(completions({program.path, ""}) == commands);
    for (const std::string& command : commands) {
      CAPTURE(command);
      Options both = options_of_help(help);
      both.merge(options_of_help(help_of(program.path, command)));
      CHECK(completions({program.path, command, "-"}) == names_of(both));
      CHECK(completions({program.path, command.substr(0, 2)}) == Words{command});
      const Words own = commands_of_help(help_of(program.path, command));
      CHECK(completions({program.path, command, ""}) == own);
      for (const std::string& name : own) {
        Options all = both;
        all.merge(options_of_help(help_of(program.path, command + " " + name)));
        CHECK(completions({program.path, command, name, "-"}) == names_of(all));
        CHECK(completions({program.path, command, name, ""}).empty());
      }
    }
  }
}

TEST_CASE("bash completes what options take") {
  CHECK(completions({AGENT, "--mode", ""}) == Words{"auto", "generic", "native"});
  CHECK(completions({AGENT, "-o", "j"}) == Words{"json"});
  CHECK(completions({AGENT, "--verdict", "=", "d"}) == Words{"drop"});
  CHECK(completions({AGENT, "--verdict", "="}) == Words{"drop", "pass"});
  CHECK(completions({AGENT, "--socket-group", "roo"}) == Words{"root"});
  CHECK(completions({AGENT, "--interval", ""}).empty());
  CHECK(completions({AGENT, "-s", "/etc/host"}).contains("/etc/hosts"));
  CHECK(completions({CLIENT, "top", "--by", "b"}) == Words{"bps", "bps_10s", "bps_60s", "bytes"});
  CHECK(completions({CLIENT, "top", "-n", ""}).empty());
  CHECK(completions({CLIENT, "list", "--format", ""}) == Words{"table", "json", "csv"});
  CHECK(completions({CLIENT, "graph", "--format", ""}) == Words{"dot", "graphml"});
  CHECK(completions({CLIENT, "get", ""}).empty());
  CHECK(completions({CLIENT, "history", "top", "--by", ""}) == Words{"bytes", "packets"});
  CHECK(completions({CLIENT, "history", "row", "--step", "h"}) == Words{"hour"});
#ifdef HUB
  CHECK(completions({HUB, ""}).empty());
  CHECK(completions({HUB, "--token-file", "/etc/host"}).contains("/etc/hosts"));
#endif
  const Words registered{"xdp-count", "xdp-count-hub", "xdp-countctl"};
  Words found;
  for (const std::string& line :
       lines_of(output_of({"/usr/bin/env", "bash", "-c",
                           "source " + tools + "/completion/xdp-count; complete -p"})))
    if (contains(line, "-F _xdp_count ")) found.insert(line.substr(line.rfind(' ') + 1));
  CHECK(found == registered);
}

TEST_CASE("bash completes interfaces: the agent's that are there, the client's that are served") {
  const Topology topology;
  CHECK(completions({AGENT, "lo"}) == Words{"lo"});
  CHECK(completions({CLIENT, "-i", ""}).empty());
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  const std::ofstream command("/run/xdp-count/$(touch pwned).sock");
  const std::ofstream two_words("/run/xdp-count/a b.sock");
  CHECK(completions({CLIENT, "-i", ""}) == Words{"count0"});
  CHECK(completions({CLIENT, "--interface", "="}) == Words{"count0"});
  CHECK(!std::filesystem::exists("/run/pwned"));
}
