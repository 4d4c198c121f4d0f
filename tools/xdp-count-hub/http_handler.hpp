// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What a request over HTTP is answered, without a socket.
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fleet.hpp"
#include "history_asker.hpp"
#include "metrics/metrics_text.hpp"
#include "page_feed.hpp"

namespace xdp_count {

using HttpRequest = boost::beast::http::request<boost::beast::http::empty_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

struct HttpPolicy {
  // The names by which a browser may ask, besides localhost and addresses: pages of others, whose
  // name leads here, are not to read the answers (DNS rebinding).
  std::vector<std::string> hosts = {};
  std::string token = {};  // that every request must have; empty: none is asked for
};

// At most one of these is there: a response that is whole, one that has the content of a file of
// the page for its body, which is not copied, one whose body goes on as long as the connection, or
// a question that takes a while, for asker().
struct HttpAnswer {
  HttpResponse response;
  std::string_view file = {};
  std::optional<PageFeed> feed = {};
  std::optional<HistoryQuestion> question = {};
};

// What a hub has only where it was told to.
struct HubParts {
  const MeasuredCommands* commands = nullptr;  // rules have some
  AddressBook* book = nullptr;                 // more is known of addresses
  HistoryAsker* asker = nullptr;               // what is counted is recorded
  std::function<MeasuredHistory()> history{};  // the same: how much
};

class HttpHandler {
 public:
  // All are kept by reference.
  HttpHandler(Fleet& fleet, const HttpPolicy& policy, const HubParts& parts = {})
      : fleet_(fleet), policy_(policy), parts_(parts) {}

  // Whatever the request holds, nothing is thrown but std::bad_alloc.
  HttpAnswer answer_to(const HttpRequest& request) const;

  // Who answers a question that answer_to() has given.
  HistoryAsker& asker() const { return *parts_.asker; }

 private:
  HttpAnswer content(const HttpRequest& request) const;
  HttpAnswer history(std::string_view kind, std::string_view query) const;

  Fleet& fleet_;
  const HttpPolicy& policy_;
  HubParts parts_;
};

// What the history answers, and why it does not.
HttpResponse history_response(std::string json);
HttpResponse history_refusal(const std::string& reason);

// An answer that says what is wrong, in plain text of one line, to what may be no request at all;
// the connection is closed behind it.
HttpResponse refusal(boost::beast::http::status status, const std::string& text);

}  // namespace xdp_count
