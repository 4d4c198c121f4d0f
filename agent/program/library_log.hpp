// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// libbpf and libxdp explain their failures by printing. This keeps what they print: for error
// messages, and for the log at verbose level.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace xdp_count {

// Sends the libraries' messages here instead of to standard error. Call once, before using them.
void redirect_library_messages();

// While it lives, collects what the libraries print on this thread, unless another one collects
// that was made later.
class LibraryMessages {
 public:
  LibraryMessages();
  ~LibraryMessages();
  LibraryMessages(const LibraryMessages&) = delete;
  LibraryMessages& operator=(const LibraryMessages&) = delete;

  // The kernel's own explanation (netlink's extended ack), where it gave one.
  std::optional<std::string> kernel_message() const;

  // All warnings, joined with "; ".
  std::string warnings() const;

  void add(std::string line) { lines_.push_back(std::move(line)); }

 private:
  LibraryMessages* outer_;  // that collects before and after
  std::vector<std::string> lines_;
};

}  // namespace xdp_count
