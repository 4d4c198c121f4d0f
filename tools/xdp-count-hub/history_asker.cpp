// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history_asker.hpp"

#include <utility>

#include "async/offload.hpp"
#include "history/history_json.hpp"
#include "history/history_reader.hpp"

namespace xdp_count {

boost::asio::awaitable<std::string> HistoryAsker::answer(HistoryQuestion question) {
  struct Place {
    std::size_t& waiting;
    ~Place() { --waiting; }
  };
  ++waiting_;
  const Place place{waiting_};
  // g++ 12 destroys what is made within a co_await expression twice.
  auto work = [this, asked = std::move(question)] {
    const auto end = std::chrono::steady_clock::now() + longest;
    const auto is_over = [&] { return stopped_ || std::chrono::steady_clock::now() > end; };
    return answer_json(HistoryReader(path_, is_over).answer(asked), asked);
  };
  co_return co_await offload(pool_, std::move(work));
}

}  // namespace xdp_count
