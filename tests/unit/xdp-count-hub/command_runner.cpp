// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "command_runner.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

using namespace xdp_count;
using namespace std::chrono_literals;

namespace {

// A directory of its own.
struct Directory {
  Directory() {
    std::string name = std::filesystem::temp_directory_path() / "xdp-count-commands-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Directory() { std::filesystem::remove_all(path); }

  std::string content_of(const char* file) const {
    std::ifstream stream(path / file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  std::filesystem::path path;
};

// A program that neither has nor takes SIGUSR2.
class WithoutSignal {
 public:
  WithoutSignal() : action_(std::signal(SIGUSR2, SIG_IGN)) {
    sigset_t signal;
    ::sigemptyset(&signal);
    ::sigaddset(&signal, SIGUSR2);
    ::pthread_sigmask(SIG_BLOCK, &signal, &mask_);
  }
  ~WithoutSignal() {
    ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
    (void)std::signal(SIGUSR2, action_);
  }
  WithoutSignal(const WithoutSignal&) = delete;
  WithoutSignal& operator=(const WithoutSignal&) = delete;

 private:
  void (*action_)(int);
  sigset_t mask_{};
};

// Runs scripts in a directory, and waits for all.
struct Scripts {
  explicit Scripts(const CommandRunner::Limits& limits = {}) : runner(io.get_executor(), limits) {}

  // Each has a turn of its own.
  void add(const std::string& script, const std::string& input = "") {
    runner.run(std::to_string(turns++),
               {"/bin/sh", "-c", "cd \"$1\"; " + script, "sh", directory.path}, input);
  }

  Directory directory;
  int turns = 0;
  boost::asio::io_context io;
  CommandRunner runner;
};

}  // namespace

TEST_CASE("a command gets its words as they are, its input, and nothing else that is open here") {
  Scripts scripts;
  const std::string input(300'000, 'x');     // more than a pipe holds
  REQUIRE(::dup2(STDERR_FILENO, 50) == 50);  // stays open in a child that does not close it
  scripts.runner.run(
      "x",
      {"/bin/sh", "-c", R"(cat >"$2/input"; echo "$1" >"$2/word"; ls /proc/$$/fd >"$2/open")", "sh",
       "$(touch x) ; 'y'", scripts.directory.path},
      input);
  scripts.io.run();
  ::close(50);
  CHECK(scripts.directory.content_of("input") == input);
  CHECK(scripts.directory.content_of("word") == "$(touch x) ; 'y'\n");
  std::istringstream open(scripts.directory.content_of("open"));
  for (std::string number; open >> number;) CHECK(std::stoi(number) <= 10);  // the shell's own
}

TEST_CASE("a command has all signals, whichever are ignored or blocked here") {
  Scripts scripts;
  // A shell would set its own.
  scripts.runner.run("x",
                     {"/bin/dd", "if=/proc/self/status", "status=none",
                      "of=" + (scripts.directory.path / "status").string()},
                     "");
  {
    const WithoutSignal here;
    scripts.io.run();
  }
  const std::string status = scripts.directory.content_of("status");
  for (const std::string field : {"SigBlk:\t", "SigIgn:\t"}) {
    REQUIRE(status.find(field) != std::string::npos);
    const std::string set = status.substr(status.find(field) + field.size(), 16);
    CHECK((std::stoull(set, nullptr, 16) >> (SIGUSR2 - 1) & 1) == 0);
  }
}

TEST_CASE("how commands end is counted") {
  Scripts scripts;
  for (int i = 0; i < 10; ++i) scripts.add("true");
  for (int i = 0; i < 3; ++i) scripts.add("exit 3");
  scripts.runner.run("x", {"/nothing/here"}, "");
  scripts.io.run();
  CHECK(scripts.runner.totals().done == 10);
  CHECK(scripts.runner.totals().failed == 4);
  CHECK(scripts.runner.totals().timed_out == 0);
  CHECK(scripts.runner.totals().dropped == 0);
}

TEST_CASE("no more commands than may run do, and what waits is bounded") {
  Scripts scripts({.running = 2, .waiting = 20});
  // Each looks how many there are.
  for (int i = 0; i < 30; ++i)
    scripts.add("mkdir $$; echo [0-9]* | wc -w >>most; sleep 0.05; rmdir $$");
  scripts.io.run();
  CHECK(scripts.runner.totals().done == 22);
  CHECK(scripts.runner.totals().dropped == 8);
  std::istringstream most(scripts.directory.content_of("most"));
  int counts = 0;
  for (int count = 0; most >> count; ++counts) CHECK(count <= 2);
  CHECK(counts == 22);
}

TEST_CASE("a command that takes too long is killed, with all that it has started") {
  Scripts scripts({.time = 200ms});
  scripts.add("trap '' TERM; (sleep 1; touch late) & sleep 1; touch late");
  scripts.add("(sleep 1; touch late) & true");
  scripts.io.run();
  CHECK(scripts.runner.totals().timed_out == 1);
  CHECK(scripts.runner.totals().done == 1);
  std::this_thread::sleep_for(1200ms);
  CHECK_FALSE(std::filesystem::exists(scripts.directory.path / "late"));
}

TEST_CASE("at the end nothing runs any more, and nothing more begins") {
  constexpr auto long_time = 100s;
  const auto start = std::chrono::steady_clock::now();
  Scripts scripts({.running = 1, .time = long_time});
  scripts.add("sleep 1000");
  scripts.add("touch second");
  boost::asio::post(scripts.io, [&] { scripts.runner.stop(); });
  scripts.io.run();
  CHECK(std::chrono::steady_clock::now() < start + long_time);  // it was not waited for
  scripts.add("touch third");
  scripts.io.restart();
  scripts.io.run();
  CHECK_FALSE(std::filesystem::exists(scripts.directory.path / "second"));
  CHECK_FALSE(std::filesystem::exists(scripts.directory.path / "third"));
}

TEST_CASE("commands of one turn run in their order") {
  Scripts scripts;
  for (int i = 0; i < 10; ++i)
    scripts.runner.run("turn",
                       {"/bin/sh", "-c", "sleep 0.0$2; echo $2 >>\"$1/order\"", "sh",
                        scripts.directory.path, std::to_string(9 - i)},
                       "");
  scripts.io.run();
  CHECK(scripts.directory.content_of("order") == "9\n8\n7\n6\n5\n4\n3\n2\n1\n0\n");
}
