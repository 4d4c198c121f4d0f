// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/printable.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

namespace xdp_count {
namespace {

using namespace std::string_literals;

TEST_CASE("what a terminal would obey, and what is no text, is shown byte by byte") {
  struct Case {
    std::string raw;
    std::string shown;
  };
  for (const Case& c : {
           Case{"", ""},
           Case{"eth0 100% \"a\" \\ größe █ 😀", "eth0 100% \"a\" \\ größe █ 😀"},
           Case{"\x1b[31m\n\r\t\0\x7f"s, R"(\x1b[31m\x0a\x0d\x09\x00\x7f)"},
           Case{"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\u00a0"},
           Case{"\xff\xfe\x80\xc3", R"(\xff\xfe\x80\xc3)"},
           Case{"a\xe2\x96", R"(a\xe2\x96)"},
           Case{"\xe2\x96\xffz", R"(\xe2\x96\xffz)"},
           Case{"\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf",  // longer forms than needed
                R"(\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf)"},
           Case{"\xed\x9f\xbf\xed\xa0\x80", "\ud7ff\\xed\\xa0\\x80"},  // a surrogate
           Case{"\xf4\x8f\xbf\xbf\xf4\x90\x80\x80", "\U0010ffff\\xf4\\x90\\x80\\x80"},
       }) {
    CAPTURE(c.shown);
    CHECK(printable(c.raw) == c.shown);
    CHECK(printable(c.shown) == c.shown);
  }
}

TEST_CASE("whatever the bytes are, what is shown is text without a control character") {
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string raw(random() % 12, '\0');
    for (char& c : raw) c = static_cast<char>(random());
    const std::string shown = printable(raw);
    CAPTURE(shown);
    // Another reading of UTF-8 than our own. Of the characters it finds, escaped, none is C1.
    const std::string text = nlohmann::json(shown).dump(-1, ' ', true);
    CHECK(text.find("\\u00" + std::string("7f")) == std::string::npos);
    for (const char* c1 : {"\\u008", "\\u009"}) CHECK(text.find(c1) == std::string::npos);
    for (const char c : shown) CHECK(static_cast<unsigned char>(c) >= 0x20);
    CHECK(printable(shown) == shown);
  }
}

TEST_CASE("JSON that is shown has the same value") {
  CHECK(printable_json("{\"a\":\"\xc2\x9b[31m\x7f\",\"größe\":1}") ==
        R"({"a":"\u009b[31m\u007f","größe":1})");
  const nlohmann::json value{{"\x7f", "\xc2\x80 \x1b \xc2\x9f \xc2\xa0 \\"}};
  CHECK(nlohmann::json::parse(printable_json(value.dump())) == value);
}

}  // namespace
}  // namespace xdp_count
