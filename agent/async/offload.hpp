// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>
#include <utility>

namespace xdp_count {

// Runs blocking `work` on `pool` and resumes with its result, or its exception, where the caller
// was. What `work` refers to must live until then.
template <class Work>
boost::asio::awaitable<std::invoke_result_t<Work>> offload(boost::asio::thread_pool& pool,
                                                           Work work) {
  using Result = std::invoke_result_t<Work>;
  co_return co_await boost::asio::co_spawn(
      pool,
      [](Work blocking) -> boost::asio::awaitable<Result> {
        co_return blocking();
      }(std::move(work)),
      boost::asio::use_awaitable);
}

}  // namespace xdp_count
