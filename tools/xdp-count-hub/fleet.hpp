// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <map>
#include <string>
#include <vector>

#include "metrics/metrics_text.hpp"
#include "protocol/json_decoding.hpp"

namespace xdp_count {

// What is known of the agents of this host, by the paths of their sockets. Used from one thread.
class Fleet {
 public:
  // There is a socket: until its agent answers, that is all.
  void add(const std::string& path);

  // The agent has answered.
  void update(const std::string& path, StatusMessage answer);

  // It no longer does. What it counts on is still known.
  void lose(const std::string& path);

  // There is no such socket any more.
  void remove(const std::string& path) { agents_.erase(path); }

  // In the order of their paths.
  std::vector<MeasuredAgent> agents() const;

 private:
  std::map<std::string, MeasuredAgent> agents_;
};

}  // namespace xdp_count
