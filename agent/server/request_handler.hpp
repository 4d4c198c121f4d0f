// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A request line in, an answer out. Does no I/O and causes no work in the kernel's data plane:
// everything is answered from the last tick's state. Short, whatever is asked: what takes long is
// handed back as a query.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "counting/tally.hpp"
#include "model/request.hpp"
#include "model/status.hpp"
#include "server/query.hpp"

namespace xdp_count {

struct Answer {
  std::string text = {};                          // whole lines; empty where there is
  std::function<std::string()> from_ledger = {};  // what makes the text while nobody writes the
                                                  // tally, or
  std::unique_ptr<Query> query = {};              // whose parts are the answer
  // It is set when the request says what the connection is sent from now on: a subscription, or
  // none.
  struct StreamChange {
    std::optional<Subscription> subscription;
  };
  std::optional<StreamChange> stream = {};
};

class RequestHandler {
 public:
  // `tally` outlives the handler and its answers. `status` and `head`, which outlives the handler
  // and is of the last tick, are what status requests are answered from.
  RequestHandler(const Tally& tally, const SnapshotHead& head, std::function<Status()> status);

  // `line` without its newline, of any content. Does not look at the tally, so that it may be
  // called while that is written. Throws nothing but std::bad_alloc.
  Answer handle(std::string_view line) const;

 private:
  Answer answer(std::string_view id, const GetRequest& request) const;
  Answer answer(std::string_view id, const TopRequest& request) const;
  Answer answer(std::string_view id, const ListRequest& request) const;
  Answer answer(std::string_view id, const SubscribeRequest& request) const;
  Answer answer(std::string_view id, const UnsubscribeRequest& request) const;
  Answer answer(std::string_view id, const StatusRequest& request) const;

  const Tally& tally_;
  const SnapshotHead& head_;
  std::function<Status()> status_;
};

}  // namespace xdp_count
