// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "skip.hpp"

namespace xdp_count::testing {

// A client of the socket protocol that knows lines and JSON, and nothing of the project's own code
// for either.
class LineClient {
 public:
  static constexpr std::chrono::seconds patience{sanitized ? 80 : 20};

  // Connects, waiting until somebody listens. Throws std::runtime_error when nobody does in time.
  explicit LineClient(const std::string& path);

  void send(std::string_view bytes);       // throws std::system_error
  void ask(const nlohmann::json& object);  // sends it as a line

  // The next line as JSON; nothing when the agent has closed the connection. Throws
  // std::runtime_error when neither comes in time.
  std::optional<nlohmann::json> next();

  // The next line of this type, those before it skipped. Throws std::runtime_error when the
  // connection ends before.
  nlohmann::json next_of_type(const std::string& type);

  // ask(), then the answer: the next line that is no snapshot.
  nlohmann::json answer_to(const nlohmann::json& request);

  // Says that nothing more will be asked.
  void half_close();

  // Whether the agent closes the connection, what it sent before being left unread. False when it
  // has not in time.
  bool is_closed() const;

  // The socket, for what else is done with it.
  int descriptor() const { return socket_.get(); }

 private:
  UniqueFd socket_;
  std::string buffer_;
};

}  // namespace xdp_count::testing
