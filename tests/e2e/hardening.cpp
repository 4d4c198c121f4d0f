// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the compiler and the linker were asked for, read from the programs that they made.
#include <doctest/doctest.h>

#include "agent_fixture.hpp"

using namespace xdp_count::testing;

namespace {

std::string output_of(const std::vector<std::string>& command) {
  Process process(command);
  REQUIRE(process.wait() == 0);
  return process.standard_output();
}

}  // namespace

TEST_CASE("the programs are built with what makes a defect in them hard to use") {
  for (const std::string program : {AGENT, CLIENT}) {
    CAPTURE(program);
    const auto read = [&](const std::string& part) {
      return output_of({"/usr/bin/readelf", "--wide", part, program});
    };
    // The program is loaded at an address that nobody knows.
    CHECK(contains(read("--file-header"), "DYN (Position-Independent Executable file)"));
    // All addresses of functions are known before the program begins, and are read-only then.
    const std::string segments = read("--program-headers");
    CHECK(contains(segments, " GNU_RELRO "));
    const std::string dynamic = read("--dynamic");
    CHECK(contains(dynamic, " BIND_NOW\n"));
    CHECK(contains(dynamic, " NOW PIE\n"));
    const std::size_t stack = segments.find(" GNU_STACK ");
    REQUIRE(stack != segments.npos);
    CHECK(!contains(segments.substr(stack, segments.find('\n', stack) - stack), "RWE"));
    const std::string symbols = read("--dyn-syms");
    CHECK(contains(symbols, " __stack_chk_fail@"));
    // This check needs an optimizer, and is left out with a sanitizer, which sees more.
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(contains(symbols, "_chk@GLIBC"));
#endif
    // endbr64 marks where indirect jumps may land.
#ifdef __x86_64__
    CHECK(contains(output_of({"/usr/bin/objdump", "--disassemble=main", program}), "endbr64"));
#endif
  }
}
