// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tmux_terminal.hpp"

#include <filesystem>
#include <stdexcept>
#include <thread>

namespace xdp_count::testing {
namespace {

constexpr std::chrono::milliseconds poll_step{20};

std::string new_socket_path() {
  static int number = 0;
  return "/run/tmux-" + std::to_string(++number) + ".sock";
}

std::vector<std::string> command_line(const std::string& socket_path,
                                      const std::vector<std::string>& arguments) {
  // -u: UTF-8, whatever the locale of whoever runs the tests.
  std::vector<std::string> command{"/usr/bin/env", "LC_ALL=C.UTF-8", "tmux", "-u",
                                   "-S",           socket_path,      "-f",   "/dev/null"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

}  // namespace

// -D: in the foreground, so that it does not outlive the test.
TmuxTerminal::TmuxTerminal(int columns, int rows, const std::string& command)
    : socket_path_(new_socket_path()), server_(command_line(socket_path_, {"-D"})) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!std::filesystem::exists(socket_path_)) {
    if (!server_.running() || std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("tmux does not start: " + server_.standard_error());
    std::this_thread::sleep_for(poll_step);
  }
  tmux({"new-session", "-d", "-x", std::to_string(columns), "-y", std::to_string(rows), command});
}

TmuxTerminal::~TmuxTerminal() {
  Process(command_line(socket_path_, {"kill-server"})).wait();
}

std::string TmuxTerminal::tmux(const std::vector<std::string>& arguments) {
  Process client(command_line(socket_path_, arguments));
  if (client.wait() != 0)
    throw std::runtime_error("tmux " + arguments.front() + ": " + client.standard_error());
  return client.standard_output();
}

void TmuxTerminal::type(const std::string& text) {
  tmux({"send-keys", "-l", text});
}

void TmuxTerminal::press(const std::string& key) {
  tmux({"send-keys", key});
}

void TmuxTerminal::resize(int columns, int rows) {
  tmux({"resize-window", "-x", std::to_string(columns), "-y", std::to_string(rows)});
}

std::string TmuxTerminal::screen() {
  return tmux({"capture-pane", "-p"});
}

std::string TmuxTerminal::screen_with_colours() {
  return tmux({"capture-pane", "-p", "-e"});
}

std::string TmuxTerminal::wait(const std::string& text, bool shown) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const auto is_so = [&](const std::string& now) { return (now.find(text) != now.npos) == shown; };
  for (;;) {
    std::string now = screen();
    if (is_so(now)) {
      // tmux may have shown the begin of a picture: what comes a moment later is the whole of it.
      std::this_thread::sleep_for(poll_step);
      std::string later = screen();
      return is_so(later) ? later : now;
    }
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("the screen " +
                               std::string(shown ? "does not show" : "still shows") + " '" + text +
                               "':\n" + now);
    std::this_thread::sleep_for(poll_step);
  }
}

std::string TmuxTerminal::wait_for(const std::string& text) {
  return wait(text, true);
}

std::string TmuxTerminal::wait_without(const std::string& text) {
  return wait(text, false);
}

}  // namespace xdp_count::testing
