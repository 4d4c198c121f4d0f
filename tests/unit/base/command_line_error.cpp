// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The programs' own command lines are tested with their options.
#include "base/command_line_error.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/choice_option.hpp"

namespace xdp_count {
namespace {

enum class Shape { round, square };
constexpr std::array<Name<Shape>, 2> shape_names{
    {{"round", Shape::round}, {"square", Shape::square}}};

// A program with two commands, of which one takes what people pass to the wrong option.
std::string error_of(const std::vector<std::string>& arguments) {
  CLI::App app;
  bool loud = false;
  std::string file;
  Shape shape{};
  std::vector<std::string> names;
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.add_flag("-l,--loud", loud);
  app.add_option("-f,--file", file);
  CLI::App* draw = app.add_subcommand("draw");
  add_choice(*draw, "--shape", shape, shape_names, "");
  draw->add_option("NAME", names)->required()->check([](const std::string& name) {
    return name == "bad" ? "'bad' is no name" : "";
  });
  int times = 0;
  draw->add_option("-x", times);
  app.add_subcommand("erase")->add_option("-x", times);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return command_line_error(app, error);
  }
  return "";
}

TEST_CASE("a command that is mistyped is an error that names the nearest") {
  CHECK(error_of({"draw", "x"}) == "");
  CHECK(error_of({"darw", "x"}) == "there is no command darw; did you mean draw?");
  CHECK(error_of({"earse", "--nothing"}) == "there is no command earse; did you mean erase?");
  CHECK(error_of({"paint"}) == "there is no command paint");
}

TEST_CASE("an option of a command that stands elsewhere is an error that says where it goes") {
  CHECK(error_of({"--shape", "round"}) ==
        "--shape is an option of draw: give the command before it");
  CHECK(error_of({"--shape=round"}) == "--shape is an option of draw: give the command before it");
  CHECK(error_of({"-x1"}) == "-x is an option of draw, erase: give the command before it");
  CHECK(error_of({"-x", "1", "erase"}) == "-x is an option of erase: it goes behind that");
  CHECK(error_of({"--shape", "round", "erase"}) == "there is no option --shape of erase");
}

TEST_CASE("an option that is mistyped is an error that names the nearest of the command") {
  CHECK(error_of({"draw", "x", "--shpae=round"}) ==
        "there is no option --shpae of draw; did you mean --shape?");
  CHECK(error_of({"erase", "--shpae", "round"}) == "there is no option --shpae of erase");
  CHECK(error_of({"erase", "--flie", "x"}) ==
        "there is no option --flie of erase; did you mean --file?");
  CHECK(error_of({"--lood", "erase"}) ==
        "there is no option --lood of erase; did you mean --loud?");
  CHECK(error_of({"--lood"}) == "there is no option --lood; did you mean --loud?");
  CHECK(error_of({"erase", "-y"}) == "there is no option -y of erase");
  CHECK(error_of({"erase", "-ly"}) == "there is no option -y of erase");
  // Its value is taken for a NAME, which is not what is wrong.
  CHECK(error_of({"draw", "--flie", "bad"}) ==
        "there is no option --flie of draw; did you mean --file?");
}

TEST_CASE("words that are left over stand in their order") {
  CHECK(error_of({"erase", "one", "two"}) == "not expected: one two");
  CHECK(error_of({"erase", "draw"}) == "not expected: draw");
}

TEST_CASE("a value that is missing, given twice or wrong is an error without names of types") {
  CHECK(error_of({"draw", "x", "--shape"}) == "--shape: its value is missing");
  CHECK(error_of({"erase", "-f"}) == "--file: its value is missing");
  CHECK(error_of({"erase", "-f", "1", "--file", "2"}) == "--file: given more than once");
  CHECK(error_of({"draw", "x", "--shape", "rund"}) ==
        "--shape: 'rund' is not one of round, square; did you mean round?");
  CHECK(error_of({"draw", "x", "--shape", ""}) == "--shape: '' is not one of round, square");
  CHECK(error_of({"draw", "bad"}) == "NAME: 'bad' is no name");
  CHECK(error_of({"draw"}) == "NAME is required");
}

}  // namespace
}  // namespace xdp_count
