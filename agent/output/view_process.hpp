// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

#include "base/log.hpp"
#include "base/unique_fd.hpp"
#include "output/terminal_state.hpp"

namespace xdp_count {

// The process that shows the live view on the agent's terminal. It is a client of the agent and
// nothing else: it has no privileges, holds nothing of the agent's, and gives the terminal back
// when the agent ends, however that comes. The agent never waits for it but in finish().
class ViewProcess {
 public:
  // Starts it; it waits for begin(). `interface`: what the agent counts on. To be called before
  // there are threads. From now on this process does not stop itself at Ctrl-Z: see suspend().
  // Throws UnknownTerminal and std::system_error.
  explicit ViewProcess(const std::string& interface);

  // Like finish().
  ~ViewProcess();
  ViewProcess(const ViewProcess&) = delete;
  ViewProcess& operator=(const ViewProcess&) = delete;

  // The agent's end of the view's connection, to be served as any client's.
  UniqueFd take_socket() { return std::move(socket_); }

  // The view takes the terminal. Where standard error is a terminal, log messages appear in the
  // view from now on, and are printed when it has ended.
  void begin();

  // What the view says, which is to be read when fd() is readable.
  struct Word {
    enum class Kind {
      quit,        // somebody has pressed q
      suspend,     // somebody has pressed Ctrl-Z: the view has given the terminal back
      hung_up,     // the terminal is gone
      failed,      // the view cannot go on
      ended,       // nothing more comes
      none_there,  // nothing has come
    } kind;
    std::string text = {};  // why it failed
  };
  int fd() const { return words_.get(); }
  Word take_word() const;

  // Stops this process as Ctrl-Z does, until somebody lets the process group go on.
  static void suspend();

  // Waits for the view to end, which the end of its connection asks it to. Where it does not in a
  // second it is killed, and the terminal restored. Then what was logged meanwhile is printed.
  void finish();

 private:
  void show_message(const std::string& line) const;

  TerminalState terminal_;
  UniqueFd socket_;
  UniqueFd words_;  // to and from the process: messages for the view, and what it says
  pid_t pid_ = -1;
  UniqueFd process_;
  std::optional<log::Keeper> messages_;
};

}  // namespace xdp_count
