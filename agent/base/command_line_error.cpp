// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/command_line_error.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/nearest_word.hpp"

namespace xdp_count {
namespace {

bool is_option(const std::string& word) {
  return word.size() > 1 && word.front() == '-';
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  return names;
}

// The long ones without their dashes, of the program and of the commands that were given.
std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  for (const CLI::App* command : app.get_subcommands()) {
    const std::vector<std::string> more = option_names(*command);
    names.insert(names.end(), more.begin(), more.end());
  }
  return names;
}

// The program, or the last command that was given and has commands of its own.
const CLI::App& last_with_commands(const CLI::App& app) {
  const auto given = app.get_subcommands();
  const bool is_last = given.empty() || given.front()->get_subcommands(nullptr).empty();
  return is_last ? app : last_with_commands(*given.front());
}

// The commands that take this option.
std::vector<std::string> owners_of(const CLI::App& app, const std::string& option) {
  std::vector<std::string> owners;
  for (const CLI::App* command : app.get_subcommands(nullptr))
    if (command->get_option_no_throw(option)) owners.push_back(command->get_name());
  return owners;
}

std::string unknown_option(const CLI::App& program, const std::string& word) {
  const CLI::App& app = last_with_commands(program);
  const std::string name = option_name(word);
  const auto given = app.get_subcommands();
  const auto owners = owners_of(app, name);
  if (given.empty() && !owners.empty())
    return fmt::format("{} is an option of {}: give the command before it", name,
                       fmt::join(owners, ", "));
  if (!given.empty() && given.front()->get_option_no_throw(name))
    return fmt::format("{} is an option of {}: it goes behind that", name,
                       given.front()->get_name());
  const std::string meant =
      name.starts_with("--") ? nearest_word(name.substr(2), option_names(program)) : "";
  return fmt::format("there is no option {}{}{}", name,
                     given.empty() ? "" : " of " + given.front()->get_name(),
                     meant.empty() ? "" : "; did you mean --" + meant + "?");
}

// `words`, at least one, are what neither the program nor its command has a use for.
std::string left_over(const CLI::App& program, const std::vector<std::string>& words) {
  const CLI::App& app = last_with_commands(program);
  const std::vector<std::string> commands = command_names(app);
  if (!commands.empty() && app.get_subcommands().empty() && !is_option(words.front()))
    return fmt::format("there is no command {}{}", words.front(),
                       did_you_mean(words.front(), commands));
  // A value behind an option that is none is left over as well.
  const auto option = std::find_if(words.begin(), words.end(), is_option);
  if (option != words.end()) return unknown_option(program, *option);
  return fmt::format("not expected: {}", fmt::join(words, " "));
}

}  // namespace

std::string option_name(const std::string& word) {
  if (word.starts_with("--")) return word.substr(0, word.find('='));
  return word.substr(0, 2);
}

std::string command_line_error(const CLI::App& app, const CLI::ParseError& error) {
  // Such a word may be the cause of any other error: its value may have been taken for an argument.
  std::vector<std::string> words = app.remaining(true);
  std::erase(words, "--");
  if (!words.empty()) return left_over(app, words);

  std::string text = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    // "--top: At Most 1 required but received 2" or "--top: 1 required TEXT missing".
    const std::string name = text.substr(0, text.find(':'));
    return name + (text.find("At Most") != text.npos ? ": given more than once"
                                                     : ": its value is missing");
  }
  return text;
}

}  // namespace xdp_count
