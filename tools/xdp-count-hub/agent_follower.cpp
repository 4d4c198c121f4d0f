// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "agent_follower.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <exception>

#include "async/log_exception.hpp"

namespace xdp_count {

namespace asio = boost::asio;

AgentFollower::AgentFollower(const asio::any_io_executor& executor, Fleet fleet)
    : executor_(executor), directory_(executor), fleet_(std::move(fleet)) {}

void AgentFollower::start() {
  asio::co_spawn(executor_, directory_.watch([this](const auto& paths) { follow_those(paths); }),
                 [](const std::exception_ptr& e) { log_exception(e, "looking for agents"); });
}

void AgentFollower::follow_those(const std::vector<std::string>& paths) {
  std::erase_if(links_, [&](const auto& followed) {
    if (std::ranges::binary_search(paths, followed.first)) return false;
    followed.second->stop();
    fleet_.remove(followed.first);
    return true;
  });
  for (const std::string& path : paths) {
    auto& link = links_[path];
    if (link) continue;
    fleet_.add(path);
    link = std::make_shared<AgentLink>(executor_, path, fleet_);
    asio::co_spawn(executor_, link->run(),
                   [link, path](const std::exception_ptr& e) { log_exception(e, path); });
  }
}

void AgentFollower::stop() {
  directory_.stop();
  for (const auto& [path, link] : links_) link->stop();
}

}  // namespace xdp_count
